//! Ingest that is killed again and again, at any moment and with company, ends in the rows of one clean run.

use std::path::PathBuf;
use std::process::Child;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::ingest::write_object;
use crate::support::json::number;
use crate::support::json::text;
use crate::support::process;
use crate::support::process::Place;

/// Kills that must hit a process at work, and rounds in which they must have done so.
const KILLS: usize = 40;
const MOST_ROUNDS: usize = 200;
/// Objects that appear before each loop, so that there is always something to do.
const NEW_OBJECTS: usize = 4;
/// Each object shares records with its neighbours.
const RECORDS: usize = 35;
const STEP: usize = 20;

/// Numbers that look random and are the same in every run (xorshift64).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

fn add_objects(place: &Place, objects: &mut Vec<PathBuf>) {
    for _ in 0..NEW_OBJECTS {
        let index = objects.len();
        let ids = index * STEP..index * STEP + RECORDS;
        objects.push(write_object(&place.logs(), &format!("{index:04}.json.gz"), ids));
    }
}

/// Starts an ingest of the newest objects and some older ones, or of the folder and, once more, some of its objects.
fn start(place: &Place, objects: &[PathBuf], numbers: &mut Numbers) -> Child {
    let (old, new) = objects.split_at(objects.len() - NEW_OBJECTS);
    let mut sources = new.to_vec();
    sources.extend(old.iter().filter(|_| numbers.below(3) == 0).cloned());
    if numbers.below(4) == 0 {
        sources.push(place.logs());
    }
    numbers.shuffle(&mut sources);
    let mut arguments = vec!["ingest"];
    arguments.extend(sources.iter().map(|path| path.to_str().unwrap()));
    let mut command = process::trimtrail(&place.store(), &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Ends a process the hard way; true when it was still at work.
fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    if let Some(code) = output.status.code() {
        assert_finished(code, &output.stderr);
    }
    output.status.code().is_none()
}

/// A run that came to its end is done, or lost the race for the store often and may be repeated.
fn assert_finished(code: i32, stderr: &[u8]) {
    assert!([0, 5].contains(&code), "{code}: {}", String::from_utf8_lossy(stderr));
}

/// The store opens, holds no event twice, and its ledger says as many events as there are.
fn assert_consistent(place: &Place, when: &str) {
    if !place
        .store()
        .join("events/_delta_log/00000000000000000000.json")
        .exists()
    {
        return;
    }
    let ended = process::run(
        &place.store(),
        &[
            "sql",
            "select (select count(*) from events) as events, (select count(distinct event_id) from events) as ids, \
             (select coalesce(sum(stored), 0) from objects) as stored, \
             (select coalesce(sum(records - stored - duplicates - rejected), 0) from objects) as lost",
            "--output",
            "ndjson",
            "--quiet",
        ],
    );
    assert_eq!(ended.code, 0, "{when}: {ended:?}");
    let row: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(row["events"], row["ids"], "{when}: {row}");
    assert_eq!(row["events"], row["stored"], "{when}: {row}");
    assert_eq!(number(&row, "lost"), 0, "{when}: {row}");
}

/// Every record, without where it was found, in one order.
fn records(place: &Place) -> Vec<String> {
    let rows = place.sql("select record from event_records");
    let mut records: Vec<String> = rows.iter().map(|row| text(row, "record")).collect();
    records.sort();
    records
}

/// How long one undisturbed run of `NEW_OBJECTS` objects takes.
fn usual_duration() -> Duration {
    let place = Place::new();
    add_objects(&place, &mut Vec::new());
    let started = Instant::now();
    let ended = place.ingest(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    started.elapsed()
}

#[test]
fn kills_at_any_moment_alone_and_in_company_lose_and_double_nothing() {
    let mut numbers = Numbers::new(0x5eed_2026_0901);
    let duration = usual_duration();
    let place = Place::new();
    let mut objects = Vec::new();
    let mut killed = 0;
    let mut round = 0;
    while killed < KILLS {
        assert!(round < MOST_ROUNDS, "only {killed} kills hit a process at work");
        add_objects(&place, &mut objects);
        let company = numbers.below(3) == 0;
        let mut children = vec![start(&place, &objects, &mut numbers)];
        if company {
            children.push(start(&place, &objects, &mut numbers));
        }
        for child in children {
            // Up to three times as long as an undisturbed run: what earlier kills left undone has to be done as well.
            let thousandths = u32::try_from(numbers.below(3_000)).unwrap();
            std::thread::sleep(duration * thousandths / 1_000);
            killed += usize::from(kill(child));
        }
        assert_consistent(&place, &format!("after round {round}"));
        round += 1;
    }
    let stored = number(&place.sql("select count(*) as number from events")[0], "number");
    assert!(stored > 0, "every kill came before the first commit");
    let last = place.ingest(&[]);
    assert_eq!(last.code, 0, "{last:?}");
    assert_consistent(&place, "at the end");
    let again = place.ingest(&[]);
    assert!(again.stdout.contains("records  0 read = 0 stored"), "{}", again.stdout);
    assert_same_as_one_clean_run(&place, objects.len());
}

fn assert_same_as_one_clean_run(place: &Place, objects: usize) {
    let clean = Place::new();
    let mut written = Vec::new();
    while written.len() < objects {
        add_objects(&clean, &mut written);
    }
    assert_eq!(clean.ingest(&[]).code, 0);
    let wanted = records(&clean);
    assert_eq!(wanted.len(), (objects - 1) * STEP + RECORDS);
    assert_eq!(records(place), wanted);
}
