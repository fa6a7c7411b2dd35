//! Digests and logs as the ledger has them.

use super::columns::Columns;
use super::evidence::AnalysisError;
use super::evidence::each_batch_with;
use crate::integrity::Recorded;
use crate::integrity::Window;
use crate::query::EvidenceQuery;
use crate::query::ParamText;
use crate::query::QuerySession;

/// Accounts and regions of which the store knows objects, in order.
pub async fn recorded_groups(session: &QuerySession) -> Result<Vec<(String, String)>, AnalysisError> {
    let mut groups = Vec::new();
    each_batch_with(session, EvidenceQuery::IntegrityGroups, &[], Vec::new(), |batch| {
        let columns = Columns::new(batch);
        let (accounts, regions) = (columns.texts("account_id")?, columns.texts("region")?);
        for row in 0..batch.num_rows() {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            groups.push((text(accounts.text(row)), text(regions.text(row))));
        }
        Ok(())
    })
    .await?;
    Ok(groups)
}

/// Some digests of every account and region that were read from folders: text and URI alone.
pub async fn recorded_samples(session: &QuerySession) -> Result<Vec<Recorded>, AnalysisError> {
    let mut digests = Vec::new();
    each_batch_with(session, EvidenceQuery::IntegrityOrigins, &[], Vec::new(), |batch| {
        let columns = Columns::new(batch);
        let (uris, texts) = (columns.texts("object_key")?, columns.texts("digest_text")?);
        for row in 0..batch.num_rows() {
            digests.push(Recorded {
                uri: uris.text(row).unwrap_or_default().to_owned(),
                is_digest: true,
                digest_text: texts.text(row).map(str::to_owned),
                ..Recorded::default()
            });
        }
        Ok(())
    })
    .await?;
    Ok(digests)
}

/// How many objects with events of a window gave some to the store though neither name nor folders say of which account and region
/// they are. Those of which the time is not known count.
pub async fn recorded_unplaced(session: &QuerySession, window: Window) -> Result<u64, AnalysisError> {
    let mut objects = 0;
    each_batch_with(session, EvidenceQuery::IntegrityUnplaced, &[], Vec::new(), |batch| {
        let columns = Columns::new(batch);
        let counts = columns.integers("objects")?;
        let (firsts, lasts) = (columns.times("first_event_time")?, columns.times("last_event_time")?);
        let is_of = |row: &usize| {
            let times = firsts.time(*row).zip(lasts.time(*row));
            times.is_none() || window.includes_events(times)
        };
        let own = (0..batch.num_rows()).filter(is_of);
        objects += own.map(|row| counts.count(row)).sum::<u64>();
        Ok(())
    })
    .await?;
    Ok(objects)
}

/// The objects of one account and region.
pub async fn recorded_objects(
    session: &QuerySession,
    account: &str,
    region: &str,
) -> Result<Vec<Recorded>, AnalysisError> {
    let values = [("account", account), ("region", region)];
    let values = values.map(|(name, value)| (name.to_owned(), ParamText::Text(value.to_owned())));
    let mut objects = Vec::new();
    each_batch_with(session, EvidenceQuery::IntegrityObjects, &[], values.into(), |batch| {
        let columns = Columns::new(batch);
        let (uris, kinds) = (columns.texts("object_key")?, columns.texts("kind")?);
        let (hashes, errors) = (columns.texts("sha256")?, columns.texts("error")?);
        let (metadata, texts) = (columns.texts("metadata")?, columns.texts("digest_text")?);
        let plain = columns.booleans("is_plain")?;
        let (firsts, lasts) = (columns.times("first_event_time")?, columns.times("last_event_time")?);
        for row in 0..batch.num_rows() {
            let uri = uris.text(row).unwrap_or_default();
            let holds_events = matches!(kinds.text(row), Some("events" | "excerpt"));
            objects.push(Recorded {
                uri: uri.to_owned(),
                // One that is too damaged to be told is one by its name; one with events is none, whatever its name.
                is_digest: kinds.text(row) == Some("digest") || (!holds_events && uri.contains("_CloudTrail-Digest_")),
                is_plain: plain.boolean(row) == Some(true),
                holds_events,
                event_times: firsts.time(row).zip(lasts.time(row)),
                sha256: hashes.text(row).map(str::to_owned),
                error: errors.text(row).map(str::to_owned),
                metadata: metadata.text(row).map(str::to_owned),
                digest_text: texts.text(row).map(str::to_owned),
            });
        }
        Ok(())
    })
    .await?;
    Ok(objects)
}
