use std::fs;

use super::super::DeliveryDays;
use super::super::Location;
use super::super::RunLimits;
use super::super::testing::CLOCK;
use super::super::testing::DAY;
use super::super::testing::TestStore;
use super::super::testing::batch;
use super::super::testing::committed;
use super::super::testing::events;
use super::super::testing::ids;
use super::super::testing::sources;
use super::*;

#[tokio::test]
async fn committed_rows_are_there_after_reopening() {
    let test = TestStore::create().await;
    let snapshot = test.commit("s3://logs/1", &["a", "b"]).await;
    let store = test.reopen().await;
    let reopened = store.snapshot(Table::Events).await.unwrap();
    assert_eq!(ids(&store, &reopened), ["a", "b"]);
    assert_eq!((reopened.version, reopened.rows()), (1, 2));
    assert_eq!(
        reopened.files, snapshot.files,
        "a writer and a reader see the same files"
    );
    let file = &reopened.files[0];
    assert!(file.path.starts_with("event_date=2026-09-01/part-"), "{}", file.path);
    assert_eq!(
        (file.event_date, file.rows, file.sorted, file.modified_at_ms),
        (Some(DAY), 2, true, CLOCK / 1000)
    );
    let objects = store.snapshot(Table::Objects).await.unwrap();
    assert_eq!((objects.rows(), objects.version), (1, 1));
    assert_eq!(store.snapshot(Table::Rejects).await.unwrap().rows(), 0);
}

#[tokio::test]
async fn commit_on_a_stale_snapshot_conflicts_and_leaves_nothing() {
    let test = TestStore::create().await;
    let stale = test.store.snapshot(Table::Events).await.unwrap();
    test.commit("s3://logs/1", &["a"]).await;
    let outcome = test
        .store
        .commit(
            &stale,
            batch(vec![test.stage(&["a"])], &[("s3://logs/1", "ingested")], 1),
        )
        .await;
    let CommitOutcome::Conflict(staged) = outcome.unwrap() else {
        panic!("expected a conflict")
    };
    let store = test.reopen().await;
    assert_eq!(store.snapshot(Table::Events).await.unwrap().rows(), 1);
    assert_eq!(store.snapshot(Table::Objects).await.unwrap().rows(), 1);
    assert_eq!(store.snapshot(Table::Rejects).await.unwrap().rows(), 0);
    let path = staged[0].absolute.clone();
    assert!(path.exists());
    test.store.discard(staged);
    assert!(!path.exists());
    assert_eq!(
        fs::read_dir(test.folder().join("rejects")).unwrap().count(),
        1,
        "only the log is left"
    );
}

#[tokio::test]
async fn staged_files_may_be_committed_again_after_a_conflict() {
    let test = TestStore::create().await;
    let stale = test.store.snapshot(Table::Events).await.unwrap();
    let newer = test.commit("s3://logs/1", &["a"]).await;
    let outcome = test
        .store
        .commit(&stale, batch(vec![test.stage(&["b"])], &[], 0))
        .await
        .unwrap();
    let CommitOutcome::Conflict(staged) = outcome else {
        panic!("expected a conflict")
    };
    let snapshot = committed(test.store.commit(&newer, batch(staged, &[], 0)).await.unwrap());
    assert_eq!(ids(&test.store, &snapshot), ["a", "b"]);
}

#[tokio::test]
async fn of_two_writers_at_once_exactly_one_wins() {
    let test = TestStore::create().await;
    let other = test.reopen().await;
    let basis = test.store.snapshot(Table::Events).await.unwrap();
    let other_basis = other.snapshot(Table::Events).await.unwrap();
    let one = test.store.commit(
        &basis,
        batch(vec![test.stage(&["one"])], &[("s3://logs/1", "ingested")], 0),
    );
    let two = other.commit(
        &other_basis,
        batch(vec![test.stage(&["two"])], &[("s3://logs/2", "ingested")], 0),
    );
    let (one, two) = tokio::join!(one, two);
    let wins = [one.unwrap(), two.unwrap()]
        .iter()
        .filter(|it| matches!(it, CommitOutcome::Committed(_)))
        .count();
    assert_eq!(wins, 1);
    let store = test.reopen().await;
    assert_eq!(store.snapshot(Table::Events).await.unwrap().rows(), 1);
    assert_eq!(store.snapshot(Table::Objects).await.unwrap().rows(), 1);
}

