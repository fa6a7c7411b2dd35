//! Table functions whose rows are made outside of `query`: when they are asked for, with what, and within which limits.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::datatypes::Field;
use arrow::datatypes::Schema;
use arrow::datatypes::SchemaRef;
use futures::future::BoxFuture;
use trimtrail::query::GatheredRows;
use trimtrail::query::ParamText;
use trimtrail::query::QueryError;
use trimtrail::query::QuerySession;
use trimtrail::query::RowError;
use trimtrail::query::RowSource;
use trimtrail::query::SessionOptions;
use trimtrail::query::WindowArguments;

use crate::support::store;
use crate::support::store::TestStore;
use crate::support::text;

/// 2026-10-31T00:00:00Z
const NOW: i64 = 1_793_404_800_000_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Rows that are numbers, from 1 to the number of events in the store.
#[derive(Debug, Default)]
struct Numbers {
    gathered: AtomicUsize,
    arguments: Mutex<Vec<WindowArguments>>,
    bytes: usize,
}

struct UpTo {
    last: i64,
    bytes: usize,
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("number", DataType::Int64, true)]))
}

impl RowSource for Numbers {
    fn name(&self) -> &'static str {
        "numbers"
    }

    fn argument_count(&self) -> usize {
        4
    }

    fn schema(&self) -> Result<SchemaRef, RowError> {
        Ok(schema())
    }

    fn gather<'s>(
        &'s self,
        session: &'s QuerySession,
        arguments: WindowArguments,
    ) -> BoxFuture<'s, Result<Arc<dyn GatheredRows>, RowError>> {
        Box::pin(async move {
            self.gathered.fetch_add(1, Ordering::Relaxed);
            self.arguments.lock().unwrap().push(arguments);
            let count = session.sql("select count(*) from events", &[]).await?;
            let last = text::of_stream(count).await?[0].parse()?;
            let rows = UpTo {
                last,
                bytes: self.bytes,
            };
            Ok(Arc::new(rows) as Arc<dyn GatheredRows>)
        })
    }
}

impl GatheredRows for UpTo {
    fn approximate_bytes(&self) -> usize {
        self.bytes
    }

