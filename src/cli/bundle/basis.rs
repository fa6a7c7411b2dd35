//! What the tables of a bundle rest on, from the store.

use std::collections::BTreeSet;

use super::build::Maker;
use crate::analysis;
use crate::analysis::RegionCoverage;
use crate::analysis::Step;
use crate::analysis::moment;
use crate::cli::error::CliError;
use crate::cli::log_coverage;
use crate::event::only_home;
use crate::iam::partition;
use crate::integrity::ChainReport;
use crate::policy::AccountLog;
use crate::policy::Estate;
use crate::policy::Reason;
use crate::policy::RegionDoubts;
use crate::policy::TakenSnapshot;
use crate::policy::Thresholds;
use crate::policy::Usage;
use crate::report::IamSight;
use crate::report::IntegrityReport;
use crate::report::evidence::CoverageRecord;
use crate::report::evidence::Grounds;
use crate::report::picture;

/// What the tables rest on.
#[derive(Debug)]
pub(super) struct Basis {
    pub(super) regions: Vec<RegionCoverage>,
    pub(super) chains: Vec<ChainReport>,
    /// The report on every digest and log that is not simply valid, if there are keys.
    pub(super) report: Option<String>,
    /// What the logs of each account hold; no uses.
    pub(super) usage: Usage,
    /// What speaks against it.
    pub(super) grounds: Grounds,
    /// One line on the digests.
    pub(super) integrity: String,
    pub(super) picture: String,
}

impl Maker<'_> {
    /// Coverage, integrity, and what is known of accounts.
    pub(super) fn basis(&self) -> Result<Basis, CliError> {
        let keys = self.plan.public_keys()?;
        let window = self.plan.window;
        let question = log_coverage::Question {
            window,
            step: Step::Day,
            keys: keys.as_ref(),
            accounts: &[],
            regions: &[],
        };
        let mut report = IntegrityReport::new(false);
        let mut chains = Vec::new();
        let regions = question.answer_with(self.engine, (self.runtime, self.stop), self.settings, |group| {
            chains.extend(group.chains.iter().cloned());
            report.add(group);
        })?;
        let integrity = match &keys {
            None => "The digests were not verified: no public keys were given.".to_owned(),
            Some(_) => format!(
                "{} digests are valid by CloudTrail's signature; the result over all digests and logs is: {}. Files that are not \
                 simply valid stand in integrity.json.",
                report.valid_digests(),
                report.result().name(),
            ),
        };
        let session = self.engine.session();
        let (logs, snapshots) = self.runtime.run(async {
            let logs = analysis::account_logs(session, window).await?;
            Ok((logs, analysis::snapshots(session).await?))
        })?;
        let usage = Usage::without_uses(window, logs);
        let accounts = regions.iter().map(|region| region.account_id.clone()).collect();
        let expired_before = session.expired_before().filter(|before| window.since < *before);
        Ok(Basis {
            grounds: Grounds {
                coverage: coverage_record(&regions, expired_before),
                integrity: keys.as_ref().map(|_| report.result()),
                region_doubts: region_doubts(&snapshots, &usage),
                recording_doubts: recording_doubts(&usage),
                sight: IamSight::of(&snapshots, &accounts),
            },
            picture: picture(&regions)?,
            regions,
            chains,
            report: keys.as_ref().map(|keys| report.json(keys)),
            usage,
            integrity,
        })
    }
}

/// Accounts whose logs may lack regions, also the one that records the calls of global services.
fn region_doubts(snapshots: &[TakenSnapshot], usage: &Usage) -> Vec<(String, String)> {
    let estate = Estate::newest(snapshots);
    let doubts = RegionDoubts::new(&estate, usage, Thresholds::DEFAULT);
    let accounts = usage.accounts.iter().filter_map(|(account, log)| {
        let reason = doubts.of(account).or_else(|| missing_home(log))?;
        Some((account.clone(), reason.to_string()))
    });
    accounts.collect()
}

/// Accounts with logs that lack a kind of management events: every account makes calls of both kinds.
fn recording_doubts(usage: &Usage) -> Vec<(String, String)> {
    let accounts = usage.accounts.iter().filter(|(_, log)| !log.days.is_empty());
    let doubts = accounts.filter_map(|(account, log)| {
        let is_read = match (log.management.reads, log.management.writes) {
            (true, true) => return None,
            (is_read, _) => !is_read,
        };
        Some((
            account.clone(),
            Reason::ManagementEventsNotRecorded { is_read }.to_string(),
        ))
    });
    doubts.collect()
}

fn missing_home(log: &AccountLog) -> Option<Reason> {
    let home = only_home("iam", partition(log.recorded_in.first()?))?;
    (!log.recorded_in.contains(home)).then_some(Reason::GlobalServicesNotRecorded(home))
}

/// Hours of accounts in regions, and events.
fn coverage_record(regions: &[RegionCoverage], expired_before: Option<i64>) -> CoverageRecord {
    let rows = || regions.iter().flat_map(|region| &region.rows);
    let distinct = |names: BTreeSet<&str>| u64::try_from(names.len()).unwrap_or(u64::MAX);
    CoverageRecord {
        accounts: distinct(regions.iter().map(|region| region.account_id.as_str()).collect()),
        regions: distinct(regions.iter().map(|region| region.region.as_str()).collect()),
        hours: rows().map(|row| row.hours).sum(),
        hours_complete: rows().map(|row| row.hours_complete).sum(),
        hours_incomplete: rows().map(|row| row.hours_incomplete).sum(),
        hours_silent: rows().map(|row| row.hours_silent).sum(),
        events: rows().map(|row| row.counts.events).sum(),
        expired_before: expired_before.map(moment),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::policy::Window;

    #[test]
    fn account_of_one_region_or_without_the_home_of_global_services_is_in_doubt() {
        let doubts = |regions: &[&str]| {
            let log = AccountLog {
                days: BTreeSet::from([0]),
                recorded_in: regions.iter().map(|region| (*region).to_owned()).collect(),
                ..AccountLog::default()
            };
            let window = Window {
                since: 0,
                until: 86_400_000_000,
            };
            let usage = Usage::without_uses(window, BTreeMap::from([("111122223333".to_owned(), log)]));
            region_doubts(&[], &usage).pop().map(|(_, reason)| reason)
        };
        assert_eq!(doubts(&["eu-west-1", "us-east-1"]), None);
        assert_eq!(doubts(&["us-gov-east-1", "us-gov-west-1"]), None);
        for regions in [&["us-east-1"][..], &["eu-west-1", "eu-central-1"]] {
            let reason = doubts(regions);
            assert!(
                reason.is_some_and(|reason| reason.contains(regions[0]) || reason.contains("us-east-1")),
                "{regions:?}"
            );
        }
    }
}
