//! Three workers with overlapping shares, killed at random moments, night after night: the rows of one clean run.

use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::crash::Numbers;
use crate::failpoints::FINGERPRINT;
use crate::ingest::write_object;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::STORE;
use crate::support::ingest::IngestStore;
use crate::support::json::number;
use crate::support::process;
use crate::support::process::Place;

/// Nights of a usual test run; more by the environment variable `TRIMTRAIL_TEST_NIGHTS`.
const NIGHTS: usize = 20;
/// Nights until the rows are counted again.
const COUNT_EVERY: usize = 5;
const NEW_OBJECTS: usize = 2;
/// Each object shares records with its neighbours.
const RECORDS: usize = 35;
const STEP: usize = 20;
/// Together they have every object, most of them twice.
const SHARES: [&str; 3] = ["0/2", "1/2", "1/3"];

/// Where the workers keep the store.
struct Home {
    place: Place,
    bucket: Option<FakeBucket>,
}

impl Home {
    fn command(&self, arguments: &[&str]) -> Command {
        match &self.bucket {
            None => process::trimtrail(&self.place.store(), arguments),
            Some(bucket) => {
                let mut command = process::trimtrail(&PathBuf::from(STORE), arguments);
                bucket.keep_store(&mut command);
                command
            }
        }
    }

    fn ingest(&self, share: Option<&str>) -> Command {
        let logs = self.place.logs();
        let mut command = self.command(&["ingest", logs.to_str().unwrap()]);
        command.args(share.map(|share| ["--shard", share]).into_iter().flatten());
        command
    }

    fn sql(&self, statement: &str) -> Value {
        let ended = process::ended(self.command(&["sql", statement, "--output", "json"]).output().unwrap());
        assert_eq!(ended.code, 0, "{ended:?}");
        serde_json::from_str::<Value>(&ended.stdout).unwrap()[0].clone()
    }

    fn assert_balanced(&self, night: usize) {
        let row = self.sql(
            "select (select count(*) from events) as events, (select count(distinct event_id) from events) as ids, \
             (select coalesce(sum(stored), 0) from objects) as stored, \
             (select count(*) - count(distinct object_key) from objects) as twice, \
             (select coalesce(sum(records - stored - duplicates - rejected), 0) from objects) as lost",
        );
        let [events, ids, stored, twice, lost] =
            ["events", "ids", "stored", "twice", "lost"].map(|name| number(&row, name));
        assert_eq!(
            (events, events, 0, 0),
            (ids, stored, twice, lost),
            "night {night}: {row}"
        );
    }
}

fn nights() -> usize {
    let wanted = std::env::var_os("TRIMTRAIL_TEST_NIGHTS");
    wanted.map_or(NIGHTS, |wanted| wanted.to_str().unwrap().parse().unwrap())
}

/// Ends a process the hard way; true when it was still at work. One that came to its end is done, or was beaten too often.
fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    if let Some(code) = output.status.code() {
        let text = String::from_utf8_lossy(&output.stderr);
        assert!([0, 5].contains(&code), "{code}: {text}");
    }
    output.status.code().is_none()
}

fn run_the_nights(home: &Home, seed: u64) {
    let mut numbers = Numbers::new(seed);
    let logs = home.place.logs();
    let mut killed = 0;
    let mut objects = 0;
    let mut usual = Duration::ZERO;
    for night in 0..nights() {
        for _ in 0..NEW_OBJECTS {
            let ids = objects * STEP..objects * STEP + RECORDS;
            write_object(&logs, &format!("{objects:04}.json.gz"), ids);
            objects += 1;
        }
        if night == 0 {
            let started = Instant::now();
            let first = process::ended(home.ingest(Some(SHARES[0])).output().unwrap());
            assert_eq!(first.code, 0, "{first:?}");
            usual = started.elapsed();
        }
        let started = Instant::now();
        let start = |share: &&str| {
            let mut command = home.ingest(Some(share));
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let mut workers: Vec<Child> = SHARES.iter().map(start).collect();
        numbers.shuffle(&mut workers);
        // Three at a time take their time.
        let mut moments: Vec<Duration> = (0..workers.len())
            .map(|_| usual * u32::try_from(numbers.below(2_500)).unwrap() / 1_000)
            .collect();
        moments.sort_unstable();
        for (worker, moment) in workers.into_iter().zip(moments) {
            std::thread::sleep(moment.saturating_sub(started.elapsed()));
            killed += usize::from(kill(worker));
        }
        if night % COUNT_EVERY == 0 {
            home.assert_balanced(night);
        }
    }
    assert!(killed > nights() / 2, "only {killed} kills hit a worker at work");
    let last = process::ended(home.ingest(None).output().unwrap());
    assert_eq!(last.code, 0, "{last:?}");
    home.assert_balanced(nights());
    let again = process::ended(home.ingest(None).output().unwrap());
    assert!(again.stdout.contains("\nrecords  0 read"), "{again:?}");
    let clean = IngestStore::new();
    clean.ingest(&[&logs]);
    assert_eq!(home.sql(FINGERPRINT), clean.sql(FINGERPRINT)[0]);
}

#[test]
fn three_workers_on_a_folder_lose_and_double_nothing() {
    let home = Home {
        place: Place::new(),
        bucket: None,
    };
    run_the_nights(&home, 0x5eed_2026_0920);
}

#[test]
fn three_workers_on_a_bucket_lose_and_double_nothing() {
    let home = Home {
        place: Place::new(),
        bucket: Some(FakeBucket::writable()),
    };
    run_the_nights(&home, 0x5eed_2026_0921);
}
