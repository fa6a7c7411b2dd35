//! IAM snapshots into the store: files to sources, sources to rows, rows to one commit per batch.
//!
//! Every source ends in one state: `listed = imported + known + rejected + other`. A source is a file, or a folder that
//! `iam-collect` wrote, or the files of the pages of one answer. It is known by the SHA-256 of its content, so importing it again changes nothing.

mod balance;
mod cells;
mod pages;
mod rows;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::Read;

use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;
use serde_json::Map;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;
use tokio::runtime::Handle;

use super::error::IngestError;
use crate::policy::snapshot;
use crate::policy::snapshot::CollectedFile;
use crate::policy::snapshot::Snapshot;
use crate::policy::snapshot::SnapshotError;
use crate::schema::Table;
use crate::source;
use crate::source::Content;
use crate::source::Listing;
use crate::source::ObjectRef;
use crate::store::CommitOutcome;
use crate::store::ImportBatch;
use crate::store::Store;
use crate::store::TableSnapshot;

pub use balance::ImportBalance;
pub use balance::SourceProblem;
use pages::Pages;

/// How often a batch is made again because another writer committed first.
const MAX_ATTEMPTS: u32 = 50;

/// Content of the sources that one commit takes; a source is never split.
const BATCH_BYTES: usize = 64 << 20;

/// Files of a folder in a bucket that are fetched at a time.
const FILES_AT_A_TIME: usize = 32;

/// An import of IAM snapshots.
#[derive(Debug)]
pub struct Import<'a> {
    /// Where the rows go.
    pub store: &'a Store,
    /// Runs the store's calls.
    pub runtime: &'a Handle,
    /// Name of the run.
    pub run_id: String,
    /// Moment of the run, microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// When the snapshots were taken; else what a file says, and else when it was last changed.
    pub taken_at: Option<i64>,
}

/// One source with what it holds.
#[derive(Debug)]
pub(super) struct ReadSource {
    uri: String,
    /// SHA-256 of `content`, lower-case hex.
    id: String,
    content: Vec<u8>,
    taken_at: i64,
    snapshot: Snapshot,
    /// Files that were put together to it.
    files: u64,
}

/// Files that belong together.
#[derive(Debug)]
enum Source {
    File(ObjectRef),
    /// A folder of `iam-collect` with its files, by the path below it.
    Collected(String, BTreeMap<String, ObjectRef>),
}

impl Import<'_> {
    /// Imports what was listed.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written, or others committed first every time. A source that cannot be read is no
    /// error: the balance names it.
    pub fn run(&self, listing: Listing) -> Result<ImportBalance, IngestError> {
        let sources = grouped(listing.objects);
        let mut balance = ImportBalance {
            listed: sources.iter().map(|_| 1).sum(),
            unlisted: listing.unlisted,
            ..ImportBalance::default()
        };
        let (mut batch, mut pages): (Vec<ReadSource>, Pages) = Default::default();
        for source in sources {
            let read = self.read(&source, &mut balance);
            batch.extend(read.map(|read| pages.take(read)).into_iter().flatten());
            if batch.iter().map(|source| source.content.len()).sum::<usize>() >= BATCH_BYTES {
                self.store(&batch, &mut balance)?;
                batch.clear();
            }
        }
        batch.extend(pages.rest());
        self.store(&batch, &mut balance)?;
        Ok(balance)
    }

    fn read(&self, source: &Source, balance: &mut ImportBalance) -> Option<ReadSource> {
        let (uri, changed_at) = (source.uri().to_owned(), source.changed_at());
        let (content, snapshot) = match source.snapshot(self.runtime) {
            Ok(read) => read,
            Err(Refusal::Unreadable(cause)) => {
                balance.reject(uri, cause);
                return None;
            }
            Err(Refusal::NoSnapshot { is_meant: true, cause }) => {
                balance.reject(uri, cause.to_string());
                return None;
            }
            Err(Refusal::NoSnapshot { is_meant: false, .. }) => {
                balance.other += 1;
                return None;
            }
        };
        Some(ReadSource {
            uri,
            id: format!("{:x}", Sha256::digest(&content)),
            content,
            taken_at: self
                .taken_at
                .or(snapshot.generated_at)
                .or(changed_at)
                .unwrap_or(self.now),
            snapshot,
            files: 1,
        })
    }

    /// Commits the sources that the store does not have, all together.
    fn store(&self, sources: &[ReadSource], balance: &mut ImportBalance) -> Result<(), IngestError> {
        if sources.is_empty() {
            return Ok(());
        }
        for _ in 0..MAX_ATTEMPTS {
            let (basis, known) = self.runtime.block_on(self.known())?;
            let new = without_known(sources, known);
            if !new.is_empty() && !self.commit(&basis, &new)? {
                continue;
            }
            for source in sources {
                let is_new = new.iter().any(|new| std::ptr::eq(*new, source));
                balance.count(source, is_new);
            }
            return Ok(());
        }
        Err(IngestError::Contention { attempts: MAX_ATTEMPTS })
    }

    async fn known(&self) -> Result<(TableSnapshot, BTreeSet<String>), IngestError> {
        let basis = self.store.snapshot(Table::Events).await?;
        let sources = self.store.snapshot_at(Table::IamSources, basis.version).await?;
        let known = self.store.known_sources(&sources)?;
        Ok((basis, known))
    }

    /// False when another writer was faster.
    fn commit(&self, basis: &TableSnapshot, sources: &[&ReadSource]) -> Result<bool, IngestError> {
        let batch = ImportBatch {
            run_id: self.run_id.clone(),
            rows: rows::of_sources(sources, &self.run_id, self.now)?,
            committed_at: self.now,
        };
        let outcome = self.runtime.block_on(self.store.import(basis, batch))?;
        Ok(matches!(outcome, CommitOutcome::Committed(_)))
    }
}

