//! The process dies, a step fails, or the disk is full, at every named point of the write path: after one more run, the
//! rows are those of one clean run.
//!
//! The points stand in `src/failpoint.rs`, and only in builds with debug assertions.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::Weak;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;
use trimtrail::store::Store;

use crate::ingest::record;
use crate::ingest::write_object;
use crate::support::bucket::FakeBucket;
use crate::support::bucket::STORE;
use crate::support::ingest::IngestStore;
use crate::support::json::number;
use crate::support::process;
use crate::support::process::Ended;

/// Number and digest of all records, whatever their order.
pub(crate) const FINGERPRINT: &str = "select count(*) as number, count(distinct event_id) as ids, \
    encode(sha256(string_agg(record, '\n' order by record)), 'hex') as digest from event_records";

/// Without events that may expire.
const BALANCE: &str = "select (select count(*) from events where event_date >= date '2020-01-01') as events, \
    (select count(distinct event_id) from events where event_date >= date '2020-01-01') as ids, \
    (select encode(sha256(string_agg(record, '\n' order by record)), 'hex') from event_records) as digest, \
    (select coalesce(sum(stored), 0) from objects where object_key not like '%/old.json') as stored, \
    (select count(*) from (select object_key from objects where state = 'ingested' \
        group by object_key having count(*) > 1)) as twice, \
    (select coalesce(sum(records - stored - duplicates - rejected), 0) from objects) as lost";

/// Commits that a store has had: few, because every one costs every process time.
const COMMITS: usize = 1;
/// Commits after which the next one makes a checkpoint.
const COMMITS_BEFORE_CHECKPOINT: usize = 8;
/// Objects that are not in the store yet.
const NEW_OBJECTS: usize = 3;
/// Each object repeats the end of the one before it.
const RECORDS: usize = 15;
const STEP: usize = 10;
/// Data files of a batch: two threads, three days, the ledger, and the rollup.
const FILES_OF_A_BATCH: u64 = 8;
/// Files of a rollup that was made anew, which older versions name.
const FILES_OF_A_ROLLUP: u64 = 10;
/// Files that were compacted, which older versions name, and new ones that were not committed.
const FILES_OF_A_COMPACTION: u64 = 30;
/// In a bucket, all files count that the newest version does not name.
const FILES_OF_THE_EXPIRED_DAY: u64 = 1;
/// Cases of one test that are played at a time.
const PLAYED_AT_A_TIME: usize = 2;
/// `SIGABRT`.
const ABORTED: i32 = 6;

/// What is done when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A new store is made and filled.
    Create,
    /// Two more objects come into a store.
    Ingest,
    /// The same, without a commit.
    Prepare,
    /// They are committed.
    Commit,
    /// The rollup is made anew.
    Rebuild,
    /// Small files become few.
    Compact,
    /// The events of an old day expire.
    Expire,
}

/// How the process ends when the step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// With 1, the path in question, and the remedy.
    Failed,
    /// With 4, and the object in question.
    Incomplete,
    /// With 0: the step had taken effect, or is made up for.
    Done,
}

use Ends::Done;
use Ends::Failed;
use Ends::Incomplete;
use Step::Commit;
use Step::Compact;
use Step::Create;
use Step::Expire;
use Step::Ingest;
use Step::Prepare;
use Step::Rebuild;

