//! Sessions over a store: what they read, what they refuse, and what their messages say.

use trimtrail::query::QueryError;
use trimtrail::query::QuerySession;
use trimtrail::query::SessionOptions;
use trimtrail::schema::Table;

use crate::support::store;
use crate::support::store::TestStore;
use crate::support::text::rows;

/// 2026-10-31T00:00:00Z
const NOW: i64 = 1_793_404_800_000_000;

const EVENTS: &str = r#"
{"event_time":"2026-10-01T08:00:00Z","event_id":"e1","event_name":"GetObject","event_source":"s3.amazonaws.com","aws_region":"eu-west-1","recipient_account_id":"111111111111","principal_arn":"arn:aws:iam::111111111111:role/app","request_parameters":"{\"bucketName\":\"b\"}"}
{"event_time":"2026-10-01T09:00:00Z","event_id":"e2","event_name":"ListRoles","event_source":"iam.amazonaws.com","aws_region":"us-east-1","recipient_account_id":"111111111111","principal_arn":"arn:aws:iam::111111111111:role/app"}
{"event_time":"2026-10-02T08:00:00Z","event_id":"e3","event_name":"GetObject","event_source":"s3.amazonaws.com","aws_region":"eu-west-1","recipient_account_id":"222222222222","principal_arn":"arn:aws:iam::222222222222:role/app"}
{"event_id":"e4","event_name":"GetObject","event_source":"s3.amazonaws.com"}
"#;

fn options() -> SessionOptions {
    SessionOptions::new(2, NOW)
}

async fn open() -> (TestStore, QuerySession) {
    let test_store = store::with_events(EVENTS.trim_start()).await;
    let session = QuerySession::new(Some(&test_store.store), &options(), None).unwrap();
    (test_store, session)
}

async fn error(session: &QuerySession, sql: &str, params: &[(&str, &str)]) -> QueryError {
    match rows(session, sql, params).await {
        Ok(lines) => panic!("`{sql}` gave {lines:?}"),
        Err(error) => error,
    }
}

async fn plan(session: &QuerySession, sql: &str) -> String {
    rows(session, &format!("explain {sql}"), &[]).await.unwrap().join("\n")
}

#[tokio::test]
async fn a_session_without_a_store_computes_expressions() {
    let session = QuerySession::new(None, &options(), None).unwrap();
    assert_eq!(rows(&session, "select 1 + 1 as two", &[]).await.unwrap(), ["2"]);
}

#[tokio::test]
async fn rows_of_every_day_are_read_and_the_partition_column_comes_first() {
    let (_store, session) = open().await;
    let lines = rows(
        &session,
        "select event_date, event_id, event_time from events order by event_id",
        &[],
    )
    .await
    .unwrap();
    assert_eq!(
        lines,
        [
            "2026-10-01|e1|2026-10-01T08:00:00Z",
            "2026-10-01|e2|2026-10-01T09:00:00Z",
            "2026-10-02|e3|2026-10-02T08:00:00Z",
            "-|e4|-",
        ]
    );
    let all = rows(&session, "select * from events where event_id = 'e3'", &[])
        .await
        .unwrap();
    assert!(
        all[0].starts_with("2026-10-02|2026-10-02T08:00:00Z|222222222222|"),
        "{}",
        all[0]
    );
}

#[tokio::test]
async fn a_day_filter_opens_one_file() {
    let (_store, session) = open().await;
    let text = plan(
        &session,
        "select event_id from events where event_date = date '2026-10-02'",
    )
    .await;
    assert_eq!(text.matches(".parquet").count(), 1, "{text}");
}

#[tokio::test]
async fn a_time_filter_opens_one_file_without_naming_the_day() {
    let (_store, session) = open().await;
    let text = plan(
        &session,
        "select event_id from events where event_time >= '2026-10-02T00:00:00Z'",
    )
    .await;
    assert_eq!(text.matches(".parquet").count(), 1, "{text}");
}

