//! Many workers and one store in a bucket, with a service that is busy and loses answers: the rows of one clean run.

use std::process::Child;
use std::process::Command;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::Int64Array;
use arrow::array::ListArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::new_empty_array;
use arrow::array::new_null_array;
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::datatypes::SchemaRef;
use serde_json::Value;
use trimtrail::schema;
use trimtrail::schema::Table;
use trimtrail::source::S3Options;
use trimtrail::store::CommitBatch;
use trimtrail::store::CommitOutcome;
use trimtrail::store::Location;
use trimtrail::store::Store;

use crate::s3::assert_ended;
use crate::s3_store::FINGERPRINT;
use crate::s3_store::assert_balanced;
use crate::s3_store::assert_no_garbage;
use crate::s3_store::fingerprint;
use crate::s3_store::rows;
use crate::s3_store::run;
use crate::s3_store::start;
use crate::s3_store::write_objects;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::Lost;
use crate::support::bucket::STORE;
use crate::support::bucket::Script;
use crate::support::json::number;
use crate::support::process;
use crate::support::process::Place;

/// Logs that overlap, the number of their events, and the fingerprint of a store in a folder.
fn logs(objects: usize) -> (Place, usize, Value) {
    let place = Place::new();
    let events = write_objects(&place, 0..objects);
    assert_eq!(place.ingest(&[]).code, 0);
    let wanted = place.sql(FINGERPRINT)[0].clone();
    (place, events, wanted)
}

fn worker(store: &FakeBucket, place: &Place, options: &[&str]) -> Child {
    let logs = place.logs();
    start(store, &[&["ingest", logs.to_str().unwrap()], options].concat())
}

fn end_well(children: Vec<Child>) {
    for child in children {
        let ended = process::ended(child.wait_with_output().unwrap());
        assert_eq!(ended.code, 0, "{ended:?}");
    }
}

fn waiting(store: &FakeBucket) -> Vec<String> {
    let mut keys = store.keys();
    keys.retain(|key| key.contains("/_prepared/"));
    keys
}

#[test]
fn shares_that_are_prepared_side_by_side_and_committed_twice_give_the_rows_of_a_folder() {
    let (place, events, wanted) = logs(24);
    let store = FakeBucket::writable();
    let workers = ["0/3", "1/3", "2/3"].map(|shard| worker(&store, &place, &["--shard", shard, "--no-commit"]));
    end_well(workers.into());
    assert_eq!(waiting(&store).len(), 3);
    assert_eq!(number(&fingerprint(&store), "number"), 0);
    assert_ended(
        &run(&store, &["commit"]),
        0,
        "batches  3 found = 3 committed + 0 known\nobjects  24 prepared = 24 added + 0 known",
    );
    assert_ended(&run(&store, &["commit"]), 0, "batches  0 found = 0 committed + 0 known");
    assert_balanced(&store, events);
    assert_eq!(fingerprint(&store), wanted);
    assert_eq!(waiting(&store), Vec::<String>::new());
    assert_no_garbage(&store);
}

#[test]
fn prepared_shares_that_overlap_are_committed_once_by_committers_at_once_whose_answers_get_lost() {
    let (place, events, wanted) = logs(24);
    let store = FakeBucket::writable();
    let adds = place.folder().join("adds");
    std::fs::create_dir(&adds).unwrap();
    let adds = adds.to_str().unwrap();
    let workers = ["0/2", "1/2", "1/3", "0/1"].map(|shard| {
        let options = ["--shard", shard, "--no-commit", "--adds-out", adds];
        worker(&store, &place, &options)
    });
    end_well(workers.into());
    // One object is stored in the usual way meanwhile.
    let single = place.logs().join("007.json.gz");
    assert_eq!(run(&store, &["ingest", single.to_str().unwrap()]).code, 0);
    store.script(|script| {
        script.writes.lost = Some(Lost::Silence);
        script.busy_percent = 10;
    });
    let commit = ["commit", "--adds-from", adds];
    end_well((0..3).map(|_| start(&store, &commit)).collect());
    assert_balanced(&store, events);
    assert_eq!(fingerprint(&store), wanted);
    assert_ended(&run(&store, &commit), 0, "batches  4 found = 0 committed + 4 known");
    assert_no_garbage(&store);
}