/// Why a source gives no snapshot.
enum Refusal {
    Unreadable(String),
    NoSnapshot {
        /// Whether the user, or the file's name, says that it should be one.
        is_meant: bool,
        cause: SnapshotError,
    },
}

impl Source {
    fn uri(&self) -> &str {
        match self {
            Self::File(object) => &object.uri,
            Self::Collected(uri, _) => uri,
        }
    }

    /// When its newest file was last changed.
    fn changed_at(&self) -> Option<i64> {
        match self {
            Self::File(object) => object.last_modified,
            Self::Collected(_, files) => files.values().filter_map(|file| file.last_modified).max(),
        }
    }

    fn snapshot(&self, runtime: &Handle) -> Result<(Vec<u8>, Snapshot), Refusal> {
        match self {
            Self::File(object) => {
                let content = runtime.block_on(bytes(object))?;
                let has_snapshot_name = [".json", ".csv"].iter().any(|end| object.uri.ends_with(end));
                match snapshot::read(&content) {
                    Ok(snapshot) => Ok((content, snapshot)),
                    Err(cause) => Err(Refusal::NoSnapshot {
                        is_meant: object.is_named || has_snapshot_name && cause != SnapshotError::Unknown,
                        cause,
                    }),
                }
            }
            Self::Collected(_, files) => collected(files, runtime),
        }
    }
}

async fn bytes(object: &ObjectRef) -> Result<Vec<u8>, Refusal> {
    let unreadable = |cause: &dyn Display| Refusal::Unreadable(format!("cannot be read: {cause}"));
    if !object.is_remote() {
        return source::read(object).map_err(|cause| unreadable(&cause));
    }
    let fetched = source::fetch(object, source::LARGEST_FETCHED_BYTES)
        .await
        .map_err(|fault| unreadable(&fault))?;
    match fetched.content {
        Content::Whole(bytes) => Ok(bytes),
        Content::Stream(mut stream) => {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).map_err(|cause| unreadable(&cause))?;
            Ok(bytes)
        }
    }
}

/// Content and snapshot of a folder of `iam-collect`; a file that cannot be read spoils it as a whole.
fn collected(files: &BTreeMap<String, ObjectRef>, runtime: &Handle) -> Result<(Vec<u8>, Snapshot), Refusal> {
    let contents = stream::iter(files)
        .map(|(path, object)| async { Ok((path.as_str(), bytes(object).await?)) })
        .buffered(FILES_AT_A_TIME);
    let contents: Vec<(&str, Vec<u8>)> = runtime.block_on(contents.try_collect())?;
    let files: Vec<CollectedFile<'_>> = contents
        .iter()
        .map(|(path, bytes)| CollectedFile { path, bytes })
        .collect();
    let snapshot = snapshot::read_collected(&files);
    let texts = contents.iter().map(|(path, bytes)| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        ((*path).to_owned(), Value::String(text))
    });
    let content = Value::Object(texts.collect::<Map<_, _>>()).to_string();
    Ok((content.into_bytes(), snapshot))
}

/// Files that `iam-collect` wrote become one source per folder; its files about other services are left out.
fn grouped(objects: Vec<ObjectRef>) -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders: BTreeMap<String, BTreeMap<String, ObjectRef>> = BTreeMap::new();
    for object in objects {
        let place = snapshot::collected_place(&object.uri).map(|(folder, path)| (folder.to_owned(), path.to_owned()));
        match place {
            None => files.push(Source::File(object)),
            Some((folder, path)) => {
                let folder = folders.entry(folder).or_default();
                if snapshot::is_collected_iam(&path) {
                    folder.insert(path, object);
                }
            }
        }
    }
    files.sort_by_cached_key(|file| pages::numbered(file.uri()));
    let folders = folders.into_iter().map(|(uri, files)| Source::Collected(uri, files));
    files.into_iter().chain(folders).collect()
}

/// The sources that are new, each content once.
fn without_known(sources: &[ReadSource], mut known: BTreeSet<String>) -> Vec<&ReadSource> {
    sources
        .iter()
        .filter(|source| known.insert(source.id.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
