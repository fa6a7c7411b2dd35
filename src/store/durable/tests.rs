//! Single files and folders, and a power cut at any moment of real commits.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::super::CommitOutcome;
use super::super::DeliveryDays;
use super::super::Location;
use super::super::RunLimits;
use super::super::Store;
use super::super::StoreError;
use super::super::testing::CLOCK;
use super::super::testing::DAY;
use super::super::testing::batch;
use super::super::testing::committed;
use super::super::testing::events;
use super::super::testing::ids;
use super::testing::Disk;
use super::testing::Event;
use super::testing::Note;
use super::testing::Recording;
use super::testing::Tree;
use super::testing::read_tree;
use super::testing::write_tree;
use super::*;
use crate::schema::Table;

#[test]
fn writing_over_a_kept_file_fails_and_leaves_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/entry.json");
    write_file(&path, [b"first".as_slice()].into_iter(), Existing::Keep).unwrap();
    let error = write_file(&path, [b"second".as_slice()].into_iter(), Existing::Keep).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), b"first");
    let names: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["entry.json"], "no staging file may stay behind");
}

#[test]
fn writing_over_a_replaced_file_changes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hint");
    write_file(&path, [b"one".as_slice()].into_iter(), Existing::Replace).unwrap();
    write_file(
        &path,
        [b"tw".as_slice(), b"o".as_slice()].into_iter(),
        Existing::Replace,
    )
    .unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_private_to_their_owner() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store/entry");
    write_file(&path, [b"x".as_slice()].into_iter(), Existing::Keep).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[cfg(target_os = "linux")]
#[test]
fn write_to_a_full_device_is_no_space() {
    let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = write_parts(&mut full, [b"x".as_slice()].into_iter()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
}

/// Cuts of the power, over all recordings of a test.
const CUTS: usize = 5_000;
/// Of so many different remains, one gets another batch.
const WRITTEN_EVERY: usize = 4;
/// Batches that were stored before the recording begins, so that a checkpoint falls into it.
const BEFORE_THE_CHECKPOINT: usize = 8;

/// What a store shows of each batch that could be in it: how often its event, and whether its object.
type Shown = BTreeMap<usize, (usize, bool)>;

/// A folder in memory where there is one, because nothing here needs a disk.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = tempfile::Builder::new().tempdir_in(memory);
    made.unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

fn location(folder: &Path) -> Location {
    Location::parse(folder.join("store").to_str().unwrap()).unwrap()
}

fn event_of(number: usize) -> String {
    format!("event-{number}")
}

fn object_of(number: usize) -> String {
    format!("s3://logs/{number}")
}

/// Numbers that look random and are the same in every run (xorshift64).
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |limit| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// Stores one batch as a run does; one in two goes the way of prepared batches.
async fn store_batch(store: &Store, number: usize, recording: &Recording) {
    recording.note(Note::Begun(number));
    let basis = store.snapshot(Table::Events).await.unwrap();
    let staged = vec![store.stage_events(Some(DAY), &events(&[&event_of(number)])).unwrap()];
    let batch = batch(staged, &[(&object_of(number), "ingested")], number % 3);
    let outcome = if number.is_multiple_of(2) {
        store.commit(&basis, batch).await.unwrap()
    } else {
        let prepared = store.prepare(&basis, batch).await.unwrap();
        let line = format!("{}\n", prepared.to_line().unwrap());
        store.leave_waiting("one.adds.jsonl", line).await.unwrap();
        let opened = store.open_prepared(&basis, &prepared, CLOCK).await.unwrap();
        let outcome = store.commit_prepared(&basis, &prepared, opened).await.unwrap();
        if let CommitOutcome::Committed(snapshot) = &outcome {
            store.discard_rest(&prepared, snapshot);
        }
        outcome
    };
    committed(outcome);
    recording.note(Note::Stored(number));
}

async fn open_for_writing(folder: &Path, recording: &Recording) -> Store {
    let store = Store::create_or_open(&location(folder), CLOCK).await.unwrap();
    recording.note(Note::Opened);
    store
}

/// What a store shows; `None` when there is none.
async fn shown(folder: &Path, batches: usize) -> Option<Shown> {
    let store = match Store::open(&location(folder)).await {
        Err(StoreError::NotAStore { .. }) => return None,
        opened => opened.unwrap_or_else(|error| panic!("{error}: {:?}", read_tree(folder).keys())),
    };
    let ids = ids(&store, &store.snapshot(Table::Events).await.unwrap());
    let ledger = store.snapshot(Table::Objects).await.unwrap();
    let known = store
        .known_objects(&ledger, DeliveryDays::ALL, &RunLimits::NONE)
        .unwrap();
    store.snapshot(Table::Rejects).await.unwrap();
    let of = |number: usize| {
        let event = event_of(number);
        let times = ids.iter().filter(|id| **id == event).count();
        (number, (times, known.contains(&object_of(number), "7", 7)))
    };
    Some((0..batches).map(of).collect())
}

/// What may be expected at a moment of a recording.
#[derive(Debug, Clone, Default)]
struct Expected {
    is_made: bool,
    begun: BTreeSet<usize>,
    stored: BTreeSet<usize>,
}

impl Expected {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Note(Note::Opened) => self.is_made = true,
            Event::Note(Note::Begun(number)) => drop(self.begun.insert(*number)),
            Event::Note(Note::Stored(number)) => drop(self.stored.insert(*number)),
            Event::Done(_) | Event::Wrote(..) => {}
        }
    }

    /// What is wrong with what a store shows.
    fn judge(&self, shown: Option<&Shown>) -> Result<(), String> {
        let Some(shown) = shown else {
            return if self.is_made {
                Err("no store".to_owned())
            } else {
                Ok(())
            };
        };
        for (number, batch) in shown {
            let is_right = match batch {
                (1, true) => self.begun.contains(number),
                (0, false) => !self.stored.contains(number),
                _ => false,
            };
            if !is_right {
                return Err(format!("batch {number} is {batch:?}"));
            }
        }
        Ok(())
    }
}

