//! The diff in SQL: table functions with the rows that `diff` and `diff --detail` print, and one of what the logs cover.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::future::BoxFuture;

use super::DiffFrame;
use super::ReportError;
use super::coverage_row;
use super::permission_rows;
use super::principal_row;
use crate::analysis;
use crate::analysis::AnalysisError;
use crate::analysis::KeptEvidence;
use crate::analysis::moment;
use crate::iam::Facts;
use crate::policy::Absence;
use crate::policy::AccountLog;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::PrincipalDiff;
use crate::policy::PrincipalKey;
use crate::policy::PrincipalUse;
use crate::policy::RegionDoubts;
use crate::policy::Subject;
use crate::policy::TakenSnapshot;
use crate::policy::Thresholds;
use crate::policy::Usage;
use crate::policy::Window;
use crate::policy::subjects;
use crate::query::GatheredRows;
use crate::query::QueryError;
use crate::query::QuerySession;
use crate::query::RowError;
use crate::query::RowSource;
use crate::query::UsageSource;
use crate::query::WindowArguments;

/// The functions, for the options of one session; with these facts, or the embedded ones.
pub fn diff_functions(facts: Option<&'static Facts>) -> Vec<Arc<dyn RowSource>> {
    let kept = Arc::new(KeptEvidence::default());
    let function = |shape| {
        let kept = Arc::clone(&kept);
        Arc::new(DiffFunction { shape, facts, kept }) as Arc<dyn RowSource>
    };
    [Shape::Permissions, Shape::Actions, Shape::Principals, Shape::Coverage]
        .map(function)
        .into()
}

/// Why there are no rows.
#[derive(Debug, thiserror::Error)]
enum DiffFunctionError {
    #[error("the store holds no events; read logs into it with `trimtrail ingest`")]
    NoEvents,
    #[error("no window: {0}")]
    EmptyWindow(#[source] QueryError),
    #[error(transparent)]
    Evidence(#[from] AnalysisError),
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    /// One row per principal, policy, statement and action.
    Permissions,
    /// One row per principal and action: what keeps it most.
    Actions,
    /// One row per principal.
    Principals,
    /// One row per account with logs.
    Coverage,
}

#[derive(Debug)]
struct DiffFunction {
    shape: Shape,
    facts: Option<&'static Facts>,
    /// Of the session, for all of its functions.
    kept: Arc<KeptEvidence>,
}

/// What the rows of one call are made of.
struct Evidence {
    shape: Shape,
    facts: Option<&'static Facts>,
    usage: Arc<Usage>,
    source: Option<UsageSource>,
    snapshots: Vec<TakenSnapshot>,
    thresholds: Thresholds,
}

impl RowSource for DiffFunction {
    fn name(&self) -> &'static str {
        match self.shape {
            Shape::Permissions => "granted_and_used",
            Shape::Actions => "granted_actions",
            Shape::Principals => "principal_summary",
            Shape::Coverage => "log_coverage",
        }
    }

    fn argument_count(&self) -> usize {
        match self.shape {
            Shape::Permissions | Shape::Actions | Shape::Principals => 4,
            Shape::Coverage => 2,
        }
    }

    fn schema(&self) -> Result<SchemaRef, RowError> {
        let nothing = Evidence {
            shape: self.shape,
            facts: self.facts,
            usage: Arc::new(Usage::without_uses(Window { since: 0, until: 1 }, BTreeMap::new())),
            source: None,
            snapshots: Vec::new(),
            thresholds: Thresholds::DEFAULT,
        };
        let anybody = Subject {
            key: PrincipalKey {
                arn: String::new(),
                unique_id: None,
            },
            member: None,
            absence: Some(Absence::NoSnapshot),
            is_replaced: false,
            deeds: Cow::Owned(PrincipalUse::default()),
        };
        let batch = match self.shape {
            Shape::Coverage => coverage_row(("", &AccountLog::default()), None, nothing.usage.window)?,
            Shape::Permissions | Shape::Actions | Shape::Principals => {
                let estate = Estate::newest(&[]);
                let facts = self.facts.unwrap_or_else(Facts::embedded);
                let mut differ = Differ::new(facts, &nothing.usage, &estate, Thresholds::DEFAULT);
                nothing.rows(&differ.diff(&anybody))?
            }
        };
        Ok(batch.schema())
    }

    fn gather<'s>(
        &'s self,
        session: &'s QuerySession,
        arguments: WindowArguments,
    ) -> BoxFuture<'s, Result<Arc<dyn GatheredRows>, RowError>> {
        Box::pin(async move { Ok(Arc::new(self.evidence(session, arguments).await?) as Arc<dyn GatheredRows>) })
    }
}

