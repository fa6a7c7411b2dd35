//! All sources of a run, listed part by part.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use super::Listing;
use super::OwnKeys;
use super::RequestCounts;
use super::S3Options;
use super::Selection;
use super::Share;
use super::SourceError;
use super::key_list::NamedKey;
use super::named::Buckets;
use super::named::looked_up;
use super::named::next_keys;
use super::s3::BucketLister;
use super::s3::Inventory;
use super::unmet::Unmet;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Folders, files and `s3://bucket/prefix`.
    pub sources: Vec<String>,
    /// Name and text of a list of keys, or of notifications.
    pub keys: Option<(String, String)>,
    /// Path or URI of the `manifest.json` of an S3 Inventory.
    pub inventory: Option<String>,
    /// Whether every object of a bucket is meant, not only logs in the grammar of their keys.
    pub takes_any_key: bool,
    /// What is wanted; listings of buckets and lists of keys are cut down to it.
    pub selection: Selection,
    /// Whether accounts and regions that are chosen, and that no object is of, are told as not listed.
    pub tells_unmet: bool,
    /// Which of the named keys are looked up.
    pub share: Share,
    /// How buckets are reached.
    pub s3: S3Options,
    /// What the run's own store has in a bucket, which is left out wherever it is listed.
    pub own_keys: OwnKeys,
    /// Days before the last listed one that are listed again, because deliveries may be late.
    pub look_back_days: u16,
}

/// Lists sources part by part, so that memory does not grow with them.
#[derive(Debug)]
pub struct Lister {
    pub(super) parts: VecDeque<Part>,
    pub(super) buckets: Buckets,
    pub(super) own_keys: OwnKeys,
    /// Objects of the last part, which are left out of an inventory.
    pub(super) told: BTreeSet<Box<str>>,
    /// What is still to be met of the selection.
    pub(super) unmet: Unmet,
    /// Whether there is one source only: when that cannot be listed, there is nothing to go on with.
    pub(super) is_alone: bool,
}

/// Where the next objects come from.
#[derive(Debug)]
pub(super) enum Part {
    Done(Listing),
    Bucket(Box<BucketLister>),
    /// What earlier runs could not read of a source that is listed.
    Waiting(Box<BucketLister>),
    Keys(VecDeque<NamedKey>),
    Inventory(Box<Inventory>),
}

impl Lister {
    /// The next objects; `None` at the end.
    ///
    /// # Errors
    ///
    /// The listing cannot go on.
    pub async fn next(&mut self) -> Result<Option<Listing>, SourceError> {
        while let Some(part) = self.parts.pop_front() {
            let listing = match part {
                Part::Done(listing) => Some(listing),
                Part::Waiting(bucket) => Some(bucket.waiting().await).filter(|waiting| !waiting.objects.is_empty()),
                Part::Bucket(bucket) => self.next_of_bucket(bucket).await?,
                Part::Keys(mut keys) => {
                    let next = next_keys(&mut keys, &self.buckets).await?;
                    if next.is_some() {
                        self.parts.push_front(Part::Keys(keys));
                    }
                    next
                }
                Part::Inventory(mut inventory) => {
                    let mut next = inventory.next().await?;
                    if let Some(listing) = &mut next {
                        listing.objects.retain(|object| !self.told.contains(&object.uri));
                        self.parts.push_front(Part::Inventory(inventory));
                    }
                    next
                }
            };
            if let Some(mut listing) = listing {
                self.unmet.meet_all(&listing);
                listing.objects.retain(|object| !self.own_keys.holds(&object.uri));
                return match listing.is_retried {
                    true => Ok(Some(looked_up(listing).await?)),
                    false => Ok(Some(listing)),
                };
            }
        }
        Ok(self.unmet.take())
    }

    async fn next_of_bucket(&mut self, mut bucket: Box<BucketLister>) -> Result<Option<Listing>, SourceError> {
        match bucket.next().await {
            Ok(Some(listing)) => {
                self.parts.push_front(Part::Bucket(bucket));
                Ok(Some(listing))
            }
            Ok(None) => {
                self.parts.push_back(Part::Waiting(bucket));
                Ok(None)
            }
            Err((uri, fault)) if !self.is_alone && !fault.stops_the_run() => {
                self.parts.push_back(Part::Waiting(bucket));
                Ok(Some(Listing::of_unlisted([(uri, fault)])))
            }
            Err((uri, fault)) => {
                self.parts.push_front(Part::Bucket(bucket));
                Err(SourceError::Bucket { uri, fault })
            }
        }
    }

    /// Lists no more of the source that the last part is of, if all its folders are hopeless of which there are days left; the
    /// answer is its URI, then.
    pub fn end_hopeless(&mut self, bucket: &str, is_hopeless: impl Fn(&str) -> bool) -> Option<String> {
        let is_ended = match self.parts.front() {
            Some(Part::Bucket(lister)) => lister.bucket() == bucket && lister.is_hopeless(is_hopeless),
            _ => false,
        };
        match self.parts.pop_front_if(|_| is_ended) {
            Some(Part::Bucket(lister)) => {
                let uri = lister.uri();
                self.parts.push_back(Part::Waiting(lister));
                Some(uri)
            }
            _ => None,
        }
    }

    /// URIs of the sources that are not listed to their ends, if there are others than these.
    pub fn unlisted(&self) -> Vec<String> {
        let unlisted = self.parts.iter().filter_map(|part| match part {
            Part::Bucket(lister) if !self.is_alone => Some(lister.uri()),
            _ => None,
        });
        unlisted.collect()
    }

    /// All objects, when no bucket takes part: those of folders are listed at once.
    pub fn listed(&self) -> Option<&Listing> {
        match (self.parts.front(), self.parts.len()) {
            (Some(Part::Done(listing)), 1) if self.buckets.is_empty() => Some(listing),
            _ => None,
        }
    }

    /// Requests made so far; `None` when no bucket takes part.
    pub fn requests(&self) -> Option<RequestCounts> {
        if self.buckets.is_empty() {
            return None;
        }
        let mut counts = RequestCounts::default();
        self.buckets.values().for_each(|bucket| counts.add(bucket.requests()));
        Some(counts)
    }
}
