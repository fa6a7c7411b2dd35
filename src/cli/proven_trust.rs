//! Trust against use, with the proof of what is proposed.

use std::collections::BTreeSet;

use super::engine::Engine;
use super::error::CliError;
use crate::analysis;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::Neighbourhood;
use crate::policy::TrustLog;
use crate::policy::TrustProof;
use crate::policy::TrustReport;
use crate::policy::TrustTotals;
use crate::policy::Usage;

/// Trust against use; trimmed policies let all past calls through.
pub(super) struct ProvenTrust<'a> {
    pub(super) report: TrustReport<'a>,
    /// What the proof looked at.
    pub(super) totals: TrustTotals,
    /// Roles whose trimmed policy would have denied a call, and was dropped.
    pub(super) denying: BTreeSet<String>,
}

impl<'a> ProvenTrust<'a> {
    /// Looks at the roles that are wanted.
    pub(super) async fn of(
        engine: &Engine,
        (usage, estate): (&Usage, &Estate<'a>),
        neighbours: &'a Neighbourhood<'a>,
        differ: &mut Differ<'a>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, CliError> {
        let mut log = TrustLog::new(neighbours, estate.callers());
        let asked = log.asked();
        analysis::each_assumption(engine.session(), usage.window, asked, |call| log.add(call)).await?;
        let mut report = TrustReport::of(log, (usage, differ), is_wanted);
        let (totals, denying) = match report.roles.iter().any(|role| role.trimmed.is_some()) {
            false => Default::default(),
            true => {
                let mut proof = TrustProof::new(neighbours, asked, &report.roles);
                analysis::each_assumption(engine.session(), usage.window, asked, |call| proof.add(call)).await?;
                proof.finish()
            }
        };
        for role in report.roles.iter_mut().filter(|role| denying.contains(&role.role_arn)) {
            role.trimmed = None;
        }
        Ok(Self {
            report,
            totals,
            denying,
        })
    }
}
