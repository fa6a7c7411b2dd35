//! Ingesting folders into stores in temporary folders.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use arrow::json::ArrayWriter;
use futures::StreamExt;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use trimtrail::decode::Limits;
use trimtrail::ingest::Balance;
use trimtrail::ingest::Import;
use trimtrail::ingest::ImportBalance;
use trimtrail::ingest::Ingest;
use trimtrail::ingest::IngestError;
use trimtrail::ingest::Options;
use trimtrail::ingest::Progress;
use trimtrail::ingest::Shard;
use trimtrail::query::Library;
use trimtrail::query::ParamText;
use trimtrail::query::QuerySession;
use trimtrail::query::ResultStream;
use trimtrail::source;
use trimtrail::source::Selection;
use trimtrail::store::Location;
use trimtrail::store::Store;

use super::session;

/// 2026-10-30T00:00:00Z
pub(crate) const NOW: i64 = 1_793_318_400_000_000;
/// 2026-09-15T00:00:00Z.
const SNAPSHOT_TIME: i64 = 1_789_430_400_000_000;

/// A store of its own, deleted with this value.
pub(crate) struct IngestStore {
    pub(crate) runtime: Runtime,
    pub(crate) folder: TempDir,
}

pub(crate) struct Silent;

impl Progress for Silent {
    fn planned(&self, _objects: u64, _bytes: u64) {}
    fn object_done(&self, _bytes: u64, _rows: u64) {}
}

pub(crate) fn options() -> Options {
    Options {
        limits: Limits::default(),
        threads: 2,
        memory_bytes: 256 << 20,
        run_id: "test".to_owned(),
        now: NOW,
        selection: Selection::default(),
        shard: Shard::default(),
        compacts: false,
    }
}

impl IngestStore {
    pub(crate) fn new() -> Self {
        Self {
            runtime: Runtime::new().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn location(&self) -> Location {
        Location::parse(self.folder.path().join("store").to_str().unwrap()).unwrap()
    }

    pub(crate) fn store(&self) -> Store {
        self.runtime
            .block_on(Store::create_or_open(&self.location(), NOW))
            .unwrap()
    }

    pub(crate) fn ingest(&self, sources: &[&Path]) -> Balance {
        self.ingest_with(sources, &options()).unwrap()
    }

    pub(crate) fn ingest_with(&self, sources: &[&Path], options: &Options) -> Result<Balance, IngestError> {
        self.ingest_into(&self.store(), sources, options)
    }

    /// The same, into the store that somebody has opened.
    pub(crate) fn ingest_into(
        &self,
        store: &Store,
        sources: &[&Path],
        options: &Options,
    ) -> Result<Balance, IngestError> {
        let sources: Vec<String> = sources.iter().map(|path| path.display().to_string()).collect();
        let listing = source::list(&sources).unwrap();
        let stop = AtomicBool::new(false);
        let run = Ingest {
            store,
            runtime: self.runtime.handle(),
            options,
            stop: &stop,
            deposit: None,
        };
        let balance = run.run(listing, &Silent)?;
        assert_eq!(
            balance.listed,
            balance.ingested() + balance.known + balance.rejected + balance.left_over
        );
        assert_eq!(
            balance.records,
            balance.stored + balance.duplicates + balance.rejected_records
        );
        Ok(balance)
    }

    /// Imports IAM snapshots taken when the logs of the sample end.
    pub(crate) fn import(&self, sources: &[&Path]) -> ImportBalance {
        let sources: Vec<String> = sources.iter().map(|path| path.display().to_string()).collect();
        let store = self.store();
        let import = Import {
            store: &store,
            runtime: self.runtime.handle(),
            run_id: "test".to_owned(),
            now: NOW,
            taken_at: Some(SNAPSHOT_TIME),
        };
        let balance = import.run(source::list(&sources).unwrap()).unwrap();
        assert!(balance.is_complete(), "{balance:?}");
        balance
    }

    /// Rows of a statement as JSON objects, one text each.
    pub(crate) fn sql(&self, statement: &str) -> Vec<Value> {
        self.runtime.block_on(async {
            let session = self.session().await;
            let result = session.sql(statement, &[]).await;
            json_rows(result.unwrap_or_else(|error| panic!("{statement}: {error}"))).await
        })
    }

    /// The answer to a question of the library, as JSON objects.
    pub(crate) fn ask(&self, id: &str, params: &[(&str, &str)]) -> Vec<Value> {
        let params: Vec<(String, ParamText)> = params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), ParamText::from(*value)))
            .collect();
        let library = Library::embedded().unwrap();
        self.runtime.block_on(async {
            let session = self.session().await;
            let result = session.ask(library.get(id).unwrap(), &params).await;
            json_rows(result.unwrap_or_else(|error| panic!("{id}: {error}"))).await
        })
    }

    pub(crate) async fn session(&self) -> QuerySession {
        let store = Store::open(&self.location()).await.unwrap();
        QuerySession::new(Some(&store), &session::options(NOW), None).unwrap()
    }

    pub(crate) fn count(&self, statement: &str) -> i64 {
        let rows = self.sql(statement);
        rows[0].as_object().unwrap().values().next().unwrap().as_i64().unwrap()
    }
}

async fn json_rows(mut result: ResultStream) -> Vec<Value> {
    let mut writer = ArrayWriter::new(Vec::new());
    while let Some(batch) = result.stream.next().await {
        writer.write(&batch.unwrap()).unwrap();
    }
    writer.finish().unwrap();
    let text = writer.into_inner();
    if text.is_empty() {
        return Vec::new();
    }
    serde_json::from_slice(&text).unwrap()
}
