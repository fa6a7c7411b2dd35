//! Verifying digests and logs, where they lie or as the ledger has them.
//!
//! One account and region at a time, so that memory follows the largest of them: its digests are read, inflated and
//! verified by every thread, then the logs that they name. What the findings mean is left to `integrity`.

mod objects;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use futures::stream;
use objects::Holding;
use objects::found_digest;
use objects::has_log_name;
use objects::hashed;
use objects::holding;
use objects::is_digest;
use objects::is_log;
use objects::landmarks;
use objects::present_log;
use objects::whole;
use rayon::prelude::*;
use tokio::runtime::Handle;

use super::error::IngestError;
use super::parts::next_part;
use super::pool::thread_pool;
use crate::integrity::CheckedDigest;
use crate::integrity::DigestKey;
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
use crate::integrity::Window;
use crate::source;
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

/// A verification that is ready to start.
#[derive(Debug)]
pub struct Verify<'a> {
    /// Runtime for requests; the caller must not be one of its threads.
    pub runtime: &'a Handle,
    /// The keys.
    pub keys: &'a PublicKeys,
    /// The time that is to be covered.
    pub window: Window,
    /// Accounts, regions and days, with those behind the window in which its last logs were delivered.
    pub selection: &'a Selection,
    /// Threads that inflate and verify.
    pub threads: usize,
    /// Set to make the run end.
    pub stop: &'a AtomicBool,
}

/// What a verification did not look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unverified {
    /// What could not be listed or read: URI or path, and why.
    pub unlisted: Vec<(String, String)>,
    /// Files whose names and folders are not those of CloudTrail, and that hold no events.
    pub foreign: u64,
    /// Logs by their name, folder or content that lie in no day's folder.
    pub unplaced: u64,
}

/// What is there of one account and region.
#[derive(Debug, Default)]
struct Objects {
    digests: Vec<ObjectRef>,
    logs: Vec<ObjectRef>,
    /// URIs of digests that are not of the window.
    other_digests: Vec<Box<str>>,
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
        let mut strangers = Vec::new();
        // Which digests are of the window, their names say to the second.
        let any_day = self.selection.of_any_day();
        while let Some(part) = self.runtime.block_on(next_part(lister, self.stop))? {
            unverified.unlisted.extend(part.unlisted);
            for object in part.objects {
                self.sort_in(object, &any_day, &mut groups, &mut strangers);
            }
        }
        self.count_strangers(&pool, &strangers, &mut unverified);
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
        let mut by_place: BTreeMap<Place, Vec<&Recorded>> = BTreeMap::new();
        for log in logs {
            let place = place_of(&log.uri).unwrap_or_else(|| Place::new("", &source::path_of_uri(&log.uri)));
            by_place.entry(place).or_default().push(log);
        }
        let is_log =
            |place: &Place, copies: &[&Recorded]| has_log_name(&place.key) || copies.iter().any(|log| log.holds_events);
        let logs = by_place.iter().filter(|(place, copies)| is_log(place, copies));
        let logs: Vec<PresentLog> = logs.map(|(place, copies)| present_log(place, copies)).collect();
        let outside = self.delivered_outside(&logs);
        // Of any time: what they say of the places of a trail decides which digests are to be expected of the window.
        let landmarks = pool.install(|| landmarks(&digests, self.window));
        let (wanted, others): (Vec<&Recorded>, Vec<&Recorded>) = digests.into_iter().partition(|digest| {
            let ends_at = DigestKey::parse(&digest.uri).map(|key| key.ends_at);
            let names_one = |ends_at| outside.range(Window::named_until(ends_at)).next().is_some();
            self.window.wants_digest(ends_at) || ends_at.is_some_and(names_one) || landmarks.contains(&digest.uri)
        });
        let mut group = Group::new(self.window);
        others
            .iter()
            .for_each(|digest| group.note(&digest.uri, digest.sha256.as_deref()));
        let check = |digest: &&Recorded| {
            let metadata = digest.known_metadata();
            let found = found_digest(place_of(&digest.uri), &digest.uri, digest.stored(), &metadata);
            CheckedDigest::new(found, self.keys)
        };
        let checked = pool.install(|| wanted.par_iter().map(check).collect());
        Ok(self.report(&pool, (group, checked), logs, |named| {
            let named = by_place.iter().filter(|(place, _)| named.contains(place));
            let contents = named.map(|(place, copies)| {
                let copies = copies.iter().map(|log| log.hashed());
                (place.clone(), copies.collect())
            });
            contents.collect()
        }))
    }

    /// When logs with events of the window were delivered that are not of it by their names: digests of that time name them.
    fn delivered_outside(&self, logs: &[PresentLog]) -> BTreeSet<i64> {
        let others = logs.iter().filter(|log| !self.window.includes(log.delivered_at));
        let others = others.filter(|log| log.is_of(self.window));
        others.filter_map(|log| log.delivered_at).collect()
    }

    fn sort_in(
        &self,
        object: ObjectRef,
        any_day: &Selection,
        groups: &mut BTreeMap<(Arc<str>, Arc<str>), Objects>,
        strangers: &mut Vec<ObjectRef>,
    ) {
        let Some(key) = &object.key else {
            strangers.push(object);
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
            true => group.other_digests.push(object.uri),
            false => group.logs.push(object),
        }
    }

    /// `ingest` takes events from whatever holds some, so that what lies elsewhere is told by its content, too.
    fn count_strangers(&self, pool: &rayon::ThreadPool, strangers: &[ObjectRef], unverified: &mut Unverified) {
        let (logs, others): (Vec<&ObjectRef>, Vec<&ObjectRef>) =
            strangers.iter().partition(|object| is_log(&object.uri));
        let holdings = self.each(pool, &others, |object, fetched| {
            let holding = holding(object, fetched);
            (object.path().into_owned(), holding)
        });
        let (mut foreign, mut with_events) = (0, 0);
        for (path, holding) in holdings {
            match holding {
                Holding::Events => with_events += 1,
                Holding::None => foreign += 1,
                Holding::Unread(reason) => unverified.unlisted.push((path, reason)),
            }
        }
        unverified.unplaced = u64::try_from(logs.len())
            .unwrap_or(u64::MAX)
            .saturating_add(with_events);
        unverified.foreign = foreign;
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
        let present = logs.keys().filter(|place| is_log(&place.key)).cloned();
        let present = present.map(PresentLog::new).collect();
        let mut group = Group::new(self.window);
        objects.other_digests.iter().for_each(|uri| group.note(uri, None));
        self.report(pool, (group, checked), present, |named| {
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
        (mut group, checked): (Group, Vec<CheckedDigest>),
        mut present: Vec<PresentLog>,
        read: impl FnOnce(&HashSet<&Place>) -> HashMap<Place, LogContent>,
    ) -> GroupReport {
        checked.into_iter().for_each(|digest| group.add(digest));
        let settlements = group.settlements();
        pool.install(|| {
            settlements
                .into_par_iter()
                .for_each(|settlement| settlement.settle(self.keys));
        });
        let contents = read(&group.named_logs());
        present.retain(|log| log.is_of(self.window));
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
