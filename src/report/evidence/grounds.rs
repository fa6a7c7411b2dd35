//! What all tables of a bundle rest on, and what speaks against it: as long as anything does, nothing found proves nothing.

use super::CoverageRecord;
use crate::report::IamSight;
use crate::report::IntegrityResult;
use crate::report::counted::counted;
use crate::report::counted::format_count;

/// What is known of logs and grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grounds {
    /// Hours of accounts in regions.
    pub coverage: CoverageRecord,
    /// What verifying the digests came to; `None` without public keys.
    pub integrity: Option<IntegrityResult>,
    /// Accounts whose logs may lack regions, each with the reason.
    pub region_doubts: Vec<(String, String)>,
    /// Accounts whose logs lack a kind of management events, each with the reason.
    pub recording_doubts: Vec<(String, String)>,
    /// Of which accounts grants are known.
    pub sight: IamSight,
}

impl Grounds {
    /// Why the logs may not show everything that was done; empty if they are proven to.
    pub fn doubts(&self) -> Vec<String> {
        let coverage = &self.coverage;
        if coverage.hours == 0 {
            return vec!["there are no logs".to_owned()];
        }
        let unproven = coverage.hours.saturating_sub(coverage.hours_complete);
        let hours = (unproven > 0).then(|| {
            let (part, all) = (format_count(unproven), format_count(coverage.hours));
            format!("the logs of {part} of {all} hours are not proven complete")
        });
        let expired = coverage.expired_before.as_ref();
        let expired = expired.map(|before| format!("the events from before {before} have expired"));
        let integrity = match self.integrity {
            None => Some("the digests were not verified"),
            Some(IntegrityResult::NothingVerified) => Some("there are no valid digests"),
            Some(IntegrityResult::Incomplete) => Some("not all digests and logs could be verified"),
            Some(IntegrityResult::Invalid) => Some("digests or logs are not valid"),
            Some(IntegrityResult::Valid) => None,
        };
        let regions = doubt_of_accounts(&self.region_doubts, "may lack regions");
        let recording = doubt_of_accounts(&self.recording_doubts, "do not show every kind of call");
        let doubts = [hours, expired, regions, recording, integrity.map(str::to_owned)];
        doubts.into_iter().flatten().collect()
    }
}

fn doubt_of_accounts(doubts: &[(String, String)], what: &str) -> Option<String> {
    let (account, reason) = doubts.first()?;
    Some(format!(
        "the logs of {} {what} (`{account}`: {reason})",
        counted(doubts.len(), "account")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_is_not_known_is_a_doubt_of_its_own() {
        let sound = Grounds {
            coverage: CoverageRecord {
                hours: 24,
                hours_complete: 24,
                ..CoverageRecord::default()
            },
            integrity: Some(IntegrityResult::Valid),
            ..Grounds::default()
        };
        assert_eq!(sound.doubts(), [""; 0]);
        let with = |change: fn(&mut Grounds)| {
            let mut grounds = sound.clone();
            change(&mut grounds);
            grounds.doubts().join("; ")
        };
        for (doubts, wanted) in [
            (with(|it| it.coverage.hours = 0), "there are no logs"),
            (
                with(|it| it.coverage.hours_complete = 20),
                "the logs of 4 of 24 hours are not proven complete",
            ),
            (
                with(|it| it.coverage.expired_before = Some("2026-07-01T00:00:00Z".to_owned())),
                "the events from before 2026-07-01T00:00:00Z have expired",
            ),
            (
                with(|it| {
                    it.region_doubts
                        .push(("111122223333".to_owned(), "one region only".to_owned()));
                }),
                "the logs of 1 account may lack regions (`111122223333`: one region only)",
            ),
            (
                with(|it| {
                    it.recording_doubts
                        .push(("111122223333".to_owned(), "no writes".to_owned()))
                }),
                "the logs of 1 account do not show every kind of call (`111122223333`: no writes)",
            ),
            (with(|it| it.integrity = None), "the digests were not verified"),
            (
                with(|it| it.integrity = Some(IntegrityResult::NothingVerified)),
                "there are no valid digests",
            ),
            (
                with(|it| it.integrity = Some(IntegrityResult::Incomplete)),
                "not all digests and logs could be verified",
            ),
            (
                with(|it| it.integrity = Some(IntegrityResult::Invalid)),
                "digests or logs are not valid",
            ),
        ] {
            assert_eq!(doubts, wanted);
        }
    }
}
