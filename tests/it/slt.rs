//! Runs the `.slt` files of `tests/slt/`: SQL and its expected answer, one file per topic or question.
//!
//! A file may begin with `# events: <file>`, which names the rows of `tests/data/events/` that its store holds.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use sqllogictest::AsyncDB;
use sqllogictest::DBOutput;
use sqllogictest::DefaultColumnType;
use sqllogictest::Runner;
use trimtrail::query::Library;
use trimtrail::query::QueryError;
use trimtrail::query::QuerySession;
use trimtrail::query::SessionOptions;

use crate::support::store;
use crate::support::text;

/// 2026-10-31T00:00:00Z
const NOW: i64 = 1_793_404_800_000_000;

/// A session as sqllogictest sees it. `ask <id>` runs a question of the library.
struct Database {
    session: Arc<QuerySession>,
    library: Arc<Library>,
}

#[async_trait]
impl AsyncDB for Database {
    type Error = QueryError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, QueryError> {
        let result = match sql.trim().strip_prefix("ask ") {
            Some(id) => {
                let question = self
                    .library
                    .get(id.trim())
                    .unwrap_or_else(|| panic!("no question `{id}`"));
                self.session.ask(question, &[]).await?
            }
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

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "slt"));
    files.sort();
    files
}

fn events_of(script: &str) -> String {
    let first_line = script.lines().next().unwrap_or_default();
    let Some(name) = first_line.strip_prefix("# events: ") else {
        panic!("the first line must be `# events: <file>`, not `{first_line}`")
    };
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data/events")
            .join(name),
    )
    .unwrap()
}

#[tokio::test]
async fn every_slt_file_holds() {
    let library = Arc::new(Library::embedded().unwrap());
    let files = files();
    assert!(!files.is_empty(), "no .slt file was found");
    for path in files {
        let script = fs::read_to_string(&path).unwrap();
        let test_store = store::with_events(&events_of(&script)).await;
        let session = QuerySession::new(Some(&test_store.store), &SessionOptions::new(2, NOW), None).unwrap();
        let session = Arc::new(session);
        let mut runner = Runner::new(|| async {
            Ok(Database {
                session: Arc::clone(&session),
                library: Arc::clone(&library),
            })
        });
        if let Err(error) = runner.run_file_async(&path).await {
            panic!("{}", error.display(false));
        }
    }
}