/// Cuts the power and looks at what is left; equal remains are looked at once.
struct Prober {
    runtime: Runtime,
    batches: usize,
    known: HashMap<u64, Result<Option<Shown>, String>>,
}

impl Prober {
    fn new(batches: usize) -> Self {
        Self {
            runtime: Runtime::new().unwrap(),
            batches,
            known: HashMap::new(),
        }
    }

    /// What the remains show, or why they cannot be used; some of them must also take another batch.
    fn look(&mut self, tree: &Tree) -> Result<Option<Shown>, String> {
        let mut hasher = DefaultHasher::new();
        tree.hash(&mut hasher);
        let (runtime, batches) = (&self.runtime, self.batches);
        let is_written = self.known.len().is_multiple_of(WRITTEN_EVERY);
        let look = || {
            let folder = folder();
            write_tree(folder.path(), tree);
            let looked = catch_unwind(AssertUnwindSafe(|| {
                let found = runtime.block_on(shown(folder.path(), batches));
                if is_written {
                    runtime.block_on(go_on(folder.path(), batches, found.as_ref()));
                }
                found
            }));
            looked.map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
        };
        self.known.entry(hasher.finish()).or_insert_with(look).clone()
    }

    /// Cuts the power at random moments; what was wrong first.
    fn cut(&mut self, start: &(Disk, Expected), recorded: &[Event], cuts: usize, seed: u64) -> Result<(), String> {
        let mut below = numbers(seed);
        let (mut disk, mut expected) = start.clone();
        let mut moments: Vec<usize> = (0..cuts).map(|_| below(recorded.len() + 1)).collect();
        moments.sort_unstable();
        let mut done = 0;
        for moment in moments {
            for event in &recorded[done..moment] {
                disk.apply(event);
                expected.hear(event);
            }
            done = moment;
            let tree = disk.after_power_cut(&mut below);
            let verdict = self.look(&tree).and_then(|found| expected.judge(found.as_ref()));
            verdict.map_err(|reason| format!("{reason}, after {moment} operations: {:?}", recorded.get(moment)))?;
        }
        Ok(())
    }
}

/// The next run after a power cut stores what is missing, and one batch more.
async fn go_on(folder: &Path, batches: usize, found: Option<&Shown>) {
    let recording = Recording::start(folder);
    let store = open_for_writing(folder, &recording).await;
    let is_there = |number: &usize| found.is_some_and(|shown| shown[number].0 > 0);
    let missing: Vec<usize> = (0..batches).filter(|number| !is_there(number)).take(1).collect();
    for number in &missing {
        store_batch(&store, *number, &recording).await;
    }
    let now = shown(folder, batches).await.unwrap();
    for number in missing {
        assert_eq!(now[&number], (1, true));
    }
}

