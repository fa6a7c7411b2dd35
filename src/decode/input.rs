//! The text of one object, inflated and hashed piece by piece.

use std::io::BufRead;

use sha2::Digest;
use sha2::Sha256;

use super::gzip;
use super::gzip::GzipFault;
use super::gzip::Inflater;
use super::sha256;

const SMALLEST_FILL_BYTES: usize = 64 << 10;
/// Bytes that are inflated, then hashed, while they are in the processor's cache.
const STEP_BYTES: usize = 256 << 10;

/// What is still to come of an object, and the books of what came.
pub(crate) struct Input<R> {
    /// `None` when all of it lies in the source already.
    stream: Option<Inflater<R>>,
    /// Size of the text, roughly; where it is small, no whole step is made ready for it.
    expected_bytes: usize,
    inflated_bytes: u64,
    /// Whether `hasher` has seen the text so far.
    is_hashed: bool,
    hasher: Sha256,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The window is full and the object goes on.
    More,
    AtEnd,
    Fault(GzipFault),
}

impl<R: BufRead> Input<R> {
    /// An object of which all is inflated, but not hashed.
    pub(crate) fn inflated(text: &[u8]) -> Self {
        Self {
            stream: None,
            expected_bytes: text.len(),
            inflated_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            is_hashed: false,
            hasher: Sha256::new(),
        }
    }

    /// An object as it is stored, plain or gzip.
    pub(crate) fn stored(object: R, expected_bytes: usize, max_inflated_bytes: u64) -> Self {
        Self {
            stream: Some(Inflater::new(object, max_inflated_bytes)),
            expected_bytes,
            inflated_bytes: 0,
            is_hashed: true,
            hasher: Sha256::new(),
        }
    }

    /// Appends what comes next to `source`, until it has `window_bytes`.
    pub(crate) fn fill(&mut self, source: &mut Vec<u8>, window_bytes: usize) -> Fill {
        let Some(inflater) = &mut self.stream else {
            return Fill::AtEnd;
        };
        let result = loop {
            let room = window_bytes.saturating_sub(source.len());
            if room == 0 {
                break Ok(false);
            }
            let expected = self
                .expected_bytes
                .saturating_sub(source.len())
                .max(SMALLEST_FILL_BYTES);
            let start = source.len();
            let end = inflater.fill(source, room.min(expected).min(STEP_BYTES));
            self.hasher.update(source.get(start..).unwrap_or_default());
            match end {
                Ok(false) => {}
                end => break end,
            }
        };
        self.inflated_bytes = inflater.inflated_bytes();
        match result {
            Ok(true) => Fill::AtEnd,
            Ok(false) => Fill::More,
            Err(fault) => Fill::Fault(fault),
        }
    }

    /// Bytes of text so far.
    pub(crate) fn inflated_bytes(&self) -> u64 {
        self.inflated_bytes
    }

    /// Hashes the text of an inflated object, of which nothing may have changed yet.
    pub(crate) fn hash(&mut self, text: &[u8]) {
        if !self.is_hashed {
            self.hasher.update(text);
            self.is_hashed = true;
        }
    }

    /// Hash of the text so far, in hexadecimal digits; `None` while it is not hashed.
    pub(crate) fn sha256(self) -> Option<String> {
        self.is_hashed.then(|| sha256::hex(self.hasher))
    }
}

/// Inflated size of a one-member gzip object below 4 GiB (ISIZE, RFC 1952 §2.3.1), only a hint; size of a plain one.
pub(crate) fn expected_bytes(object: &[u8]) -> usize {
    match object.last_chunk::<4>() {
        Some(size) if gzip::is_gzip(object) => usize::try_from(u32::from_le_bytes(*size))
            .unwrap_or(usize::MAX)
            .saturating_add(1),
        _ => object.len().saturating_add(1),
    }
}
