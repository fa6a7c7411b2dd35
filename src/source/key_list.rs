//! Keys that somebody else lists: lines of a file, and notifications that objects were created.

use serde_json::Deserializer;
use serde_json::Value;

use super::s3::BucketPrefix;
use super::s3::decode_key;

/// Notifications wrapped in each other more often than any service does it.
const MAX_WRAPPERS: u8 = 4;

/// One object that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedKey {
    pub(super) bucket: String,
    pub(super) key: String,
    /// Etag and size, where the notification has both.
    pub(super) version: Option<(String, u64)>,
}

/// Reads lines with URIs, lines with keys of `bucket`, or JSON: notifications of S3, EventBridge and CloudTrail, as they are
/// or wrapped by SNS and SQS.
pub(super) fn read(text: &str, bucket: Option<&str>) -> Result<Vec<NamedKey>, String> {
    let mut keys = Vec::new();
    if text.trim_start().starts_with(['{', '[']) {
        for message in Deserializer::from_str(text).into_iter::<Value>() {
            let message = message.map_err(|error| format!("it starts as JSON, but {error}"))?;
            add_notified(&message, MAX_WRAPPERS, &mut keys)?;
        }
        keys.retain(|named| !is_folder(&named.key));
        return Ok(keys);
    }
    let mut folder = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() {
            continue;
        }
        let (bucket, key) = match (BucketPrefix::parse(line), bucket) {
            (Some(place), _) => (place.bucket, place.prefix),
            (None, Some(bucket)) => (bucket.to_owned(), line.to_owned()),
            (None, None) => {
                return Err(format!(
                    "line {} is `{line}`; write `s3://bucket/key`, or name the bucket as the source",
                    number + 1
                ));
            }
        };
        if is_folder(&key) {
            folder = folder.or(Some(number + 1));
            continue;
        }
        keys.push(NamedKey {
            bucket,
            key,
            version: None,
        });
    }
    match folder {
        Some(line) if keys.is_empty() => Err(format!(
            "line {line} names a folder, and no line an object; give the folder as the source"
        )),
        _ => Ok(keys),
    }
}

/// Whether a key is that of an empty object that consoles and tools make to show a folder.
fn is_folder(key: &str) -> bool {
    key.is_empty() || key.ends_with('/')
}

fn add_notified(message: &Value, wrappers: u8, keys: &mut Vec<NamedKey>) -> Result<(), String> {
    let inner = |name: &str| message.get(name).and_then(Value::as_str);
    if let Some(messages) = message.as_array().or_else(|| list(message, "Messages")) {
        return messages
            .iter()
            .try_for_each(|message| add_notified(message, wrappers, keys));
    }
    if let Some(text) = inner("Message").or_else(|| inner("Body")).or_else(|| inner("body")) {
        let depth = wrappers.checked_sub(1).ok_or("notifications are wrapped too often")?;
        let wrapped: Value =
            serde_json::from_str(text).map_err(|error| format!("a wrapped message is no JSON: {error}"))?;
        return add_notified(&wrapped, depth, keys);
    }
    if let Some(records) = list(message, "Records") {
        for record in records {
            match record.get("s3") {
                Some(s3) if is_creation(record) => keys.extend(of_s3(s3)),
                Some(_) => {}
                None => add_notified(record, wrappers, keys)?,
            }
        }
        return Ok(());
    }
    if let (Some(bucket), Some(objects)) = (inner("s3Bucket"), list(message, "s3ObjectKey")) {
        let objects = objects.iter().filter_map(Value::as_str);
        keys.extend(objects.map(|key| NamedKey {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: None,
        }));
        return Ok(());
    }
    match message.get("detail") {
        Some(detail) if inner("detail-type") == Some("Object Created") => keys.extend(of_event_bridge(detail)),
        Some(_) => {}
        None if inner("Event") == Some("s3:TestEvent") => {}
        None => return Err("a message is no notification that this version knows".to_owned()),
    }
    Ok(())
}

fn list<'a>(message: &'a Value, name: &str) -> Option<&'a Vec<Value>> {
    message.get(name).and_then(Value::as_array)
}

fn is_creation(record: &Value) -> bool {
    record
        .get("eventName")
        .and_then(Value::as_str)
        .is_some_and(|name| name.contains("ObjectCreated") || name.contains("ObjectRestore:Completed"))
}

fn of_s3(s3: &Value) -> Option<NamedKey> {
    let mut named = of_event_bridge(s3)?;
    named.key = decode_key(&named.key);
    let etag = s3.pointer("/object/eTag").and_then(Value::as_str);
    let size = s3.pointer("/object/size").and_then(Value::as_u64);
    named.version = etag.map(str::to_owned).zip(size);
    Some(named)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<(String, String, bool)> {
        let keys = read(text, Some("logs")).unwrap();
        keys.into_iter()
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
        assert!(read("x.gz", None).unwrap_err().contains("line 1"));
        assert_eq!(named("s3://b/x/\ns3://b/x/y.gz"), wanted("b", "x/y.gz", false));
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
    fn other_json_is_refused() {
        for text in ["{\"a\":1}", "{\"Message\":\"no\"}", "{\"Records\":["] {
            assert!(read(text, None).is_err(), "{text}");
        }
    }
}
