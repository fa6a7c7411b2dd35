use std::fs;

use super::super::CommitOutcome;
use super::super::DeliveryDays;
use super::super::ImportBatch;
use super::super::RunLimits;
use super::super::testing::CLOCK;
use super::super::testing::DAY;
use super::super::testing::TestStore;
use super::super::testing::batch;
use super::super::testing::committed;
use super::super::testing::events_with;
use super::super::testing::ids;
use super::super::testing::sources;
use super::*;

const MEMORY: usize = 64 << 20;

async fn groups(store: &Store) -> Vec<CompactionGroup> {
    store.compaction_groups(&CompactionRule::of_all(MEMORY)).await.unwrap()
}

/// Compacts everything; how many groups there were.
async fn compact(store: &Store) -> usize {
    let groups = groups(store).await;
    for mut group in groups.clone() {
        let staged = store.rewrite(&mut group, MEMORY).unwrap().unwrap();
        assert!(store.commit_compaction(&group, staged, ("run-c", CLOCK)).await.unwrap());
    }
    groups.len()
}

async fn three_commits() -> TestStore {
    let test = TestStore::create().await;
    for (object, id) in [("s3://logs/1", "a"), ("s3://logs/2", "b"), ("s3://logs/3", "c")] {
        test.commit(object, &[id]).await;
    }
    test
}

#[tokio::test]
async fn small_files_become_one_with_the_same_rows_in_order() {
    let test = TestStore::create().await;
    for (id, principal, time) in [("b", Some("z"), 7), ("c", None, 9), ("a", Some("a"), 8)] {
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let rows = events_with(&[id], &[principal], &[CLOCK + time]);
        let staged = test.store.stage_events(Some(DAY), &rows).unwrap();
        test.store.commit(&basis, batch(vec![staged], &[], 0)).await.unwrap();
    }
    let before = test.store.snapshot(Table::Events).await.unwrap();
    assert_eq!(compact(&test.store).await, 1);
    let store = test.reopen().await;
    let after = store.snapshot(Table::Events).await.unwrap();
    assert_eq!((after.version, after.files.len(), after.rows()), (4, 1, 3));
    let file = &after.files[0];
    assert!(file.sorted && file.event_date == Some(DAY));
    assert_eq!(
        file.stats.event_times().map(|(first, _)| first),
        before.files[0].stats.event_times().map(|_| CLOCK)
    );
    let mut in_file_order = Vec::new();
    store
        .event_keys(file, |key| in_file_order.push(key.event_id.unwrap().to_owned()))
        .unwrap();
    assert_eq!(in_file_order, ["c", "a", "b"]);
    assert!(groups(&store).await.is_empty(), "nothing is left to do");
    for file in &before.files {
        assert!(test.folder().join("events").join(&file.path).exists());
    }
    assert_eq!(ids(&store, &before), ["a", "b", "c"]);
}

#[tokio::test]
async fn earlier_versions_of_all_tables_show_the_rows_they_had() {
    let test = three_commits().await;
    // Events and ledger; there are no rejects and no rollup.
    assert_eq!(compact(&test.store).await, 2);
    test.commit("s3://logs/4", &["d"]).await;
    test.commit("s3://logs/5", &["e"]).await;
    assert_eq!(compact(&test.store).await, 2);
    test.commit("s3://logs/6", &["f"]).await;
    for store in [&test.store, &test.reopen().await] {
        let newest = store.snapshot(Table::Events).await.unwrap().version;
        let mut rows = Vec::new();
        for version in 0..=newest {
            let events = store.snapshot_at(Table::Events, version).await.unwrap();
            let objects = store.snapshot_at(Table::Objects, version).await.unwrap();
            assert_eq!(events.rows(), objects.rows(), "version {version}");
            rows.push(events.rows());
        }
        assert_eq!(rows, [0, 1, 2, 3, 3, 4, 5, 5, 6]);
        let objects = store.snapshot(Table::Objects).await.unwrap();
        assert_eq!(
            store
                .known_objects(&objects, DeliveryDays::ALL, &RunLimits::NONE)
                .unwrap()
                .len(),
            6
        );
    }
}

#[tokio::test]
async fn batch_that_was_compared_with_the_old_files_loses_to_the_compaction() {
    let test = three_commits().await;
    let basis = test.store.snapshot(Table::Events).await.unwrap();
    compact(&test.reopen().await).await;
    let next = batch(vec![test.stage(&["a"])], &[("s3://logs/4", "ingested")], 0);
    let outcome = test.store.commit(&basis, next).await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Conflict(_)));
}

