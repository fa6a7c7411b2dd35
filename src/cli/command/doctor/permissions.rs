//! The least IAM policy that a run needs, made of the same places that it is given.

use serde_json::Value;
use serde_json::json;

use crate::cli::args::DoctorArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::target::write_text;
use crate::report::escape;
use crate::source::BucketPrefix;

/// Prints the policy for the sources and the store of the command line.
pub(super) fn print(args: &DoctorArgs, output: &mut Output) -> Result<ExitStatus, CliError> {
    let in_buckets = args
        .sources
        .iter()
        .filter(|source| BucketPrefix::parse(source).is_some());
    let places: Result<Vec<_>, _> = in_buckets.map(|source| BucketPrefix::of_source(source)).collect();
    let places = places?;
    let is_in_bucket = args.location.location()?.folder().is_none();
    let store = BucketPrefix::parse(&args.location.store).filter(|_| is_in_bucket);
    check(args, &places, store.as_ref())?;
    let region = args.connection.aws_region.as_deref();
    let mut statements = log_statements(&places, &args.kms_key, partition(region));
    if let Some(store) = &store {
        if is_one_caller(args) {
            leave_out_listed(&mut statements, &store.bucket);
        }
        let region = args.location.bucket.store_region.as_deref().or(region);
        statements.extend(store_statements(store, &args.store_kms_key, partition(region)));
    }
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    let text = format!("{}\n", escape::json(&format!("{policy:#}")));
    write_text(&text, args.output.file.as_deref(), output)?;
    if !places.is_empty() && args.kms_key.is_empty() {
        output.note("if the bucket is encrypted with a KMS key, name it with `--kms-key`");
    }
    if store.is_some() && args.store_kms_key.is_empty() {
        output.note("if the store's bucket is encrypted with a KMS key, name it with `--store-kms-key`");
    }
    if places.iter().any(|place| place.access_point().is_some()) {
        output.note("the policy of the bucket must allow the same through its access points");
    }
    note_roles(args, store.is_some(), output);
    Ok(ExitStatus::Done)
}

/// Refuses what no policy is for.
fn check(args: &DoctorArgs, places: &[BucketPrefix], store: Option<&BucketPrefix>) -> Result<(), CliError> {
    let (message, hint) = match store {
        None if places.is_empty() => (
            "folders need no IAM policy",
            "name a bucket, such as `s3://central-logs`, or one with `--store`",
        ),
        None if !args.store_kms_key.is_empty() => (
            "`--store-kms-key` is for a store in a bucket",
            "name it, such as `--store s3://trail-store/trimtrail`",
        ),
        Some(_) if places.is_empty() && !args.kms_key.is_empty() => (
            "`--kms-key` is for logs in a bucket",
            "name the bucket, or the key with `--store-kms-key`",
        ),
        _ => return Ok(()),
    };
    Err(CliError::Usage {
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    })
}

/// Says whose policy it is when the program takes other roles first.
fn note_roles(args: &DoctorArgs, has_store: bool, output: &mut Output) {
    let of_store = args.location.bucket.store_role_arn.as_ref().filter(|_| has_store);
    if let Some(role) = &args.connection.role_arn {
        let which = if has_store {
            "the policy for the logs"
        } else {
            "the policy"
        };
        output.note(&format!(
            "{which} is for `{role}`; the caller needs `sts:AssumeRole` on it"
        ));
    }
    if let Some(role) = of_store {
        output.note(&format!(
            "the statements for the store are for `{role}`; the caller needs `sts:AssumeRole` on it"
        ));
    }
}

/// Whether logs and store are reached as one principal, which one policy is for.
fn is_one_caller(args: &DoctorArgs) -> bool {
    let (logs, store) = (&args.connection, &args.location.bucket);
    logs.role_arn == store.store_role_arn && logs.profile == store.store_profile
}

/// Leaves out the lists of a bucket that the statement for the store allows as a whole.
fn leave_out_listed(statements: &mut Vec<Value>, bucket: &str) {
    let end = format!(":s3:::{bucket}");
    let is_of_bucket = |statement: &Value| statement["Resource"].as_str().is_some_and(|arn| arn.ends_with(&end));
    statements.retain(|statement| statement["Action"] != "s3:ListBucket" || !is_of_bucket(statement));
}

