//! Where an object lies in S3.

use std::fmt;
use std::sync::Arc;

/// Bucket and key. Both are text from logs: they are compared and shown, never used as a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The bucket.
    pub bucket: Arc<str>,
    /// The key in it.
    pub key: Box<str>,
}

impl Place {
    /// A place from its parts.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self {
            bucket: Arc::from(bucket),
            key: Box::from(key),
        }
    }

    /// Reads `s3://bucket/key`.
    pub fn parse(uri: &str) -> Option<Self> {
        let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/')?;
        (!bucket.is_empty() && !key.is_empty()).then(|| Self::new(bucket, key))
    }

    /// The key from its last folder `AWSLogs` on; `None` for a key without one.
    pub fn tail(key: &str) -> Option<&str> {
        let start = match key.rfind("/AWSLogs/") {
            Some(slash) => slash + 1,
            None if key.starts_with("AWSLogs/") => 0,
            None => return None,
        };
        key.get(start..)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bucket.is_empty() {
            // A file of a folder of which nothing says which bucket it is a copy of.
            true => formatter.write_str(&self.key),
            false => write!(formatter, "s3://{}/{}", self.bucket, self.key),
        }
    }
}
