//! Keys that somebody else lists: lines of a file, and notifications that objects were created.

use serde_json::Deserializer;
use serde_json::Value;

use super::s3::BucketPrefix;
use super::s3::decode_key;

/// Notifications wrapped in each other more often than any service does it.
const MAX_WRAPPERS: u8 = 4;
/// What some editors write before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';
const NAMES_NO_OBJECT: &str = "it names no bucket and key";
/// Types of notifications of S3 that say that an object can be read, by their beginnings
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html>).
const S3_BRINGS: [&str; 2] = ["ObjectCreated:", "ObjectRestore:Completed"];
/// The others.
const S3_BRINGS_NOT: [&str; 9] = [
    "ObjectRemoved:",
    "ObjectRestore:",
    "ObjectTagging:",
    "ObjectAcl:",
    "ReducedRedundancyLostObject",
    "Replication:",
    "LifecycleExpiration:",
    "LifecycleTransition",
    "IntelligentTiering",
];
/// The same of events of EventBridge (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html>).
const EVENT_BRINGS: [&str; 2] = ["Object Created", "Object Restore Completed"];
const EVENT_BRINGS_NOT: [&str; 8] = [
    "Object Deleted",
    "Object Restore Initiated",
    "Object Restore Expired",
    "Object Storage Class Changed",
    "Object Access Tier Changed",
    "Object ACL Updated",
    "Object Tags Added",
    "Object Tags Deleted",
];
/// What CloudTrail publishes to find out whether it may, when a topic is set for a trail; it is no JSON as its notifications are
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html>).
const CLOUDTRAIL_TRIES: &str = "CloudTrail validation message.";
/// Calls that create objects, as CloudTrail names them.
const CREATING_CALLS: [&str; 4] = ["PutObject", "PostObject", "CopyObject", "CompleteMultipartUpload"];

/// One object that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedKey {
    pub(super) bucket: String,
    pub(super) key: String,
    /// Etag and size, where the notification has both.
    pub(super) version: Option<(String, u64)>,
}

/// What somebody else lists.
#[derive(Debug, Default)]
pub(super) struct KeyList {
    pub(super) keys: Vec<NamedKey>,
    /// Messages of which it is not clear which objects they name: which one, and why.
    pub(super) unread: Vec<(String, String)>,
    /// Lines, by number, whose keys end as those of folders do.
    pub(super) folders: Vec<(usize, NamedKey)>,
}

impl NamedKey {
    pub(super) fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    fn without_version(bucket: &str, key: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: None,
        }
    }
}

/// Reads lines with URIs, lines with keys of `bucket`, or JSON: notifications of S3, EventBridge and CloudTrail, as they are
/// or wrapped by SNS and SQS.
pub(super) fn read(text: &str, bucket: Option<&str>) -> Result<KeyList, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.trim_start().starts_with(['{', '[']) {
        return read_messages(text);
    }
    read_lines(text, bucket)
}

fn read_lines(text: &str, bucket: Option<&str>) -> Result<KeyList, String> {
    let mut list = KeyList::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() {
            continue;
        }
        let (bucket, key) = match (BucketPrefix::parse(line), bucket) {
            (Some(place), _) => (place.bucket, place.prefix),
            (None, Some(bucket)) => (bucket.to_owned(), line.to_owned()),
            (None, None) => {
                let reason = format!("it is `{line}`; write `s3://bucket/key`, or name the bucket as the source");
                list.unread.push((format!("line {}", number + 1), reason));
                continue;
            }
        };
        let named = NamedKey::without_version(&bucket, &key);
        match is_folder(&key) {
            true => list.folders.push((number + 1, named)),
            false => list.keys.push(named),
        }
    }
    match (list.folders.first(), list.unread.first()) {
        _ if !list.keys.is_empty() => Ok(list),
        (Some((line, _)), _) => Err(format!(
            "line {line} names a folder, and no line an object; give the folder as the source"
        )),
        (None, Some((line, reason))) => Err(format!("{line} cannot be read: {reason}")),
        (None, None) => Ok(list),
    }
}

