//! A share of the objects, so that many workers can divide one source among them.

use std::num::NonZeroU32;

use sha2::Digest;
use sha2::Sha256;

/// One of `count` shares; every object belongs to exactly one of them, whatever else is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: NonZeroU32,
}

impl Default for Shard {
    /// Everything.
    fn default() -> Self {
        Self {
            index: 0,
            count: NonZeroU32::MIN,
        }
    }
}

impl Shard {
    /// Share `index` of `count`, counted from 0; `None` when there is no such share.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        let count = NonZeroU32::new(count).filter(|count| index < count.get())?;
        Some(Self { index, count })
    }

    /// Number of the share, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Number of shares.
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// Whether this share is everything.
    pub fn is_whole(self) -> bool {
        self.count == NonZeroU32::MIN
    }

    /// Whether an object belongs to this share.
    ///
    /// The first eight bytes of the SHA-256 of its name, read as a big-endian number, modulo the number of shares. The
    /// name is the key of an object in a bucket. Of a file it is the path from the last `AWSLogs/` on or, without one, the
    /// name of the file, because workers may have mounted the same folder at different places.
    pub fn includes(self, uri: &str) -> bool {
        if self.is_whole() {
            return true;
        }
        let digest = Sha256::digest(name(uri));
        let first = digest.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first) % u64::from(self.count.get()) == u64::from(self.index)
    }
}

fn name(uri: &str) -> &str {
    if let Some((_, key)) = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
        return key;
    }
    let from_root = uri.rfind("/AWSLogs/").and_then(|slash| uri.get(slash + 1..));
    from_root.unwrap_or_else(|| uri.rsplit('/').next().unwrap_or(uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/111122223333_CloudTrail_eu-west-1_20260901T0105Z_a.json.gz";

    /// The share of four that an object belongs to.
    fn share(uri: &str) -> u32 {
        let shares: Vec<u32> = (0..4)
            .filter(|index| Shard::new(*index, 4).unwrap().includes(uri))
            .collect();
        assert_eq!(shares.len(), 1, "{uri}");
        shares[0]
    }

    #[test]
    fn share_follows_from_the_key_alone_and_never_changes() {
        // `printf %s KEY | sha256sum` begins with these digits.
        assert_eq!(
            format!("{:x}", Sha256::digest("a/b.json")).get(..16),
            Some("6c45d4fe1dd51dcc")
        );
        assert_eq!(share("s3://logs/a/b.json"), 0xcc % 4);
        assert_eq!(share("s3://other-bucket/a/b.json"), share("s3://logs/a/b.json"));
        assert_eq!(
            share(&format!("file:///mnt/one/{KEY}")),
            share(&format!("s3://logs/{KEY}"))
        );
        assert_eq!(share("file:///mnt/one/x.json.gz"), share("file:///other/x.json.gz"));
    }

    #[test]
    fn shares_are_about_as_large_as_each_other() {
        let mut sizes = [0; 4];
        for number in 0..4_000 {
            sizes[usize::try_from(share(&format!("s3://logs/{KEY}{number}"))).unwrap()] += 1;
        }
        assert!(sizes.iter().all(|size| (850..1_150).contains(size)), "{sizes:?}");
    }

    #[test]
    fn share_beyond_the_last_does_not_exist_and_one_share_is_everything() {
        assert_eq!(Shard::new(4, 4), None);
        assert_eq!(Shard::new(0, 0), None);
        assert_eq!(Shard::new(0, 1), Some(Shard::default()));
        assert!(Shard::default().includes("s3://logs/x"));
    }
}