    fn give(&self, take: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>) -> Result<(), RowError> {
        for number in 1..=self.last {
            let column = Arc::new(Int64Array::from(vec![number]));
            if take(RecordBatch::try_new(schema(), vec![column])?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

async fn open(source: &Arc<Numbers>) -> (TestStore, QuerySession) {
    let test_store = store::with_events(include_str!("../data/events/questions.jsonl")).await;
    let mut options = SessionOptions::new(2, NOW);
    options.row_sources = vec![Arc::clone(source) as Arc<dyn RowSource>];
    let session = QuerySession::new(Some(&test_store.store), &options, None).unwrap();
    (test_store, session)
}

async fn ask(session: &QuerySession, statement: &str, params: &[(&str, ParamText)]) -> Result<Vec<String>, QueryError> {
    let params: Vec<(String, ParamText)> = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    text::of_stream(session.sql(statement, &params).await?).await
}

#[tokio::test]
async fn rows_are_gathered_once_for_the_calls_of_a_statement_that_are_alike() {
    let source = Arc::new(Numbers::default());
    let (_store, session) = open(&source).await;
    let alike = "select count(*) from numbers($since) a join numbers($since) b using (number)";
    let since = [("since", ParamText::from("2026-10-01"))];
    assert_eq!(ask(&session, alike, &since).await.unwrap(), ["25"]);
    assert_eq!(source.gathered.load(Ordering::Relaxed), 1);
    let different = "select count(*) from numbers('2026-10-01') a join numbers('2026-10-02') b using (number)";
    assert_eq!(ask(&session, different, &[]).await.unwrap(), ["25"]);
    assert_eq!(source.gathered.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn nothing_is_gathered_before_the_statement_runs() {
    let source = Arc::new(Numbers::default());
    let (_store, session) = open(&source).await;
    for statement in ["explain select * from numbers()", "describe numbers"] {
        assert!(!ask(&session, statement, &[]).await.unwrap().is_empty());
    }
    assert_eq!(source.gathered.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn arguments_may_be_texts_times_numbers_parameters_or_null() {
    let source = Arc::new(Numbers::default());
    let (_store, session) = open(&source).await;
    let statements = [
        ("select count(*) from numbers", vec![]),
        (
            "select count(*) from numbers('T-2d', timestamp '2026-10-31T00:00:00Z', 7, 1)",
            vec![],
        ),
        (
            "select count(*) from numbers($a, $b, $c, $d)",
            vec![
                ("a", ParamText::Null),
                ("b", ParamText::from("T-1d")),
                ("c", ParamText::Null),
                ("d", ParamText::from("0.5")),
            ],
        ),
    ];
    for (statement, params) in statements {
        assert_eq!(ask(&session, statement, &params).await.unwrap(), ["25"], "{statement}");
    }
    let expected = [
        WindowArguments::default(),
        WindowArguments {
            since: Some(NOW - 2 * MICROS_PER_DAY),
            until: Some(NOW),
            min_window_days: Some(7),
            min_coverage: Some(1.0),
        },
        WindowArguments {
            until: Some(NOW - MICROS_PER_DAY),
            min_coverage: Some(0.5),
            ..WindowArguments::default()
        },
    ];
    assert_eq!(*source.arguments.lock().unwrap(), expected);
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_anything_is_gathered() {
    let source = Arc::new(Numbers::default());
    let (_store, session) = open(&source).await;
    for (arguments, message) in [
        ("'yesterday'", "T-90d"),
        ("1, 2, 3, 4, 5", "write `numbers(since, until"),
        ("null, null, 'many'", "is no number"),
        ("null, null, null, 95", "a share from 0 to 1"),
        ("(select max(event_time) from events)", "write `numbers(since, until"),
    ] {
        let error = ask(&session, &format!("select * from numbers({arguments})"), &[]).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(message), "{arguments}: {error}");
    }
    assert_eq!(source.gathered.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_is_gathered_counts_against_the_memory_of_the_session() {
    let source = Arc::new(Numbers {
        bytes: 4 << 30,
        ..Numbers::default()
    });
    let (_store, session) = open(&source).await;
    let error = ask(&session, "select * from numbers()", &[]).await.unwrap_err();
    assert!(matches!(error, QueryError::Memory { .. }), "{error}");
    assert!(error.to_string().contains("numbers"), "{error}");
}

#[tokio::test]
async fn reader_that_has_enough_ends_the_rows() {
    let source = Arc::new(Numbers::default());
    let (_store, session) = open(&source).await;
    assert_eq!(
        ask(&session, "select number from numbers() limit 3", &[])
            .await
            .unwrap(),
        ["1", "2", "3"]
    );
}

#[tokio::test]
async fn functions_are_listed_with_the_tables_and_read_only() {
    let source = Arc::new(Numbers::default());
    let (_store, session) = open(&source).await;
    let columns = "select column_name from information_schema.columns where table_name = 'numbers'";
    assert_eq!(ask(&session, columns, &[]).await.unwrap(), ["number"]);
    assert!(session.function_names().contains(&"numbers".to_owned()));
    let tables = session.tables().await.unwrap();
    assert!(
        tables
            .iter()
            .any(|table| table.name == "numbers" && table.schema.field(0).name() == "number")
    );
    let error = ask(&session, "insert into numbers values (1)", &[]).await.unwrap_err();
    assert!(matches!(error, QueryError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn without_a_store_the_function_asks_for_one() {
    let mut options = SessionOptions::new(2, NOW);
    options.row_sources = vec![Arc::new(Numbers::default()) as Arc<dyn RowSource>];
    let session = QuerySession::new(None, &options, None).unwrap();
    for statement in ["select * from numbers()", "select * from numbers"] {
        let error = ask(&session, statement, &[]).await.unwrap_err();
        assert!(matches!(error, QueryError::UnknownTable { .. }), "{statement}: {error}");
    }
}
