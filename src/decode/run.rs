//! The books of one object while it is decoded: every record ends as a row or a reject.

use std::ops::Range;

use serde_json::value::RawValue;

use super::cuts::Cuts;
use super::document;
use super::document::Document;
use super::effort::looked_through;
use super::event_keys::is_no_call;
use super::fields::Draft;
use super::fields::Field;
use super::lines;
use super::object::Limits;
use super::outcome::MOST_REJECTS;
use super::outcome::ObjectKind;
use super::outcome::Outcome;
use super::outcome::Reject;
use super::rows::RowBuffer;
use super::scan::ValueKind;
use super::separate::is_after_record;
use super::separate::next_record_start;
use super::separate::value_end;
use super::tape::TapeCursor;

/// First member of the records that trails write.
const USUAL_FIRST_KEY: &[u8] = b"\"eventVersion\"";
/// Most bytes of rejected records that one object may leave in `rejects`.
const MAX_REJECTED_BYTES: usize = 64 << 20;

const NOT_A_RECORD: &str = "not a CloudTrail record";

/// One object's way into rows and rejects.
#[derive(Debug)]
pub(crate) struct Run<'r> {
    rows: &'r mut RowBuffer,
    object_key: String,
    object: u32,
    limits: Limits,
    outcome: Outcome,
    first_key: Option<Vec<u8>>,
    rejected_bytes: usize,
    rest: Option<Rest>,
    has_record_array: bool,
    digests: u64,
    aggregates: u64,
    /// Whether records stood inside of events of EventBridge or of what LookupEvents answers.
    has_envelopes: bool,
    /// Whether one of them is a management or data event.
    has_events: bool,
    first_category: Option<String>,
    /// Position of the window in the inflated object.
    pub(crate) window_offset: u64,
}

/// The rejected records behind those that are kept one by one.
#[derive(Debug)]
struct Rest {
    first: Reject,
    records: u64,
    /// Where the last of them ends in the inflated object.
    end: u64,
    are_other_records: bool,
    resembles_records: bool,
}

impl<'r> Run<'r> {
    pub(crate) fn new(object_key: &str, limits: Limits, rows: &'r mut RowBuffer) -> Self {
        let object = rows.begin_object(object_key);
        Self {
            rows,
            object_key: object_key.to_owned(),
            object,
            limits,
            outcome: Outcome::default(),
            first_key: None,
            rejected_bytes: 0,
            rest: None,
            has_record_array: false,
            digests: 0,
            aggregates: 0,
            has_envelopes: false,
            has_events: false,
            first_category: None,
            window_offset: 0,
        }
    }

    /// Quoted name of the first member of this object's records.
    pub(crate) fn first_key(&self) -> &[u8] {
        self.first_key.as_deref().unwrap_or(USUAL_FIRST_KEY)
    }

    /// Notes an element of an array, which is where records belong if the array has their name; others may be any text's.
    pub(crate) fn found_element(&mut self, in_named_array: bool) {
        self.has_record_array |= in_named_array;
    }

    /// Lets the owner of the rows empty them.
    pub(crate) fn spill<E>(&mut self, spill: &mut impl FnMut(&mut RowBuffer) -> Result<(), E>) -> Result<(), E> {
        let before = self.rows.rows();
        spill(self.rows)?;
        if self.rows.rows() < before {
            self.object = self.rows.begin_object(&self.object_key);
        }
        Ok(())
    }

    /// Notes what is wrong with the object as a whole; the first finding counts.
    pub(crate) fn fault(&mut self, fault: &str) {
        self.outcome.fault.get_or_insert_with(|| fault.to_owned());
    }

    /// Appends a text to that which is parsed; `base` is where it begins in the source.
    pub(crate) fn copy(&mut self, text: &[u8], base: usize, work: &mut Vec<u8>, cuts: &mut Cuts) {
        self.rows.copy(text, base, work, cuts);
    }

    /// Takes every element of the array ahead.
    pub(crate) fn records(&mut self, mut cursor: TapeCursor<'_>) {
        self.has_record_array = true;
        let elements = cursor.enter().unwrap_or_default();
        let mut draft = Draft::new();
        for _ in 0..elements {
            if cursor.kind() == Some(ValueKind::Object) {
                let Some(range) = cursor.record(&mut draft) else { return };
                let place = range.clone();
                self.take(&mut draft, || cursor.text(place.clone()), range);
            } else {
                let Some(range) = cursor.skip() else { return };
                self.push_reject(cursor.text(range.clone()).as_bytes(), range, NOT_A_RECORD.to_owned());
            }
            cursor.separator();
        }
    }

