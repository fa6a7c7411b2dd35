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
/// The service of buckets unless another endpoint is named: there, every name is that of one bucket
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
pub(super) const AWS: &str = "aws";

/// For so long what was gone when a run came to it is looked for by each run: a deletion may be undone, a replica may lag.
const LOOKED_FOR_DAYS: i64 = 30;
const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

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
    /// Whether it was gone when it was to be read.
    pub is_vanished: bool,
    /// First day from which on the listing was whole.
    pub listed_from: Option<Date>,
    /// The service that was asked: `aws`, or the URL of another one; unknown in rows of earlier versions.
    pub endpoint: Option<&'a str>,
}

/// Which days need not be listed again, and which objects must be tried again.
///
/// An object with `listed_from` proves that everything of its account, kind and region has been dealt with from that day up
/// to its own, because objects are committed in the order of their days. It proves nothing of the days behind that on which it
/// was read: their logs were not there yet, whatever day a key names. And it proves nothing of the bucket with the same name of
/// another service: a mirror, or one to try things with.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// By service and region folder: last day by first day.
    listed: HashMap<String, HashMap<String, BTreeMap<Date, Date>>>,
    /// By URI, once for each service that was asked.
    pending: BTreeMap<String, Vec<Pending>>,
    /// When the last row was written.
    last_at: i64,
}

/// An object to try again, or to look for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) last_modified: Option<i64>,
    /// When it was asked for the last time.
    pub(super) tried_at: i64,
    is_vanished: bool,
    /// The service, where it is known.
    endpoint: Option<String>,
}

impl Pending {
    /// Whether this is what is to be done about an object of which another row says something else. Clocks of runs that went on
    /// side by side say less than that of the bucket.
    fn replaces(&self, other: &Self) -> bool {
        is_newer(
            (self.last_modified, self.tried_at),
            (other.last_modified, other.tried_at),
        )
    }

    /// Whether what was read makes it needless to try again: the version that waits, or one that came after it.
    fn is_settled_by(&self, read: &LedgerObject<'_>) -> bool {
        let is_version = !self.etag.is_empty() && self.etag == read.etag;
        let waits = (self.last_modified, self.tried_at);
        is_version || !is_newer(waits, (read.last_modified, read.ingested_at))
    }
}

/// Whether the first of two versions is the newer one: by when they were written, else by when they were asked for.
fn is_newer(one: (Option<i64>, i64), other: (Option<i64>, i64)) -> bool {
    match (one.0, other.0) {
        (Some(written), Some(other)) if written != other => written > other,
        _ => one.1 > other.1,
    }
}

impl History {
    /// Takes in one row of the ledger.
    pub fn add(&mut self, object: &LedgerObject<'_>) {
        if let Some((folder, day)) = region_folder(object.uri)
            && let Some(first) = object.listed_from
        {
            let proven = day.min(day_of(object.ingested_at));
            // What earlier versions wrote is taken for a listing of AWS's own service, by far the most frequent.
            let folders = named(&mut self.listed, object.endpoint.unwrap_or(AWS));
            if let Some(spans) = folders.and_then(|folders| named(folders, folder)) {
                let last = spans.entry(first).or_insert(proven);
                *last = proven.max(*last);
            }
        }
        self.last_at = self.last_at.max(object.ingested_at);
        if (object.is_retried || object.is_vanished) && object.uri.starts_with("s3://") {
            let pending = Pending {
                etag: object.etag.to_owned(),
                size: object.size,
                last_modified: object.last_modified,
                tried_at: object.ingested_at,
                is_vanished: object.is_vanished,
                endpoint: object.endpoint.map(str::to_owned),
            };
            let known = self.pending.entry(object.uri.to_owned()).or_default();
            match known.iter_mut().find(|known| known.endpoint == pending.endpoint) {
                Some(known) if pending.replaces(known) => *known = pending,
                Some(_) => {}
                None => known.push(pending),
            }
        }
    }

    /// Whether objects wait to be tried again, so that [`History::settle`] must see the rows.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes in one row a second time, after all rows were added: what was read since need not be tried again.
    pub fn settle(&mut self, object: &LedgerObject<'_>) {
        if object.is_retried || object.is_vanished {
            return;
        }
        let Some(pending) = self.pending.get_mut(object.uri) else {
            return;
        };
        pending.retain(|pending| {
            let is_same = pending.endpoint.is_none() || pending.endpoint.as_deref() == object.endpoint;
            !is_same || !pending.is_settled_by(object)
        });
        if pending.is_empty() {
            self.pending.remove(object.uri);
        }
    }

