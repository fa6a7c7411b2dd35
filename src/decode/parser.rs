//! The fast parser, with its memory kept from one text to the next.

use std::ops::Range;

use simd_json::Buffers;
use simd_json::INPUT_PADDING;
use simd_json::Tape;

use super::cuts::Cuts;
use super::run::Run;
use super::tape::TapeCursor;
use super::tape::TapeDocument;

/// Bytes that the parser is ready for at first.
const FIRST_BYTES: usize = 64 << 10;

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
        self.tape = Some(tape.reset());
        parsed.is_ok()
    }
}
