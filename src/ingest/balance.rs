//! The account of a run.

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::tz::TimeZone;

use crate::decode::ObjectKind;
use crate::source::ObjectRef;

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectState {
    /// Every record is stored or a duplicate.
    Ingested,
    /// Some records are stored; others were rejected, or the object breaks off.
    Partial,
    /// CloudTrail wrote it, but it holds no events of its own: digests and aggregates.
    NotEvents,
    /// Nothing in it could be read.
    Corrupt,
    /// Limits of the run left out all of it; a run with larger ones tries again, as with those that are partial for that reason.
    Limited,
    /// Nothing that CloudTrail writes.
    Unknown,
    /// Its bytes could not be had, or stopped coming; the next run tries again.
    Unreadable,
    /// It was gone before it could be read; it is read if it is ever listed again.
    Vanished,
}

impl ObjectState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Ingested,
        Self::Partial,
        Self::NotEvents,
        Self::Corrupt,
        Self::Limited,
        Self::Unknown,
        Self::Unreadable,
        Self::Vanished,
    ];

    /// Value of the column `objects.state`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingested => "ingested",
            Self::Partial => "partial",
            Self::NotEvents => "not-events",
            Self::Corrupt => "corrupt",
            Self::Limited => "limited",
            Self::Unknown => "unknown",
            Self::Unreadable => crate::store::RETRIED_STATE,
            Self::Vanished => crate::store::VANISHED_STATE,
        }
    }

    /// Whether the object counts as rejected, not ingested.
    pub fn is_rejected(self) -> bool {
        match self {
            Self::Ingested | Self::Partial | Self::NotEvents => false,
            Self::Corrupt | Self::Limited | Self::Unknown | Self::Unreadable | Self::Vanished => true,
        }
    }
}

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// URI of the object.
    pub object_key: String,
    /// What became of it.
    pub state: ObjectState,
    /// Why.
    pub reason: String,
}

/// The account of a run: `listed = ingested + known + rejected` for objects, and
/// `records = stored + duplicates + rejected_records` for what they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balance {
    /// Objects within the selection.
    pub listed: u64,
    /// Objects outside the selection, which were not looked at.
    pub outside_selection: u64,
    /// Objects within the selection that are left to other workers, and not counted as listed.
    pub other_shards: u64,
    /// Objects that an earlier run has dealt with.
    pub known: u64,
    /// Objects dealt with, by kind in the order of [`Balance::KINDS`].
    pub ingested_by_kind: [u64; 5],
    /// Objects dealt with, by state in the order of [`ObjectState::ALL`].
    pub by_state: [u64; 8],
    /// Objects of which nothing could be taken.
    pub rejected: u64,
    /// Ingested objects with rejected records, or that are damaged.
    pub partial: u64,
    /// Rejected objects that lie in a folder under a name that CloudTrail never gives.
    pub foreign: u64,
    /// Bytes read, as stored; none of objects of which no byte was had.
    pub bytes: u64,
    /// Bytes after inflating.
    pub inflated_bytes: u64,
    /// Records found.
    pub records: u64,
    /// Records stored as rows.
    pub stored: u64,
    /// Records that the store, or this run, had already.
    pub duplicates: u64,
    /// Records that could not be stored.
    pub rejected_records: u64,
    /// Stored records without a readable `eventTime`.
    pub without_time: u64,
    /// What a person should look at, in reading order, without foreign files; at most [`Balance::MAX_PROBLEMS`] are kept.
    pub problems: Vec<Problem>,
    /// Problems beyond those kept.
    pub more_problems: u64,
    /// Paths that could not be listed, or of which not all was asked for, and why.
    pub unlisted: Vec<(String, String)>,
    /// Objects left because the run was asked to stop, or because the bucket does not answer any more.
    pub left_over: u64,
    /// Folders beside the logs that belong to other services, and were not listed.
    pub passed_over: Vec<String>,
    /// Listed objects whose names say a day that is still to come.
    pub of_days_to_come: u64,
    /// URI of the first of them.
    pub first_of_days_to_come: Option<String>,
    /// Why the run ended before everything was listed and read.
    pub outage: Option<String>,
    /// Why small files stay as they are at the end of a run that was to rewrite them; the events are stored.
    pub uncompacted: Option<String>,
    /// Commits made.
    pub commits: u64,
    /// Attempts to commit that another writer was before.
    pub conflicts: u64,
    /// Data files of events that were committed.
    pub written_files: u64,
    /// Bytes of these files.
    pub written_bytes: u64,
}

impl Balance {
    /// Counts a commit with these data files of events.
    pub(super) fn add_commit(&mut self, files: u64, bytes: u64) {
        self.commits += 1;
        self.written_files += files;
        self.written_bytes += bytes;
    }

    /// Kinds of ingested objects.
    pub const KINDS: [ObjectKind; 5] = [
        ObjectKind::Events,
        ObjectKind::Insight,
        ObjectKind::NetworkActivity,
        ObjectKind::Digest,
        ObjectKind::Aggregated,
    ];
    /// Most problems that are kept one by one.
    pub const MAX_PROBLEMS: usize = 100;

    /// Objects dealt with.
    pub fn ingested(&self) -> u64 {
        self.ingested_by_kind.iter().sum()
    }

    /// Whether the run saw everything that it was pointed at.
    ///
    /// Foreign files that merely lie in a folder do not make a run incomplete.
    pub fn is_complete(&self) -> bool {
        let is_all_read = self.rejected == self.foreign && self.partial == 0;
        is_all_read && self.unlisted.is_empty() && self.left_over == 0 && self.outage.is_none()
    }

    /// Ends the account of a run whose store does not answer since it was asked to stop: what is not dealt with is left over.
    pub fn give_up(&mut self) {
        let dealt_with = self.ingested() + self.known + self.rejected;
        self.left_over = self.listed.saturating_sub(dealt_with);
        self.outage = Some(
            "the store gives no answer since the signal; the next run finds out whether the last batch was committed"
                .to_owned(),
        );
    }

    /// Adds what was listed, of which nothing is dealt with yet.
    pub(super) fn add_listing(&mut self, part: Self) {
        self.listed += part.listed;
        self.outside_selection += part.outside_selection;
        self.other_shards += part.other_shards;
        self.unlisted.extend(part.unlisted);
        self.passed_over.extend(part.passed_over);
    }

    /// Counts objects of days behind the moment of the run, of which a clock that is a little off explains one.
    pub(super) fn note_days_to_come(&mut self, objects: &[ObjectRef], now: i64) {
        let Ok(now) = Timestamp::from_microsecond(now) else {
            return;
        };
        let last = now.to_zoned(TimeZone::UTC).date().saturating_add(1.day());
        let is_to_come = |object: &&ObjectRef| object.key.as_ref().is_some_and(|key| key.day > last);
        let mut to_come = objects.iter().filter(is_to_come);
        if let Some(first) = to_come.next() {
            self.of_days_to_come += 1 + to_come.count() as u64;
            self.first_of_days_to_come.get_or_insert_with(|| first.uri.to_string());
        }
    }

    pub(super) fn add_problem(&mut self, problem: Problem) {
        if self.problems.len() < Self::MAX_PROBLEMS {
            self.problems.push(problem);
        } else {
            self.more_problems += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_that_gives_up_leaves_over_what_is_not_dealt_with() {
        let mut balance = Balance {
            listed: 9,
            ingested_by_kind: [2, 0, 0, 1, 0],
            known: 1,
            rejected: 1,
            ..Balance::default()
        };
        balance.give_up();
        assert_eq!(balance.left_over, 4);
        assert!(!balance.is_complete() && balance.outage.is_some());
    }
}
