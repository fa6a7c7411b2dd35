//! Objects that somebody else names: cut down to what the run takes, then looked up.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use super::Fault;
use super::Listing;
use super::LogKey;
use super::ObjectRef;
use super::Selection;
use super::SourceError;
use super::key_list::NamedKey;
use super::object::Place;
use super::s3::Bucket;
use super::unmet::Unmet;

/// Named keys that are looked up together.
const KEYS_AT_A_TIME: usize = 20_000;
/// Keys that are looked up at the same time; the bucket's own limit of requests applies below.
const LOOKED_UP_AT_A_TIME: usize = 64;

/// The buckets of a run by their names.
pub(super) type Buckets = BTreeMap<String, Arc<Bucket>>;

/// Which named objects are this run's own, by URI, where several workers share a list; all of them by default.
#[derive(Clone)]
pub struct Share(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl Share {
    /// The objects whose URIs the function takes.
    pub fn new(is_own: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_own))
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::new(|_| true)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Share")
    }
}

/// Every key once, in the order of the list; of several with one name the last of which the version is known, as notifications
/// come later than what they replace.
pub(super) fn each_once(keys: Vec<NamedKey>) -> Vec<NamedKey> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut once: Vec<NamedKey> = Vec::new();
    for named in keys {
        match places.entry(named.uri()) {
            Entry::Vacant(place) => {
                place.insert(once.len());
                once.push(named);
            }
            Entry::Occupied(place) => {
                if let Some(known) = once.get_mut(*place.get()).filter(|_| named.version.is_some()) {
                    *known = named;
                }
            }
        }
    }
    once
}

/// The keys that a run takes, by their names alone: a request for each of the others would be in vain. The listing counts these.
pub(super) fn wanted(
    keys: &[NamedKey],
    selection: &Selection,
    share: &Share,
    unmet: &mut Unmet,
) -> (VecDeque<NamedKey>, Listing) {
    let mut others = Listing::default();
    let mut wanted = VecDeque::new();
    for named in keys {
        let key = LogKey::parse(&named.key);
        unmet.meet(key.as_ref());
        if !selection.includes(key.as_ref()) {
            others.outside_selection += 1;
        } else if !(share.0)(&named.uri()) {
            others.other_shards += 1;
        } else {
            wanted.push_back(named.clone());
        }
    }
    (wanted, others)
}

/// Looks up the next keys, as far as etag and size are not known.
pub(super) async fn next_keys(
    keys: &mut VecDeque<NamedKey>,
    buckets: &Buckets,
) -> Result<Option<Listing>, SourceError> {
    if keys.is_empty() {
        return Ok(None);
    }
    let next: Vec<NamedKey> = keys.drain(..keys.len().min(KEYS_AT_A_TIME)).collect();
    let mut found = stream::iter(next)
        .map(|named| look_up(named, buckets))
        .buffered(LOOKED_UP_AT_A_TIME);
    let mut listing = Listing::default();
    while let Some((uri, object)) = found.next().await {
        match object {
            Ok(object) => listing.extend([object]),
            Err(fault) if fault.stops_the_run() => return Err(SourceError::Bucket { uri, fault }),
            Err(fault) => listing.unlisted.push((uri, fault.to_string())),
        }
    }
    listing.put_in_order();
    Ok(Some(listing))
}

/// One that cannot be looked up is listed without etag and size: what becomes of it shows when it is read.
async fn look_up(named: NamedKey, buckets: &Buckets) -> (String, Result<ObjectRef, Fault>) {
    let uri = named.uri();
    let Some(bucket) = buckets.get(&named.bucket) else {
        return (uri, Err(Fault::unreadable("its bucket is not open")));
    };
    let (etag, size) = named.version.unwrap_or_default();
    let object = ObjectRef {
        is_named: true,
        may_be_gone: true,
        ..bucket.object(&named.key, &etag, size, None)
    };
    (uri, bucket.look_up(object).await)
}

/// Looks at lines whose keys end as those of folders do. The empty object that consoles and tools make to show a folder is left
/// out, and one with a content is a key as others are; a line that names no object is told.
pub(super) async fn look_at_folders(
    folders: Vec<(usize, NamedKey)>,
    buckets: &Buckets,
) -> Result<(Vec<NamedKey>, Vec<(String, String)>), SourceError> {
    let mut found = stream::iter(folders)
        .map(|(line, named)| async move {
            let object = match buckets.get(&named.bucket).filter(|_| !named.key.is_empty()) {
                Some(bucket) => bucket.head(&named.key).await,
                None => Err(Fault::unreadable("it names the bucket alone")),
            };
            (line, named, object)
        })
        .buffered(LOOKED_UP_AT_A_TIME);
    let (mut keys, mut unread) = (Vec::new(), Vec::new());
    while let Some((line, named, object)) = found.next().await {
        match object {
            Ok(object) if object.size == 0 => {}
            Ok(_) => keys.push(named),
            Err(fault) if fault.stops_the_run() => {
                let uri = named.uri();
                return Err(SourceError::Bucket { uri, fault });
            }
            Err(_) => {
                let reason = format!(
                    "it names the folder `{}`, and no object; give the folder as a source in a run of its own",
                    named.uri()
                );
                unread.push((format!("line {line}"), reason));
            }
        }
    }
    Ok((keys, unread))
}

/// Looks up etag and size of objects that earlier runs could not look up.
pub(super) async fn looked_up(mut listing: Listing) -> Result<Listing, SourceError> {
    let found = stream::iter(std::mem::take(&mut listing.objects)).map(|object| async move {
        let uri = object.uri.to_string();
        let found = match &object.place {
            Place::File => Ok(object),
            Place::Bucket(bucket) => Arc::clone(bucket).look_up(object).await,
        };
        found.map_err(|fault| SourceError::Bucket { uri, fault })
    });
    listing.objects = found.buffered(LOOKED_UP_AT_A_TIME).try_collect().await?;
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(day: u8, version: Option<&str>) -> NamedKey {
        NamedKey {
            bucket: "b".to_owned(),
            key: format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/{day:02}/x.json.gz"),
            version: version.map(|etag| (etag.to_owned(), 1)),
        }
    }

    #[test]
    fn key_that_is_named_twice_is_there_once_with_the_last_known_version() {
        let keys = vec![
            named(1, Some("a")),
            named(2, None),
            named(1, Some("b")),
            named(1, None),
            named(2, None),
        ];
        assert_eq!(each_once(keys), [named(1, Some("b")), named(2, None)]);
    }

    #[test]
    fn what_a_run_leaves_to_others_is_counted_and_not_looked_up() {
        let selection = Selection {
            first_day: Some(jiff::civil::date(2026, 9, 3)),
            accounts: vec!["111122223333".to_owned(), "444455556666".to_owned()],
            ..Selection::default()
        };
        let keys: Vec<NamedKey> = (1..=6).map(|day| named(day, None)).collect();
        let share = Share::new(|uri: &str| uri.contains("/09/04/"));
        let mut unmet = Unmet::of(&selection);
        let (wanted, others) = wanted(&keys, &selection, &share, &mut unmet);
        assert_eq!(wanted, [named(4, None)]);
        assert_eq!((others.outside_selection, others.other_shards), (1, 4));
        assert_eq!(unmet.take().unwrap().unlisted.len(), 1);
    }
}