/// Commits until each id is stored, deduplicating again after each conflict, as a run does.
async fn ingest(location: &Location, ids: &[String]) {
    let store = Store::create_or_open(location, CLOCK).await.unwrap();
    for id in ids {
        loop {
            let basis = store.snapshot(Table::Events).await.unwrap();
            let known = store
                .known_objects(
                    &store.snapshot(Table::Objects).await.unwrap(),
                    DeliveryDays::ALL,
                    &RunLimits::NONE,
                )
                .unwrap();
            if known.contains(id, "7", 7) {
                break;
            }
            let staged = vec![store.stage_events(Some(DAY), &events(&[id.as_str()])).unwrap()];
            match store
                .commit(&basis, batch(staged, &[(id, "ingested")], 1))
                .await
                .unwrap()
            {
                CommitOutcome::Committed(_) => break,
                CommitOutcome::Conflict(staged) => store.discard(staged),
            }
        }
    }
}

#[test]
fn writers_with_the_same_objects_store_each_event_once() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(folder.path().join("store").to_str().unwrap()).unwrap();
    let objects: Vec<String> = (0..8).map(|number| format!("s3://logs/{number}")).collect();
    let run = |ids: &[String]| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(ingest(&location, ids));
    };
    let reversed: Vec<String> = objects.iter().rev().cloned().collect();
    std::thread::scope(|scope| {
        scope.spawn(|| run(&objects));
        scope.spawn(|| run(&reversed));
        scope.spawn(|| run(&objects));
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Store::open(&location).await.unwrap();
        let snapshot = store.snapshot(Table::Events).await.unwrap();
        assert_eq!(ids(&store, &snapshot), objects);
        assert_eq!(snapshot.version, 8);
        assert_eq!(store.snapshot(Table::Objects).await.unwrap().rows(), 8);
        assert_eq!(store.snapshot(Table::Rejects).await.unwrap().rows(), 8);
    });
}

#[tokio::test]
async fn snapshot_of_a_derived_table_is_no_basis() {
    let test = TestStore::create().await;
    let basis = test.store.snapshot(Table::Objects).await.unwrap();
    let error = test
        .store
        .commit(&basis, batch(vec![test.stage(&["a"])], &[], 0))
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::WrongBasis { table: "objects" }),
        "{error:?}"
    );
    assert_eq!(test.store.snapshot(Table::Events).await.unwrap().version, 0);
}

#[tokio::test]
async fn batch_of_ledger_rows_only_is_one_commit() {
    let test = TestStore::create().await;
    let basis = test.store.snapshot(Table::Events).await.unwrap();
    let outcome = test
        .store
        .commit(&basis, batch(vec![], &[("s3://logs/1", "corrupt")], 2))
        .await
        .unwrap();
    let snapshot = committed(outcome);
    assert_eq!((snapshot.version, snapshot.rows()), (1, 0));
    assert_eq!(test.store.snapshot(Table::Objects).await.unwrap().rows(), 1);
    assert_eq!(test.store.snapshot(Table::Rejects).await.unwrap().rows(), 2);
}

#[tokio::test]
async fn error_after_our_own_entry_is_a_success_and_after_another_a_defeat() {
    let test = TestStore::create().await;
    test.commit("s3://logs/1", &["a"]).await;
    let head = test.store.commit_head(Table::Events, 1).await.unwrap();
    let ours = head.unwrap().batch.unwrap();
    let other = BatchRecord {
        batch: "other".to_owned(),
        ..ours.clone()
    };
    // Two processes that commit the same prepared batch write its ledger rows anew, each for itself.
    let mut same_batch = ours.clone();
    "part-other.parquet".clone_into(&mut same_batch.objects.as_mut().unwrap().path);
    let error = || DeltaTableError::Generic("connection lost".to_owned());
    assert!(matches!(
        test.store.landing(1, &ours, error()).await.unwrap(),
        Landing::Stored(_)
    ));
    for other in [other, same_batch] {
        assert!(matches!(
            test.store.landing(1, &other, error()).await.unwrap(),
            Landing::Beaten
        ));
    }
    assert!(matches!(
        test.store.landing(2, &ours, error()).await.unwrap(),
        Landing::Failed(_)
    ));
}

