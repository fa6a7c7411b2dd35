//! Many workers and one store: shares of the objects, batches that others commit, and kills: the rows of one clean run.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Child;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::crash::Numbers;
use crate::ingest::write_object;
use crate::s3::SOURCE;
use crate::s3::assert_ended;
use crate::s3::count;
use crate::s3::key;
use crate::s3::log;
use crate::stopped::assert_clean;
use crate::stopped::fingerprint;
use crate::support::bucket::FakeBucket;
use crate::support::process;
use crate::support::process::Ended;
use crate::support::process::Place;

/// Objects of one account and region a day, so that both of two shares have some of every day.
const A_DAY: u8 = 6;

fn put_days(bucket: &FakeBucket, days: std::ops::RangeInclusive<u8>) {
    for day in days {
        for number in 0..A_DAY {
            let id = usize::from(day) * 10 + usize::from(number);
            let name = format!("{number}");
            bucket.put(&key("111122223333", "eu-west-1", day, &name), log(id..id + 1), &[]);
        }
    }
}

/// The numbers of the printed line about objects: listed, ingested, known, rejected and, if any, of other shards.
fn objects_line(ended: &Ended) -> Vec<u64> {
    let line = ended.stdout.lines().next().unwrap_or_default();
    let words = line.split_whitespace().map(|word| word.replace(',', ""));
    words.filter_map(|word| word.parse().ok()).collect()
}

pub(crate) fn run(place: &Place, arguments: &[&str], code: i32) -> Ended {
    let ended = process::run(&place.store(), arguments);
    assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
    ended
}

/// Folders with logs that share records, and the fingerprint of one clean run over them.
pub(crate) fn overlapping_logs(objects: usize) -> (Place, Value) {
    let place = Place::new();
    for index in 0..objects {
        write_object(
            &place.logs(),
            &format!("{index:03}.json.gz"),
            index * 20..index * 20 + 35,
        );
    }
    let clean = Place::new();
    run(&clean, &["ingest", place.logs().to_str().unwrap()], 0);
    let wanted = fingerprint(&clean);
    (place, wanted)
}

#[test]
fn shares_divide_a_bucket_and_the_nights_after_list_only_the_last_days() {
    let bucket = FakeBucket::new();
    let place = Place::new();
    put_days(&bucket, 1..=9);
    let mut own = 0;
    for shard in ["0/2", "1/2"] {
        let ended = bucket.ingest(&place.store(), SOURCE, &["--shard", shard]);
        let [listed, ingested, known, rejected, others] = objects_line(&ended)[..] else {
            panic!("no other shards: {ended:?}");
        };
        assert_eq!((ended.code, listed, known, rejected), (0, ingested, 0, 0), "{ended:?}");
        assert_eq!(listed + others, 9 * u64::from(A_DAY), "{ended:?}");
        assert!(listed > 9, "a share is nearly empty: {ended:?}");
        own += listed;
    }
    assert_eq!(own, 9 * u64::from(A_DAY));
    // The first night proved little, as each worker saw that the other had all before it. The next one makes up for it.
    for (night, first_day) in [
        (10..=11, None),
        (12..=13, Some("2026/09/10")),
        (14..=15, Some("2026/09/12")),
    ] {
        put_days(&bucket, night);
        bucket.asked();
        for shard in ["0/2", "1/2"] {
            let ended = bucket.ingest(&place.store(), SOURCE, &["--shard", shard, "--look-back", "0"]);
            assert_eq!(ended.code, 0, "{ended:?}");
        }
        let starts: BTreeSet<String> = bucket
            .asked()
            .into_iter()
            .filter_map(|asked| asked.start_after)
            .collect();
        match first_day {
            None => {}
            Some(day) => assert!(
                starts
                    .iter()
                    .all(|start| start.as_str() >= format!("AWSLogs/111122223333/CloudTrail/eu-west-1/{day}").as_str()),
                "{starts:?}"
            ),
        }
    }
    assert_eq!(count(&place), 15 * usize::from(A_DAY));
    let all = bucket.ingest(&place.store(), SOURCE, &[]);
    assert!(all.stdout.contains("\nrecords  0 read"), "{all:?}");
}

