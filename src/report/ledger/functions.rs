//! The coverage in SQL: table functions with the rows that `coverage` prints without keys.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::future::BoxFuture;

use super::coverage_rows;
use crate::analysis;
use crate::analysis::AnalysisError;
use crate::analysis::MOST_COVERAGE_DAYS;
use crate::analysis::Step;
use crate::analysis::moment;
use crate::policy::Window;
use crate::query::GatheredRows;
use crate::query::QueryError;
use crate::query::QuerySession;
use crate::query::RowError;
use crate::query::RowSource;
use crate::query::WindowArguments;

/// Most rows of one call: forged records can name many accounts and regions.
const MOST_ROWS: i64 = 5_000_000;

/// `coverage(since, until)` with one row per account, region and day, and `coverage_by_hour(since, until)`.
pub fn coverage_functions() -> Vec<Arc<dyn RowSource>> {
    let function = |step| Arc::new(CoverageFunction { step }) as Arc<dyn RowSource>;
    [Step::Day, Step::Hour].map(function).into()
}

/// Why there are no rows.
#[derive(Debug, thiserror::Error)]
enum CoverageFunctionError {
    #[error("the store holds no events; read logs into it with `trimtrail ingest`")]
    NoEvents,
    #[error("no window: {0}")]
    EmptyWindow(#[source] QueryError),
    #[error("the window has more than {MOST_COVERAGE_DAYS} days; name a shorter one: `coverage('T-90d', 'now')`")]
    LongWindow,
    #[error("more than {MOST_ROWS} rows of accounts in regions; name a shorter window: `{0}('T-7d', 'now')`")]
    ManyRows(&'static str),
    #[error(transparent)]
    Evidence(#[from] AnalysisError),
}

#[derive(Debug)]
struct CoverageFunction {
    step: Step,
}

/// One batch for each account and region.
struct Gathered(Vec<RecordBatch>);

impl RowSource for CoverageFunction {
    fn name(&self) -> &'static str {
        match self.step {
            Step::Day => "coverage",
            Step::Hour => "coverage_by_hour",
        }
    }

    fn argument_count(&self) -> usize {
        2
    }

    fn schema(&self) -> Result<SchemaRef, RowError> {
        Ok(coverage_rows(&[], self.step, false)?.schema())
    }

    fn gather<'s>(
        &'s self,
        session: &'s QuerySession,
        arguments: WindowArguments,
    ) -> BoxFuture<'s, Result<Arc<dyn GatheredRows>, RowError>> {
        Box::pin(async move {
            let window = window(session, arguments).await?;
            let basis = analysis::coverage_basis(session, window)
                .await
                .map_err(CoverageFunctionError::from)?;
            let pairs = basis.pairs();
            let steps = match self.step {
                Step::Day => window.days(),
                Step::Hour => window.days() * 24,
            };
            if i64::try_from(pairs.len()).unwrap_or(i64::MAX).saturating_mul(steps) > MOST_ROWS {
                return Err(CoverageFunctionError::ManyRows(self.name()).into());
            }
            let mut batches = Vec::with_capacity(pairs.len());
            for (account, region) in pairs {
                let objects = match basis.has_objects(&account, &region) {
                    true => analysis::recorded_objects(session, &account, &region)
                        .await
                        .map_err(CoverageFunctionError::from)?,
                    false => Vec::new(),
                };
                let judged = basis.judge((&account, &region), &objects, None, self.step);
                batches.push(coverage_rows(&[judged], self.step, false)?);
            }
            Ok(Arc::new(Gathered(batches)) as Arc<dyn GatheredRows>)
        })
    }
}

/// The window that is asked for, or all that the store holds.
async fn window(session: &QuerySession, arguments: WindowArguments) -> Result<Window, CoverageFunctionError> {
    let logs = analysis::extent(session)
        .await?
        .ok_or(CoverageFunctionError::NoEvents)?;
    let window = Window {
        since: arguments.since.unwrap_or(logs.since),
        until: arguments.until.unwrap_or(logs.until),
    };
    if window.is_empty() {
        return Err(CoverageFunctionError::EmptyWindow(QueryError::EmptyWindow {
            since: moment(window.since),
            until: moment(window.until),
            logs: format!("from {} to {}", moment(logs.since), moment(logs.until)),
        }));
    }
    match window.days() > MOST_COVERAGE_DAYS {
        true => Err(CoverageFunctionError::LongWindow),
        false => Ok(window),
    }
}

impl GatheredRows for Gathered {
    fn approximate_bytes(&self) -> usize {
        self.0.iter().map(RecordBatch::get_array_memory_size).sum()
    }

    fn give(&self, take: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>) -> Result<(), RowError> {
        for batch in &self.0 {
            if take(batch.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }
}
