//! The fast parser, with its memory kept from one text to the next.

use std::ops::Range;

use simd_json::Buffers;
use simd_json::INPUT_PADDING;
use simd_json::Node;
use simd_json::Tape;

use super::cuts::Cuts;
use super::effort::looked_through;
use super::run::Run;
use super::tape::TapeCursor;
use super::tape::TapeDocument;

/// Bytes that the parser is ready for at first.
const FIRST_BYTES: usize = 64 << 10;
/// Most bytes of one kind that are kept from one text to the next.
const KEPT_BYTES: usize = 4 << 20;

/// Parses text after text.
pub(crate) struct Parser {
    work: Vec<u8>,
    cuts: Cuts,
    buffers: Buffers,
    tape: Option<Tape<'static>>,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            work: Vec::new(),
            cuts: Cuts::default(),
            buffers: Buffers::new(FIRST_BYTES),
            tape: None,
        }
    }
}

/// What is parsed at once.
pub(crate) struct Piece<'s> {
    source: &'s [u8],
    range: Range<usize>,
    /// What is put around it.
    brackets: (&'static [u8], &'static [u8]),
}

impl<'s> Piece<'s> {
    /// Elements of an array, with commas between them.
    pub(crate) fn elements(source: &'s [u8], range: Range<usize>) -> Self {
        Self {
            source,
            range,
            brackets: (b"[", b"]"),
        }
    }

    /// The whole source.
    pub(crate) fn whole(source: &'s [u8]) -> Self {
        Self {
            source,
            range: 0..source.len(),
            brackets: (b"", b""),
        }
    }
}

impl Parser {
    /// Parses a piece and hands out a cursor at its root; returns false, having done nothing, when it is not well-formed.
    pub(crate) fn parse<'r>(
        &mut self,
        piece: &Piece<'_>,
        run: &mut Run<'r>,
        visit: impl FnOnce(&mut Run<'r>, TapeCursor<'_>),
    ) -> bool {
        let (opening, closing) = piece.brackets;
        let Piece { source, range, .. } = piece;
        self.work.clear();
        self.work.extend_from_slice(opening);
        let text = source.get(range.clone()).unwrap_or_default();
        looked_through(text.len());
        run.copy(text, range.start, &mut self.work, &mut self.cuts);
        self.work.extend_from_slice(closing);
        let length = self.work.len();
        self.work.resize(length + INPUT_PADDING, 0);
        let mut tape = self.tape.take().unwrap_or_else(Tape::null).reset();
        let parsed = simd_json::fill_tape_padded(&mut self.work, length, &mut self.buffers, &mut tape);
        if parsed.is_ok() {
            let document = TapeDocument {
                nodes: &tape.0,
                tokens: self.buffers.structural_indexes(),
                source,
                cuts: &self.cuts,
            };
            visit(run, TapeCursor::new(&document));
        }
        let is_parsed = parsed.is_ok();
        let tape = tape.reset();
        if self.is_large(&tape) {
            *self = Self::default();
        } else {
            self.tape = Some(tape);
        }
        is_parsed
    }

    /// Whether one text, as one of many small values, has taken more memory than is worth to be kept.
    fn is_large(&self, tape: &Tape<'_>) -> bool {
        let nodes = tape.0.capacity().saturating_mul(size_of::<Node<'_>>());
        let tokens = self.buffers.structural_indexes().len().saturating_mul(size_of::<u32>());
        nodes.max(tokens).max(self.work.capacity()) > KEPT_BYTES
    }

    /// Whether no memory is kept of an earlier text.
    #[cfg(test)]
    pub(crate) fn is_fresh(&self) -> bool {
        self.tape.is_none() && self.work.capacity() == 0
    }
}