#[test]
fn eight_workers_with_overlapping_shares_in_a_storm_that_loses_answers_store_every_event_once() {
    let (place, events, wanted) = logs(32);
    let store = FakeBucket::writable();
    store.script(|script| {
        script.busy_percent = 30;
        script.writes.conflict_percent = 10;
        script.writes.lost = Some(Lost::Failure);
    });
    let workers = [
        &["--shard", "0/4"][..],
        &["--shard", "1/4"],
        &["--shard", "2/4"],
        &["--shard", "0/2"],
        &["--shard", "1/3"],
        &["--shard", "3/4", "--no-commit"],
        &["--shard", "1/2", "--no-commit"],
        &[],
    ];
    end_well(workers.map(|options| worker(&store, &place, options)).into());
    let ended = run(&store, &["commit"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(waiting(&store), Vec::<String>::new());
    store.script(|script| *script = Script::default());
    assert_balanced(&store, events);
    assert_eq!(fingerprint(&store), wanted);
    assert_no_garbage(&store);
}

/// 2026-09-01T00:00:00Z in microseconds, and the same day in days.
const CLOCK: i64 = 1_788_220_800_000_000;
const DAY: i32 = 20_697;

const STORES: usize = 2;
const WRITERS: usize = 2;
const COMMITS: usize = 12;

/// How many answers get lost; `TRIMTRAIL_TEST_LOST_ANSWERS` says another number.
const LOST_ANSWERS: usize = 60;
/// Says to a process of this test that it is to write, not to watch.
const IS_WRITER: &str = "TRIMTRAIL_TEST_IS_WRITER";
const OWN_NAME: &str = "s3_workers::commits_whose_answers_get_lost_are_stored_once_however_many_they_are";

#[expect(
    clippy::disallowed_methods,
    reason = "a test process is told by its environment what it is for"
)]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn store_uri(number: usize) -> String {
    format!("{STORE}/{number}")
}

#[test]
fn commits_whose_answers_get_lost_are_stored_once_however_many_they_are() {
    if told(IS_WRITER).is_some() {
        return write_stores();
    }
    let wanted = told("TRIMTRAIL_TEST_LOST_ANSWERS").map_or(LOST_ANSWERS, |number| number.parse().unwrap());
    let mut lost = 0;
    while lost < wanted {
        let bucket = FakeBucket::writable();
        bucket.script(|script| script.writes.lost = Some(Lost::Failure));
        // Another process, as credentials come from the environment.
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env_clear().args(["--exact", OWN_NAME]).env(IS_WRITER, "1");
        let output = bucket.keep_store(&mut command).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
        // Every one of the commits, at least.
        assert!(bucket.lost_answers() >= STORES * WRITERS * COMMITS);
        lost += bucket.lost_answers();
        (0..STORES).for_each(|store| assert_each_once(&bucket, &store_uri(store)));
    }
}

fn assert_each_once(bucket: &FakeBucket, store: &str) {
    let statement = "select (select count(*) from events) as events, (select count(distinct event_id) from events) as ids, \
        (select count(*) from objects) as objects, (select count(distinct object_key) from objects) as keys";
    let row = &rows(bucket, &["sql", statement, "--store", store])[0];
    let found = ["events", "ids", "objects", "keys"].map(|name| number(row, name));
    assert_eq!(found, [i64::try_from(WRITERS * COMMITS).unwrap(); 4], "{row}");
}

/// Several writers of each store, at once.
fn write_stores() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..STORES * WRITERS {
            let runtime = &runtime;
            scope.spawn(move || runtime.block_on(write_store(writer)));
        }
    });
}

/// Commits batch after batch; what another writer was faster than is committed on top.
async fn write_store(writer: usize) {
    let options = S3Options {
        endpoint_url: told("TRIMTRAIL_STORE_ENDPOINT_URL"),
        path_style: true,
        ..S3Options::default()
    };
    let location = Location::parse(&store_uri(writer % STORES)).unwrap().with_s3(options);
    let store = Store::create_or_open(&location, CLOCK).await.unwrap();
    for number in 0..COMMITS {
        let id = format!("{writer}-{number}");
        let mut events = vec![store.stage_events(Some(DAY), &one_event(&id)).unwrap()];
        loop {
            let basis = store.snapshot(Table::Events).await.unwrap();
            let batch = CommitBatch {
                run_id: "run".to_owned(),
                events,
                objects: filled(&Table::Objects.schema(), ("object_key", &id)),
                rejects: RecordBatch::new_empty(Table::Rejects.schema()),
                usage: None,
                committed_at: CLOCK,
            };
            match store.commit(&basis, batch).await.unwrap() {
                CommitOutcome::Committed(_) => break,
                CommitOutcome::Conflict(staged) => events = staged,
            }
        }
    }
}

fn one_event(id: &str) -> RecordBatch {
    filled(&schema::events_file(), ("event_id", id))
}

/// One row with one text; every other required column holds the text or number 7.
fn filled(schema: &SchemaRef, (name, text): (&str, &str)) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let sevens: ArrayRef = Arc::new(Int64Array::from(vec![7]));
        match field.data_type() {
            _ if field.name() == name => Arc::new(StringArray::from(vec![text])),
            kind if field.is_nullable() => new_null_array(kind, 1),
            DataType::List(item) => {
                let (offsets, none) = (OffsetBuffer::from_lengths([0]), new_empty_array(item.data_type()));
                Arc::new(ListArray::new(Arc::clone(item), offsets, none, None))
            }
            kind => cast(&sevens, kind).unwrap(),
        }
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect()).unwrap()
}
