//! What digests show of the logs of accounts: logs that were delivered and are not there, and days of which all are there.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::columns::Columns;
use super::columns::Unreadable;
use super::evidence::AnalysisError;
use super::evidence::each_batch;
use super::evidence::each_batch_with;
use crate::integrity::DigestOutline;
use crate::integrity::Recorded;
use crate::policy::AccountLog;
use crate::policy::Window;
use crate::query::EvidenceQuery;
use crate::query::ParamText;
use crate::query::QuerySession;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// The digests and logs of one account.
#[derive(Debug, Default)]
struct DigestsAndLogs {
    /// File names of the logs that are there.
    present: BTreeSet<String>,
    /// Those of the logs that were found once and are not there: they count as lost already.
    gone: BTreeSet<String>,
    digests: Vec<NamingDigest>,
}

/// A digest, and what it names.
#[derive(Debug)]
struct NamingDigest {
    region: String,
    /// Day of its hour, since 1970-01-01.
    day: i64,
    /// File names of logs, with the days of their delivery.
    logs: Vec<(String, i64)>,
}

/// Adds what the digests of every account show. One account after the other, as all file names may not fit into memory.
pub(super) async fn note_named_logs(
    session: &QuerySession,
    window: Window,
    accounts: &mut BTreeMap<String, AccountLog>,
) -> Result<(), AnalysisError> {
    let bounds = [("since", window.since), ("until", window.until)];
    let mut names: Vec<String> = Vec::new();
    each_batch(session, EvidenceQuery::DigestAccounts, &bounds, |batch| {
        let columns = Columns::new(batch);
        let account_ids = columns.texts("account_id")?;
        names.extend((0..batch.num_rows()).filter_map(|row| account_ids.text(row).map(str::to_owned)));
        Ok(())
    })
    .await?;
    for name in names {
        let Some(log) = accounts.get_mut(&name) else { continue };
        let mut found = DigestsAndLogs::default();
        let values = vec![("account".to_owned(), ParamText::Text(name))];
        each_batch_with(session, EvidenceQuery::DigestsAndLogs, &bounds, values, |batch| {
            Ok(read(&Columns::new(batch), batch.num_rows(), &mut found)?)
        })
        .await?;
        found.note(log);
    }
    Ok(())
}

fn read(columns: &Columns<'_>, rows: usize, found: &mut DigestsAndLogs) -> Result<(), Unreadable> {
    let (uris, regions) = (columns.texts("object_key")?, columns.texts("region")?);
    let (texts, is_there) = (columns.texts("digest_text")?, columns.booleans("is_there")?);
    for row in 0..rows {
        let uri = uris.text(row).unwrap_or_default();
        let name = uri.rsplit('/').next().unwrap_or(uri).to_owned();
        match (texts.text(row), is_there.boolean(row) == Some(true)) {
            (Some(text), true) => found.add_digest(regions.text(row).unwrap_or_default(), text),
            (None, true) => _ = found.present.insert(name),
            (_, false) => _ = found.gone.insert(name),
        }
    }
    Ok(())
}

impl DigestsAndLogs {
    fn add_digest(&mut self, region: &str, text: &str) {
        let recorded = Recorded {
            digest_text: Some(text.to_owned()),
            ..Recorded::default()
        };
        // What cannot be read shows nothing.
        let Some(outline) = DigestOutline::of(&recorded) else {
            return;
        };
        let day = |moment: Option<i64>| moment.unwrap_or(outline.start).div_euclid(DAY);
        let logs = outline.logs.iter();
        self.digests.push(NamingDigest {
            region: region.to_owned(),
            day: day(None),
            logs: logs.map(|log| (log.name.clone(), day(log.delivered_at))).collect(),
        });
    }

    /// Every log that is named and was never found is lost. A digest whose logs are all there, or that names none, shows that its
    /// region was recorded.
    fn note(self, log: &mut AccountLog) {
        let mut missing: BTreeMap<String, i64> = BTreeMap::new();
        for digest in self.digests {
            let absent = digest.logs.into_iter().filter(|(name, _)| !self.present.contains(name));
            let absent: Vec<(String, i64)> = absent.collect();
            if absent.is_empty() {
                log.recorded_in.insert(digest.region.clone());
                log.recorded_days.entry(digest.region).or_default().insert(digest.day);
            }
            missing.extend(absent.into_iter().filter(|(name, _)| !self.gone.contains(name)));
        }
        for day in missing.into_values() {
            *log.lost_objects.entry(day).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(hour: u32, logs: &[&str]) -> String {
        let logs: Vec<String> = logs
            .iter()
            .map(|name| format!(r#"{{"s3Bucket":"b","s3Object":"AWSLogs/{name}","hashValue":"aa"}}"#))
            .collect();
        format!(
            r#"{{"digestStartTime":"2026-09-01T{hour:02}:00:00Z","digestEndTime":"2026-09-01T{:02}:00:00Z","digestS3Bucket":"b",
            "digestS3Object":"k","digestPublicKeyFingerprint":"f","previousDigestSignature":null,"logFiles":[{}]}}"#,
            hour + 1,
            logs.join(",")
        )
    }

    #[test]
    fn log_that_is_named_and_not_there_is_lost_once_and_its_digest_shows_no_presence() {
        let name = |part: &str| format!("111122223333_CloudTrail_eu-west-1_20260902T0005Z_{part}.json.gz");
        let (there, gone, vanished) = (name("there"), name("gone"), name("vanished"));
        let mut found = DigestsAndLogs::default();
        found.present.insert(there.clone());
        found.add_digest("eu-west-1", &digest(1, &[&there, &gone]));
        found.add_digest("eu-west-1", &digest(2, &[&gone]));
        found.add_digest("eu-west-2", &digest(3, &[]));
        // One that was there once is counted where it stands in the ledger.
        found.gone.insert(vanished.clone());
        found.add_digest("eu-west-4", &digest(4, &[&vanished]));
        found.add_digest("eu-west-3", "{}");
        let mut log = AccountLog::default();
        found.note(&mut log);
        // 2026-09-02, the day in the name.
        assert_eq!(log.lost_objects, BTreeMap::from([(20_698, 1)]));
        assert_eq!(log.recorded_in, BTreeSet::from(["eu-west-2".to_owned()]));
        assert_eq!(log.recorded_days["eu-west-2"], BTreeSet::from([20_697]));
    }
}
