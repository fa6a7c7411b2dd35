//! Records of a text that is looked at window by window, because it is large or malformed: separated, parsed in groups where
//! they are good, and each alone where they are not.

use std::ops::Range;

use super::groups::GROUP_BYTES;
use super::groups::LARGEST_PARSE_BYTES;
use super::lines;
use super::parser::Parser;
use super::parser::Piece;
use super::run::Run;
use super::separate::Separator;
use super::separate::Step;
use super::separate::next_record_start;
use super::skipper::Skipper;

/// Where the windows of one text have come to.
#[derive(Debug)]
pub(crate) struct Windows {
    max_record_bytes: usize,
    separator: Separator,
    /// A value that an earlier window left open.
    open: Option<Skipper>,
}

/// Where to go on in a window.
enum Next {
    At(usize),
    /// With another window, from here on.
    Refill(usize),
}

impl Windows {
    /// Starts before the first window, which has so many bytes.
    pub(crate) fn new(max_record_bytes: usize, window_bytes: usize) -> Self {
        Self {
            max_record_bytes,
            separator: Separator::new(window_bytes),
            open: None,
        }
    }

    /// Goes on as inside a record array.
    pub(crate) fn resume_in_array(&mut self) {
        self.separator.resume_in_array();
    }

    /// Whether every bracket around the records is closed.
    pub(crate) fn are_closed(&self) -> bool {
        self.separator.is_closed()
    }

    /// Takes what is whole in the window; returns how many of its bytes are done with.
    pub(crate) fn take(&mut self, parser: &mut Parser, run: &mut Run<'_>, source: &[u8], is_last: bool) -> usize {
        let Some(mut position) = skip_open_value(&mut self.open, source) else {
            return source.len();
        };
        let mut group: Vec<Range<usize>> = Vec::new();
        // Up to here a group that held a broken record was separated: its records are taken one by one.
        let mut alone_until = 0;
        loop {
            let step = self.separator.next(source, &mut position, run.first_key());
            if let Step::Record(range) = &step {
                run.found_element(self.separator.is_in_named_array());
                group.push(range.clone());
                let is_small = group.first().is_some_and(|first| position - first.start < GROUP_BYTES);
                if is_small && position > alone_until {
                    continue;
                }
            }
            if let Some(restart) = take_group(parser, run, source, &group) {
                let extent = group_extent(&group);
                alone_until = alone_until.max(extent.end);
                self.separator.was_broken(extent.len());
                group.clear();
                position = restart;
                self.separator.resume_in_array();
                continue;
            }
            group.clear();
            match step {
                Step::Document(range) => {
                    let length = range.len();
                    if let Some(restart) = run.document_in_text(source, range) {
                        self.separator.was_broken(length);
                        position = restart;
                    }
                }
                Step::Stray(range) => run.document(source, range),
                Step::Incomplete(start) => match self.incomplete(run, source, start, is_last) {
                    Next::At(restart) => position = restart,
                    Next::Refill(done) => return done,
                },
                Step::Record(_) => {}
                Step::Exhausted => return source.len(),
            }
        }
    }

    /// Goes on behind a value that does not end in the window.
    fn incomplete(&mut self, run: &mut Run<'_>, source: &[u8], start: usize, is_last: bool) -> Next {
        let length = source.len() - start;
        if !is_last && length <= self.max_record_bytes {
            return Next::Refill(start);
        }
        let is_top_level = self.separator.is_closed();
        let end_of_document = if is_top_level {
            lines::document_end(source, start)
        } else {
            None
        };
        let reachable = end_of_document.and_then(|end| source.get(..end)).unwrap_or(source);
        let next_record = next_record_start(reachable, start + 1, run.first_key());
        if let Some(restart) = next_record.or(end_of_document) {
            run.reject(source, start..restart, "record is not closed");
            self.separator.was_broken(length);
            if next_record.is_some() {
                self.separator.resume_in_array();
            }
            return Next::At(restart);
        }
        let is_scalar = !matches!(source.get(start), Some(b'{' | b'[' | b'"'));
        if is_last && is_scalar {
            run.document(source, start..source.len());
            return Next::Refill(source.len());
        }
        if is_last {
            run.reject(source, start..source.len(), "object ends inside the record");
            return Next::Refill(source.len());
        }
        let rest = source.get(start..).unwrap_or_default();
        run.reject_large(rest, start..source.len());
        let has_newline = memchr::memchr(b'\n', rest).is_some();
        let mut open = if is_top_level && !has_newline {
            Skipper::of_line()
        } else {
            Skipper::default()
        };
        if open.skip(rest).is_none() {
            self.open = Some(open);
        }
        Next::Refill(source.len())
    }
}

/// Where the value that an earlier window left open ends; `None` when it goes on past this one.
fn skip_open_value(open: &mut Option<Skipper>, source: &[u8]) -> Option<usize> {
    let Some(skipper) = open else { return Some(0) };
    let end = skipper.skip(source)?;
    *open = None;
    Some(end)
}

/// From the start of the first record to the end of the last.
fn group_extent(group: &[Range<usize>]) -> Range<usize> {
    match (group.first(), group.last()) {
        (Some(first), Some(last)) => first.start..last.end,
        _ => 0..0,
    }
}

/// Takes separated records; returns where to go on when a bad one has swallowed the start of the next.
fn take_group(parser: &mut Parser, run: &mut Run<'_>, source: &[u8], group: &[Range<usize>]) -> Option<usize> {
    let extent = group_extent(group);
    // What the parser makes of a large record takes many times its size; the strict reader makes nothing of it.
    let is_small = extent.len() <= LARGEST_PARSE_BYTES;
    if extent.is_empty() || is_small && parser.parse(&Piece::elements(source, extent), run, Run::records) {
        return None;
    }
    group.iter().find_map(|range| run.single(source, range.clone()))
}
