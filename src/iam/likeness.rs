//! Calls that are alike: what of a call tells its outcome, so that a call like one before need not be mapped again.
//!
//! Most calls of a log differ in texts at which the mapping never looks, such as the key of an object whose ARN the record
//! names. While a call is mapped, its request remembers which members were read. Calls are alike if they differ only in the
//! values of other members, and in the names within the recorded ARNs. The resources of their outcomes are the same, but
//! for those ARNs, which stand at the same places.

use super::arn_format::ArnFormat;
use super::arn_format::Segment;
use super::authorized;
use super::mark::mark;
use super::outcome::Call;
use super::percent::is_arn;
use super::plan::ActionPlan;
use super::plan::CandidatePlan;
use super::plan::KnownOperation;

/// Recorded ARNs that are looked at one by one.
const MOST_ARNS: usize = 8;
/// Digits of a number of which it is certain that it can be read.
const PLAIN_DIGITS: usize = 15;

/// Stand in the place of what was left out, or before what is written as it is.
const SOME_TEXT: u8 = 1;
const NO_TEXT: u8 = 2;
const PLAIN_NUMBER: u8 = 3;
const ABSENT: u8 = 4;
const WHOLE: u8 = 5;
const NAMED: u8 = 6;
const END: u8 = 7;

/// Which members of a request were read, by marks of their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    pub(super) request: u64,
    pub(super) additional: u64,
}

impl Reading {
    /// What either has read.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            request: self.request | other.request,
            additional: self.additional | other.additional,
        }
    }
}

/// How the ARNs that an operation may be recorded with differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArnWords {
    /// Words that formats have between two separators. `None` if a format has a word beside a variable, or names count.
    words: Option<Vec<&'static str>>,
}

impl ArnWords {
    pub(super) fn of(plans: &[CandidatePlan]) -> Self {
        let actions = || {
            plans
                .iter()
                .flat_map(|plan| plan.primary.iter().chain(&plan.conditional))
        };
        let are_names_read = actions().any(ActionPlan::reads_recorded_names);
        let formats = actions().flat_map(|action| action.uses.iter().map(|(_, format)| format));
        let segments = formats.map(ArnFormat::segments);
        let segments: Option<Vec<Vec<Segment>>> = segments.collect();
        let words = segments.filter(|_| !are_names_read).map(|segments| {
            let words = segments.into_iter().flatten().filter_map(|segment| match segment {
                Segment::Word(word) => Some(word),
                Segment::Variable => None,
            });
            let mut words: Vec<&str> = words.collect();
            words.sort_unstable();
            words.dedup();
            words
        });
        Self { words }
    }