/// Reads one message after the other; one that says nothing does not keep the others from being read.
fn read_messages(text: &str) -> Result<KeyList, String> {
    let mut list = KeyList::default();
    let mut count = 0;
    for value in Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(|error| format!("it starts as JSON, but {error}"))?;
        let alone = std::slice::from_ref(&value);
        for message in messages(&value).map_or(alone, Vec::as_slice) {
            count += 1;
            if let Err(reason) = add_notified(message, MAX_WRAPPERS, &mut list.keys) {
                list.unread.push((name_of(message, count), reason));
            }
        }
    }
    match list.unread.first() {
        Some((message, reason)) if list.unread.len() == count => Err(format!("{message} cannot be read: {reason}")),
        _ => {
            list.keys.retain(|named| !is_folder(&named.key));
            Ok(list)
        }
    }
}

/// What a queue gives at once.
fn messages(value: &Value) -> Option<&Vec<Value>> {
    value.as_array().or_else(|| list(value, "Messages"))
}

/// A message by its number, and by its id in a queue or topic.
fn name_of(message: &Value, number: usize) -> String {
    let id = ["MessageId", "messageId"]
        .iter()
        .find_map(|name| message.get(name)?.as_str());
    match id {
        Some(id) => format!("message {number} ({id})"),
        None => format!("message {number}"),
    }
}

/// Whether a key is that of an empty object that consoles and tools make to show a folder.
fn is_folder(key: &str) -> bool {
    key.is_empty() || key.ends_with('/')
}

/// Adds what a message names; of one with several records also those beside the first that cannot be read.
fn add_notified(message: &Value, wrappers: u8, keys: &mut Vec<NamedKey>) -> Result<(), String> {
    let inner = |name: &str| message.get(name).and_then(Value::as_str);
    if let Some(messages) = messages(message).or_else(|| list(message, "Records")) {
        let mut first_refusal = Ok(());
        for (message, number) in messages.iter().zip(1..) {
            let added = match message.get("s3") {
                Some(s3) => of_record(message, s3).map(|named| keys.extend(named)),
                None => add_notified(message, wrappers, keys),
            };
            first_refusal = first_refusal.and(added.map_err(|reason| format!("record {number}: {reason}")));
        }
        return first_refusal;
    }
    let is_about_the_topic = matches!(
        inner("Type"),
        Some("SubscriptionConfirmation" | "UnsubscribeConfirmation")
    );
    if is_about_the_topic || inner("Event") == Some("s3:TestEvent") {
        return Ok(());
    }
    if let Some(text) = inner("Message").or_else(|| inner("Body")).or_else(|| inner("body")) {
        if text.trim() == CLOUDTRAIL_TRIES {
            return Ok(());
        }
        let depth = wrappers.checked_sub(1).ok_or("notifications are wrapped too often")?;
        let wrapped: Value =
            serde_json::from_str(text).map_err(|error| format!("a wrapped message is no JSON: {error}"))?;
        return add_notified(&wrapped, depth, keys);
    }
    if let (Some(bucket), Some(objects)) = (inner("s3Bucket"), list(message, "s3ObjectKey")) {
        for key in objects {
            let key = key.as_str().ok_or(NAMES_NO_OBJECT)?;
            keys.push(NamedKey::without_version(bucket, key));
        }
        return Ok(());
    }
    match (message.get("detail"), inner("detail-type")) {
        (Some(detail), Some(kind)) => keys.extend(of_event(kind, detail)?),
        _ => return Err("it is no notification that this version knows".to_owned()),
    }
    Ok(())
}

fn list<'a>(message: &'a Value, name: &str) -> Option<&'a Vec<Value>> {
    message.get(name).and_then(Value::as_array)
}

/// A notification of S3 itself.
fn of_record(record: &Value, s3: &Value) -> Result<Option<NamedKey>, String> {
    let kind = record.get("eventName").and_then(Value::as_str);
    let kind = kind.ok_or("it has no `eventName`")?;
    let kind = kind.strip_prefix("s3:").unwrap_or(kind);
    let is_one_of = |kinds: &[&str]| kinds.iter().any(|known| kind.starts_with(known));
    if is_one_of(&S3_BRINGS) {
        return of_s3(s3).map(Some).ok_or_else(|| NAMES_NO_OBJECT.to_owned());
    }
    match is_one_of(&S3_BRINGS_NOT) {
        true => Ok(None),
        false => Err(format!("its type `{kind}` is not known")),
    }
}

fn of_s3(s3: &Value) -> Option<NamedKey> {
    let mut named = of_event_bridge(s3)?;
    named.key = decode_key(&named.key);
    let etag = s3.pointer("/object/eTag").and_then(Value::as_str);
    let size = s3.pointer("/object/size").and_then(Value::as_u64);
    named.version = etag.map(str::to_owned).zip(size);
    Some(named)
}