/// Real commits in a new store, or in one that has had some; where they began and what they did.
fn record(first: usize, batches: usize) -> ((Disk, Expected), Vec<Event>) {
    let runtime = Runtime::new().unwrap();
    let folder = folder();
    let mut expected = Expected::default();
    if first > 0 {
        let recording = Recording::start(folder.path());
        runtime.block_on(async {
            let store = open_for_writing(folder.path(), &recording).await;
            for number in 0..first {
                store_batch(&store, number, &recording).await;
            }
        });
        recording.events().iter().for_each(|event| expected.hear(event));
    }
    let before = Disk::holding(&read_tree(folder.path()));
    let recording = Recording::start(folder.path());
    runtime.block_on(async {
        let store = open_for_writing(folder.path(), &recording).await;
        for number in first..first + batches {
            store_batch(&store, number, &recording).await;
        }
    });
    let events = recording.events();
    let mut disk = before.clone();
    events.iter().for_each(|event| disk.apply(event));
    assert_eq!(
        disk.seen(),
        read_tree(folder.path()),
        "something was done that was not recorded"
    );
    ((before, expected), events)
}

#[test]
fn power_cut_at_any_moment_of_the_first_batches_loses_and_invents_nothing() {
    let (start, recorded) = record(0, 3);
    Prober::new(4).cut(&start, &recorded, CUTS, 0x5eed_2026_0910).unwrap();
}

#[test]
fn power_cut_at_any_moment_around_a_checkpoint_loses_and_invents_nothing() {
    let (start, recorded) = record(BEFORE_THE_CHECKPOINT, 2);
    let is_checkpoint = |event: &&Event| matches!(event, Event::Done(Operation::Rename(_, to)) if to.to_string_lossy().ends_with(".checkpoint.parquet"));
    assert!(recorded.iter().filter(is_checkpoint).count() >= 2);
    let batches = BEFORE_THE_CHECKPOINT + 3;
    Prober::new(batches)
        .cut(&start, &recorded, CUTS, 0x5eed_2026_0911)
        .unwrap();
}

/// A process that is killed leaves names that it has not synced; the next one builds on them.
#[test]
fn power_cut_after_a_kill_at_any_moment_and_another_run_loses_nothing() {
    const CUTS_A_KILL: usize = 8;
    let ((mut disk, mut expected), recorded) = record(0, 2);
    let mut prober = Prober::new(4);
    for (moment, event) in recorded.iter().enumerate() {
        disk.apply(event);
        expected.hear(event);
        if !matches!(event, Event::Done(_)) {
            continue;
        }
        let folder = folder();
        write_tree(folder.path(), &disk.seen());
        let recording = Recording::start(folder.path());
        let found = prober.runtime.block_on(async {
            let store = open_for_writing(folder.path(), &recording).await;
            store_batch(&store, 2, &recording).await;
            shown(folder.path(), 4).await.unwrap()
        });
        // What the second run has seen, it has told as done.
        for (number, _) in found.iter().filter(|(_, batch)| batch.1) {
            recording.note(Note::Stored(*number));
        }
        let start = (disk.clone(), expected.clone());
        let seed = 0x5eed_2026_0912 + u64::try_from(moment).unwrap();
        let cut = prober.cut(&start, &recording.events(), CUTS_A_KILL, seed);
        cut.unwrap_or_else(|reason| panic!("killed after {moment} operations, {event:?}: {reason}"));
    }
}

/// The model itself: whichever kind of syncing is left out, it finds what is lost.
#[test]
fn commit_that_does_not_sync_is_found_out() {
    let (start, recorded) = record(0, 3);
    let omissions: [fn(&Operation) -> bool; 4] = [
        |operation| matches!(operation, Operation::SyncFile(path) if path.extension() == Some("parquet".as_ref())),
        |operation| matches!(operation, Operation::SyncFile(path) if path.to_string_lossy().contains("json#")),
        |operation| matches!(operation, Operation::SyncFolder(path) if path.ends_with("events/_delta_log")),
        |operation| matches!(operation, Operation::SyncFolder(path) if path.ends_with("events")),
    ];
    for (number, is_left_out) in omissions.iter().enumerate() {
        let mut careless = recorded.clone();
        careless.retain(|event| !matches!(event, Event::Done(operation) if is_left_out(operation)));
        assert!(careless.len() < recorded.len(), "{number}");
        let found = Prober::new(4).cut(&start, &careless, CUTS, 0x5eed_2026_0913);
        assert!(found.is_err(), "omission {number} was not noticed");
    }
}
