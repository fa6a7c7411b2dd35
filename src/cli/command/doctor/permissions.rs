//! The least IAM policy that `ingest` needs, made of the same places that it is given.

use serde_json::Value;
use serde_json::json;

use crate::cli::args::DoctorArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::report::escape;
use crate::source::BucketPrefix;

/// Prints the policy for the sources of the command line.
pub(super) fn print(args: &DoctorArgs, output: &mut Output) -> Result<ExitStatus, CliError> {
    let places = args.sources.iter().filter_map(|source| BucketPrefix::parse(source));
    let places: Vec<BucketPrefix> = places.collect();
    if places.is_empty() {
        return Err(CliError::Usage {
            message: "folders need no IAM policy".to_owned(),
            hint: Some("name a bucket, such as `s3://central-logs`".to_owned()),
        });
    }
    let policy = policy(&places, &args.kms_key, args.connection.aws_region.as_deref());
    output.print(&format!("{}\n", escape::json(&format!("{policy:#}"))))?;
    if args.kms_key.is_empty() {
        output.note("if the bucket is encrypted with a KMS key, name it with `--kms-key`");
    }
    if let Some(role) = &args.connection.role_arn {
        output.note(&format!(
            "the policy is for `{role}`; the caller needs `sts:AssumeRole` on it"
        ));
    }
    Ok(ExitStatus::Done)
}

/// List on the buckets below the prefixes, get on the objects below them, decrypt with the keys; nothing else.
fn policy(places: &[BucketPrefix], kms_keys: &[String], region: Option<&str>) -> Value {
    let partition = match region {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let mut statements: Vec<Value> = places
        .iter()
        .filter_map(|place| list_statement(place, partition))
        .collect();
    let objects: Vec<String> = places.iter().map(|place| objects_arn(place, partition)).collect();
    statements.push(json!({
        "Sid": "ReadLogs",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": one_or_many(objects),
    }));
    if !kms_keys.is_empty() {
        statements.push(json!({
            "Sid": "DecryptLogs",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": one_or_many(kms_keys.to_vec()),
        }));
    }
    // Ids of statements must differ.
    let is_repeated = places.len() > 1;
    for (number, statement) in statements.iter_mut().enumerate().filter(|_| is_repeated) {
        if let Some(Value::String(id)) = statement.get_mut("Sid") {
            id.push_str(&(number + 1).to_string());
        }
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// `None` for a single object, which is not listed.
fn list_statement(place: &BucketPrefix, partition: &str) -> Option<Value> {
    if place.is_object() {
        return None;
    }
    let folder = place.clone().into_folder();
    let mut statement = json!({
        "Sid": "ListLogs",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": format!("arn:{partition}:s3:::{}", folder.bucket),
    });
    if let Some(members) = statement.as_object_mut().filter(|_| !folder.prefix.is_empty()) {
        let prefix = format!("{}*", literal(&folder.prefix));
        members.insert("Condition".to_owned(), json!({ "StringLike": { "s3:prefix": prefix } }));
    }
    Some(statement)
}

fn objects_arn(place: &BucketPrefix, partition: &str) -> String {
    let (key, end) = match place.is_object() {
        true => (place.prefix.clone(), ""),
        false => (place.clone().into_folder().prefix, "*"),
    };
    format!("arn:{partition}:s3:::{}/{}{end}", place.bucket, literal(&key))
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

fn one_or_many(mut values: Vec<String>) -> Value {
    values.sort();
    values.dedup();
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
        policy(&places, &keys, region)
    }

    #[test]
    fn prefix_bounds_lists_and_reads_and_its_wildcards_are_literal() {
        let policy = of(&["s3://logs/a*b"], &["arn:aws:kms:eu-west-1:111122223333:key/1"], None);
        let wanted = json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "ListLogs", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::logs",
              "Condition": { "StringLike": { "s3:prefix": "a${*}b/*" } } },
            { "Sid": "ReadLogs", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/a${*}b/*" },
            { "Sid": "DecryptLogs", "Effect": "Allow", "Action": "kms:Decrypt",
              "Resource": "arn:aws:kms:eu-west-1:111122223333:key/1" },
        ]});
        assert_eq!(policy, wanted);
    }

    #[test]
    fn whole_bucket_single_object_and_other_partitions() {
        let policy = of(&["s3://logs", "s3://others/x.json.gz"], &[], Some("cn-north-1"));
        let wanted = json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "ListLogs1", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws-cn:s3:::logs" },
            { "Sid": "ReadLogs2", "Effect": "Allow", "Action": "s3:GetObject",
              "Resource": ["arn:aws-cn:s3:::logs/*", "arn:aws-cn:s3:::others/x.json.gz"] },
        ]});
        assert_eq!(policy, wanted);
    }
}