#[tokio::test]
async fn staged_file_that_is_not_committed_is_invisible() {
    let test = TestStore::create().await;
    test.commit("s3://logs/1", &["a"]).await;
    let orphan = test.stage(&["orphan"]);
    assert_eq!((orphan.rows(), orphan.event_date()), (1, Some(DAY)));
    assert_eq!(orphan.bytes(), fs::metadata(&orphan.absolute).unwrap().len());
    let store = test.reopen().await;
    assert_eq!(ids(&store, &store.snapshot(Table::Events).await.unwrap()), ["a"]);
}

#[tokio::test]
async fn events_without_a_day_go_to_the_null_partition() {
    let test = TestStore::create().await;
    let basis = test.store.snapshot(Table::Events).await.unwrap();
    let staged = test.store.stage_events(None, &events(&["a"])).unwrap();
    committed(test.store.commit(&basis, batch(vec![staged], &[], 0)).await.unwrap());
    let store = test.reopen().await;
    let snapshot = store.snapshot(Table::Events).await.unwrap();
    assert!(
        snapshot.files[0]
            .path
            .starts_with("event_date=__HIVE_DEFAULT_PARTITION__/")
    );
    assert_eq!(snapshot.files[0].event_date, None);
    assert_eq!(ids(&store, &snapshot), ["a"]);
}

#[tokio::test]
async fn checkpoints_appear_and_keep_statistics_tags_days_and_properties() {
    let test = TestStore::create().await;
    let mut last = test.store.snapshot(Table::Events).await.unwrap();
    for number in 0..12 {
        last = test
            .commit(&format!("s3://logs/{number}"), &[&format!("id-{number}")])
            .await;
    }
    for table in ["events", "objects"] {
        let checkpoint = test
            .folder()
            .join(table)
            .join("_delta_log/00000000000000000009.checkpoint.parquet");
        assert!(checkpoint.is_file(), "{}", checkpoint.display());
    }
    let first = test.folder().join("events/_delta_log/00000000000000000003.json");
    fs::remove_file(first).unwrap();
    let store = test.reopen().await;
    let reopened = store.snapshot(Table::Events).await.unwrap();
    assert_eq!(reopened.files, last.files, "the checkpoint holds what the entries held");
    assert_eq!(ids(&store, &reopened).len(), 12);
    let objects = store.snapshot(Table::Objects).await.unwrap();
    assert_eq!(objects.rows(), 12);
    let state = store.newest(Table::Events).await.unwrap();
    let interval = state.metadata().configuration().get("delta.checkpointInterval");
    assert_eq!(interval.map(String::as_str), Some("10"));
    assert_eq!(state.protocol().min_reader_version(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn everything_in_a_store_is_private_to_its_owner() {
    use std::os::unix::fs::PermissionsExt;

    let test = TestStore::create().await;
    for number in 0..10 {
        test.commit(&format!("s3://logs/{number}"), &["a"]).await;
    }
    let mut files = 0;
    for entry in walkdir::WalkDir::new(test.folder()) {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let expected = if entry.file_type().is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}", entry.path().display());
        files += usize::from(entry.file_type().is_file());
    }
    assert!(files > 40, "{files} files");
}

#[test]
fn several_threads_stage_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let test = runtime.block_on(TestStore::create());
    let staged: Vec<StagedFile> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| test.stage(&["a", "b", "c"]))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let snapshot = runtime.block_on(async {
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        committed(test.store.commit(&basis, batch(staged, &[], 0)).await.unwrap())
    });
    assert_eq!((snapshot.files.len(), snapshot.rows()), (4, 12));
}