#[tokio::test]
async fn compaction_goes_on_top_of_a_batch_that_was_first() {
    let test = three_commits().await;
    let store = test.reopen().await;
    let mut group = groups(&store).await.remove(0);
    let staged = store.rewrite(&mut group, MEMORY).unwrap().unwrap();
    test.commit("s3://logs/4", &["d"]).await;
    assert!(store.commit_compaction(&group, staged, ("run-c", CLOCK)).await.unwrap());
    let after = test.reopen().await.snapshot(Table::Events).await.unwrap();
    assert_eq!((after.version, after.files.len()), (5, 2));
    assert_eq!(ids(&store, &after), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn files_that_another_compaction_took_away_are_left_and_nothing_remains() {
    let test = three_commits().await;
    let late = test.reopen().await;
    for mut group in groups(&late).await {
        let staged = late.rewrite(&mut group, MEMORY).unwrap().unwrap();
        let path = staged.absolute.clone();
        compact(&test.store).await;
        assert!(!late.commit_compaction(&group, staged, ("run-c", CLOCK)).await.unwrap());
        assert!(!path.exists());
    }
    let after = late.snapshot(Table::Events).await.unwrap();
    assert_eq!(ids(&late, &after), ["a", "b", "c"]);
}

#[tokio::test]
async fn group_that_does_not_fit_the_memory_is_left() {
    let test = three_commits().await;
    let mut group = groups(&test.store).await.remove(0);
    assert!(test.store.rewrite(&mut group, 1000).unwrap().is_none());
    let data_files = fs::read_dir(test.folder().join("events/event_date=2026-09-01")).unwrap();
    assert_eq!(data_files.count(), 3);
}

#[tokio::test]
async fn damaged_file_is_not_rewritten() {
    let test = three_commits().await;
    let mut group = groups(&test.store).await.remove(0);
    let file = Arc::make_mut(&mut group.files[1]);
    file.rows += 1;
    let error = test.store.rewrite(&mut group, MEMORY).unwrap_err();
    assert!(matches!(error, StoreError::DamagedFile { .. }), "{error:?}");
}

#[tokio::test]
async fn only_days_with_more_than_three_small_files_are_rewritten_unasked() {
    let test = three_commits().await;
    let rule = CompactionRule::of_gathered(MEMORY);
    assert!(test.store.compaction_groups(&rule).await.unwrap().is_empty());
    test.commit("s3://logs/4", &["d"]).await;
    let found = test.store.compaction_groups(&rule).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].table, found[0].files.len(), found[0].rows()),
        (Table::Events, 4, 4)
    );
}

#[tokio::test]
async fn files_are_worth_less_the_larger_they_are() {
    let test = three_commits().await;
    let state = test.store.newest(Table::Events).await.unwrap();
    let (file, version) = test.store.files(Table::Events, &state).unwrap().remove(0);
    let of_size = |size| {
        (
            Arc::new(DataFile {
                size,
                ..(*file).clone()
            }),
            version,
        )
    };
    let gathered = CompactionRule::of_gathered(512 << 20);
    let asked = |count, size| gathered.asks_for(Table::Events, &vec![of_size(size); count]);
    assert!(!asked(3, 1) && asked(4, 1));
    assert!(!asked(6, SMALL_BYTES / 2) && asked(7, SMALL_BYTES / 2));
    assert!(!asked(1000, SMALL_BYTES));
    assert!(CompactionRule::of_all(512 << 20).asks_for(Table::Events, &vec![of_size(SMALL_BYTES); 2]));
}

#[tokio::test]
async fn imported_snapshots_become_one_file_too() {
    let test = TestStore::create().await;
    for id in ["one", "two", "three"] {
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let import = ImportBatch {
            run_id: "run-2".to_owned(),
            rows: vec![(Table::IamSources, sources(&[id]))],
            committed_at: CLOCK,
        };
        committed(test.store.import(&basis, import).await.unwrap());
    }
    assert_eq!(compact(&test.store).await, 1);
    let store = test.reopen().await;
    let imported = store.snapshot(Table::IamSources).await.unwrap();
    assert_eq!((imported.files.len(), imported.rows()), (1, 3));
    let second = store.snapshot_at(Table::IamSources, 2).await.unwrap();
    assert_eq!((second.files.len(), second.rows()), (2, 2));
}

#[tokio::test]
async fn files_that_were_left_out_come_back_with_their_versions() {
    let test = three_commits().await;
    let mut group = groups(&test.store).await.remove(1);
    assert_eq!((group.table, group.events_version()), (Table::Objects, 3));
    group.limit(1);
    assert_eq!((group.files.len(), group.events_version()), (1, 1));
    let rest = group.take_rest().unwrap();
    assert_eq!((rest.files.len(), rest.events_version()), (2, 3));
    assert!(group.take_rest().is_none());
}

#[tokio::test]
async fn rejects_become_one_file_too() {
    let test = TestStore::create().await;
    for number in 0..3 {
        let basis = test.store.snapshot(Table::Events).await.unwrap();
        let object = format!("s3://logs/{number}");
        let batch = batch(vec![], &[(&object, "partial")], 2);
        test.store.commit(&basis, batch).await.unwrap();
    }
    assert_eq!(compact(&test.store).await, 2);
    let rejects = test.reopen().await.snapshot(Table::Rejects).await.unwrap();
    assert_eq!((rejects.files.len(), rejects.rows()), (1, 6));
    let second = test.reopen().await.snapshot_at(Table::Rejects, 2).await.unwrap();
    assert_eq!((second.files.len(), second.rows()), (2, 4));
}