#[tokio::test]
async fn a_filter_that_no_file_can_meet_reads_nothing() {
    let (_store, session) = open().await;
    let sql = "select event_id from events where event_date = date '2020-01-01'";
    assert!(plan(&session, sql).await.contains("EmptyExec"));
    assert!(rows(&session, sql, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_without_a_day_are_found_as_null() {
    let (_store, session) = open().await;
    let lines = rows(&session, "select event_id from events where event_date is null", &[])
        .await
        .unwrap();
    assert_eq!(lines, ["e4"]);
}

#[tokio::test]
async fn counting_all_rows_opens_no_file() {
    let (_store, session) = open().await;
    let text = plan(&session, "select count(*) from events").await;
    assert!(!text.contains(".parquet"), "{text}");
    assert_eq!(rows(&session, "select count(*) from events", &[]).await.unwrap(), ["4"]);
}

#[tokio::test]
async fn the_declared_order_of_a_sorted_file_saves_a_sort_and_gives_the_same_rows() {
    let (_store, session) = open().await;
    let sql = "select event_id from events where event_date = date '2026-10-01' \
               order by recipient_account_id nulls first, principal_arn nulls first, event_time nulls first";
    let text = plan(&session, sql).await;
    assert!(!text.contains("SortExec"), "{text}");
    assert_eq!(rows(&session, sql, &[]).await.unwrap(), ["e1", "e2"]);
}

#[tokio::test]
async fn several_files_in_one_group_are_sorted_again() {
    let test_store = store::with_events(EVENTS.trim_start()).await;
    let one_thread = SessionOptions {
        target_partitions: 1,
        ..options()
    };
    let session = QuerySession::new(Some(&test_store.store), &one_thread, None).unwrap();
    let sql = "select event_id from events \
               order by recipient_account_id nulls first, principal_arn nulls first, event_time nulls first";
    assert_eq!(rows(&session, sql, &[]).await.unwrap(), ["e4", "e1", "e2", "e3"]);
    assert!(plan(&session, sql).await.contains("SortExec"));
}

#[tokio::test]
async fn json_operators_read_request_parameters() {
    let (_store, session) = open().await;
    let sql = "select request_parameters->>'bucketName' from events where event_id = 'e1'";
    assert_eq!(rows(&session, sql, &[]).await.unwrap(), ["b"]);
}

#[tokio::test]
async fn camel_case_names_of_real_columns_are_suggested() {
    let (_store, session) = open().await;
    let message = error(&session, "select eventName from events", &[]).await.to_string();
    assert_eq!(message, "there is no column `eventname`; did you mean `event_name`?");
}

#[tokio::test]
async fn an_unknown_table_is_suggested() {
    let (_store, session) = open().await;
    let message = error(&session, "select 1 from evnts", &[]).await.to_string();
    assert_eq!(message, "there is no table or view `evnts`; did you mean `events`?");
}

#[tokio::test]
async fn an_unknown_function_is_suggested() {
    let (_store, session) = open().await;
    let message = error(&session, "select lowr('A')", &[]).await.to_string();
    assert_eq!(message, "there is no function `lowr`; did you mean `lower`?");
}

#[tokio::test]
async fn files_are_no_tables() {
    let (_store, session) = open().await;
    for path in [
        "/etc/passwd",
        "x.parquet",
        "file:///etc/passwd",
        "https://example.com/x.csv",
        "logs/x.json",
    ] {
        let error = error(&session, &format!("select * from '{path}'"), &[]).await;
        let is_refused = matches!(error, QueryError::UnknownTable { .. } | QueryError::Syntax { .. });
        assert!(is_refused, "{path}: {error}");
        let quoted = format!("select * from \"{path}\"");
        assert!(
            matches!(
                self::error(&session, &quoted, &[]).await,
                QueryError::UnknownTable { .. }
            ),
            "{path}"
        );
    }
}

#[tokio::test]
async fn functions_that_read_files_do_not_exist() {
    let (_store, session) = open().await;
    for function in [
        "read_csv",
        "read_parquet",
        "read_json",
        "parquet_metadata",
        "pg_read_file",
    ] {
        let error = error(&session, &format!("select * from {function}('/etc/passwd')"), &[]).await;
        assert!(
            matches!(error, QueryError::UnknownFunction { .. }),
            "{function}: {error}"
        );
    }
}

#[tokio::test]
async fn the_catalog_can_be_listed() {
    let (_store, session) = open().await;
    let tables = rows(
        &session,
        "select table_name from information_schema.tables where table_schema = 'public' order by 1",
        &[],
    );
    assert_eq!(
        tables.await.unwrap(),
        [
            "aws_cloudtrail_log",
            "cloudtrail_logs",
            "event_records",
            "events",
            "iam_attachments",
            "iam_credentials",
            "iam_organization",
            "iam_policies",
            "iam_principals",
            "iam_sources",
            "iam_statements",
            "objects",
            "rejects",
            "usage",
            "used_actions"
        ]
    );
    assert!(rows(&session, "show tables", &[]).await.unwrap().len() >= 6);
    assert!(rows(&session, "show columns from objects", &[]).await.unwrap()[0].contains("object_key"));
    assert!(rows(&session, "describe events", &[]).await.unwrap()[0].starts_with("event_date|Date32|YES"));
}

#[tokio::test]
async fn parameters_are_bound_with_their_types() {
    let (_store, session) = open().await;
    let sql = "select event_id from events where event_time >= $since and event_name = $name order by event_id";
    assert_eq!(
        rows(&session, sql, &[("since", "2026-10-02"), ("name", "GetObject")])
            .await
            .unwrap(),
        ["e3"]
    );
    let types = session.parameters(sql).await.unwrap();
    assert_eq!(types.keys().collect::<Vec<_>>(), ["name", "since"]);
}

#[tokio::test]
async fn a_type_found_in_one_use_serves_the_others() {
    let (_store, session) = open().await;
    let sql = "select count(*) from events where event_time >= $since or $since is null";
    assert_eq!(rows(&session, sql, &[("since", "T-30d")]).await.unwrap(), ["3"]);
}

#[tokio::test]
async fn a_bound_window_skips_files() {
    let (_store, session) = open().await;
    let sql = "explain select event_id from events where event_date >= cast($since as date) and event_time >= $since";
    let text = rows(&session, sql, &[("since", "2026-10-02")])
        .await
        .unwrap()
        .join("\n");
    assert_eq!(text.matches(".parquet").count(), 1, "{text}");
}

#[tokio::test]
async fn sql_in_a_parameter_stays_text() {
    let (_store, session) = open().await;
    let sql = "select count(*) from events where event_name = $name";
    assert_eq!(rows(&session, sql, &[("name", "x' or '1'='1")]).await.unwrap(), ["0"]);
}

#[tokio::test]
async fn parameter_errors_name_the_parameter() {
    let (_store, session) = open().await;
    let sql = "select 1 from events where event_time >= $since";
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "parameter `$since` has no value"),
        (
            &[("sinse", "now")],
            "the query has no parameter `$sinse`; did you mean `$since`?",
        ),
        (
            &[("since", "now"), ("since", "now")],
            "parameter `$since` is given twice",
        ),
        (
            &[("since", "soon")],
            "parameter `$since` cannot be `soon`: a time is written `2026-10-01`, \
          `2026-10-01T12:30:00Z`, `now` or relative to now, like `T-90d` or `T-12h`",
        ),
    ];
    for (params, message) in cases {
        assert_eq!(error(&session, sql, params).await.to_string(), message);
    }
    let message = error(&session, "select 1", &[("since", "now")]).await.to_string();
    assert_eq!(message, "the query has no parameter `$since`; it has none");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let (_store, session) = open().await;
    let message = error(&session, "copy events to '/tmp/x.parquet'", &[])
        .await
        .to_string();
    assert!(
        message.starts_with("`sql` only reads: `COPY` is refused; the store is written by `ingest` alone"),
        "{message}"
    );
}

#[tokio::test]
async fn a_function_of_rows_used_as_a_value_says_where_it_belongs() {
    let (_store, session) = open().await;
    let message = error(&session, "select read_cloudtrail('logs')", &[]).await.to_string();
    assert!(
        message.contains("`read_cloudtrail`") && message.contains("behind `from`"),
        "{message}"
    );
    assert!(!message.contains("did you mean"), "{message}");
}

#[tokio::test]
async fn a_sort_of_wide_rows_spills_within_a_small_memory_limit() {
    for (partitions, megabytes) in [(1, 8), (2, 20), (8, 64)] {
        let small = SessionOptions {
            memory_limit_bytes: megabytes << 20,
            target_partitions: partitions,
            ..options()
        };
        let session = QuerySession::new(None, &small, None).unwrap();
        let sql =
            "select repeat(md5(value::text), 64) as text, value from generate_series(1, 20000) order by text, value";
        let found = rows(&session, sql, &[]).await;
        assert_eq!(found.unwrap().len(), 20_000, "{megabytes} MiB");
    }
}

#[tokio::test]
async fn a_query_past_the_memory_limit_says_so() {
    let tiny = SessionOptions {
        memory_limit_bytes: 1 << 16,
        ..options()
    };
    let session = QuerySession::new(None, &tiny, None).unwrap();
    let sql = "select a.value from generate_series(1, 200000) a join generate_series(1, 200000) b on a.value = b.value";
    let error = error(&session, sql, &[]).await;
    assert!(matches!(error, QueryError::Memory { .. }), "{error}");
}

#[tokio::test]
async fn an_older_version_shows_the_rows_it_had() {
    let test_store = store::with_events(EVENTS.trim_start()).await;
    let version = test_store.store.snapshot(Table::Events).await.unwrap().version;
    let first_line = EVENTS.trim_start().lines().next().unwrap().replace("\"e1\"", "\"e5\"");
    store::append(&test_store.store, &format!("{first_line}\n")).await;
    let newest = QuerySession::new(Some(&test_store.store), &options(), None).unwrap();
    let older = QuerySession::new(Some(&test_store.store), &options(), Some(version)).unwrap();
    assert_eq!(rows(&newest, "select count(*) from events", &[]).await.unwrap(), ["5"]);
    assert_eq!(rows(&older, "select count(*) from events", &[]).await.unwrap(), ["4"]);
}

#[tokio::test]
async fn a_session_stays_at_the_version_it_first_read() {
    let (test_store, session) = open().await;
    assert_eq!(
        rows(&session, "select count(*) from objects", &[]).await.unwrap(),
        ["0"]
    );
    let first_line = EVENTS.trim_start().lines().next().unwrap().replace("\"e1\"", "\"e5\"");
    store::append(&test_store.store, &format!("{first_line}\n")).await;
    assert_eq!(rows(&session, "select count(*) from events", &[]).await.unwrap(), ["4"]);
}

#[tokio::test]
async fn a_version_that_does_not_exist_is_an_error_of_the_store() {
    let test_store = store::with_events(EVENTS.trim_start()).await;
    let session = QuerySession::new(Some(&test_store.store), &options(), Some(99)).unwrap();
    let error = error(&session, "select count(*) from events", &[]).await;
    assert!(matches!(error, QueryError::Store(_)), "{error:?}");
}