    /// Writes an ARN without the names in it.
    fn write(&self, arn: &str, key: &mut Vec<u8>) {
        // The partition and the service are compared as they are.
        let mut colons = arn.bytes().enumerate().filter(|(_, byte)| *byte == b':');
        let head = colons.nth(2).and_then(|(colon, _)| arn.split_at_checked(colon));
        let (Some(words), Some((head, rest))) = (&self.words, head) else {
            return write_whole(arn, key);
        };
        key.push(NAMED);
        key.extend_from_slice(head.as_bytes());
        let mut rest = rest;
        loop {
            let end = rest.bytes().position(|byte| matches!(byte, b':' | b'/'));
            let (segment, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
            match segment {
                "" => key.push(NO_TEXT),
                segment if words.contains(&segment) => key.extend_from_slice(segment.as_bytes()),
                _ => key.push(SOME_TEXT),
            }
            let Some((separator, after)) = behind.split_at_checked(1) else {
                break;
            };
            key.extend_from_slice(separator.as_bytes());
            rest = after;
        }
        key.push(END);
    }
}

impl KnownOperation {
    /// Writes what of a call tells its outcome, if `reading` is all that was read of the calls that are to be like it.
    ///
    /// Only the resources, the passed roles and the JSON of the call are looked at. Callers that have numbers for the other
    /// texts write these themselves.
    pub fn write_likeness(&self, call: &Call<'_>, reading: Reading, key: &mut Vec<u8>) {
        let (arns, roles) = (call.resource_arns, call.passed_role_arns);
        let is_first = |(position, arn): (usize, &&str)| !arns.iter().take(position).any(|other| other == arn);
        let are_told_apart = arns.len() <= MOST_ARNS && arns.iter().enumerate().all(is_first);
        // A role is looked for among all texts of the request, and what an access point leads to is made of several ARNs.
        let may_leave_out = roles.is_empty() && !authorized::leads_elsewhere(arns);
        for arn in arns {
            match may_leave_out && are_told_apart {
                true => self.arn_words.write(arn, key),
                false => write_whole(arn, key),
            }
        }
        key.push(END);
        roles.iter().for_each(|role| write_whole(role, key));
        key.push(END);
        key.extend_from_slice(&reading.request.to_le_bytes());
        key.extend_from_slice(&reading.additional.to_le_bytes());
        for (text, read) in [
            (call.request_parameters, reading.request),
            (call.additional_event_data, reading.additional),
        ] {
            let Some(text) = text else {
                key.push(ABSENT);
                continue;
            };
            let start = key.len();
            if !may_leave_out || write_read(text, read, key).is_none() {
                key.truncate(start);
                write_whole(text, key);
            }
            key.push(END);
        }
    }
}

fn write_whole(text: &str, key: &mut Vec<u8>) {
    key.push(WHOLE);
    key.extend_from_slice(&text.len().to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

/// Writes JSON with the values of those members that were read, and of the others only whether they say something; ARNs
/// always count. `None` if it has an escape, which may hide a name, or something that no text may have.
fn write_read(json: &str, read: u64, key: &mut Vec<u8>) -> Option<()> {
    let is_odd = |byte: u8| byte < b' ' || byte == b'\\';
    if json.bytes().fold(false, |odd, byte| odd | is_odd(byte)) {
        return None;
    }
    let mut structure = Structure {
        depth: 0,
        read_at: None,
    };
    let quote = |text: &str| text.bytes().position(|byte| byte == b'"');
    let mut rest = json;
    while let Some(start) = quote(rest) {
        let (between, quoted) = rest.split_at_checked(start)?;
        structure.write(between, key);
        let text = quoted.get(1..)?;
        let (text, behind) = text.split_at_checked(quote(text)?)?;
        rest = behind.get(1..)?;
        let is_name = rest.starts_with(':') || rest.trim_ascii_start().starts_with(':');
        if is_name && structure.read_at.is_none() && mark(text) & read != 0 {
            structure.read_at = Some(structure.depth);
        }
        if is_name || structure.read_at.is_some() || is_arn(text) {
            key.push(b'"');
            key.extend_from_slice(text.as_bytes());
            key.push(b'"');
        } else {
            key.push(if text.is_empty() { NO_TEXT } else { SOME_TEXT });
        }
    }
    structure.write(rest, key);
    Some(())
}

/// Where in JSON a text stands.
struct Structure {
    depth: usize,
    /// Depth of the member that was read, inside which everything counts.
    read_at: Option<usize>,
}

impl Structure {
    /// Writes what stands between two texts.
    fn write(&mut self, between: &str, key: &mut Vec<u8>) {
        if between == ":" {
            return key.push(b':');
        }
        let mut bytes = between.as_bytes();
        while let Some((byte, rest)) = bytes.split_first() {
            let is_over = match byte {
                b'{' | b'[' => {
                    self.depth += 1;
                    false
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.read_at.is_some_and(|depth| self.depth < depth)
                }
                b',' => self.read_at == Some(self.depth),
                b'0'..=b'9' | b'-' if self.read_at.is_none() => {
                    bytes = write_number(bytes, key);
                    continue;
                }
                _ => false,
            };
            if is_over {
                self.read_at = None;
            }
            key.push(*byte);
            bytes = rest;
        }
    }
}

/// Writes the number at the beginning, or only that there is one; returns what is behind it.
fn write_number<'t>(bytes: &'t [u8], key: &mut Vec<u8>) -> &'t [u8] {
    let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let end = bytes.iter().position(|byte| !is_of_number(byte)).unwrap_or(bytes.len());
    let (number, behind) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    match is_plain(number) {
        true => key.push(PLAIN_NUMBER),
        false => key.extend_from_slice(number),
    }
    behind
}

/// Whether a number is surely one, as every other that is plain.
fn is_plain(number: &[u8]) -> bool {
    let is_led_by_zero = number.len() > 1 && number.first() == Some(&b'0');
    number.len() <= PLAIN_DIGITS && !is_led_by_zero && number.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::iam::Facts;
    use crate::iam::Outcome;
    use crate::iam::ResourceOrigin;

    const OBJECT: &str = r#"{"bucketName":"logs","Host":"logs.s3","key":"a/1"}"#;

    fn call<'a>((event_source, event_name): (&'a str, &'a str), request: &'a str, arns: &'a [&'a str]) -> Call<'a> {
        Call {
            event_source,
            event_name,
            request_parameters: Some(request),
            resource_arns: arns,
            account_id: Some("111122223333"),
            region: Some("eu-west-1"),
            ..Call::default()
        }
    }

    fn key(call: &Call<'_>, reading: Reading) -> Vec<u8> {
        let operation = Facts::embedded().operation(call.event_source, call.event_name);
        let mut key = Vec::new();
        operation.write_likeness(call, reading, &mut key);
        key
    }

    fn read<'a>(call: &Call<'a>) -> (Outcome<'a>, Reading) {
        let facts = Facts::embedded();
        facts.read_call(&facts.operation(call.event_source, call.event_name), call)
    }

    fn are_alike(call: &Call<'_>, other: &Call<'_>) -> bool {
        let (_, reading) = read(call);
        key(call, reading) == key(other, reading)
    }

    /// The outcome, with the place of each recorded ARN instead of its text.
    fn without_recorded(call: &Call<'_>) -> String {
        let (mut outcome, _) = read(call);
        let recorded = outcome.actions.iter_mut().flat_map(|action| &mut action.resources);
        for resource in recorded.filter(|resource| resource.origin == ResourceOrigin::Record) {
            let place = call.resource_arns.iter().position(|arn| *arn == resource.arn);
            resource.arn = format!("{place:?}").into();
        }
        format!("{outcome:?}")
    }

    #[test]
    fn reads_of_two_recorded_objects_are_alike_and_those_of_another_bucket_are_not() {
        let get = ("s3.amazonaws.com", "GetObject");
        let arns = ["arn:aws:s3:::logs/a/1", "arn:aws:s3:::logs"];
        let first = call(get, OBJECT, &arns);
        let arns = ["arn:aws:s3:::logs/b/2", "arn:aws:s3:::logs"];
        assert!(are_alike(
            &first,
            &call(get, r#"{"bucketName":"logs","Host":"x","key":"b/2"}"#, &arns)
        ));
        for other in [
            r#"{"bucketName":"logs--x-s3","Host":"logs.s3","key":"a/1"}"#,
            r#"{"bucketName":"logs","Host":"logs.s3","key":"a/1","versionId":"1"}"#,
            r#"{"bucketName":"logs","Host":"logs.s3","key":"arn:aws:s3:::logs"}"#,
            r#"{"bucketName":"logs","Host":"logs.s3","key":"arn%3Aaws%3As3%3A%3A%3Alogs"}"#,
            r#"{"bucketName":"logs","Host":"logs.s3","key":""}"#,
            r#"{"bucketName":"logs","Host":"logs.s3","k\u0065y":"a/1"}"#,
        ] {
            assert!(!are_alike(&first, &call(get, other, &arns)), "{other}");
        }
        assert!(!are_alike(&first, &call(get, OBJECT, &arns[1..])));
        assert!(!are_alike(&first, &call(get, OBJECT, &[])));
    }

    #[test]
    fn arns_of_another_kind_are_not_alike() {
        let decrypt = ("kms.amazonaws.com", "Decrypt");
        let of = |arn| read_with(decrypt, arn);
        let first = of("arn:aws:kms:eu-west-1:111122223333:key/a");
        assert_eq!(first, of("arn:aws:kms:eu-central-1:444455556666:key/b"));
        for other in [
            "arn:aws:kms:eu-west-1:111122223333:alias/a",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            "arn:aws:kms:eu-west-1:111122223333:key:a",
            "arn:aws:kms:eu-west-1:111122223333:key/a/b",
            "arn:aws:s3:eu-west-1:111122223333:key/a",
            "key/a",
        ] {
            assert_ne!(first, of(other), "{other}");
        }
    }

    fn read_with(operation: (&str, &str), arn: &str) -> Vec<u8> {
        key(&call(operation, "{}", &[arn]), Reading::default())
    }

    #[test]
    fn calls_with_tags_are_not_like_those_without() {
        let create = ("s3.amazonaws.com", "CreateBucket");
        let request = |tags: &str| format!(r#"{{"bucketName":"a","CreateBucketConfiguration":{{"Tags":{tags}}}}}"#);
        let (tagged, other) = (request(r#"{"Tag":[{"Key":"a"}]}"#), request(r#"{"Tag":[{"Key":"b"}]}"#));
        let first = call(create, &tagged, &[]);
        assert!(are_alike(&first, &call(create, &other, &[])));
        for other in [request("{}"), request("null"), r#"{"bucketName":"a"}"#.to_owned()] {
            assert!(!are_alike(&first, &call(create, &other, &[])), "{other}");
        }
    }

    #[test]
    fn names_of_what_the_record_does_not_name_are_read() {
        let stream = ("logs.amazonaws.com", "CreateLogStream");
        let first = call(stream, r#"{"logGroupName":"g","logStreamName":"a"}"#, &[]);
        let other = call(stream, r#"{"logGroupName":"g","logStreamName":"b"}"#, &[]);
        assert!(!are_alike(&first, &other));
        let inside = ("ec2.amazonaws.com", "TerminateInstances");
        let first = call(inside, r#"{"instancesSet":{"items":[{"instanceId":"i-1"}]}}"#, &[]);
        let other = call(inside, r#"{"instancesSet":{"items":[{"instanceId":"i-2"}]}}"#, &[]);
        assert!(!are_alike(&first, &other));
    }

    fn json() -> impl Strategy<Value = String> {
        let text = prop::sample::select(vec![
            r#""""#,
            r#""a""#,
            r#""b""#,
            r#""a/b""#,
            r#""arn:aws:s3:::a/b""#,
            r#""\u0061""#,
            r#""alias/a""#,
            r#""a/b?versionId=1""#,
            r#""null""#,
            r#""arn:aws:kms:eu-west-1:111122223333:key/a""#,
            "1",
            "20",
            "007",
            "1.5",
            "null",
            "false",
            "true",
            "{}",
            "[",
        ]);
        let name = prop::sample::select(vec![
            "bucketName",
            "key",
            "Host",
            "versionId",
            "tags",
            "functionName",
            "instanceId",
            "instancesSet",
            "items",
            "keyId",
            "x-amz-copy-source",
            "sourceKeyId",
            "destinationKeyId",
            "indexName",
            "tableName",
            "queueUrl",
            "roleArn",
            "qualifier",
        ]);
        let value = text.prop_map(str::to_owned).prop_recursive(2, 6, 3, move |inner| {
            let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!(r#""{name}":{value}"#));
            prop_oneof![
                prop::collection::vec(member, 1..4).prop_map(|members| format!("{{{}}}", members.join(","))),
                prop::collection::vec(inner, 0..3).prop_map(|elements| format!("[{}]", elements.join(","))),
            ]
        });
        value.boxed()
    }

    fn operation() -> impl Strategy<Value = (&'static str, &'static str)> {
        prop::sample::select(vec![
            ("s3.amazonaws.com", "GetObject"),
            ("s3.amazonaws.com", "PutObject"),
            ("s3.amazonaws.com", "CopyObject"),
            ("s3.amazonaws.com", "CreateBucket"),
            ("s3.amazonaws.com", "UploadPartCopy"),
            ("s3.amazonaws.com", "DeleteObject"),
            ("kms.amazonaws.com", "Decrypt"),
            ("kms.amazonaws.com", "ReEncrypt"),
            ("dynamodb.amazonaws.com", "Query"),
            ("ec2.amazonaws.com", "TerminateInstances"),
            ("lambda.amazonaws.com", "Invoke"),
            ("sqs.amazonaws.com", "SendMessage"),
            ("sts.amazonaws.com", "AssumeRole"),
            ("autoscaling.amazonaws.com", "DeleteScheduledAction"),
        ])
    }

    fn arns() -> impl Strategy<Value = Vec<&'static str>> {
        let arn = prop::sample::select(vec![
            "arn:aws:s3:::a/b",
            "arn:aws:s3:::c//d",
            "arn:aws:s3:::c/e",
            "arn:aws:s3:::a",
            "arn:aws:s3:::",
            "arn:aws:s3-object-lambda:eu-west-1:111122223333:accesspoint/a",
            "arn:aws:s3:eu-west-1:111122223333:accesspoint/a/object/b",
            "arn:aws:kms:eu-west-1:111122223333:key/a",
            "arn:aws:kms:eu-west-1:111122223333:key/b",
            "arn:aws:kms:eu-west-1:111122223333:alias/b",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/a",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/b",
            "arn:aws:dynamodb:eu-west-1:111122223333:table/a/index/b",
            "arn:aws:lambda:eu-west-1:111122223333:function:a",
            "arn:aws:lambda:eu-west-1:111122223333:function:b",
            "arn:aws:iam::111122223333:role/a",
            "arn:aws:iam::111122223333:role/b/c",
            "a",
        ]);
        prop::collection::vec(arn, 0..3)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn calls_that_are_alike_have_the_same_outcome(
            operation in operation(),
            (request, other_request) in (json(), json(), any::<bool>()).prop_map(|(one, other, is_same)| {
                let changed = one.replace(r#""a""#, r#""b""#).replace("20", "31");
                (one, if is_same { changed } else { other })
            }),
            (arns, other_arns) in (arns(), arns()),
        ) {
            let one = call(operation, &request, &arns);
            let other = call(operation, &other_request, &other_arns);
            if are_alike(&one, &other) {
                prop_assert_eq!(without_recorded(&one), without_recorded(&other));
            }
        }
    }
}