/// Point, and from which time on it happens; step; end; whether a store in a bucket has it.
type Case = (&'static str, u32, Step, Ends, bool);

const CASES: &[Case] = &[
    ("Listed", 1, Ingest, Failed, true),
    ("Fetched", 1, Ingest, Incomplete, true),
    ("Decoded", 2, Ingest, Failed, true),
    ("FilePut", 1, Create, Failed, true),
    ("FilePut", 2, Ingest, Failed, true),
    ("FileWritten", 1, Ingest, Failed, true),
    ("FileSynced", 1, Ingest, Failed, false),
    ("FileDurable", 3, Ingest, Failed, true),
    ("LedgerStaged", 1, Ingest, Failed, true),
    ("CommitPut", 1, Ingest, Failed, true),
    ("CommitLanded", 1, Ingest, Done, true),
    ("EntryWritten", 1, Ingest, Failed, false),
    ("EntryWritten", 3, Create, Failed, false),
    ("EntryNamed", 1, Ingest, Done, false),
    ("FollowPut", 1, Ingest, Failed, true),
    ("FollowLanded", 1, Ingest, Done, true),
    ("CheckpointPut", 1, Ingest, Done, true),
    ("CheckpointPut", 2, Ingest, Done, true),
    ("CheckpointNamed", 1, Ingest, Done, true),
    ("FolderMade", 1, Create, Failed, false),
    ("FolderMade", 3, Create, Failed, false),
    ("TableMade", 1, Create, Failed, true),
    ("TableMade", 3, Create, Failed, true),
    ("AddsWritten", 1, Prepare, Failed, false),
    ("AddsKept", 1, Prepare, Failed, true),
    ("AddsCommitPut", 1, Commit, Failed, true),
    ("CommitPut", 1, Commit, Failed, true),
    ("CommitLanded", 1, Commit, Done, true),
    ("AddsCommitted", 1, Commit, Failed, true),
    ("UsagePut", 1, Rebuild, Failed, true),
    ("UsageLanded", 1, Rebuild, Done, true),
    ("UsageUnseen", 1, Rebuild, Failed, true),
    ("Rewritten", 1, Compact, Failed, true),
    ("Rewritten", 4, Compact, Failed, true),
    ("CompactionPut", 1, Compact, Failed, true),
    ("CompactionPut", 4, Compact, Failed, true),
    ("CompactionLanded", 2, Compact, Done, true),
    ("CompactionLanded", 4, Compact, Done, true),
    ("CompactionUnseen", 1, Compact, Failed, true),
    ("CompactionUnseen", 4, Compact, Failed, true),
    ("ExpiryPut", 1, Expire, Failed, true),
    ("ExpiryLanded", 1, Expire, Done, true),
    ("ExpiryUnseen", 1, Expire, Failed, true),
];

/// Estates that all tests that run at a time share.
static SHARED: Mutex<Weak<Estates>> = Mutex::new(Weak::new());

struct Estates {
    usual: Estate,
    before_checkpoint: Estate,
    with_old_day: Estate,
}

/// Logs, a store that has had some of them, and what it holds once it has had them all.
struct Estate {
    logs: TempDir,
    earlier: IngestStore,
    wanted: Value,
}

/// A store that something happens to.
struct Victim<'e> {
    estate: &'e Estate,
    folder: IngestStore,
    bucket: Option<FakeBucket>,
}

impl Estates {
    fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let estates = Arc::new(Self {
                usual: estate(COMMITS, false),
                before_checkpoint: estate(COMMITS_BEFORE_CHECKPOINT, false),
                with_old_day: estate(COMMITS, true),
            });
            *shared = Arc::downgrade(&estates);
            estates
        })
    }

    fn of(&self, point: &str, step: Step) -> &Estate {
        match step {
            Expire => &self.with_old_day,
            _ if point.starts_with("Checkpoint") => &self.before_checkpoint,
            _ => &self.usual,
        }
    }
}

