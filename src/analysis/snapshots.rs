//! The IAM snapshots of the store, read anew: what they are about is theirs to say.

use arrow::array::RecordBatch;

use super::columns::Columns;
use super::evidence::AnalysisError;
use super::evidence::each_batch;
use crate::iam::json::Json;
use crate::policy::GrantChanges;
use crate::policy::TakenSnapshot;
use crate::policy::Window;
use crate::policy::snapshot;
use crate::policy::snapshot::CollectedFile;
use crate::policy::snapshot::Snapshot;
use crate::query::EvidenceQuery;
use crate::query::QuerySession;

/// Snapshots, each with its content.
type Stored = Vec<(TakenSnapshot, Vec<u8>)>;

/// The newest IAM snapshots.
pub async fn snapshots(session: &QuerySession) -> Result<Vec<TakenSnapshot>, AnalysisError> {
    let mut snapshots = Stored::new();
    each_batch(session, EvidenceQuery::Snapshots, &[], |batch| {
        each_snapshot(batch, |taken, content| add_snapshot(taken, content, &mut snapshots))
    })
    .await?;
    Ok(without_content(&mut snapshots))
}

/// Notes what users and roles held when snapshots were taken since a window began that are not the newest: moment by moment, as many
/// do not fit into memory together.
pub(super) async fn note_earlier_snapshots(
    session: &QuerySession,
    window: Window,
    changes: &mut GrantChanges,
) -> Result<(), AnalysisError> {
    let mut of_moment = Stored::new();
    let bounds = [("since", window.since)];
    each_batch(session, EvidenceQuery::EarlierSnapshots, &bounds, |batch| {
        each_snapshot(batch, |taken, content| {
            if of_moment
                .last()
                .is_some_and(|(last, _)| last.taken_at != taken.taken_at)
            {
                changes.note_snapshots(&without_content(&mut of_moment));
            }
            add_snapshot(taken, content, &mut of_moment);
        })
    })
    .await?;
    changes.note_snapshots(&without_content(&mut of_moment));
    Ok(())
}

fn without_content(snapshots: &mut Stored) -> Vec<TakenSnapshot> {
    snapshots.drain(..).map(|(taken, _)| taken).collect()
}

fn each_snapshot(batch: &RecordBatch, mut take: impl FnMut(TakenSnapshot, &[u8])) -> Result<(), AnalysisError> {
    let columns = Columns::new(batch);
    let (ids, times) = (columns.texts("source_id")?, columns.times("snapshot_time")?);
    let (formats, contents) = (columns.texts("format")?, columns.bytes("content")?);
    for row in 0..batch.num_rows() {
        let source_id = ids.text(row).unwrap_or_default().to_owned();
        let content = contents.bytes_at(row).unwrap_or_default();
        let read = read_snapshot(formats.text(row).unwrap_or_default(), content);
        let taken = TakenSnapshot {
            taken_at: times.time(row).unwrap_or_default(),
            snapshot: read.map_err(|cause| AnalysisError::Snapshot {
                source_id: source_id.clone(),
                cause,
            })?,
            source_id,
        };
        take(taken, content);
    }
    Ok(())
}

/// Adds a snapshot, together with another part of the same answer if that is there: users may have policies whose documents
/// stand in the other part.
fn add_snapshot(taken: TakenSnapshot, content: &[u8], snapshots: &mut Stored) {
    let is_other_part = |(known, _): &&mut (TakenSnapshot, Vec<u8>)| {
        known.taken_at == taken.taken_at && known.snapshot.completes(&taken.snapshot)
    };
    if let Some((known, known_content)) = snapshots.iter_mut().find(is_other_part)
        && let Some(joined) = snapshot::joined_pages(&[known_content, content])
        && let Ok(snapshot) = snapshot::read(&joined)
    {
        known.snapshot = snapshot;
        *known_content = joined;
        return;
    }
    snapshots.push((taken, content.to_vec()));
}

/// A folder is stored as a JSON object of its files.
fn read_snapshot(format: &str, content: &[u8]) -> Result<Snapshot, String> {
    if format != snapshot::Format::Collected.name() {
        return snapshot::read(content).map_err(|error| error.to_string());
    }
    let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
    let Json::Object(members) = Json::parse(text).map_err(|error| error.to_string())? else {
        return Err("the stored folder is no JSON object".to_owned());
    };
    let files = members.iter().filter_map(|(path, content)| match content {
        Json::Text(text) => Some(CollectedFile {
            path,
            bytes: text.as_bytes(),
        }),
        _ => None,
    });
    Ok(snapshot::read_collected(&files.collect::<Vec<_>>()))
}