fn partition(region: Option<&str>) -> &'static str {
    match region {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// List on the buckets below the prefixes, get on the objects below them, decrypt with the keys; nothing else.
fn log_statements(places: &[BucketPrefix], kms_keys: &[String], partition: &str) -> Vec<Value> {
    if places.is_empty() {
        return Vec::new();
    }
    let places = outermost(places);
    let mut statements: Vec<Value> = places
        .iter()
        .filter_map(|place| list_statement(place, partition))
        .collect();
    let objects: Vec<String> = places.iter().map(|place| objects_arn(place, partition)).collect();
    statements.push(allow("ReadLogs", &["s3:GetObject"], objects));
    if !kms_keys.is_empty() {
        statements.push(allow("DecryptLogs", &["kms:Decrypt"], kms_keys.to_vec()));
    }
    // Ids of statements must differ.
    let is_repeated = places.len() > 1;
    for (number, statement) in statements.iter_mut().enumerate().filter(|_| is_repeated) {
        if let Some(Value::String(id)) = statement.get_mut("Sid") {
            id.push_str(&(number + 1).to_string());
        }
    }
    statements
}

/// The places that lie in no other of them.
fn outermost(places: &[BucketPrefix]) -> Vec<&BucketPrefix> {
    let holds = |outer: &BucketPrefix, inner: &BucketPrefix| {
        let folder = outer.clone().into_folder();
        let is_below = inner.clone().into_folder().prefix.starts_with(&folder.prefix);
        outer.bucket == inner.bucket && (outer == inner || !outer.is_object() && is_below)
    };
    let is_outermost = |(number, place): &(usize, &BucketPrefix)| {
        let mut others = places.iter().enumerate().filter(|(other, _)| other != number);
        !others.any(|(other, outer)| holds(outer, place) && (other < *number || !holds(place, outer)))
    };
    let found = places.iter().enumerate().filter(is_outermost);
    found.map(|(_, place)| place).collect()
}

/// What a writer of a store needs: `ingest` and `commit`.
///
/// Listing stands without a condition on `s3:prefix`: requests for one object carry no prefix, and S3 calls an object that
/// is not there "denied" for whoever may not list. The store asks for entries of its log that are not there yet.
fn store_statements(place: &BucketPrefix, kms_keys: &[String], partition: &str) -> Vec<Value> {
    let folder = place.clone().into_folder();
    let bucket = format!("arn:{partition}:s3:::{}", folder.bucket);
    let actions = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
    ];
    let objects = format!("{bucket}/{}*", literal(&folder.prefix));
    let mut statements = vec![
        allow("ListStore", &["s3:ListBucket"], vec![bucket]),
        allow("WriteStore", &actions, vec![objects]),
    ];
    if !kms_keys.is_empty() {
        let actions = ["kms:Decrypt", "kms:GenerateDataKey"];
        statements.push(allow("UseStoreKey", &actions, kms_keys.to_vec()));
    }
    statements
}

fn allow(id: &str, actions: &[&str], mut resources: Vec<String>) -> Value {
    resources.sort();
    resources.dedup();
    let actions = actions.iter().map(|action| (*action).to_owned()).collect();
    json!({ "Sid": id, "Effect": "Allow", "Action": one_or_many(actions), "Resource": one_or_many(resources) })
}

/// `None` for a single object, which is not listed.
fn list_statement(place: &BucketPrefix, partition: &str) -> Option<Value> {
    if place.is_object() {
        return None;
    }
    let folder = place.clone().into_folder();
    let bucket = match place.access_point() {
        Some(arn) => arn,
        None => format!("arn:{partition}:s3:::{}", folder.bucket),
    };
    let mut statement = allow("ListLogs", &["s3:ListBucket"], vec![bucket]);
    if let Some(members) = statement.as_object_mut().filter(|_| !folder.prefix.is_empty()) {
        let prefix = format!("{}*", literal(&folder.prefix));
        members.insert("Condition".to_owned(), json!({ "StringLike": { "s3:prefix": prefix } }));
    }
    Some(statement)
}

/// Objects behind an access point are named by it
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html>).
fn objects_arn(place: &BucketPrefix, partition: &str) -> String {
    let (key, end) = match place.is_object() {
        true => (place.prefix.clone(), ""),
        false => (place.clone().into_folder().prefix, "*"),
    };
    match place.access_point() {
        Some(arn) => format!("{arn}/object/{}{end}", literal(&key)),
        None => format!("arn:{partition}:s3:::{}/{}{end}", place.bucket, literal(&key)),
    }
}

/// A key as a pattern that matches only itself.
fn literal(key: &str) -> String {
    let mut pattern = String::with_capacity(key.len());
    for character in key.chars() {
        match character {
            '*' | '?' | '$' => pattern.push_str(&format!("${{{character}}}")),
            other => pattern.push(other),
        }
    }
    pattern
}

