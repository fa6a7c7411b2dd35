//! Decoding one object, whatever its size and shape.
//!
//! An object that is written as trails write it is parsed in groups of records, any other small one as a whole. A large or
//! malformed one goes through a window: its records are separated, parsed in groups where they are good, and each alone
//! where they are not, so that one bad record costs one record.

use std::io::BufRead;

use sha2::Digest;
use sha2::Sha256;

use super::groups::LARGEST_PARSE_BYTES;
use super::groups::RecordGroups;
use super::gzip::GzipFault;
use super::input::Fill;
use super::input::Input;
use super::input::expected_bytes;
use super::outcome::ObjectKind;
use super::outcome::Outcome;
use super::parser::Parser;
use super::parser::Piece;
use super::rows::RowBuffer;
use super::run::Run;
use super::scan::ValueKind;
use super::sha256;
use super::whole::WholeInflater;
use super::window::Windows;

/// Inflated bytes that are looked at together.
const WINDOW_BYTES: usize = 8 << 20;
/// U+FEFF in UTF-8, which programs on Windows put before a text (RFC 8259 §8.1 lets readers ignore it).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bounds on what one object may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes that an object may inflate to.
    pub max_inflated_bytes: u64,
    /// Most bytes of one record.
    pub max_record_bytes: usize,
}

impl Default for Limits {
    /// 2 GiB per object; 1 MiB per record (trails write at most 256 KB, copies from CloudTrail Lake up to 1 MB).
    fn default() -> Self {
        Self {
            max_inflated_bytes: 2 << 30,
            max_record_bytes: 1 << 20,
        }
    }
}

/// Decodes objects one after another, reusing its memory.
pub struct Decoder {
    limits: Limits,
    source: Vec<u8>,
    /// Memory of earlier sources.
    spare: Vec<Vec<u8>>,
    whole: WholeInflater,
    parser: Parser,
}

/// What became of one object.
#[derive(Debug)]
pub struct Decoded {
    /// The account of it.
    pub outcome: Outcome,
    /// The text whose hash the outcome lacks.
    pub unhashed: Option<Vec<u8>>,
}