/// An event of EventBridge.
fn of_event(kind: &str, detail: &Value) -> Result<Option<NamedKey>, String> {
    if EVENT_BRINGS.contains(&kind) {
        return of_event_bridge(detail)
            .map(Some)
            .ok_or_else(|| NAMES_NO_OBJECT.to_owned());
    }
    match kind {
        "AWS API Call via CloudTrail" => of_call(detail),
        kind if EVENT_BRINGS_NOT.contains(&kind) => Ok(None),
        other => Err(format!("its type `{other}` is not known")),
    }
}

fn of_event_bridge(detail: &Value) -> Option<NamedKey> {
    let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let size = detail.pointer("/object/size").and_then(Value::as_u64);
    Some(NamedKey {
        bucket: text("/bucket/name")?,
        key: text("/object/key")?,
        version: text("/object/etag").zip(size),
    })
}

/// A call to S3 that CloudTrail recorded: nothing, unless it created an object.
fn of_call(call: &Value) -> Result<Option<NamedKey>, String> {
    let text = |pointer: &str| call.pointer(pointer).and_then(Value::as_str);
    let service = text("/eventSource").unwrap_or_default();
    if service != "s3.amazonaws.com" {
        return Err(format!("it is a call to `{service}`, not to S3"));
    }
    let is_creation = text("/eventName").is_some_and(|name| CREATING_CALLS.contains(&name));
    if !is_creation || text("/errorCode").is_some() {
        return Ok(None);
    }
    let place = text("/requestParameters/bucketName").zip(text("/requestParameters/key"));
    let (bucket, key) = place.ok_or(NAMES_NO_OBJECT)?;
    Ok(Some(NamedKey::without_version(bucket, key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<(String, String, bool)> {
        let list = read(text, Some("logs")).unwrap();
        assert_eq!(list.unread, []);
        list.keys
            .into_iter()
            .map(|named| (named.bucket, named.key, named.version.is_some()))
            .collect()
    }

    fn wanted(bucket: &str, key: &str, has_version: bool) -> Vec<(String, String, bool)> {
        vec![(bucket.to_owned(), key.to_owned(), has_version)]
    }

    #[test]
    fn lines_are_uris_or_keys_of_the_source() {
        assert_eq!(named("s3://b/x y.json\r\n\n"), wanted("b", "x y.json", false));
        assert_eq!(named("AWSLogs/x.gz\n"), wanted("logs", "AWSLogs/x.gz", false));
        assert!(
            read("x.gz", None)
                .unwrap_err()
                .starts_with("line 1 cannot be read: it is `x.gz`")
        );
        let half = read("s3://b/x.gz\n# of today\n", None).unwrap();
        assert_eq!((half.keys.len(), half.unread[0].0.as_str()), (1, "line 2"));
        assert_eq!(named("\u{feff}s3://b/x.gz"), wanted("b", "x.gz", false));
        assert_eq!(named("s3://b/x/\ns3://b/x/y.gz"), wanted("b", "x/y.gz", false));
        let folders = read("x/y.gz\nx/", Some("b")).unwrap().folders;
        assert_eq!(folders, [(2, NamedKey::without_version("b", "x/"))]);
        assert!(read("s3://b/x/", None).unwrap_err().contains("line 1 names a folder"));
    }

    #[test]
    fn notifications_are_unwrapped_whoever_sent_them() {
        let s3 = r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"a+b%2Fc","size":3,"eTag":"e"}}},{"eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"b"},"object":{"key":"gone"}}}]}"#;
        assert_eq!(named(s3), wanted("b", "a b/c", true));
        assert!(named(&s3.replace("a+b%2Fc", "a%2F")).is_empty());
        let wrap = |name: &str, text: &str| serde_json::json!({ name: text }).to_string();
        let by_sns = wrap("Message", s3);
        let by_sqs = format!(r#"{{"Messages":[{}]}}"#, wrap("Body", &by_sns));
        assert_eq!(named(&by_sqs), wanted("b", "a b/c", true));
        let cloudtrail = r#"{"s3Bucket":"b","s3ObjectKey":["AWSLogs/k.json.gz"]}"#;
        assert_eq!(named(cloudtrail), wanted("b", "AWSLogs/k.json.gz", false));
        let event_bridge = r#"{"detail-type":"Object Created","detail":{"bucket":{"name":"b"},"object":{"key":"a+b","size":3,"etag":"e"}}}"#;
        assert_eq!(named(event_bridge), wanted("b", "a+b", true));
        assert!(named(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#).is_empty());
    }

    #[test]
    fn message_with_which_cloudtrail_tries_a_topic_names_nothing_and_is_no_fault() {
        let by_sns = serde_json::json!({"Type": "Notification", "Message": CLOUDTRAIL_TRIES}).to_string();
        let by_sqs = serde_json::json!({"Messages": [{"Body": by_sns}]}).to_string();
        let as_it_is = serde_json::json!({"Messages": [{"Body": CLOUDTRAIL_TRIES}]}).to_string();
        for text in [by_sns, by_sqs, as_it_is] {
            assert!(named(&text).is_empty(), "{text}");
        }
    }

    #[test]
    fn events_of_restored_objects_and_of_recorded_calls_name_objects() {
        let event = |kind: &str, detail: &str| format!(r#"{{"detail-type":"{kind}","detail":{detail}}}"#);
        let object = r#"{"bucket":{"name":"b"},"object":{"key":"k","size":3,"etag":"e"}}"#;
        assert_eq!(
            named(&event("Object Restore Completed", object)),
            wanted("b", "k", true)
        );
        assert!(named(&event("Object Deleted", object)).is_empty());
        let call = |name: &str, error: &str| {
            let call = r#"{"eventSource":"s3.amazonaws.com","eventName":"NAME","requestParameters":{"bucketName":"b","key":"a+b"}ERROR}"#;
            let call = call.replace("NAME", name).replace("ERROR", error);
            named(&event("AWS API Call via CloudTrail", &call))
        };
        assert_eq!(call("PutObject", ""), wanted("b", "a+b", false));
        assert!(call("GetObject", "").is_empty());
        assert!(call("PutObject", r#","errorCode":"AccessDenied""#).is_empty());
        assert!(named(r#"{"Type":"SubscriptionConfirmation","Message":"You have chosen to subscribe"}"#).is_empty());
    }

    #[test]
    fn message_that_says_nothing_is_told_by_its_number_and_hides_no_other() {
        let good = r#"{"s3Bucket":"b","s3ObjectKey":["k"]}"#;
        let created = r#"{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"l"}}}"#;
        for (poison, reason) in [
            (
                r#"{"detail-type":"Object Created","detail":{"bucketName":"b"}}"#.to_owned(),
                "names no bucket and key",
            ),
            (
                r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"nam":"b"}}}]}"#.to_owned(),
                "record 1: it names no",
            ),
            (r#"{"Records":[{"s3":{}}]}"#.to_owned(), "no `eventName`"),
            (
                r#"{"Records":[{"eventName":"ObjectPainted:Red","s3":{}}]}"#.to_owned(),
                "`ObjectPainted:Red` is not known",
            ),
            (
                r#"{"detail-type":"Object Painted","detail":{}}"#.to_owned(),
                "`Object Painted` is not known",
            ),
            (
                r#"{"detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"ec2.amazonaws.com"}}"#
                    .to_owned(),
                "not to S3",
            ),
            (
                r#"{"Body":"{\"foo\":1}"}"#.to_owned(),
                "no notification that this version knows",
            ),
            (r#"{"Body":"hello"}"#.to_owned(), "no JSON"),
        ] {
            let list = read(&format!(r#"{{"Messages":[{good},{poison}]}}"#), None).unwrap();
            assert_eq!(list.keys.len(), 1, "{poison}");
            let [(message, told)] = list.unread.as_slice() else {
                panic!("{poison}: {:?}", list.unread)
            };
            assert!(message == "message 2" && told.contains(reason), "{message}: {told}");
            assert!(
                read(&poison, None)
                    .unwrap_err()
                    .starts_with("message 1 cannot be read: "),
                "{poison}"
            );
        }
        let half = read(
            &format!(r#"{{"MessageId":"7c9a","Records":[{{"s3":{{}}}},{created}]}} {good}"#),
            None,
        )
        .unwrap();
        assert_eq!((half.keys.len(), half.unread[0].0.as_str()), (2, "message 1 (7c9a)"));
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["{\"a\":1}", "{\"Message\":\"no\"}", "{\"Records\":["] {
            assert!(read(text, None).is_err(), "{text}");
        }
    }
}