    /// Takes one separated record alone; returns where the next record starts when this one has swallowed it.
    pub(crate) fn single(&mut self, source: &[u8], range: Range<usize>) -> Option<usize> {
        let problem = self.read(source, range.clone()).err()?;
        if is_other_value(source.get(range.clone()).unwrap_or_default()) {
            self.reject(source, range, NOT_A_RECORD);
            return None;
        }
        // A missing quote or bracket moves the end of the record, so what seems to follow it may be its own middle.
        let end_is_sound = is_after_record(source, range.end);
        let search_end = if end_is_sound { range.end } else { source.len() };
        let reachable = source.get(range.start..search_end).unwrap_or_default();
        let next = next_record_start(reachable, 1, self.first_key()).map(|start| range.start + start);
        self.reject(source, range.start..next.unwrap_or(search_end), &problem);
        if end_is_sound { next } else { next.or(Some(search_end)) }
    }

    /// Takes one JSON object by the strict reader; fails, having done nothing, when it is malformed.
    fn read(&mut self, source: &[u8], range: Range<usize>) -> Result<(), String> {
        let bytes = source.get(range.clone()).unwrap_or_default();
        looked_through(bytes.len());
        let text =
            std::str::from_utf8(bytes).map_err(|error| format!("invalid UTF-8 at byte {}", error.valid_up_to()))?;
        let is_object = text.starts_with('{');
        if !is_object && memchr::memchr(b'{', bytes).is_none() {
            self.push_reject(bytes, range, NOT_A_RECORD.to_owned());
            return Ok(());
        }
        let mut draft = document::read_record(text).map_err(|error| error.to_string())?;
        self.take(&mut draft, || text, range);
        Ok(())
    }

    /// Takes a value that stands outside a record array.
    pub(crate) fn document(&mut self, source: &[u8], range: Range<usize>) {
        if let Err(problem) = self.read(source, range.clone()) {
            self.reject(source, range, &problem);
        }
    }

    /// Takes a value of a text of several, as JSON lines; returns where to go on when it is broken.
    pub(crate) fn document_in_text(&mut self, source: &[u8], range: Range<usize>) -> Option<usize> {
        let problem = self.read(source, range.clone()).err()?;
        let end = lines::end_of_broken(source, &range, self.first_key());
        self.reject(source, range.start..end, &problem);
        Some(end)
    }

    /// Books a record that cannot be stored.
    pub(crate) fn reject(&mut self, source: &[u8], range: Range<usize>, reason: &str) {
        let bytes = source.get(range.clone()).unwrap_or_default();
        self.push_reject(bytes, range, reason.to_owned());
    }

    /// Books a record that is larger than the limit.
    pub(crate) fn reject_large(&mut self, bytes: &[u8], range: Range<usize>) {
        let limit = self.limits.max_record_bytes;
        self.outcome.records_beyond = Some(u64::try_from(limit).unwrap_or(u64::MAX));
        let reason = format!("record is larger than {limit} bytes (`--max-record-bytes`)");
        self.push_reject(bytes, range, reason);
    }

    /// Closes the books.
    pub(crate) fn finish(mut self) -> Outcome {
        let category = self.first_category.as_deref();
        self.outcome.kind = match category {
            Some("Insight") if !self.has_events => ObjectKind::Insight,
            Some("NetworkActivity") if !self.has_events => ObjectKind::NetworkActivity,
            Some(_) if self.has_envelopes => ObjectKind::Excerpt,
            Some(_) => ObjectKind::Events,
            None if self.digests > 0 => ObjectKind::Digest,
            None if self.aggregates > 0 => ObjectKind::Aggregated,
            None if self.has_record_array && self.outcome.records == 0 => ObjectKind::Events,
            None => ObjectKind::Unknown,
        };
        let mut rejects = self.outcome.rejects.iter();
        let rest = self.rest.take();
        let resembles_records = rejects.clone().any(|reject| resembles_a_record(&reject.raw))
            || rest.as_ref().is_some_and(|rest| rest.resembles_records);
        let is_foreign = !self.has_record_array && !resembles_records;
        // An array of other things, well-formed throughout, is no damaged log either.
        let holds_other_records = rejects.all(|reject| reject.reason == NOT_A_RECORD)
            && rest.as_ref().is_none_or(|rest| rest.are_other_records);
        if self.outcome.kind == ObjectKind::Unknown && (is_foreign || holds_other_records) {
            self.outcome.records = 0;
            self.outcome.rejected = 0;
            self.outcome.rejects.clear();
            self.outcome.records_beyond = None;
            self.fault("holds no CloudTrail records; leave it out");
        } else {
            self.outcome.rejects.extend(rest.map(Rest::into_reject));
        }
        self.outcome
    }