impl DiffFunction {
    async fn evidence(
        &self,
        session: &QuerySession,
        arguments: WindowArguments,
    ) -> Result<Evidence, DiffFunctionError> {
        let logs = analysis::extent(session).await?.ok_or(DiffFunctionError::NoEvents)?;
        let window = Window::within(logs, arguments.since, arguments.until);
        if window.is_empty() {
            return Err(DiffFunctionError::EmptyWindow(QueryError::EmptyWindow {
                since: moment(window.since),
                until: moment(window.until),
                logs: format!("from {} to {}", moment(logs.since), moment(logs.until)),
            }));
        }
        let usage = match self.shape {
            Shape::Coverage => {
                let accounts = self.kept.account_logs(session, window).await?;
                Arc::new(Usage {
                    logs_until: logs.until,
                    ..Usage::without_uses(window, (*accounts).clone())
                })
            }
            Shape::Permissions | Shape::Actions | Shape::Principals => self.kept.usage(session, window, logs).await?,
        };
        Ok(Evidence {
            shape: self.shape,
            facts: self.facts,
            usage,
            source: session.usage_source(),
            snapshots: analysis::snapshots(session).await?,
            thresholds: Thresholds {
                min_coverage: arguments.min_coverage.unwrap_or(Thresholds::DEFAULT.min_coverage),
                min_window_days: arguments.min_window_days.unwrap_or(Thresholds::DEFAULT.min_window_days),
            },
        })
    }
}

impl GatheredRows for Evidence {
    fn approximate_bytes(&self) -> usize {
        let snapshots = self.snapshots.iter().map(TakenSnapshot::approximate_bytes);
        self.usage.approximate_bytes() + snapshots.sum::<usize>()
    }

    fn give(&self, take: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>) -> Result<(), RowError> {
        let estate = Estate::newest(&self.snapshots);
        if matches!(self.shape, Shape::Coverage) {
            let doubts = RegionDoubts::new(&estate, &self.usage, self.thresholds);
            for (account, log) in &self.usage.accounts {
                let doubt = doubts.of(account);
                if take(coverage_row((account, log), doubt.as_ref(), self.usage.window)?).is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let subjects = subjects(&self.usage, &estate);
        let facts = self.facts.unwrap_or_else(Facts::embedded);
        let mut differ = Differ::new(facts, &self.usage, &estate, self.thresholds);
        for subject in &subjects {
            if take(self.rows(&differ.diff(subject))?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Evidence {
    fn rows(&self, diff: &PrincipalDiff<'_>) -> Result<RecordBatch, ReportError> {
        let frame = DiffFrame {
            window: self.usage.window,
            facts_date: self.facts.unwrap_or_else(Facts::embedded).catalogue_date(),
            source: self.source,
        };
        match self.shape {
            Shape::Permissions => permission_rows(diff, frame, |_| true),
            Shape::Actions => {
                let chosen = diff.by_action();
                permission_rows(diff, frame, |row| {
                    chosen.get(row.action).is_some_and(|chosen| std::ptr::eq(*chosen, row))
                })
            }
            Shape::Principals | Shape::Coverage => principal_row(diff, frame),
        }
    }
}
