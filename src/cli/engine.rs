//! A query session over the store that the user named, or over none.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use arrow::datatypes::SchemaRef;

use super::args::EngineArgs;
use super::error::CliError;
use super::exit::ExitStatus;
use super::facts;
use super::output::Output;
use super::rows;
use super::rows::Switches;
use super::settings::Settings;
use super::size::format_count;
use super::usage::note_expired;
use crate::query::ParamText;
use crate::query::QueryError;
use crate::query::QuerySession;
use crate::query::Question;
use crate::query::ResultStream;
use crate::query::SessionOptions;
use crate::query::Skipped;
use crate::report::ResultOptions;
use crate::report::TableShape;
use crate::report::coverage_functions;
use crate::report::diff_functions;
use crate::schema::Table;
use crate::store::Store;
use crate::store::StoreError;

/// Objects that `read_cloudtrail` left out and that are named one by one.
const TOLD_PLACES: usize = 10;

/// Runs statements.
#[derive(Debug)]
pub(super) struct Engine {
    session: QuerySession,
    store: Option<Store>,
    at_version: Option<u64>,
    /// Why there is no store, for the statement that needs one.
    missing_store: Option<StoreError>,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    /// Rows that it had, or those read until a limit was reached.
    pub(super) rows: u64,
    pub(super) status: ExitStatus,
}

impl Engine {
    /// Opens the session. That there is no store is no error until a statement names one of its tables: `select 1` and
    /// `read_cloudtrail('path')` need none.
    pub(super) async fn open(args: &EngineArgs, settings: &Settings) -> Result<Self, CliError> {
        let location = args.location.location()?;
        let (store, missing_store) = match Store::open(&location).await {
            Ok(store) => (Some(store), None),
            Err(error @ StoreError::NotAStore { .. }) if args.at_version.is_none() => (None, Some(error)),
            Err(error) => return Err(error.into()),
        };
        // Also for a statement that reads no table: whoever names a version means one that there is.
        if let (Some(store), Some(version)) = (&store, args.at_version) {
            store.snapshot_at(Table::Events, version).await?;
        }
        let mut options = SessionOptions::new(settings.threads.get(), settings.now.as_microsecond());
        options.memory_limit_bytes = usize::try_from(args.room.memory).unwrap_or(usize::MAX);
        options.spill_dir.clone_from(&args.room.temp_dir);
        options.facts = facts::named(&args.facts)?;
        options.s3 = args.connection.options();
        options.row_sources = diff_functions(options.facts);
        options.row_sources.extend(coverage_functions());
        let session = QuerySession::new(store.as_ref(), &options, args.at_version)?;
        Ok(Self {
            session,
            store,
            at_version: args.at_version,
            missing_store,
        })
    }

    /// Runs one statement.
    pub(super) async fn sql(&self, text: &str, params: &[(String, String)]) -> Result<ResultStream, CliError> {
        let answer = self.session.sql(text, &values(params)).await;
        self.explained(answer).await
    }

    /// Runs a question of the library.
    pub(super) async fn ask(&self, question: &Question, params: &[(String, String)]) -> Result<ResultStream, CliError> {
        let answer = self.session.ask(question, &values(params)).await;
        self.explained(answer).await
    }

    /// The session, for what is not running statements.
    pub(super) fn session(&self) -> &QuerySession {
        &self.session
    }

    /// Why there is no store, if there is none.
    pub(super) fn missing_store(&self) -> Option<&StoreError> {
        self.missing_store.as_ref()
    }

    /// Refuses to go on without a store.
    pub(super) fn need_store(&self) -> Result<(), CliError> {
        match &self.missing_store {
            Some(StoreError::NotAStore { path }) => Err(StoreError::NotAStore { path: path.clone() }.into()),
            _ => Ok(()),
        }
    }

    /// Writes the rows of an answer to where the user wants them, says how many, and warns of what it does not see.
    pub(super) async fn show(
        &self,
        answer: ResultStream,
        (file, options): (Option<&Path>, &ResultOptions),
        switches: Switches,
        output: &mut Output,
    ) -> Result<Shown, CliError> {
        let shape = if is_plan(&answer.schema) {
            TableShape::Text
        } else {
            options.shape
        };
        let options = ResultOptions { shape, ..*options };
        let written = rows::write_stream(&answer.schema, answer.stream, file, &options, output).await;
        let summary = match written {
            Err(CliError::Query(error)) => return Err(self.with_damage(error).await),
            written => written?,
        };
        rows::note_summary(&summary, file, &options, switches, output);
        note_expired(self.session.expired_before(), output);
        Ok(Shown {
            rows: summary.rows + summary.rows_beyond,
            status: warn_of_skipped(&self.session.take_skipped(), output),
        })
    }

    /// Names the store that is not there, or the data file that cannot be read.
    async fn explained(&self, answer: Result<ResultStream, QueryError>) -> Result<ResultStream, CliError> {
        match (answer, &self.missing_store) {
            (Ok(answer), _) => Ok(answer),
            (Err(QueryError::UnknownTable { .. }), Some(StoreError::NotAStore { path })) => {
                Err(StoreError::NotAStore { path: path.clone() }.into())
            }
            (Err(error), _) => Err(self.with_damage(error).await),
        }
    }