#[test]
fn objects_of_a_worker_that_never_came_are_found_by_the_next_run_without_shards() {
    let bucket = FakeBucket::new();
    let place = Place::new();
    put_days(&bucket, 1..=9);
    let first = bucket.ingest(&place.store(), SOURCE, &["--shard", "0/2"]);
    assert_eq!(first.code, 0, "{first:?}");
    put_days(&bucket, 10..=11);
    let again = bucket.ingest(&place.store(), SOURCE, &["--shard", "0/2", "--look-back", "0"]);
    assert_eq!(again.code, 0, "{again:?}");
    let all = bucket.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
    assert_eq!(all.code, 0, "{all:?}");
    assert_eq!(count(&place), 11 * usize::from(A_DAY));
}

#[test]
fn batch_that_is_never_committed_hides_no_object_from_the_next_run() {
    let bucket = FakeBucket::new();
    let place = Place::new();
    put_days(&bucket, 1..=5);
    let prepared = bucket.ingest(&place.store(), SOURCE, &["--no-commit"]);
    assert_ended(&prepared, 0, "objects  30 listed = 30 ingested");
    assert_eq!(count(&place), 0);
    let all = bucket.ingest(&place.store(), SOURCE, &["--look-back", "0"]);
    assert_ended(&all, 0, "objects  30 listed = 30 ingested");
    let late = run(&place, &["commit"], 0);
    assert_ended(
        &late,
        0,
        "batches  2 found = 2 committed + 0 known\nobjects  30 prepared = 0 added + 30 known",
    );
    assert_eq!(count(&place), 30);
    assert_clean(&place);
}

#[test]
fn prepared_batches_that_overlap_are_committed_once_however_often_they_are_given() {
    let (place, wanted) = overlapping_logs(30);
    let logs = place.logs();
    let logs = logs.to_str().unwrap();
    let adds = place.folder().join("adds");
    let file = adds.join("whole.adds.jsonl");
    std::fs::create_dir(&adds).unwrap();
    for options in [
        vec!["--shard", "0/2", "--adds-out", adds.to_str().unwrap()],
        vec!["--shard", "1/2", "--adds-out", adds.to_str().unwrap()],
        vec!["--shard", "1/3", "--adds-out", adds.to_str().unwrap()],
        vec!["--adds-out", file.to_str().unwrap()],
    ] {
        run(
            &place,
            &[&["ingest", logs, "--no-commit"], options.as_slice()].concat(),
            0,
        );
    }
    assert_eq!(std::fs::read_dir(&adds).unwrap().count(), 4);
    // One object is stored in the usual way meanwhile.
    run(&place, &["ingest", &format!("{logs}/007.json.gz")], 0);
    let commit = ["commit", "--adds-from", adds.to_str().unwrap(), file.to_str().unwrap()];
    let first = run(&place, &commit, 0);
    assert!(
        first.stdout.starts_with("batches  5 found = 4 committed + 1 known\n"),
        "{first:?}"
    );
    assert_eq!(fingerprint(&place), wanted);
    assert_clean(&place);
    let second = run(&place, &commit, 0);
    assert!(
        second.stdout.starts_with("batches  5 found = 0 committed + 5 known\n"),
        "{second:?}"
    );
    let again = run(&place, &["ingest", logs], 0);
    assert_eq!(objects_line(&again), [30, 0, 30, 0]);
    assert_eq!(fingerprint(&place), wanted);
    assert_clean(&place);
}