/// What is wanted is without the old day, which expires.
fn estate(commits: usize, has_old_day: bool) -> Estate {
    let logs = tempfile::tempdir().unwrap();
    let earlier = IngestStore::new();
    let objects = commits + NEW_OBJECTS;
    if has_old_day {
        let old = tempfile::tempdir().unwrap();
        let path = old.path().join("old.json");
        let text = record(1)
            .replace("2026-09-", "2019-09-")
            .replace("-000000000001", "-999999999999");
        std::fs::write(&path, format!("{{\"Records\":[{text}]}}")).unwrap();
        assert_eq!(earlier.ingest(&[&path]).stored, 1);
    }
    for index in 0..objects {
        let ids = index * STEP..index * STEP + RECORDS;
        let path = write_object(logs.path(), &format!("{index:02}.json.gz"), ids);
        if index < commits {
            earlier.ingest(&[&path]);
        }
    }
    let clean = IngestStore::new();
    clean.ingest(&[logs.path()]);
    let wanted = clean.sql(FINGERPRINT)[0].clone();
    assert_eq!(
        number(&wanted, "ids"),
        i64::try_from((objects - 1) * STEP + RECORDS).unwrap()
    );
    Estate { logs, earlier, wanted }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir(target).unwrap(),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

impl<'e> Victim<'e> {
    fn new(estate: &'e Estate, step: Step, in_bucket: bool) -> Self {
        let folder = IngestStore::new();
        let earlier = estate.earlier.folder.path().join("store");
        let bucket = in_bucket.then(FakeBucket::writable);
        match &bucket {
            _ if step == Create => {}
            Some(bucket) => {
                let (_, prefix) = STORE.trim_start_matches("s3://").split_once('/').unwrap();
                bucket.put_folder(&earlier, &format!("{prefix}/"));
            }
            None => copy_folder(&earlier, &folder.folder.path().join("store")),
        }
        Self { estate, folder, bucket }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        match &self.bucket {
            None => process::trimtrail(&self.folder.folder.path().join("store"), arguments),
            Some(bucket) => {
                let mut command = process::trimtrail(&PathBuf::from(STORE), arguments);
                bucket.keep_store(&mut command);
                command
            }
        }
    }

    fn ingest(&self) -> Command {
        self.command(&["ingest", self.estate.logs.path().to_str().unwrap(), "--no-compact"])
    }

    /// A folder for prepared batches.
    fn adds(&self) -> String {
        format!("{}/", self.folder.folder.path().join("adds").display())
    }

    fn prepare(&self) -> Command {
        let mut command = self.ingest();
        command.args(["--no-commit", "--adds-out", &self.adds()]);
        command
    }

    fn commit(&self) -> Command {
        self.command(&["commit", "--adds-from", &self.adds()])
    }

    fn rebuild(&self) -> Command {
        self.command(&["store", "rebuild", "usage"])
    }

    fn compact(&self) -> Command {
        self.command(&["store", "compact"])
    }

    fn expire(&self) -> Command {
        self.command(&["store", "expire", "--events-older-than", "2020-01-01"])
    }

    /// The command of a step, after what has to be done before it.
    fn step(&self, step: Step) -> Command {
        match step {
            Create | Ingest => self.ingest(),
            Prepare => self.prepare(),
            Commit => {
                done(self.prepare());
                self.commit()
            }
            Rebuild => {
                done(self.ingest());
                self.rebuild()
            }
            Compact => {
                done(self.ingest());
                self.compact()
            }
            Expire => {
                done(self.ingest());
                self.expire()
            }
        }
    }

    /// Runs the same command again, and what comes after it.
    fn make_good(&self, step: Step) {
        match step {
            Create | Ingest => done(self.ingest()),
            Prepare => {
                done(self.prepare());
                done(self.commit());
            }
            Commit => done(self.commit()),
            Rebuild => done(self.rebuild()),
            Compact => done(self.compact()),
            Expire => done(self.expire()),
        }
    }

    /// The only row of a statement; `None` while there is no store.
    fn sql(&self, statement: &str) -> Option<Value> {
        if self.bucket.is_some() {
            let ended = run(self.command(&["sql", statement, "--output", "json"]));
            let rows = (ended.code == 0).then(|| serde_json::from_str::<Value>(&ended.stdout).unwrap());
            assert!(
                rows.is_some() || ended.stderr.contains("no store at"),
                "{statement}: {ended:?}"
            );
            return rows.map(|rows| rows[0].clone());
        }
        let log = self.folder.folder.path().join("store/events/_delta_log");
        let is_made = std::fs::read_dir(log)
            .is_ok_and(|mut entries| entries.any(|entry| entry.unwrap().file_name() == "00000000000000000000.json"));
        is_made.then(|| self.folder.sql(statement)[0].clone())
    }

    /// The digest of all records of a store whose rows and ledger agree; `None` while there is no store.
    fn balanced(&self, case: &str) -> Option<Value> {
        let row = self.sql(BALANCE)?;
        let [events, ids, stored, twice, lost] =
            ["events", "ids", "stored", "twice", "lost"].map(|name| number(&row, name));
        assert_eq!((events, events, 0, 0), (ids, stored, twice, lost), "{case}: {row}");
        Some(row["digest"].clone())
    }

    /// Data files that no table names, and files whose writing was cut off.
    fn left_over(&self) -> (u64, usize) {
        if let Some(bucket) = &self.bucket {
            let known: i64 =
                serde_json::from_str::<Value>(&run(self.command(&["store", "info", "--output", "json"])).stdout)
                    .unwrap()
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|table| number(table, "files"))
                    .sum();
            let keys = bucket.keys();
            let found = keys.iter().filter(|key| key.contains("/part-")).count();
            let unfinished = keys.iter().filter(|key| key.contains("probe")).count();
            return (
                u64::try_from(found).unwrap() - u64::try_from(known).unwrap(),
                unfinished,
            );
        }
        let location = self.folder.location();
        let unnamed = self.folder.runtime.block_on(async {
            let store = Store::open(&location).await.unwrap();
            store.unnamed_files().await.unwrap()
        });
        let files = walkdir::WalkDir::new(self.folder.folder.path())
            .min_depth(1)
            .into_iter();
        let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
        let unfinished = names
            .filter(|name| name.contains('#') || name.starts_with(".tmp"))
            .count();
        (unnamed.files, unfinished)
    }
}

