//! Operations of S3 that read one object and write another: which of both an action is about.

use super::parameters::Parameters;

/// Parameter that names the object that is read.
pub(super) const PARAMETER: &str = "x-amz-copy-source";

/// Comes before the version of the object that is read.
const VERSION: &str = "?versionId=";

/// One of the two objects of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyEnd {
    /// The one that is read.
    Source,
    /// The one that is written.
    Destination,
}

impl CopyEnd {
    /// What an action of an operation is about; `None` if the operation copies nothing.
    pub(super) fn of(operation: &str, action: &str) -> Option<Self> {
        let is_copy = matches!(operation, "CopyObject" | "UploadPartCopy") && action.starts_with("s3:");
        is_copy.then(|| match action.starts_with("s3:Get") {
            true => Self::Source,
            false => Self::Destination,
        })
    }
}

/// ARN of the object that a request reads: `/bucket/key?versionId=…`, percent-encoded. `None` if there is none, or if it is
/// an access point.
pub(super) fn source_arn(parameters: &Parameters<'_>, partition: &str) -> Option<String> {
    let source = parameters.strings_at(PARAMETER).into_iter().next()?;
    let path = source.split_once(VERSION).map_or(&*source, |(path, _)| path);
    let path = decoded(path.strip_prefix('/').unwrap_or(path))?;
    let (bucket, key) = path.split_once('/')?;
    let is_named = !bucket.is_empty() && !key.is_empty() && !bucket.contains(':');
    is_named.then(|| format!("arn:{partition}:s3:::{bucket}/{key}"))
}

/// Whether a request reads one version of its source.
pub(super) fn has_version(parameters: &Parameters<'_>) -> bool {
    let source = parameters.strings_at(PARAMETER).into_iter().next();
    let version = source.as_deref().and_then(|source| source.split_once(VERSION));
    version.is_some_and(|(_, version)| !version.is_empty())
}

/// ARN of the object that a request writes.
pub(super) fn destination_arn(parameters: &Parameters<'_>, partition: &str) -> Option<String> {
    let bucket = parameters.strings_at("bucketName").into_iter().next()?;
    let key = parameters.strings_at("key").into_iter().next()?;
    (!bucket.contains(':')).then(|| format!("arn:{partition}:s3:::{bucket}/{key}"))
}

/// A text without its percent-encoding; `None` if it is no UTF-8 then.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (code, part.get(2..)) {
            (Some(code), Some(rest)) => {
                bytes.push(code);
                bytes.extend_from_slice(rest.as_bytes());
            }
            _ => {
                bytes.push(b'%');
                bytes.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn source_is_read_in_all_its_forms() {
        for (source, arn) in [
            ("in/a/b.csv", Some("arn:aws:s3:::in/a/b.csv")),
            (
                "/in/a%2Fb%20c%25.csv?versionId=3HL4",
                Some("arn:aws:s3:::in/a/b c%.csv"),
            ),
            ("in/100%", Some("arn:aws:s3:::in/100%")),
            ("in/%ff", None),
            ("in", None),
            ("/", None),
            ("arn:aws:s3:eu-west-1:111122223333:accesspoint/in/object/a", None),
        ] {
            let parameters = json!({"bucketName": "out", "key": "k", "x-amz-copy-source": source}).to_string();
            let parameters = Parameters::parse(Some(&parameters));
            assert_eq!(source_arn(&parameters, "aws").as_deref(), arn, "{source}");
        }
        let without = Parameters::parse(Some(r#"{"bucketName":"out","key":"k"}"#));
        assert_eq!(source_arn(&without, "aws"), None);
    }
}
