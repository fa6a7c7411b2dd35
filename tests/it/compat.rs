//! Saved queries written for other engines: each file of `tests/compat/` says in its first line how many rows it gives, or
//! in `refused/` why it does not run. What does not run stands in `docs/sql-compatibility.md`.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use trimtrail::query::QuerySession;
use trimtrail::query::SessionOptions;

use crate::support::store;
use crate::support::store::TestStore;
use crate::support::text::rows;

const EVENTS: &str = include_str!("../data/events/questions.jsonl");

async fn open() -> (TestStore, QuerySession) {
    let test_store = store::with_events(EVENTS).await;
    let session = QuerySession::new(Some(&test_store.store), &SessionOptions::new(2, 0), None).unwrap();
    (test_store, session)
}

fn saved_queries(dialect: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(dialect);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect()
}

async fn every_query_gives_its_rows(dialect: &str) {
    let (_store, session) = open().await;
    let mut wrong = Vec::new();
    for (path, sql) in saved_queries(dialect) {
        let expected: usize = sql
            .lines()
            .next()
            .unwrap()
            .strip_prefix("-- rows: ")
            .unwrap()
            .parse()
            .unwrap();
        match rows(&session, &sql, &[]).await {
            Ok(lines) if lines.len() == expected => {}
            Ok(lines) => wrong.push(format!(
                "{}: {} rows, not {expected}: {lines:#?}",
                path.display(),
                lines.len()
            )),
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn athena_queries_run_unchanged() {
    every_query_gives_its_rows("athena").await;
}

#[tokio::test]
async fn cloudtrail_lake_queries_run_unchanged() {
    every_query_gives_its_rows("lake").await;
}

#[tokio::test]
async fn tailpipe_queries_run_unchanged() {
    every_query_gives_its_rows("tailpipe").await;
}

#[tokio::test]
async fn what_does_not_run_fails_as_it_says_and_is_listed() {
    let (_store, session) = open().await;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sql-compatibility.md");
    let page = fs::read_to_string(page).unwrap();
    let mut wrong = Vec::new();
    for (path, sql) in saved_queries("refused") {
        let mut lines = sql.lines();
        let message = lines.next().unwrap().strip_prefix("-- fails: ").unwrap();
        let listed = lines.next().unwrap().strip_prefix("-- listed: ").unwrap();
        if !page.contains(&format!("`{listed}`")) {
            wrong.push(format!("{}: `{listed}` is not listed", path.display()));
        }
        match rows(&session, &sql, &[]).await {
            Ok(_) => wrong.push(format!("{}: it runs; move it to its engine's folder", path.display())),
            Err(error) if error.to_string().contains(message) => {}
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn plan(session: &QuerySession, sql: &str) -> String {
    rows(session, &format!("explain {sql}"), &[]).await.unwrap().join("\n")
}

#[tokio::test]
async fn a_filter_on_a_nested_name_reaches_the_flat_column() {
    let (_store, session) = open().await;
    let sql = "select eventName from cloudtrail_logs where userIdentity.sessionContext.sessionIssuer.arn = 'x'";
    let text = plan(&session, sql).await;
    assert!(
        text.contains("predicate=session_issuer_arn@") && !text.contains("named_struct"),
        "{text}"
    );
    let sql = "select event_name from aws_cloudtrail_log where user_identity.session_context.session_issuer.arn = 'x'";
    let text = plan(&session, sql).await;
    assert!(
        text.contains("predicate=session_issuer_arn@") && !text.contains("named_struct"),
        "{text}"
    );
}

#[tokio::test]
async fn a_window_written_as_text_opens_only_the_files_of_its_days() {
    let (_store, session) = open().await;
    for filter in [
        "eventtime >= '2026-10-02T00:00:00Z' and eventtime < '2026-10-03T00:00:00Z'",
        "from_iso8601_timestamp(eventtime) between from_iso8601_timestamp('2026-10-02T00:00:00Z') \
         and from_iso8601_timestamp('2026-10-02T23:59:59Z')",
        "year = '2026' and month = '10' and day = '02'",
        "\"timestamp\" = '2026/10/02'",
    ] {
        let text = plan(&session, &format!("select eventid from cloudtrail_logs where {filter}")).await;
        assert_eq!(text.matches(".parquet").count(), 1, "{filter}: {text}");
    }
}

#[tokio::test]
async fn every_column_of_every_view_can_be_selected_and_counted() {
    let (_store, session) = open().await;
    for table in session.tables().await.unwrap() {
        rows(&session, &format!("select * from {}", table.name), &[])
            .await
            .unwrap();
        for column in table.schema.fields().iter().map(|field| field.name()) {
            let sql = format!(
                "select count(distinct \"{column}\") from {} where \"{column}\" is not null",
                table.name
            );
            rows(&session, &sql, &[])
                .await
                .unwrap_or_else(|error| panic!("{}.{column}: {error}", table.name));
        }
    }
}

#[tokio::test]
async fn an_event_is_rendered_as_the_json_record_it_came_from() {
    let (_store, session) = open().await;
    let sql = "select record from event_records where event_id = 'e17'";
    let lines = rows(&session, sql, &[]).await.unwrap();
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with('{') && lines[0].contains("\"eventName\":\"RunInstances\""),
        "{}",
        lines[0]
    );
    let text = plan(&session, sql).await;
    assert!(text.contains("predicate=event_id@"), "{text}");
}