fn run(mut command: Command) -> Ended {
    process::ended(command.output().unwrap())
}

fn done(command: Command) {
    let ended = run(command);
    assert_eq!(ended.code, 0, "{ended:?}");
}

/// Runs a step with an armed point, judges its end, goes on, and compares the rows.
fn play(estate: &Estate, (point, time, step, ends, _): Case, action: &str, in_bucket: bool) {
    let case = format!("{point}={action}@{time}");
    let victim = Victim::new(estate, step, in_bucket);
    let mut command = victim.step(step);
    let output = command.env("TRIMTRAIL_FAILPOINT", &case).output().unwrap();
    let case = format!("{step:?} {case}");
    if action == "abort" {
        assert_eq!(output.status.signal(), Some(ABORTED), "{case}: {output:?}");
    } else {
        assert_told(&victim, &process::ended(output), ends, action, &case);
    }
    if action == "abort" {
        victim.balanced(&case);
    }
    victim.make_good(step);
    assert_eq!(
        victim.balanced(&case).as_ref(),
        Some(&estate.wanted["digest"]),
        "{case}"
    );
    let (unnamed, unfinished) = victim.left_over();
    // The ledger's own files of a batch that is known to be committed are left alone.
    // In a bucket, files stay whose commit may still take effect.
    let is_kept = point == "AddsCommitted" || point == "CommitPut" && in_bucket;
    let most = if step == Rebuild {
        FILES_OF_A_ROLLUP
    } else if step == Compact {
        FILES_OF_A_COMPACTION
    } else if step == Expire && in_bucket {
        FILES_OF_THE_EXPIRED_DAY
    } else if action == "abort" || is_kept {
        FILES_OF_A_BATCH
    } else {
        0
    };
    assert!(unnamed <= most, "{case}: {unnamed} files that no table names");
    assert!(
        unfinished <= usize::from(action == "abort"),
        "{case}: {unfinished} unfinished files"
    );
    if step == Expire {
        let row = victim.sql("select sum(events) as summed, (select sum(stored) from objects) as stored from usage");
        let row = row.unwrap();
        assert_eq!(row["summed"], row["stored"], "{case}");
    }
    if action == "abort" {
        let again = run(victim.ingest());
        assert!(again.stdout.contains("\nrecords  0 read"), "{case}: {again:?}");
    }
}

/// The exit code is right, and the message names what could not be written, or read, and what to do.
fn assert_told(victim: &Victim<'_>, ended: &Ended, ends: Ends, action: &str, case: &str) {
    let (code, words): (i32, &[&str]) = match (ends, action) {
        (Done, _) => (0, &[]),
        (Incomplete, _) => (4, &["json.gz`", "run again"]),
        (Failed, "no-space") => (1, &["o space left", "run the same command again"]),
        (Failed, _) => (1, &["error: ", "Input/output error"]),
    };
    assert_eq!(ended.code, code, "{case}: {ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{case}: {word}: {}", ended.stderr);
    }
    if ends == Failed {
        let folder = victim.folder.folder.path().to_str().unwrap();
        let is_named = ended.stderr.contains(&format!("`{folder}/")) || ended.stderr.contains("`s3://trail-store/");
        assert!(is_named, "{case}: {}", ended.stderr);
        let has_remedy = ["make the folder writable", "run the same command again"]
            .iter()
            .any(|remedy| ended.stderr.contains(remedy));
        assert!(has_remedy, "{case}: {}", ended.stderr);
    }
}