fn one_or_many(values: Vec<String>) -> Value {
    match values.as_slice() {
        [value] => Value::String(value.clone()),
        _ => values.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sources: &[&str], keys: &[&str], region: Option<&str>) -> Value {
        let places: Vec<_> = sources
            .iter()
            .map(|source| BucketPrefix::parse(source).unwrap())
            .collect();
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        log_statements(&places, &keys, partition(region)).into()
    }

    #[test]
    fn bucket_that_holds_the_store_as_well_is_listed_by_one_statement() {
        let places = ["s3://logs/trail", "s3://logs-2"].map(|source| BucketPrefix::parse(source).unwrap());
        let mut statements = log_statements(&places, &[], "aws");
        leave_out_listed(&mut statements, "logs");
        let ids: Vec<&str> = statements
            .iter()
            .map(|statement| statement["Sid"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["ListLogs2", "ReadLogs3"]);
        assert_eq!(statements[0]["Resource"], "arn:aws:s3:::logs-2");
    }

    #[test]
    fn prefix_bounds_lists_and_reads_and_its_wildcards_are_literal() {
        let policy = of(&["s3://logs/a*b"], &["arn:aws:kms:eu-west-1:111122223333:key/1"], None);
        let wanted = json!([
            { "Sid": "ListLogs", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::logs",
              "Condition": { "StringLike": { "s3:prefix": "a${*}b/*" } } },
            { "Sid": "ReadLogs", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/a${*}b/*" },
            { "Sid": "DecryptLogs", "Effect": "Allow", "Action": "kms:Decrypt",
              "Resource": "arn:aws:kms:eu-west-1:111122223333:key/1" },
        ]);
        assert_eq!(policy, wanted);
    }

    #[test]
    fn whole_bucket_single_object_and_other_partitions() {
        let policy = of(&["s3://logs", "s3://others/x.json.gz"], &[], Some("cn-north-1"));
        let wanted = json!([
            { "Sid": "ListLogs1", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws-cn:s3:::logs" },
            { "Sid": "ReadLogs2", "Effect": "Allow", "Action": "s3:GetObject",
              "Resource": ["arn:aws-cn:s3:::logs/*", "arn:aws-cn:s3:::others/x.json.gz"] },
        ]);
        assert_eq!(policy, wanted);
    }

    #[test]
    fn access_point_is_named_by_its_own_arn_whatever_the_region() {
        let arn = "arn:aws-cn:s3:cn-north-1:111122223333:accesspoint";
        let wanted = json!([
            { "Sid": "ListLogs", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("{arn}/ap"),
              "Condition": { "StringLike": { "s3:prefix": "AWSLogs/*" } } },
            { "Sid": "ReadLogs", "Effect": "Allow", "Action": "s3:GetObject",
              "Resource": format!("{arn}/ap/object/AWSLogs/*") },
        ]);
        for separator in ['/', ':'] {
            let source = format!("s3://{arn}{separator}ap/AWSLogs");
            assert_eq!(of(&[&source], &[], Some("eu-west-1")), wanted);
        }
    }

    #[test]
    fn place_within_another_one_adds_nothing() {
        let whole = of(&["s3://logs/a"], &[], None);
        for sources in [
            &["s3://logs/a", "s3://logs/a/b"][..],
            &["s3://logs/a/b/x.json.gz", "s3://logs/a/", "s3://logs/a"],
        ] {
            assert_eq!(of(sources, &[], None), whole, "{sources:?}");
        }
        let apart = of(&["s3://logs/a", "s3://logs/ab", "s3://others/a/b"], &[], None);
        assert_eq!(apart.as_array().unwrap().len(), 4);
    }

    #[test]
    fn store_is_listed_without_a_condition_and_written_below_its_prefix_only() {
        let place = BucketPrefix::parse("s3://trail-store/a*b").unwrap();
        let key = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1".to_owned();
        let statements = store_statements(&place, std::slice::from_ref(&key), partition(Some("us-gov-west-1")));
        let wanted = json!([
            { "Sid": "ListStore", "Effect": "Allow", "Action": "s3:ListBucket",
              "Resource": "arn:aws-us-gov:s3:::trail-store" },
            { "Sid": "WriteStore", "Effect": "Allow",
              "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
              "Resource": "arn:aws-us-gov:s3:::trail-store/a${*}b/*" },
            { "Sid": "UseStoreKey", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
              "Resource": key },
        ]);
        assert_eq!(Value::from(statements), wanted);
    }
}
