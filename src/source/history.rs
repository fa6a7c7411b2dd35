//! What earlier runs have done, as far as it shortens the listing.

use std::collections::BTreeMap;
use std::collections::HashMap;

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::s3::region_folder;

/// Before the first log of all: where an unbounded listing starts.
pub(super) const FIRST_DAY: Date = date(1970, 1, 1);

/// What the ledger says of one object.
#[derive(Debug, Clone, Copy)]
pub struct LedgerObject<'a> {
    /// URI.
    pub uri: &'a str,
    /// Version of the content.
    pub etag: &'a str,
    /// Size in bytes.
    pub size: u64,
    /// When the object was written.
    pub last_modified: Option<i64>,
    /// When it was read.
    pub ingested_at: i64,
    /// Whether it is to be tried again.
    pub is_retried: bool,
    /// First day from which on the listing was whole.
    pub listed_from: Option<Date>,
}

/// Which days need not be listed again, and which objects must be tried again.
///
/// An object with `listed_from` proves that everything of its account, kind and region has been dealt with from that day up
/// to its own, because objects are committed in the order of their days. It proves nothing of the days behind that on which it
/// was read: their logs were not there yet, whatever day a key names.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// By region folder: last day by first day.
    listed: HashMap<String, BTreeMap<Date, Date>>,
    pending: BTreeMap<String, Pending>,
}

/// An object to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) last_modified: Option<i64>,
    tried_at: i64,
}

impl History {
    /// Takes in one row of the ledger.
    pub fn add(&mut self, object: &LedgerObject<'_>) {
        if let Some((folder, day)) = region_folder(object.uri)
            && let Some(first) = object.listed_from
        {
            if !self.listed.contains_key(folder) {
                self.listed.insert(folder.to_owned(), BTreeMap::new());
            }
            if let Some(spans) = self.listed.get_mut(folder) {
                let proven = day.min(day_of(object.ingested_at));
                let last = spans.entry(first).or_insert(proven);
                *last = proven.max(*last);
            }
        }
        if object.is_retried && object.uri.starts_with("s3://") {
            let pending = Pending {
                etag: object.etag.to_owned(),
                size: object.size,
                last_modified: object.last_modified,
                tried_at: object.ingested_at,
            };
            let known = self
                .pending
                .entry(object.uri.to_owned())
                .or_insert_with(|| pending.clone());
            if known.tried_at < pending.tried_at {
                *known = pending;
            }
        }
    }

    /// Whether objects wait to be tried again, so that [`History::settle`] must see the rows.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes in one row a second time, after all rows were added: what was read since need not be tried again.
    pub fn settle(&mut self, object: &LedgerObject<'_>) {
        let is_settled = !object.is_retried
            && self
                .pending
                .get(object.uri)
                .is_some_and(|pending| pending.tried_at <= object.ingested_at);
        if is_settled {
            self.pending.remove(object.uri);
        }
    }

    /// The day from which on a region folder must be listed, so that nothing from `first` on is missed.
    ///
    /// That is `first`, unless the days from there on have been listed: then `look_back` days before the last of them.
    pub(super) fn resume(&self, folder: &str, first: Date, look_back: u16) -> Date {
        let Some(spans) = self.listed.get(folder) else {
            return first;
        };
        let mut reached = first;
        // Spans come in the order of their first days, so one pass joins them.
        for (start, last) in spans {
            if *start <= reached {
                reached = reached.max(*last);
            }
        }
        let back = reached.checked_sub(i32::from(look_back).days()).unwrap_or(first);
        first.max(back)
    }

    /// Objects below a URI that must be tried again.
    pub(super) fn pending_below(&self, uri: &str) -> impl Iterator<Item = (&String, &Pending)> {
        self.pending
            .range(uri.to_owned()..)
            .take_while(move |(pending, _)| pending.starts_with(uri))
    }
}

/// The UTC day of a moment in microseconds; the first of all for one that is none.
fn day_of(moment: i64) -> Date {
    let time = Timestamp::from_microsecond(moment);
    time.map_or(FIRST_DAY, |time| time.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-10-01T00:00:00Z
    const OCTOBER: i64 = 1_790_812_800_000_000;
    const FOLDER: &str = "s3://b/AWSLogs/111122223333/CloudTrail/eu-west-1/";

    fn object(uri: &str, listed_from: Option<Date>, is_retried: bool, ingested_at: i64) -> LedgerObject<'_> {
        LedgerObject {
            uri,
            etag: "e",
            size: 1,
            last_modified: None,
            ingested_at,
            is_retried,
            listed_from,
        }
    }

    fn with_spans(spans: &[(Date, u8)]) -> History {
        let mut history = History::default();
        for (first, last) in spans {
            let uri = format!("{FOLDER}2026/09/{last:02}/x.json.gz");
            history.add(&object(&uri, Some(*first), false, OCTOBER));
        }
        history
    }

    fn september(day: i8) -> Date {
        date(2026, 9, day)
    }

    #[test]
    fn listing_resumes_behind_what_was_listed_without_a_gap() {
        let whole = with_spans(&[(FIRST_DAY, 10)]);
        assert_eq!(whole.resume(FOLDER, FIRST_DAY, 0), september(10));
        assert_eq!(whole.resume(FOLDER, FIRST_DAY, 3), september(7));
        assert_eq!(whole.resume(FOLDER, september(9), 3), september(9));
        assert_eq!(whole.resume(FOLDER, september(20), 3), september(20));
        assert_eq!(whole.resume("s3://b/other/", FIRST_DAY, 0), FIRST_DAY);
    }

    #[test]
    fn narrow_window_of_an_earlier_run_hides_nothing_before_it() {
        let narrow = with_spans(&[(september(5), 10)]);
        assert_eq!(narrow.resume(FOLDER, FIRST_DAY, 0), FIRST_DAY);
        assert_eq!(narrow.resume(FOLDER, september(6), 0), september(10));
    }

    #[test]
    fn key_of_a_day_to_come_proves_nothing_behind_the_day_on_which_it_was_read() {
        let mut history = with_spans(&[(FIRST_DAY, 10)]);
        let stray = format!("{FOLDER}2099/01/01/x");
        history.add(&object(&stray, Some(FIRST_DAY), false, OCTOBER));
        assert_eq!(history.resume(FOLDER, FIRST_DAY, 0), date(2026, 10, 1));
        assert_eq!(history.resume(FOLDER, FIRST_DAY, 30), september(1));
    }

    #[test]
    fn spans_join_only_where_they_meet() {
        let joined = with_spans(&[(FIRST_DAY, 5), (september(5), 9)]);
        assert_eq!(joined.resume(FOLDER, FIRST_DAY, 0), september(9));
        let apart = with_spans(&[(FIRST_DAY, 5), (september(6), 9)]);
        assert_eq!(apart.resume(FOLDER, FIRST_DAY, 0), september(5));
    }

    #[test]
    fn object_is_tried_again_until_it_was_read_later() {
        let mut history = History::default();
        history.add(&object("s3://b/x", None, true, 5));
        history.settle(&object("s3://b/x", None, false, 4));
        assert_eq!(history.pending_below("s3://b/").count(), 1);
        assert_eq!(history.pending_below("s3://c/").count(), 0);
        history.settle(&object("s3://b/x", None, false, 6));
        assert!(!history.has_pending());
    }
}
