//! Verifying digests and logs, where they lie or as the ledger has them.
//!
//! One account and region at a time, so that memory follows the largest of them: its digests are read, inflated and
//! verified by every thread, then the logs that they name. What the findings mean is left to `integrity`.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use futures::stream;
use rayon::prelude::*;
use tokio::runtime::Handle;

use super::error::IngestError;
use super::parts::next_part;
use super::pool::thread_pool;
use crate::integrity::CheckedDigest;
use crate::integrity::DigestKey;
use crate::integrity::FoundDigest;
use crate::integrity::Group;
use crate::integrity::GroupReport;
use crate::integrity::HashedLog;
use crate::integrity::LogContent;
use crate::integrity::Metadata;
use crate::integrity::Origins;
use crate::integrity::Place;
use crate::integrity::PresentLog;
use crate::integrity::PublicKeys;
use crate::integrity::Recorded;
use crate::integrity::Stored;
use crate::integrity::StreamEnd;
use crate::integrity::Window;
use crate::source;
use crate::source::Content;
use crate::source::Fault;
use crate::source::Fetched;
use crate::source::Lister;
use crate::source::ObjectRef;
use crate::source::Selection;

/// Requests under way at a time.
const ASKED_FOR_AT_A_TIME: usize = 64;
/// Objects of a bucket that are fetched before they are looked at, and their size.
const FETCHED_OBJECTS: usize = 512;
const FETCHED_BYTES: u64 = 128 << 20;
/// Digests of each folder, and of each account and region, that tell which bucket it is a copy of.
const VOTERS: usize = 100;
/// Most bytes that a log may inflate to.
const MAX_LOG_BYTES: u64 = 2 << 30;

/// A verification that is ready to start.
#[derive(Debug)]
pub struct Verify<'a> {
    /// Runtime for requests; the caller must not be one of its threads.
    pub runtime: &'a Handle,
    /// The keys.
    pub keys: &'a PublicKeys,
    /// The time that is to be covered.
    pub window: Window,
    /// Accounts, regions and days.
    pub selection: &'a Selection,
    /// Threads that inflate and verify.
    pub threads: usize,
    /// Set to make the run end.
    pub stop: &'a AtomicBool,
}

/// What a verification did not look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unverified {
    /// What could not be listed: URI or path, and why.
    pub unlisted: Vec<(String, String)>,
    /// Files whose names and folders are not those of CloudTrail.
    pub foreign: u64,
    /// Those of them that are logs by their name or folder, though not in a day's folder.
    pub unplaced: u64,
}

/// What is there of one account and region.
#[derive(Debug, Default)]
struct Objects {
    digests: Vec<ObjectRef>,
    logs: Vec<ObjectRef>,
}