/// Plays all cases, some at a time: a process waits for the disk, or for the bucket, half of its time.
fn play_all(action: &str, in_bucket: bool) {
    let estates = Estates::shared();
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.4 || !in_bucket).collect();
    let next = AtomicUsize::new(0);
    let failed: Mutex<Vec<&Case>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..PLAYED_AT_A_TIME {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let played = || play(estates.of(case.0, case.2), **case, action, in_bucket);
                    if catch_unwind(AssertUnwindSafe(played)).is_err() {
                        failed.lock().unwrap().push(case);
                    }
                }
            });
        }
    });
    assert_eq!(failed.into_inner().unwrap(), Vec::<&Case>::new());
}

#[test]
fn process_that_dies_at_any_point_is_made_good_by_the_next_run() {
    play_all("abort", false);
}

#[test]
fn step_that_fails_at_any_point_is_told_and_made_good_by_the_next_run() {
    play_all("error", false);
}

#[test]
fn full_disk_at_any_point_is_told_and_made_good_by_the_next_run() {
    play_all("no-space", false);
}

#[test]
fn process_that_dies_at_any_point_of_a_store_in_a_bucket_is_made_good_by_the_next_run() {
    play_all("abort", true);
}

#[test]
fn step_that_fails_at_any_point_of_a_store_in_a_bucket_is_told_and_made_good_by_the_next_run() {
    play_all("error", true);
}

fn source_of_points() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/failpoint.rs");
    std::fs::read_to_string(path).unwrap()
}

fn points() -> BTreeSet<String> {
    let source = source_of_points();
    let (_, rest) = source.split_once("enum Point {").unwrap();
    let (variants, _) = rest.split_once('}').unwrap();
    let lines = variants.lines().map(str::trim).filter(|line| !line.starts_with("///"));
    lines
        .filter_map(|line| line.strip_suffix(','))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_point_is_played() {
    let played: BTreeSet<String> = CASES.iter().map(|case| case.0.to_owned()).collect();
    assert_eq!(played, points());
    assert!(played.len() >= 12);
}

/// Compiles the points as a program that passes one, and says how it ends and what its file holds.
fn compiled(folder: &Path, debug_assertions: &str) -> (bool, Vec<u8>) {
    let main = folder.join("main.rs");
    let points = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/failpoint.rs");
    let text = format!(
        "#![allow(dead_code, unused_imports)] #[path = {points:?}] mod failpoint;\n\
         fn main() {{\n\
             #[cfg(debug_assertions)] assert!(failpoint::arm(\"CommitPut=error\"));\n\
             std::process::exit(i32::from(failpoint::pass(failpoint::Point::CommitPut).is_err()));\n\
         }}\n"
    );
    std::fs::write(&main, text).unwrap();
    let program = folder.join(format!("program-{debug_assertions}"));
    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    let built = Command::new(rustc)
        .args([
            "--edition",
            "2024",
            "-O",
            "-C",
            &format!("debug-assertions={debug_assertions}"),
            "-o",
        ])
        .args([&program, &main])
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let ended = Command::new(&program).status().unwrap();
    (ended.success(), std::fs::read(&program).unwrap())
}

#[test]
fn build_without_debug_assertions_has_no_points() {
    let folder = tempfile::tempdir().unwrap();
    let holds = |program: &[u8], name: &str| program.windows(name.len()).any(|window| window == name.as_bytes());
    let (goes_on, program) = compiled(folder.path(), "on");
    assert!(!goes_on && holds(&program, "no-space") && holds(&program, "CheckpointNamed"));
    let (goes_on, program) = compiled(folder.path(), "off");
    assert!(goes_on);
    // One word alone may stand anywhere.
    let names = points()
        .into_iter()
        .filter(|name| name.matches(char::is_uppercase).count() > 1);
    for name in names.chain(["TRIMTRAIL_FAILPOINT", "no-space"].map(str::to_owned)) {
        assert!(!holds(&program, &name), "a release build knows `{name}`");
    }
}
