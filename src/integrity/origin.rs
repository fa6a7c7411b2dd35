//! Which bucket a folder is a copy of.
//!
//! A copy on disk does not say where it was taken from. Every digest says where it was delivered to, so the digests of a
//! copy vote: most of them lie where they were put, and one that was moved stands out.

use std::collections::BTreeMap;

use super::Place;

/// The bucket and the prefix before `AWSLogs/`, of each folder that holds a copy.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    votes: BTreeMap<String, BTreeMap<(String, String), u64>>,
}

impl Origins {
    /// Counts the vote of a digest that lies at `path` and says that it was delivered to `claimed`.
    ///
    /// A digest whose folders or name are not those that it says has no vote.
    pub fn vote(&mut self, path: &str, claimed: &Place) {
        let (Some((folder, tail)), Some((prefix, claimed_tail))) = (split(path), split(&claimed.key)) else {
            return;
        };
        if tail == claimed_tail {
            let origin = (claimed.bucket.to_string(), prefix.to_owned());
            *self
                .votes
                .entry(folder.to_owned())
                .or_default()
                .entry(origin)
                .or_default() += 1;
        }
    }

    /// Where the object at `path` was copied from; `None` when no digest in the same copy tells.
    pub fn place_of(&self, path: &str) -> Option<Place> {
        let (folder, tail) = split(path)?;
        let candidates = self.votes.get(folder)?;
        let mut best: Option<(&(String, String), u64)> = None;
        for (origin, &votes) in candidates {
            if best.is_none_or(|(_, most)| votes > most) {
                best = Some((origin, votes));
            }
        }
        let ((bucket, prefix), _) = best?;
        Some(Place::new(bucket, &format!("{prefix}{tail}")))
    }
}

/// What stands before the last folder `AWSLogs`, and the rest.
fn split(path: &str) -> Option<(&str, &str)> {
    let tail = Place::tail(path)?;
    Some((path.strip_suffix(tail)?, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_digest_is_outvoted_by_those_that_lie_where_they_were_put() {
        let mut origins = Origins::default();
        let claim = |key: &str| Place::new("logs", key);
        for file in ["a", "b", "c"] {
            let path = format!("/copy/AWSLogs/{file}");
            origins.vote(&path, &claim(&format!("org/AWSLogs/{file}")));
        }
        origins.vote("/copy/AWSLogs/d", &Place::new("other", "AWSLogs/d"));
        origins.vote("/copy/AWSLogs/e", &claim("org/AWSLogs/f"));
        let wanted = Some(Place::new("logs", "org/AWSLogs/d"));
        assert_eq!(origins.place_of("/copy/AWSLogs/d"), wanted);
        assert_eq!(origins.place_of("/elsewhere/AWSLogs/d"), None);
        assert_eq!(origins.place_of("/copy/d"), None);
    }
}