    /// The damaged data file behind a query that failed, if there is one.
    async fn with_damage(&self, error: QueryError) -> CliError {
        let QueryError::Execution { message } = &error else {
            return error.into();
        };
        // To read every file takes as long as the longest query, so it must be files that the engine is unhappy with.
        match self.damage(message.contains("Parquet"), &AtomicBool::new(false)).await {
            Some(damage) => damage.into(),
            None => error.into(),
        }
    }

    /// A data file that is not as it was made, or, if all are to be read, that cannot be read.
    ///
    /// Nothing is found once `is_stopped` is raised.
    pub(super) async fn damage(&self, reads_all: bool, is_stopped: &AtomicBool) -> Option<StoreError> {
        let store = self.store.as_ref()?;
        let mut snapshots = Vec::new();
        for table in store.tables().await.unwrap_or_default() {
            let snapshot = match self.at_version {
                Some(version) => store.snapshot_at(table, version).await,
                None => store.snapshot(table).await,
            };
            snapshots.extend(snapshot);
        }
        let mut tables = snapshots.iter().take_while(|_| !is_stopped.load(Ordering::Relaxed));
        let damaged = tables.find_map(|snapshot| store.damaged_file(snapshot));
        let undecodable = || {
            let mut tables = snapshots.iter();
            tables.find_map(|snapshot| store.undecodable_file(snapshot, is_stopped))
        };
        damaged.or_else(|| reads_all.then(undecodable).flatten())
    }
}

fn values(params: &[(String, String)]) -> Vec<(String, ParamText)> {
    params
        .iter()
        .map(|(name, value)| (name.clone(), ParamText::from(value.as_str())))
        .collect()
}

/// Names what `read_cloudtrail` left out; the rows that were read are shown all the same.
fn warn_of_skipped(skipped: &Skipped, output: &mut Output) -> ExitStatus {
    if skipped.is_empty() {
        return ExitStatus::Done;
    }
    for (place, reason) in skipped.named.iter().take(TOLD_PLACES) {
        output.warning(&format!("`{place}` {reason}"));
    }
    let untold = u64::try_from(skipped.named.len().saturating_sub(TOLD_PLACES)).unwrap_or(u64::MAX) + skipped.more;
    if untold > 0 {
        output.warning(&format!("{} more are left out, or read in part", format_count(untold)));
    }
    output.note("`trimtrail ingest` keeps what is good and lists the rest in `objects` and `rejects`");
    ExitStatus::Incomplete
}

/// True for what `explain` answers: text of many lines, which no table can hold.
fn is_plan(schema: &SchemaRef) -> bool {
    schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .eq(["plan_type", "plan"])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    use crate::cli::args::ConnectionArgs;
    use crate::cli::args::FactsFolderArgs;
    use crate::cli::args::RoomArgs;
    use crate::cli::args::StoreLocationArgs;
    use crate::cli::runtime::Runtime;
    use crate::cli::settings::tests::headless;

    /// Arguments that name no store.
    pub(in crate::cli) fn without_store() -> EngineArgs {
        EngineArgs {
            location: StoreLocationArgs::named("/nonexistent/store"),
            facts: FactsFolderArgs::default(),
            at_version: None,
            room: RoomArgs::default(),
            connection: ConnectionArgs::default(),
        }
    }

    fn error_of(text: &str) -> CliError {
        let runtime = Runtime::start(headless().threads).unwrap();
        runtime
            .run(async {
                let engine = Engine::open(&without_store(), &headless()).await?;
                engine.sql(text, &[]).await
            })
            .unwrap_err()
    }

    #[test]
    fn statement_that_needs_the_missing_store_names_it() {
        let error = error_of("select count(*) from events");
        assert!(
            matches!(&error, CliError::Store(StoreError::NotAStore { .. })),
            "{error:?}"
        );
        assert!(error.to_string().contains("`/nonexistent/store`"), "{error}");
    }

    #[test]
    fn version_of_a_missing_store_is_refused_whatever_the_statement_reads() {
        let args = EngineArgs {
            at_version: Some(9),
            ..without_store()
        };
        let runtime = Runtime::start(headless().threads).unwrap();
        let opened = runtime.run(Engine::open(&args, &headless()));
        assert!(matches!(opened, Err(CliError::Store(StoreError::NotAStore { .. }))));
    }

    #[test]
    fn statement_that_writes_is_refused() {
        for text in [
            "drop table events",
            "create table t as select 1",
            "copy (select 1) to 'x.csv'",
            "set a.b = 1",
        ] {
            assert!(
                matches!(error_of(text), CliError::Query(QueryError::Refused { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn parameter_without_a_value_is_wrong_usage() {
        assert_eq!(error_of("select $a + 1").exit_status(), ExitStatus::Usage);
        assert_eq!(error_of("select nope").exit_status(), ExitStatus::Failed);
    }
}