    /// The day from which on a region folder of a service must be listed, so that nothing from `first` on is missed.
    ///
    /// That is `first`, unless the days from there on have been listed: then `look_back` days before the last of them.
    pub(super) fn resume(&self, (endpoint, folder): (&str, &str), first: Date, look_back: u16) -> Date {
        let folders = self.listed.get(endpoint);
        let Some(spans) = folders.and_then(|folders| folders.get(folder)) else {
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

    /// Objects below a URI of a service that must be tried again, also those of which it is not known who was asked.
    pub(super) fn pending_below(&self, place: (&str, &str)) -> impl Iterator<Item = (&String, &Pending)> {
        self.waiting_below(place).filter(|(_, pending)| !pending.is_vanished)
    }

    /// Objects that were gone not long before the last run; not keys that somebody named, and that never were there.
    pub(super) fn gone_below(&self, place: (&str, &str)) -> impl Iterator<Item = (&String, &Pending)> {
        let since = self.last_at - LOOKED_FOR_DAYS * MICROSECONDS_A_DAY;
        let is_recent = move |pending: &Pending| pending.tried_at >= since && !pending.etag.is_empty();
        self.waiting_below(place)
            .filter(move |(_, pending)| pending.is_vanished && is_recent(pending))
    }

    fn waiting_below(&self, (endpoint, uri): (&str, &str)) -> impl Iterator<Item = (&String, &Pending)> {
        let below = self.pending.range(uri.to_owned()..);
        let below = below.take_while(move |(pending, _)| pending.starts_with(uri));
        below.filter_map(move |(uri, pending)| {
            let asked = |pending: &&Pending| pending.endpoint.as_deref().is_none_or(|asked| asked == endpoint);
            let newest = pending
                .iter()
                .filter(asked)
                .reduce(|newest, pending| if pending.replaces(newest) { pending } else { newest });
            newest.map(|pending| (uri, pending))
        })
    }
}

/// The value of a name, which is made and copied the first time only: there may be millions of rows of few names.
fn named<'m, V: Default>(values: &'m mut HashMap<String, V>, name: &str) -> Option<&'m mut V> {
    if !values.contains_key(name) {
        values.insert(name.to_owned(), V::default());
    }
    values.get_mut(name)
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
            is_vanished: false,
            listed_from,
            endpoint: Some(AWS),
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
        assert_eq!(whole.resume((AWS, FOLDER), FIRST_DAY, 0), september(10));
        assert_eq!(whole.resume((AWS, FOLDER), FIRST_DAY, 3), september(7));
        assert_eq!(whole.resume((AWS, FOLDER), september(9), 3), september(9));
        assert_eq!(whole.resume((AWS, FOLDER), september(20), 3), september(20));
        assert_eq!(whole.resume((AWS, "s3://b/other/"), FIRST_DAY, 0), FIRST_DAY);
    }

    #[test]
    fn narrow_window_of_an_earlier_run_hides_nothing_before_it() {
        let narrow = with_spans(&[(september(5), 10)]);
        assert_eq!(narrow.resume((AWS, FOLDER), FIRST_DAY, 0), FIRST_DAY);
        assert_eq!(narrow.resume((AWS, FOLDER), september(6), 0), september(10));
    }

    #[test]
    fn key_of_a_day_to_come_proves_nothing_behind_the_day_on_which_it_was_read() {
        let mut history = with_spans(&[(FIRST_DAY, 10)]);
        let stray = format!("{FOLDER}2099/01/01/x");
        history.add(&object(&stray, Some(FIRST_DAY), false, OCTOBER));
        assert_eq!(history.resume((AWS, FOLDER), FIRST_DAY, 0), date(2026, 10, 1));
        assert_eq!(history.resume((AWS, FOLDER), FIRST_DAY, 30), september(1));
    }

    #[test]
    fn spans_join_only_where_they_meet() {
        let joined = with_spans(&[(FIRST_DAY, 5), (september(5), 9)]);
        assert_eq!(joined.resume((AWS, FOLDER), FIRST_DAY, 0), september(9));
        let apart = with_spans(&[(FIRST_DAY, 5), (september(6), 9)]);
        assert_eq!(apart.resume((AWS, FOLDER), FIRST_DAY, 0), september(5));
    }

    #[test]
    fn bucket_of_the_same_name_of_another_service_is_listed_from_its_own_beginning() {
        let mut history = with_spans(&[(FIRST_DAY, 10)]);
        let mirror = "http://mirror:9000";
        assert_eq!(history.resume((mirror, FOLDER), FIRST_DAY, 0), FIRST_DAY);
        let uri = format!("{FOLDER}2026/09/04/x.json.gz");
        history.add(&LedgerObject {
            endpoint: Some(mirror),
            ..object(&uri, Some(FIRST_DAY), true, OCTOBER)
        });
        assert_eq!(history.resume((mirror, FOLDER), FIRST_DAY, 0), september(4));
        assert_eq!(history.resume((AWS, FOLDER), FIRST_DAY, 0), september(10));
        let waiting = |history: &History, endpoint| history.pending_below((endpoint, "s3://b/")).count();
        assert_eq!((waiting(&history, mirror), waiting(&history, AWS)), (1, 0));
        history.settle(&object(&uri, None, false, OCTOBER + 1));
        assert_eq!(waiting(&history, mirror), 1);
    }

    #[test]
    fn rows_of_earlier_versions_are_proofs_for_aws_and_are_tried_again_anywhere() {
        let mut history = History::default();
        let uri = format!("{FOLDER}2026/09/04/x.json.gz");
        let old = LedgerObject {
            endpoint: None,
            ..object(&uri, Some(FIRST_DAY), true, 5)
        };
        history.add(&old);
        let other = "http://other:9000";
        assert_eq!(history.resume((other, FOLDER), FIRST_DAY, 0), FIRST_DAY);
        assert_eq!(history.pending_below((other, "s3://b/")).count(), 1);
        assert_eq!(history.pending_below((AWS, "s3://b/")).count(), 1);
        history.settle(&LedgerObject {
            endpoint: Some(other),
            ..object(&uri, None, false, 6)
        });
        assert!(!history.has_pending());
    }

    #[test]
    fn object_is_tried_again_until_it_was_read_later() {
        let mut history = History::default();
        history.add(&object("s3://b/x", None, true, 5));
        let other_version = LedgerObject {
            etag: "of another version",
            ..object("s3://b/x", None, false, 4)
        };
        history.settle(&other_version);
        assert_eq!(history.pending_below((AWS, "s3://b/")).count(), 1);
        assert_eq!(history.pending_below((AWS, "s3://c/")).count(), 0);
        history.settle(&object("s3://b/x", None, false, 6));
        assert!(!history.has_pending());
    }

    #[test]
    fn older_version_does_not_settle_a_newer_one_whatever_the_clocks_say() {
        let uri = format!("{FOLDER}2026/09/01/x.json.gz");
        let version = |etag: &'static str, written: i64, is_retried: bool, at: i64| LedgerObject {
            etag,
            last_modified: Some(written),
            ..object(&uri, None, is_retried, at)
        };
        let waits = |waiting: LedgerObject<'_>, read: LedgerObject<'_>| {
            let mut history = History::default();
            history.add(&read);
            history.add(&waiting);
            history.settle(&read);
            history.pending_below((AWS, FOLDER)).count() == 1
        };
        let failed = version("new", 20, true, 1_000);
        assert!(waits(failed, version("old", 10, false, 2_000)));
        assert!(!waits(failed, version("new", 20, false, 500)));
        assert!(!waits(failed, version("newer", 30, false, 500)));
        // Of one second, the order in which they were asked for tells.
        assert!(waits(failed, version("other", 20, false, 500)));
        assert!(!waits(failed, version("other", 20, false, 2_000)));
    }

    #[test]
    fn what_was_gone_is_looked_for_for_a_while_unless_it_was_read() {
        let uri = format!("{FOLDER}2026/09/01/x.json.gz");
        let gone = |at: i64| LedgerObject {
            is_vanished: true,
            ..object(&uri, None, false, at)
        };
        let looked_for = |rows: &[LedgerObject<'_>]| {
            let mut history = History::default();
            rows.iter().for_each(|row| history.add(row));
            rows.iter().for_each(|row| history.settle(row));
            assert_eq!(history.pending_below((AWS, FOLDER)).count(), 0);
            history.gone_below((AWS, FOLDER)).count() == 1
        };
        assert!(looked_for(&[gone(OCTOBER)]));
        assert!(looked_for(&[object(&uri, None, true, OCTOBER - 1), gone(OCTOBER)]));
        assert!(!looked_for(&[gone(OCTOBER), object(&uri, None, false, OCTOBER + 1)]));
        // A key that somebody named, that could not be read and then was gone.
        let named = |is_retried: bool, at: i64| LedgerObject {
            etag: "",
            is_vanished: !is_retried,
            ..object(&uri, None, is_retried, at)
        };
        for rows in [
            [named(true, OCTOBER), named(false, OCTOBER + 1)],
            [named(false, OCTOBER + 1), named(true, OCTOBER)],
        ] {
            assert!(!looked_for(&rows));
        }
        let other = format!("{FOLDER}2026/09/02/x.json.gz");
        let later = |days: i64| object(&other, None, false, OCTOBER + days * MICROSECONDS_A_DAY);
        assert!(looked_for(&[gone(OCTOBER), later(30)]));
        assert!(!looked_for(&[gone(OCTOBER), later(31)]));
    }
}