impl Verify<'_> {
    /// Verifies everything that a lister finds, and hands over the report of each account and region in order.
    ///
    /// # Errors
    /// The sources cannot be listed, or the threads not started.
    pub fn run(&self, lister: &mut Lister, mut take: impl FnMut(GroupReport)) -> Result<Unverified, IngestError> {
        let pool = thread_pool(self.threads)?;
        let mut unverified = Unverified::default();
        let mut groups: BTreeMap<(Arc<str>, Arc<str>), Objects> = BTreeMap::new();
        // Which digests are of the window, their names say to the second.
        let any_day = self.selection.of_any_day();
        while let Some(part) = self.runtime.block_on(next_part(lister, self.stop))? {
            unverified.unlisted.extend(part.unlisted);
            for object in part.objects {
                self.sort_in(object, &any_day, &mut groups, &mut unverified);
            }
        }
        GroupReport::unplaced(unverified.unplaced)
            .into_iter()
            .for_each(&mut take);
        let origins = origins(&groups);
        for objects in groups.into_values() {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            take(self.group(&pool, &objects, &origins));
        }
        Ok(unverified)
    }

    /// Lets digests of the ledger say which buckets the folders that they were read from are copies of.
    pub fn recorded_origins(digests: &[Recorded]) -> Origins {
        let mut origins = Origins::default();
        for digest in digests {
            if let Some(claimed) = digest.stored().claimed_place() {
                origins.vote(&source::path_of_uri(&digest.uri), &claimed);
            }
        }
        origins
    }

    /// Verifies one account and region as the ledger has it.
    ///
    /// # Errors
    /// The threads cannot be started.
    pub fn run_recorded(&self, objects: &[Recorded], origins: &Origins) -> Result<GroupReport, IngestError> {
        let pool = thread_pool(self.threads)?;
        let (digests, logs): (Vec<&Recorded>, Vec<&Recorded>) = objects.iter().partition(|object| object.is_digest);
        let place_of = |uri: &str| Place::parse(uri).or_else(|| origins.place_of(&source::path_of_uri(uri)));
        let wanted = digests.into_iter().filter(|digest| self.wants_digest(&digest.uri));
        let wanted: Vec<&Recorded> = wanted.collect();
        let check = |digest: &&Recorded| {
            let metadata = digest.known_metadata();
            let found = found_digest(place_of(&digest.uri), &digest.uri, digest.stored(), &metadata);
            CheckedDigest::new(found, self.keys)
        };
        let checked = pool.install(|| wanted.par_iter().map(check).collect());
        let mut by_place: BTreeMap<Place, Vec<&Recorded>> = BTreeMap::new();
        for log in logs {
            let place = place_of(&log.uri).unwrap_or_else(|| Place::new("", &source::path_of_uri(&log.uri)));
            by_place.entry(place).or_default().push(log);
        }
        let is_log =
            |place: &Place, copies: &[&Recorded]| has_log_name(&place.key) || copies.iter().any(|log| log.holds_events);
        let places = by_place.iter().filter(|(place, copies)| is_log(place, copies));
        let places = places.map(|(place, _)| place.clone()).collect();
        Ok(self.report(&pool, checked, places, |named| {
            let named = by_place.iter().filter(|(place, _)| named.contains(place));
            let contents = named.map(|(place, copies)| {
                let copies = copies.iter().map(|log| log.hashed());
                (place.clone(), copies.collect())
            });
            contents.collect()
        }))
    }

    fn sort_in(
        &self,
        object: ObjectRef,
        any_day: &Selection,
        groups: &mut BTreeMap<(Arc<str>, Arc<str>), Objects>,
        unverified: &mut Unverified,
    ) {
        let Some(key) = &object.key else {
            match is_log(&object.uri) {
                true => unverified.unplaced += 1,
                false => unverified.foreign += 1,
            }
            return;
        };
        let selection = if is_digest(&object.uri) {
            any_day
        } else {
            self.selection
        };
        if !selection.includes(Some(key)) {
            return;
        }
        let group = groups.entry((Arc::clone(&key.account_id), Arc::clone(&key.region)));
        let group = group.or_default();
        // What tells a digest, and its time, is the same in a URI as on disk.
        match is_digest(&object.uri) {
            true if self.wants_digest(&object.uri) => group.digests.push(object),
            true => {}
            false => group.logs.push(object),
        }
    }

    fn wants_digest(&self, uri: &str) -> bool {
        self.window.wants_digest(DigestKey::parse(uri).map(|key| key.ends_at))
    }

    fn group(&self, pool: &rayon::ThreadPool, objects: &Objects, origins: &Origins) -> GroupReport {
        let place_of = |object: &ObjectRef| {
            let path = object.path();
            Place::parse(&object.uri).or_else(|| origins.place_of(&path))
        };
        let checked = self.each(pool, &objects.digests.iter().collect::<Vec<_>>(), |object, fetched| {
            let (bytes, metadata) = match fetched {
                Ok(fetched) => whole(object, fetched),
                Err(fault) => (Err(fault.to_string()), Metadata::Unknown),
            };
            let stored = match &bytes {
                Ok(bytes) => Stored::Gzip(bytes),
                Err(reason) => Stored::Unreadable(reason.clone()),
            };
            let found = found_digest(place_of(object), &object.path(), stored, &metadata);
            CheckedDigest::new(found, self.keys)
        });
        let mut logs: BTreeMap<Place, Vec<&ObjectRef>> = BTreeMap::new();
        for log in &objects.logs {
            let place = place_of(log).unwrap_or_else(|| Place::new("", &log.path()));
            logs.entry(place).or_default().push(log);
        }
        let places = logs.keys().filter(|place| is_log(&place.key)).cloned().collect();
        self.report(pool, checked, places, |named| {
            let wanted = logs.iter().filter(|(place, _)| named.contains(place));
            let wanted: Vec<(&Place, &ObjectRef)> = wanted
                .flat_map(|(place, copies)| copies.iter().map(move |copy| (place, *copy)))
                .collect();
            let objects: Vec<&ObjectRef> = wanted.iter().map(|(_, object)| *object).collect();
            let hashed = self.each(pool, &objects, |object, fetched| (object.uri.clone(), hashed(fetched)));
            let mut hashed: HashMap<Box<str>, HashedLog> = hashed.into_iter().collect();
            let mut contents: HashMap<Place, LogContent> = HashMap::new();
            for (place, object) in wanted {
                let copies = contents.entry(place.clone()).or_default();
                copies.extend(hashed.remove(&object.uri));
            }
            contents
        })
    }

    /// What is said when digests are checked and logs can be.
    fn report(
        &self,
        pool: &rayon::ThreadPool,
        checked: Vec<CheckedDigest>,
        places: Vec<Place>,
        read: impl FnOnce(&HashSet<&Place>) -> HashMap<Place, LogContent>,
    ) -> GroupReport {
        let mut group = Group::new(self.window);
        checked.into_iter().for_each(|digest| group.add(digest));
        let settlements = group.settlements();
        pool.install(|| {
            settlements
                .into_par_iter()
                .for_each(|settlement| settlement.settle(self.keys));
        });
        let contents = read(&group.named_logs());
        let present: Vec<PresentLog> = places
            .into_iter()
            .map(PresentLog::new)
            .filter(|log| self.window.includes(log.delivered_at))
            .collect();
        group.report(&present, &contents)
    }

    /// Fetches objects and looks at them with every thread; fewer are answered when the run is to stop.
    fn each<T: Send>(
        &self,
        pool: &rayon::ThreadPool,
        objects: &[&ObjectRef],
        look: impl Fn(&ObjectRef, Result<Fetched<'_>, Fault>) -> T + Sync,
    ) -> Vec<T> {
        let (remote, local): (Vec<&ObjectRef>, Vec<&ObjectRef>) =
            objects.iter().copied().partition(|object| object.is_remote());
        let goes_on = || !self.stop.load(Ordering::Relaxed);
        let mut answers: Vec<T> = pool.install(|| {
            let local = local.par_iter().filter(|_| goes_on());
            local.map(|object| look(object, source::fetch_file(object))).collect()
        });
        let mut remote = remote.as_slice();
        while !remote.is_empty() && goes_on() {
            let (now, later) = remote.split_at(fetched_together(remote));
            let requests = stream::iter(now)
                .map(|object| async { (*object, source::fetch(object, source::LARGEST_FETCHED_BYTES).await) });
            let fetched = requests.buffered(ASKED_FOR_AT_A_TIME).collect::<Vec<_>>();
            let fetched = self.runtime.block_on(fetched);
            let looked = pool.install(|| {
                let fetched = fetched.into_par_iter();
                fetched
                    .map(|(object, fetched)| look(object, fetched))
                    .collect::<Vec<T>>()
            });
            answers.extend(looked);
            remote = later;
        }
        answers
    }
}

