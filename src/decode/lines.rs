//! Values outside a record array, as in JSON lines: where a broken one ends.
//!
//! A string holds no raw newline, so a value that is written in one line and cannot be read ends with its line, whatever its
//! quotes and brackets say. Documents that are written over many lines begin with a line that holds nothing but `{`, and end
//! before the next such line at the latest.

use std::ops::Range;

use serde_json::value::RawValue;

use super::effort::looked_through;
use super::scan::is_whitespace;
use super::separate::next_record_start;
use super::separate::value_end;

/// Where a broken document that starts at `start` ends at the latest: with its line, or before the next line that begins with
/// `{` where its own holds nothing else. `None` when that is not in the window.
pub(crate) fn document_end(window: &[u8], start: usize) -> Option<usize> {
    let rest = window.get(start..)?;
    let length = document_length(rest);
    looked_through(length.unwrap_or(rest.len()));
    Some(start + length?)
}

fn document_length(rest: &[u8]) -> Option<usize> {
    let newline = memchr::memchr(b'\n', rest)?;
    if rest.get(..newline)?.trim_ascii() == b"{" {
        Some(newline + memchr::memmem::find(rest.get(newline..)?, b"\n{")? + 1)
    } else {
        Some(newline)
    }
}

/// Where to go on behind a document that cannot be read, though its brackets close at the end of `range`.
pub(crate) fn end_of_broken(window: &[u8], range: &Range<usize>, first_key: &[u8]) -> usize {
    let is_sound = is_after_document(window, range.end);
    let reachable = window.get(..range.end).filter(|_| is_sound).unwrap_or(window);
    let limit = document_end(reachable, range.start).unwrap_or(reachable.len());
    let reachable = window.get(..limit).unwrap_or(window);
    next_record_start(reachable, range.start + 1, first_key).unwrap_or(limit)
}

/// Where text ends that is no JSON object: with its line, or where a record starts in it.
pub(crate) fn end_of_stray(window: &[u8], start: usize, first_key: &[u8]) -> Option<usize> {
    let rest = window.get(start..)?;
    let ends = |offset: &usize| match rest.get(*offset) {
        Some(b'{') => rest
            .get(offset + 1..)
            .is_some_and(|inside| inside.trim_ascii_start().starts_with(first_key)),
        _ => true,
    };
    let offset = memchr::memchr2_iter(b'\n', b'{', rest).find(ends)?;
    Some(start + offset)
}

/// Whether the value at `start` ends in the window and is well-formed.
pub(crate) fn is_well_formed(window: &[u8], start: usize) -> bool {
    let value = value_end(window, start).and_then(|end| window.get(start..end));
    value.is_some_and(|value| serde_json::from_slice::<&RawValue>(value).is_ok())
}

/// Whether `[` at `start`, of an array that is not well-formed, opens one of records rather than a broken line.
pub(crate) fn opens_records(window: &[u8], start: usize, first_key: &[u8]) -> bool {
    let Some(rest) = window.get(start..) else { return true };
    let opens_record = matches!(mark(rest.get(1..)), Some(b'{') | None);
    let newline = memchr::memchr(b'\n', rest);
    looked_through(newline.unwrap_or(rest.len()));
    let (line, behind) = rest.split_at(newline.unwrap_or(rest.len()));
    let goes_on = match (line.trim_ascii_end().last(), mark(Some(behind))) {
        (Some(b'[' | b'{' | b',' | b':'), _) | (_, Some(b',' | b']')) => true,
        // The line, or what follows it, may lie in the next window.
        (_, None) => opens_record,
        _ => false,
    };
    goes_on || next_record_start(line, 1, first_key).is_some()
}

/// The first byte that is no white space.
fn mark(text: Option<&[u8]>) -> Option<u8> {
    text?.trim_ascii_start().first().copied()
}

/// Whether what stands at `position` can follow a document.
fn is_after_document(window: &[u8], position: usize) -> bool {
    let behind = window.get(position..).unwrap_or_default();
    let next = behind
        .iter()
        .find(|byte| **byte == b'\n' || !is_whitespace(**byte) && **byte != b',');
    matches!(next, None | Some(b'\n' | b'{' | b'['))
}