#[test]
fn shard_without_an_index_from_the_batch_system_is_wrong_usage() {
    let place = Place::new();
    let logs = place.logs();
    let arguments = ["ingest", logs.to_str().unwrap(), "--shard", "auto/2"];
    let ended = run(&place, &arguments, 2);
    assert!(ended.stderr.contains("AWS_BATCH_JOB_ARRAY_INDEX"), "{ended:?}");
    write_object(&logs, "1.json.gz", 0..1);
    let mut shares = Vec::new();
    for index in ["0", "1"] {
        let mut command = process::trimtrail(&place.store(), &arguments);
        let ended = process::ended(command.env("JOB_COMPLETION_INDEX", index).output().unwrap());
        shares.push(objects_line(&ended)[0]);
    }
    assert_eq!(shares.iter().sum::<u64>(), 1);
}

/// How the workers of a night divide the logs: by themselves or for a committer, and overlapping.
const WORKERS: [&[&str]; 6] = [
    &["--shard", "0/2"],
    &["--shard", "1/2"],
    &["--shard", "2/3"],
    &["--shard", "0/2", "--no-commit"],
    &["--shard", "1/2", "--no-commit"],
    &["--no-commit"],
];

fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = process::trimtrail(&place.store(), arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Ends a process the hard way, or takes its end: done, or beaten too often, in which case it may be repeated.
fn kill(mut child: Child) {
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    if let Some(code) = output.status.code() {
        assert!(
            [0, 5].contains(&code),
            "{code}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn workers_and_committers_at_once_with_overlapping_shares_and_kills_give_the_rows_of_one_clean_run() {
    const NIGHTS: usize = 5;
    let mut numbers = Numbers::new(0x5eed_2026_0902);
    let place = Place::new();
    let logs = place.logs();
    let mut written: Vec<PathBuf> = Vec::new();
    for night in 0..NIGHTS {
        for _ in 0..8 {
            let index = written.len();
            written.push(write_object(
                &logs,
                &format!("{index:03}.json.gz"),
                index * 20..index * 20 + 35,
            ));
        }
        let mut children: Vec<Child> = WORKERS
            .iter()
            .map(|options| start(&place, &[&["ingest", logs.to_str().unwrap()], *options].concat()))
            .collect();
        std::thread::sleep(Duration::from_millis(100 * u64::try_from(numbers.below(12)).unwrap()));
        if place
            .store()
            .join("events/_delta_log/00000000000000000000.json")
            .exists()
        {
            children.push(start(&place, &["commit"]));
            children.push(start(&place, &["commit"]));
        }
        numbers.shuffle(&mut children);
        for child in children {
            std::thread::sleep(Duration::from_millis(50 * u64::try_from(numbers.below(10)).unwrap()));
            kill(child);
        }
        let rows = place.sql(
            "select (select count(*) from events) as events, (select count(distinct event_id) from events) as ids, \
             (select coalesce(sum(stored), 0) from objects) as stored",
        );
        assert_eq!(rows[0]["events"], rows[0]["ids"], "night {night}: {rows:?}");
        assert_eq!(rows[0]["events"], rows[0]["stored"], "night {night}: {rows:?}");
    }
    let mut ended = process::run(&place.store(), &["commit"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended = place.ingest(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let clean = Place::new();
    run(&clean, &["ingest", logs.to_str().unwrap()], 0);
    assert_eq!(fingerprint(&place), fingerprint(&clean));
    let final_states = place.sql("select object_key from objects group by object_key, etag, size having count(*) > 1");
    assert_eq!(final_states, Vec::<Value>::new());
}

#[test]
fn eight_workers_with_the_same_objects_put_their_batches_on_top_of_each_other() {
    let (place, wanted) = overlapping_logs(24);
    let logs = place.logs();
    let children: Vec<Child> = (0..8)
        .map(|worker| {
            let shard = format!("{}/{}", worker % 4, 4);
            start(&place, &["ingest", logs.to_str().unwrap(), "--shard", &shard])
        })
        .collect();
    for child in children {
        let ended = child.wait_with_output().unwrap();
        assert_eq!(
            ended.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
    assert_eq!(fingerprint(&place), wanted);
    assert_clean(&place);
}