/// How many objects are fetched before they are looked at: at least one.
fn fetched_together(objects: &[&ObjectRef]) -> usize {
    let mut bytes = 0_u64;
    let fit = objects.iter().take(FETCHED_OBJECTS).take_while(|object| {
        bytes = bytes.saturating_add(object.size);
        bytes <= FETCHED_BYTES
    });
    fit.count().max(1)
}

/// A digest at its place; one in a folder of which nothing is known is taken to lie where it says, if it has that name.
fn found_digest<'a>(place: Option<Place>, path: &str, stored: Stored<'a>, metadata: &'a Metadata) -> FoundDigest<'a> {
    let file_name = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let claimed = || {
        let claimed = stored.claimed_place()?;
        (file_name(&claimed.key) == file_name(path)).then_some(claimed)
    };
    let place = place.or_else(claimed).unwrap_or_else(|| Place::new("", path));
    FoundDigest {
        place,
        stored,
        metadata,
    }
}

/// Lets digests of every folder say which bucket it is a copy of.
fn origins(groups: &BTreeMap<(Arc<str>, Arc<str>), Objects>) -> Origins {
    let mut asked: HashMap<String, usize> = HashMap::new();
    let mut origins = Origins::default();
    let digests = groups.values().flat_map(|objects| objects.digests.iter().take(VOTERS));
    for digest in digests.filter(|digest| !digest.is_remote()) {
        let path = digest.path();
        let folder = Place::tail(&path).and_then(|tail| path.strip_suffix(tail));
        let Some(folder) = folder else { continue };
        let count = asked.entry(folder.to_owned()).or_default();
        if *count >= VOTERS {
            continue;
        }
        *count += 1;
        if let Ok(bytes) = source::read(digest)
            && let Some(claimed) = Stored::Gzip(&bytes).claimed_place()
        {
            origins.vote(&path, &claimed);
        }
    }
    origins
}

fn is_digest(uri: &str) -> bool {
    uri.contains("/CloudTrail-Digest/") || uri.contains("_CloudTrail-Digest_")
}

/// Whether digests name such a file, or would if it were genuine: `ingest` takes whatever lies among the logs for one,
/// whatever its name.
fn is_log(key: &str) -> bool {
    Place::tail(key).is_some_and(|tail| tail.contains("/CloudTrail/")) || has_log_name(key)
}

/// Whether the name is that of a log of management and data events.
fn has_log_name(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    name.split('_').nth(1) == Some("CloudTrail")
}

fn whole(object: &ObjectRef, fetched: Fetched<'_>) -> (Result<Vec<u8>, String>, Metadata) {
    let metadata = match fetched.metadata.is_empty() && !object.is_remote() {
        true => Metadata::Unknown,
        false => Metadata::Known(fetched.metadata),
    };
    let bytes = match fetched.content {
        Content::Whole(bytes) => Ok(bytes),
        Content::Stream(_) => Err("it is larger than any digest".to_owned()),
    };
    (bytes, metadata)
}

fn hashed(fetched: Result<Fetched<'_>, Fault>) -> HashedLog {
    match fetched.map(|fetched| fetched.content) {
        Ok(Content::Whole(bytes)) => HashedLog::read(bytes.as_slice(), MAX_LOG_BYTES),
        Ok(Content::Stream(stream)) => HashedLog::read(stream, MAX_LOG_BYTES),
        Err(fault) => HashedLog {
            sha256: String::new(),
            end: StreamEnd::Unreadable(fault.to_string()),
        },
    }
}