impl From<Outcome> for Decoded {
    fn from(outcome: Outcome) -> Self {
        let unhashed = None;
        Self { outcome, unhashed }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Decoder")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// Makes a decoder.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            source: Vec::new(),
            spare: Vec::new(),
            whole: WholeInflater::default(),
            parser: Parser::default(),
        }
    }

    /// Decodes one object, plain or gzip, into rows.
    ///
    /// Nothing in the object makes this fail; `spill` is called between windows, may empty the buffer, and its error is
    /// passed on.
    pub fn decode<E>(
        &mut self,
        object_key: &str,
        object: &[u8],
        rows: &mut RowBuffer,
        spill: impl FnMut(&mut RowBuffer) -> Result<(), E>,
    ) -> Result<Outcome, E> {
        let Decoded { mut outcome, unhashed } = self.decode_unhashed(object_key, object, rows, spill)?;
        if let Some(text) = unhashed {
            outcome.sha256 = Some(sha256::hex(Sha256::new_with_prefix(&text)));
            self.reuse(text);
        }
        Ok(outcome)
    }

    /// Decodes one object as [`Decoder::decode`] does, but leaves it to the caller to hash the text of an ordinary one: those
    /// of several objects together take less time than each alone.
    pub fn decode_unhashed<E>(
        &mut self,
        object_key: &str,
        object: &[u8],
        rows: &mut RowBuffer,
        spill: impl FnMut(&mut RowBuffer) -> Result<(), E>,
    ) -> Result<Decoded, E> {
        let max_bytes = usize::try_from(self.limits.max_inflated_bytes).unwrap_or(usize::MAX);
        let max_bytes = max_bytes.min(self.window_bytes());
        let input = if self.whole.inflate(object, max_bytes, &mut self.source) {
            Input::inflated(&self.source)
        } else {
            Input::stored(object, expected_bytes(object), self.limits.max_inflated_bytes)
        };
        self.decode_input(object_key, input, rows, spill)
    }

    /// Decodes one object as [`Decoder::decode`] does, without ever holding all of its bytes.
    ///
    /// An error of `object` ends it like a cut.
    pub fn decode_stream<E>(
        &mut self,
        object_key: &str,
        object: impl BufRead,
        rows: &mut RowBuffer,
        spill: impl FnMut(&mut RowBuffer) -> Result<(), E>,
    ) -> Result<Outcome, E> {
        self.source.clear();
        let input = Input::stored(object, usize::MAX, self.limits.max_inflated_bytes);
        Ok(self.decode_input(object_key, input, rows, spill)?.outcome)
    }

    /// Takes back the memory of a text that is done with.
    pub fn reuse(&mut self, text: Vec<u8>) {
        let kept: usize = self.spare.iter().map(Vec::capacity).sum();
        if kept + text.capacity() <= WINDOW_BYTES {
            self.spare.push(text);
        }
    }

    fn decode_input<E>(
        &mut self,
        object_key: &str,
        mut input: Input<impl BufRead>,
        rows: &mut RowBuffer,
        mut spill: impl FnMut(&mut RowBuffer) -> Result<(), E>,
    ) -> Result<Decoded, E> {
        let mut run = Run::new(object_key, self.limits, rows);
        let window_bytes = self.window_bytes();
        let mut state = input.fill(&mut self.source, window_bytes);
        // What is drained from the source below is no digest, or not all of it.
        let is_whole = state == Fill::AtEnd && !self.source.starts_with(BYTE_ORDER_MARK);
        if self.source.starts_with(BYTE_ORDER_MARK) {
            input.hash(&self.source);
            self.source.drain(..BYTE_ORDER_MARK.len());
            run.window_offset += BYTE_ORDER_MARK.len() as u64;
        }
        let mut windows = Windows::new(self.limits.max_record_bytes, self.source.len());
        let taken = if state == Fill::AtEnd {
            self.parse(&mut run)
        } else {
            Taken::Nothing
        };
        if taken != Taken::Everything {
            input.hash(&self.source);
        }
        if let Taken::UpTo(start) = taken {
            self.source.drain(..start);
            run.window_offset += start as u64;
            windows.resume_in_array();
        }
        if taken != Taken::Everything {
            loop {
                let consumed = windows.take(&mut self.parser, &mut run, &self.source, state != Fill::More);
                if state != Fill::More {
                    break;
                }
                self.source.drain(..consumed);
                run.window_offset += consumed as u64;
                run.spill(&mut spill)?;
                state = input.fill(&mut self.source, window_bytes);
            }
            if state == Fill::AtEnd && !windows.are_closed() {
                run.fault("text ends before its records are closed by `]`; copy it again");
            }
        }
        if let Fill::Fault(fault) = &state {
            run.fault(&fault.to_string());
        }
        let mut outcome = run.finish();
        note_end(&mut outcome, &state);
        outcome.inflated_bytes = input.inflated_bytes();
        if state == Fill::AtEnd && outcome.inflated_bytes == 0 {
            outcome.fault = Some("is empty; if it is a log, copy it again".to_owned());
        }
        if is_whole && outcome.kind == ObjectKind::Digest {
            outcome.digest_text = std::str::from_utf8(&self.source).ok().map(str::to_owned);
        }
        if state != Fill::AtEnd {
            return Ok(Decoded::from(outcome));
        }
        outcome.sha256 = input.sha256();
        let unhashed = outcome.sha256.is_none().then(|| {
            let spare = self.spare.pop().unwrap_or_default();
            std::mem::replace(&mut self.source, spare)
        });
        Ok(Decoded { outcome, unhashed })
    }

    /// A record that fills most of a window is larger than the limit, so every window gets on by a good part.
    fn window_bytes(&self) -> usize {
        let largest = self.limits.max_record_bytes;
        WINDOW_BYTES.max(largest.saturating_add(largest / 4).saturating_add(1))
    }

    /// Parses the source: in groups of records where it is written as trails write it, else at once.
    fn parse(&mut self, run: &mut Run<'_>) -> Taken {
        let source = self.source.as_slice();
        let mut is_first = true;
        for group in RecordGroups::new(source).into_iter().flatten() {
            let start = group.start;
            let is_small = group.len() <= LARGEST_PARSE_BYTES;
            let parsed = is_small && self.parser.parse(&Piece::elements(source, group), run, Run::records);
            match (parsed, is_first) {
                (true, _) => is_first = false,
                (false, true) => break,
                (false, false) => return Taken::UpTo(start),
            }
        }
        if !is_first || self.parse_whole(run) {
            Taken::Everything
        } else {
            Taken::Nothing
        }
    }

    /// Parses the whole source at once; returns false, having done nothing, when it is large, or not one well-formed JSON
    /// text.
    fn parse_whole(&mut self, run: &mut Run<'_>) -> bool {
        let source = self.source.as_slice();
        if source.len() > LARGEST_PARSE_BYTES {
            return false;
        }
        let all = 0..source.len();
        self.parser.parse(&Piece::whole(source), run, |run, mut cursor| {
            match cursor.kind() {
                Some(ValueKind::Array) => run.records(cursor),
                Some(ValueKind::Object) => {
                    let mut found = false;
                    let mut outer = cursor;
                    for _ in 0..outer.enter().unwrap_or_default() {
                        let Some(key) = outer.key() else { break };
                        if matches!(key, "Records" | "Events") && outer.kind() == Some(ValueKind::Array) {
                            found = true;
                            run.records(outer);
                        }
                        if outer.skip().is_none() {
                            break;
                        }
                        outer.separator();
                    }
                    if !found {
                        run.document(source, all.clone());
                    }
                }
                _ => run.document(source, all.clone()),
            }
            cursor.separator();
        })
    }
}

/// How far the fast parser came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Everything,
    /// All records before this position of the source, where a record begins.
    UpTo(usize),
    Nothing,
}

/// Notes why the bytes of an object ended, if others might come another time.
fn note_end(outcome: &mut Outcome, state: &Fill) {
    outcome.is_unread = matches!(state, Fill::Fault(GzipFault::Unreadable { .. }));
    outcome.inflates_beyond = match state {
        Fill::Fault(GzipFault::TooLarge { max_bytes }) => Some(*max_bytes),
        _ => None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::EventKeys;

    #[test]
    fn large_record_of_many_small_values_is_not_parsed_at_once_and_leaves_no_memory_behind() {
        let numbers = |bytes: usize| vec!["1"; bytes / 2].join(",");
        let object = |bytes: usize| format!("{{\"Records\":[{{\"a\":[{}]}}]}}", numbers(bytes));
        let mut rows = RowBuffer::new(EventKeys::default());
        let mut decoder = Decoder::new(Limits::default());
        decoder.source = object(7 << 20).into_bytes();
        let mut run = Run::new("k", Limits::default(), &mut rows);
        assert_eq!(decoder.parse(&mut run), Taken::Nothing);
        for bytes in [900 << 10, 7 << 20] {
            let never = |_: &mut RowBuffer| Ok::<(), std::convert::Infallible>(());
            let outcome = decoder.decode("k", object(bytes).as_bytes(), &mut rows, never).unwrap();
            assert_eq!(outcome.rows, 0);
            assert!(decoder.parser.is_fresh(), "{bytes}");
        }
    }
}
