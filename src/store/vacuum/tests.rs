use std::fs;
use std::fs::File;
use std::path::Path;

use jiff::SignedDuration;
use jiff::Timestamp;

use super::super::testing::TestStore;
use super::super::testing::batch;
use super::super::testing::committed;
use super::super::testing::events;
use super::super::testing::ids;
use super::super::testing::open;
use super::*;

const DAY_LONG: i64 = 24 * 60 * 60 * 1_000_000;

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Makes all files of a store look as if they were written so long ago.
fn age(folder: &Path, days: i64) {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let file = File::options().write(true).open(entry.path()).unwrap();
            file.set_modified((Timestamp::now() - SignedDuration::from_hours(24 * days)).into())
                .unwrap();
        }
    }
}

async fn paths(store: &Store) -> Vec<String> {
    let leftovers = store.leftovers(now() - 7 * DAY_LONG).await.unwrap();
    leftovers.into_iter().map(|leftover| leftover.path).collect()
}

#[tokio::test]
async fn only_files_that_are_old_and_ours_and_in_no_version_are_left_over() {
    let test = TestStore::create().await;
    test.commit("s3://logs/1", &["a"]).await;
    let orphan = test.stage(&["orphan"]);
    fs::write(test.folder().join("events/notes.parquet"), "ours").unwrap();
    let unfinished = "events/_delta_log/00000000000000000009.json#312345678901234567890123456789012345678";
    fs::write(test.folder().join(unfinished), "x").unwrap();
    fs::write(test.folder().join("events/budget#2026"), "ours").unwrap();
    let store = test.reopen().await;
    assert!(paths(&store).await.is_empty(), "everything is young");
    age(&test.folder(), 8);
    let young = test.stage(&["young"]);
    let orphan_path = format!("events/{}", orphan.path);
    assert_eq!(paths(&store).await, [unfinished.to_owned(), orphan_path]);
    let leftovers = store.leftovers(now() - 7 * DAY_LONG).await.unwrap();
    store.remove_leftovers(&leftovers).await.unwrap();
    store.remove_leftovers(&leftovers).await.unwrap();
    assert!(!orphan.absolute.exists() && young.absolute.exists());
    assert!(!test.folder().join(unfinished).exists());
    assert!(test.folder().join("events/notes.parquet").exists() && test.folder().join("events/budget#2026").exists());
    assert_eq!(ids(&store, &store.snapshot(Table::Events).await.unwrap()), ["a"]);
}

#[tokio::test]
async fn file_that_another_process_commits_after_the_store_was_opened_is_kept() {
    let test = TestStore::create().await;
    let reader = test.reopen().await;
    test.commit("s3://logs/1", &["a"]).await;
    age(&test.folder(), 8);
    assert!(paths(&reader).await.is_empty());
}

#[tokio::test]
async fn ledger_that_did_not_reach_its_table_yet_is_kept() {
    let test = TestStore::create().await;
    test.commit("s3://logs/1", &["a"]).await;
    // As if the process had died between the commit and the tables that follow it.
    fs::remove_file(test.folder().join("objects/_delta_log/00000000000000000001.json")).unwrap();
    age(&test.folder(), 8);
    let store = test.reopen().await;
    assert!(paths(&store).await.is_empty());
    assert_eq!(store.snapshot(Table::Objects).await.unwrap().rows(), 1);
}

#[tokio::test]
async fn file_whose_rows_another_program_replaced_is_kept_for_looking_back() {
    let test = TestStore::create().await;
    test.commit("s3://logs/1", &["a"]).await;
    let stored = test.store.snapshot(Table::Events).await.unwrap().files[0].path.clone();
    let new = test.stage(&["a"]);
    let entry = format!(
        "{{\"commitInfo\":{{\"timestamp\":1788220800000,\"operation\":\"OPTIMIZE\"}}}}\n\
         {{\"remove\":{{\"path\":\"{stored}\",\"deletionTimestamp\":1788220800000,\"dataChange\":false}}}}\n\
         {{\"add\":{{\"path\":\"{}\",\"partitionValues\":{{\"event_date\":\"2026-09-01\"}},\"size\":{},\
         \"modificationTime\":1788220800000,\"dataChange\":false}}}}\n",
        new.path, new.size
    );
    fs::write(test.folder().join("events/_delta_log/00000000000000000002.json"), entry).unwrap();
    age(&test.folder(), 8);
    let store = test.reopen().await;
    assert_eq!(store.snapshot(Table::Events).await.unwrap().files[0].path, new.path);
    assert!(paths(&store).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_that_waits_is_kept_and_is_committed_from_new_files_when_it_is_old() {
    let test = TestStore::create().await;
    let basis = test.store.snapshot(Table::Events).await.unwrap();
    let staged = test.store.stage_events(Some(20_697), &events(&["a", "b"])).unwrap();
    let old_path = staged.path.clone();
    let prepared = test
        .store
        .prepare(&basis, batch(vec![staged], &[("s3://logs/1", "ingested")], 1))
        .await
        .unwrap();
    let line = prepared.to_line().unwrap();
    test.store.leave_waiting("1.adds.jsonl", line).await.unwrap();
    age(&test.folder(), 8);
    let vacuum = test.reopen().await;
    assert!(paths(&vacuum).await.is_empty());
    // The line lies elsewhere now, and the commit is under way while its files are removed.
    let opened = test.store.open_prepared(&basis, &prepared, now()).await.unwrap();
    assert_ne!(opened.events[0].path, old_path);
    test.store.remove_waiting("1.adds.jsonl").await.unwrap();
    assert_eq!(paths(&vacuum).await.len(), 3, "events, objects and rejects");
    let leftovers = vacuum.leftovers(now() - 7 * DAY_LONG).await.unwrap();
    vacuum.remove_leftovers(&leftovers).await.unwrap();
    let snapshot = committed(test.store.commit_prepared(&basis, &prepared, opened).await.unwrap());
    test.store.discard_rest(&prepared, &snapshot);
    let store = test.reopen().await;
    assert_eq!(ids(&store, &store.snapshot(Table::Events).await.unwrap()), ["a", "b"]);
}

#[tokio::test]
async fn log_entry_of_which_lines_are_missing_is_named_and_nothing_is_left_over() {
    for table in [Table::Events, Table::Objects] {
        for lines in [0, 1, 2] {
            let test = TestStore::create().await;
            for object in ["a", "b", "c"] {
                test.commit(&format!("s3://logs/{object}"), &[object]).await;
            }
            age(&test.folder(), 8);
            let name = format!("{}/_delta_log/{:020}.json", table.name(), 2);
            let entry = test.folder().join(&name);
            let text = fs::read_to_string(&entry).unwrap();
            let kept: Vec<&str> = text.lines().take(lines).collect();
            fs::write(&entry, kept.join("\n")).unwrap();
            let error = match open(&test.folder()).await {
                Ok(store) => store.leftovers(now() - 7 * DAY_LONG).await.unwrap_err(),
                Err(error) => error,
            };
            assert!(matches!(error, StoreError::TornCommit { .. }), "{lines}: {error:?}");
            assert!(error.to_string().contains(&name), "{error}");
            fs::write(&entry, text).unwrap();
            assert!(paths(&test.reopen().await).await.is_empty());
        }
    }
}
