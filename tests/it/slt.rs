//! Runs the `.slt` files of `tests/slt/`: SQL and its expected answer, one file per question or topic.
//!
//! The first line of a file says what its store holds: `# events: <file>` names rows of `tests/data/events/`,
//! `# logs: <folder>` a folder of log files to ingest, or of logs in `AWSLogs` and IAM snapshots in `iam`. A statement that begins with `ask <id>` runs a question of the
//! library. Lines `name = value` after it are parameters, and the rest, if any, is SQL over its `answer`.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use sqllogictest::AsyncDB;
use sqllogictest::DBOutput;
use sqllogictest::DefaultColumnType;
use sqllogictest::Runner;
use tokio::runtime::Runtime;
use trimtrail::query::Library;
use trimtrail::query::ParamText;
use trimtrail::query::QueryError;
use trimtrail::query::QuerySession;
use trimtrail::query::Question;
use trimtrail::query::ResultStream;
use trimtrail::store::Store;

use crate::support::ingest::IngestStore;
use crate::support::session;
use crate::support::store;
use crate::support::text;

/// 2026-10-31T00:00:00Z
const NOW: i64 = 1_793_404_800_000_000;

/// A session as sqllogictest sees it.
struct Database {
    session: Arc<QuerySession>,
    library: Arc<Library>,
}

impl Database {
    /// Runs what follows `ask`.
    async fn ask(&self, text: &str) -> Result<ResultStream, QueryError> {
        let mut lines = text.lines().map(str::trim).peekable();
        let id = lines.next().unwrap_or_default();
        let question = self.library.get(id).unwrap_or_else(|| panic!("no question `{id}`"));
        let mut params = Vec::new();
        while let Some((name, value)) = lines.peek().and_then(|line| parameter(line)) {
            params.push((name.to_owned(), ParamText::from(value)));
            lines.next();
        }
        let over_answer: Vec<&str> = lines.collect();
        if over_answer.is_empty() {
            return self.session.ask(question, &params).await;
        }
        let selection = Question {
            sql: format!("with answer as (\n{}\n)\n{}", question.sql, over_answer.join("\n")),
            ..question.clone()
        };
        self.session.ask(&selection, &params).await
    }
}

/// The two sides of a line `name = value`.
fn parameter(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(" = ")?;
    let is_name = name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    is_name.then_some((name, value))
}

#[async_trait]
impl AsyncDB for Database {
    type Error = QueryError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, QueryError> {
        let result = match sql.trim().strip_prefix("ask ") {
            Some(text) => self.ask(text).await?,
            None => self.session.sql(sql, &[]).await?,
        };
        let types = vec![DefaultColumnType::Text; result.schema.fields().len()];
        Ok(DBOutput::Rows {
            types,
            rows: text::cells(result).await?,
        })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "trimtrail"
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(repository().join("tests/slt"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "slt"));
    files.sort();
    files
}

async fn run_file(path: &Path, store: &Store, library: &Arc<Library>) {
    let session = Arc::new(QuerySession::new(Some(store), &session::options(NOW), None).unwrap());
    let mut runner = Runner::new(|| async {
        Ok(Database {
            session: Arc::clone(&session),
            library: Arc::clone(library),
        })
    });
    if let Err(error) = runner.run_file_async(path).await {
        panic!("{}", error.display(false));
    }
}

/// Runs every file whose first line names a source of the given kind. Gives the number of files.
fn run_files_of(kind: &str, mut run: impl FnMut(&Path, &str)) -> usize {
    let mut count = 0;
    for path in files() {
        let script = fs::read_to_string(&path).unwrap();
        let first_line = script.lines().next().unwrap_or_default();
        let Some((kind_of_file, source)) = first_line.trim_start_matches("# ").split_once(": ") else {
            panic!("{}: the first line does not name a store", path.display())
        };
        assert!(
            ["events", "logs"].contains(&kind_of_file),
            "{}: {first_line}",
            path.display()
        );
        if kind_of_file == kind {
            run(&path, source);
            count += 1;
        }
    }
    count
}

#[test]
fn every_slt_file_over_events_holds() {
    let library = Arc::new(Library::embedded().unwrap());
    let runtime = Runtime::new().unwrap();
    let count = run_files_of("events", |path, source| {
        let events = fs::read_to_string(repository().join("tests/data/events").join(source)).unwrap();
        runtime.block_on(async {
            let test_store = store::with_events(&events).await;
            run_file(path, &test_store.store, &library).await;
        });
    });
    assert!(count > 0, "no .slt file over events was found");
}

#[test]
fn every_slt_file_over_logs_holds() {
    let library = Arc::new(Library::embedded().unwrap());
    let mut stores: Vec<(String, IngestStore)> = Vec::new();
    let count = run_files_of("logs", |path, source| {
        if !stores.iter().any(|(name, _)| name == source) {
            let ingested = IngestStore::new();
            let folder = repository().join(source);
            let snapshots = folder.join("iam");
            if snapshots.is_dir() {
                ingested.import(&[&snapshots]);
                ingested.ingest(&[&folder.join("AWSLogs")]);
            } else {
                ingested.ingest(&[&folder]);
            }
            stores.push((source.to_owned(), ingested));
        }
        let (_, ingested) = stores.iter().find(|(name, _)| name == source).unwrap();
        ingested.runtime.block_on(run_file(path, &ingested.store(), &library));
    });
    assert!(count > 0, "no .slt file over logs was found");
}

#[test]
fn every_question_has_an_slt_file_over_the_sample_logs_that_asks_it() {
    for question in Library::embedded().unwrap().questions() {
        let path = repository().join("tests/slt").join(format!("{}.slt", question.id));
        let script = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(script.starts_with("# logs: sample-logs"), "{}", path.display());
        assert!(
            script.contains(&format!("\nask {}\n", question.id)),
            "{}",
            path.display()
        );
    }
}