fn import(ids: &[&str]) -> ImportBatch {
    ImportBatch {
        run_id: "run-2".to_owned(),
        rows: vec![(Table::IamSources, sources(ids))],
        committed_at: CLOCK,
    }
}

async fn import_on_newest(store: &Store, ids: &[&str]) -> CommitOutcome {
    let basis = store.snapshot(Table::Events).await.unwrap();
    store.import(&basis, import(ids)).await.unwrap()
}

#[tokio::test]
async fn import_is_a_version_of_the_store_and_later_ingests_go_on_above_it() {
    let test = TestStore::create().await;
    for number in 0..3 {
        test.commit(&format!("s3://logs/{number}"), &["a"]).await;
    }
    assert_eq!(test.store.snapshot(Table::IamSources).await.unwrap().rows(), 0);
    let snapshot = committed(import_on_newest(&test.store, &["one"]).await);
    assert_eq!((snapshot.version, snapshot.rows()), (4, 3));
    test.commit("s3://logs/3", &["b"]).await;
    committed(import_on_newest(&test.store, &["two"]).await);
    let store = test.reopen().await;
    for (version, wanted) in [(3, 0), (4, 1), (5, 1), (6, 2)] {
        let sources = store.snapshot_at(Table::IamSources, version).await.unwrap();
        assert_eq!((sources.version, sources.rows()), (version, wanted));
        assert_eq!(store.snapshot_at(Table::IamPolicies, version).await.unwrap().rows(), 0);
    }
    let known = store.known_sources(&store.snapshot(Table::IamSources).await.unwrap());
    assert_eq!(known.unwrap().into_iter().collect::<Vec<_>>(), ["one", "two"]);
    let operations = store.history(Table::Events, Some(1)).await.unwrap();
    assert_eq!(operations[0].operation.as_deref(), Some("IMPORT"));
}

#[tokio::test]
async fn store_lists_the_tables_of_snapshots_after_the_first_import() {
    let test = TestStore::create().await;
    let always = [Table::Events, Table::Objects, Table::Rejects, Table::Usage];
    assert_eq!(test.store.tables().await.unwrap(), always);
    assert_eq!(test.store.info().await.unwrap().tables.len(), 4);
    import_on_newest(&test.store, &["one"]).await;
    assert_eq!(test.reopen().await.tables().await.unwrap(), Table::ALL);
    let reader = test.reopen().await;
    assert_eq!(reader.info().await.unwrap().tables.len(), 11);
}

#[tokio::test]
async fn import_on_a_stale_snapshot_conflicts_and_leaves_nothing() {
    let test = TestStore::create().await;
    let stale = test.store.snapshot(Table::Events).await.unwrap();
    test.commit("s3://logs/1", &["a"]).await;
    let outcome = test.store.import(&stale, import(&["one"])).await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Conflict(_)));
    let store = test.reopen().await;
    assert_eq!(store.snapshot(Table::IamSources).await.unwrap().rows(), 0);
    let folder = test.folder().join("iam_sources");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "only the log is left");
}

#[tokio::test]
async fn import_that_was_cut_off_before_its_tables_followed_is_visible_and_repaired() {
    let test = TestStore::create().await;
    test.store.create_snapshot_tables(CLOCK).await.unwrap();
    let basis = test.store.snapshot(Table::Events).await.unwrap();
    let staged = StagedBatch {
        id: "ours".to_owned(),
        events: vec![],
        derived: test.store.stage_derived(import(&["one"]).rows).await.unwrap(),
    };
    let landing = test.store.commit_events(&basis, ("IMPORT", "run-2"), &staged, CLOCK);
    assert!(matches!(landing.await.unwrap(), Landing::Stored(_)));
    assert_eq!(test.reopen().await.snapshot(Table::IamSources).await.unwrap().rows(), 1);
    let store = Store::create_or_open(test.store.location(), CLOCK).await.unwrap();
    assert_eq!(store.snapshot(Table::IamSources).await.unwrap().rows(), 1);
    assert_eq!(store.newest(Table::IamSources).await.unwrap().version(), 1);
}