    /// Takes one object; `text` gives its text when it is needed.
    fn take<'t>(&mut self, draft: &mut Draft<'_>, text: impl Fn() -> &'t str, range: Range<usize>) {
        if range.len() > self.limits.max_record_bytes {
            self.reject_large(text().as_bytes(), range);
        } else if document::is_record(draft) {
            self.push(draft, text, range);
        } else {
            self.take_other(text(), range);
        }
    }

    /// Takes an object that is not a plain record.
    fn take_other(&mut self, text: &str, range: Range<usize>) {
        match document::classify(text) {
            Ok(Document::Digest) => self.digests += 1,
            Ok(Document::Aggregated) => self.aggregates += 1,
            Ok(Document::Envelope(record)) => match document::read_record(&record) {
                Ok(mut draft) if document::is_record(&draft) => {
                    self.has_envelopes = true;
                    self.push(&mut draft, || record.as_ref(), range);
                }
                Ok(_) => self.push_reject(text.as_bytes(), range, NOT_A_RECORD.to_owned()),
                Err(error) => self.push_reject(text.as_bytes(), range, format!("record inside its envelope: {error}")),
            },
            Ok(Document::Unknown) => self.push_reject(text.as_bytes(), range, NOT_A_RECORD.to_owned()),
            Err(error) => self.push_reject(text.as_bytes(), range, error.to_string()),
        }
    }

    fn push<'t>(&mut self, draft: &mut Draft<'_>, text: impl Fn() -> &'t str, range: Range<usize>) {
        if self.first_key.is_none() {
            self.first_key = first_key(text());
        }
        if !self.has_events {
            let category = category(draft);
            self.has_events = !is_no_call(category);
            self.first_category.get_or_insert_with(|| category.to_owned());
        }
        let index = i64::try_from(self.outcome.records).unwrap_or(i64::MAX);
        match self.rows.push(self.object, index, draft, &text) {
            Ok(()) => {
                self.outcome.records += 1;
                self.outcome.rows += 1;
                let has_id = self.rows.event_keys().last().is_some_and(Option::is_some);
                self.outcome.without_id += u64::from(!has_id);
                match self.rows.times().last() {
                    Some(Some(time)) => {
                        let (first, last) = self.outcome.event_times.unwrap_or((*time, *time));
                        self.outcome.event_times = Some((first.min(*time), last.max(*time)));
                    }
                    _ => self.outcome.without_time += 1,
                }
            }
            Err(error) => self.push_reject(text().as_bytes(), range, error.to_string()),
        }
    }

    fn push_reject(&mut self, bytes: &[u8], range: Range<usize>, reason: String) {
        let record_index = i64::try_from(self.outcome.records).unwrap_or(i64::MAX);
        let byte_offset = self.window_offset + range.start as u64;
        let byte_length = range.len() as u64;
        self.outcome.records += 1;
        self.outcome.rejected += 1;
        if self.outcome.rejects.len() >= MOST_REJECTS {
            let is_other_record = reason == NOT_A_RECORD;
            let rest = self.rest.get_or_insert_with(|| Rest {
                first: Reject {
                    record_index,
                    byte_offset,
                    byte_length,
                    reason,
                    raw: Vec::new(),
                },
                records: 0,
                end: byte_offset,
                are_other_records: true,
                resembles_records: false,
            });
            rest.records += 1;
            rest.end = byte_offset + byte_length;
            rest.are_other_records &= is_other_record;
            rest.resembles_records |= resembles_a_record(bytes);
            return;
        }
        let room = MAX_REJECTED_BYTES
            .saturating_sub(self.rejected_bytes)
            .min(self.limits.max_record_bytes);
        let raw = bytes.get(..room.min(bytes.len())).unwrap_or_default().to_vec();
        self.rejected_bytes += raw.len();
        self.outcome.rejects.push(Reject {
            record_index,
            byte_offset,
            byte_length,
            reason,
            raw,
        });
    }
}

impl Rest {
    fn into_reject(self) -> Reject {
        let Self {
            first, records, end, ..
        } = self;
        Reject {
            byte_length: end - first.byte_offset,
            reason: format!(
                "{records} records from here on cannot be stored, the first: {}",
                first.reason
            ),
            ..first
        }
    }
}

/// Whether it is a whole value, but no object.
fn is_other_value(text: &[u8]) -> bool {
    !text.starts_with(b"{") && serde_json::from_slice::<&RawValue>(text).is_ok()
}

/// Whether a rejected value may once have been a record.
fn resembles_a_record(raw: &[u8]) -> bool {
    ["\"eventName\"", "\"eventVersion\""]
        .iter()
        .any(|name| memchr::memmem::find(raw, name.as_bytes()).is_some())
}

/// Category of a record; before `eventCategory` existed (eventVersion 1.06 and older) there were only API events, as those of
/// Insights came with it
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).
fn category<'a>(draft: &'a Draft<'_>) -> &'a str {
    draft.content(Field::EventCategory).unwrap_or("Management")
}

/// Quoted name of an object's first member.
fn first_key(record: &str) -> Option<Vec<u8>> {
    let start = record.find('"')?;
    let end = value_end(record.as_bytes(), start)?;
    record.as_bytes().get(start..end).map(<[u8]>::to_vec)
}
