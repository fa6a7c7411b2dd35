//! `s3://bucket/prefix` as typed.

use std::fmt;

/// A bucket and the prefix of keys in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPrefix {
    /// Name of the bucket.
    pub bucket: String,
    /// Empty, or a folder that ends in a slash, or a key.
    pub prefix: String,
}

impl BucketPrefix {
    /// Parses a text; `None` when it does not start with `s3://` and a bucket's name.
    ///
    /// Keys are taken as they are written: `%20` is those three characters.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("s3://").or_else(|| text.strip_prefix("s3a://"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = !bucket.is_empty()
            && bucket
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
        is_name.then(|| Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// Whether it looks like the name of one object, not of a folder.
    pub fn is_object(&self) -> bool {
        [".gz", ".json", ".csv"]
            .iter()
            .any(|ending| self.prefix.ends_with(ending))
    }

    /// The same as a folder.
    pub fn into_folder(mut self) -> Self {
        if !self.prefix.is_empty() && !self.prefix.ends_with('/') {
            self.prefix.push('/');
        }
        self
    }
}

impl fmt::Display for BucketPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_and_prefix_are_told_apart_and_keys_stay_as_they_are() {
        let parsed = |text: &str| BucketPrefix::parse(text).map(|place| (place.bucket, place.prefix));
        let wanted = |bucket: &str, prefix: &str| Some((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(parsed("s3://logs"), wanted("logs", ""));
        assert_eq!(parsed("s3://logs/"), wanted("logs", ""));
        assert_eq!(parsed("s3://logs/a%20b/../c"), wanted("logs", "a%20b/../c"));
        for other in ["s3://", "s3:///x", "/s3://x", "gs://x/y", "s3://b ucket/x"] {
            assert_eq!(parsed(other), None, "{other}");
        }
        let folder = |text: &str| BucketPrefix::parse(text).unwrap().into_folder().prefix;
        assert_eq!(
            [folder("s3://b"), folder("s3://b/x"), folder("s3://b/x/")],
            ["", "x/", "x/"]
        );
    }
}
