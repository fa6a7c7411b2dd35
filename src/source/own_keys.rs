//! The keys that a run writes itself, in a bucket that may be the one with the logs.

use super::s3::BucketPrefix;

/// Keys of a store, which a listing of logs leaves out.
///
/// Only what a store writes belongs to it, not everything below its prefix: a trail may deliver there, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnKeys {
    /// URI of the store's prefix, with a slash at its end; empty without a store in a bucket.
    root: String,
    /// How its keys begin behind the root.
    names: Vec<String>,
}

impl OwnKeys {
    /// The keys below a prefix that begin with one of these names.
    pub fn new(place: BucketPrefix, names: impl IntoIterator<Item = String>) -> Self {
        Self {
            root: place.into_folder().to_string(),
            names: names.into_iter().collect(),
        }
    }

    /// Whether an object or a folder belongs to the store.
    pub(super) fn holds(&self, uri: &str) -> bool {
        let name = uri.strip_prefix(&self.root).unwrap_or_default();
        self.names.iter().any(|own| name.starts_with(own.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_store_writes_belongs_to_it() {
        let names = ["events/", "trimtrail-probe-"].map(str::to_owned);
        let own = OwnKeys::new(BucketPrefix::parse("s3://b/trail").unwrap(), names);
        for uri in [
            "s3://b/trail/events/",
            "s3://b/trail/events/x",
            "s3://b/trail/trimtrail-probe-1",
        ] {
            assert!(own.holds(uri), "{uri}");
        }
        for uri in [
            "s3://b/trail/AWSLogs/x",
            "s3://b/events/x",
            "s3://c/trail/events/x",
            "s3://b/trail2/events/x",
        ] {
            assert!(!own.holds(uri), "{uri}");
        }
        assert!(!OwnKeys::default().holds("s3://b/events/x"));
    }
}
