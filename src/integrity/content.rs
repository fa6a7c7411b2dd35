//! The stored bytes of a file: one gzip member, and nothing behind it.

use std::io;
use std::io::BufRead;
use std::io::Read;

use flate2::bufread::GzDecoder;
use sha2::Digest as _;
use sha2::Sha256;

use super::signature::hex;

const PIECE_BYTES: usize = 64 << 10;

/// How the stored bytes end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEnd {
    /// With the end of the one member.
    Complete,
    /// Behind the end of the first member there is more.
    Trailing,
    /// Before the end of the member.
    Cut,
    /// It is no gzip, or a damaged one.
    Damaged,
    /// It inflates to more than the cap.
    TooLarge,
    /// The bytes could not be read, and why.
    Unreadable(String),
}

/// The hash of the first member of a log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedLog {
    /// SHA-256 of what could be inflated, lower-case hexadecimal.
    pub sha256: String,
    /// How the stored bytes end.
    pub end: StreamEnd,
}

impl HashedLog {
    /// Hashes stored bytes as they come.
    pub fn read(stored: impl BufRead, max_bytes: u64) -> Self {
        let mut hash = Sha256::new();
        let end = inflate(stored, max_bytes, |piece| hash.update(piece));
        Self {
            sha256: hex(&hash.finalize()),
            end,
        }
    }
}

/// Inflates the first member piece by piece.
pub(super) fn inflate(mut stored: impl BufRead, max_bytes: u64, mut take: impl FnMut(&[u8])) -> StreamEnd {
    match stored.fill_buf() {
        Ok([first, second, ..]) if [*first, *second] != [0x1f, 0x8b] => return StreamEnd::Damaged,
        Ok(_) => {}
        Err(error) => return StreamEnd::Unreadable(error.to_string()),
    }
    let mut decoder = GzDecoder::new(stored);
    let mut piece = vec![0; PIECE_BYTES];
    let mut left = max_bytes;
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                let Some(rest) = left.checked_sub(u64::try_from(length).unwrap_or(u64::MAX)) else {
                    return StreamEnd::TooLarge;
                };
                left = rest;
                take(piece.get(..length).unwrap_or_default());
            }
            Err(error) => return end_of(&error),
        }
    }
    match decoder.into_inner().fill_buf() {
        Ok([]) => StreamEnd::Complete,
        Ok(_) => StreamEnd::Trailing,
        Err(error) => StreamEnd::Unreadable(error.to_string()),
    }
}

fn end_of(error: &io::Error) -> StreamEnd {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => StreamEnd::Cut,
        // What the decoder itself finds wrong has no error number of the system.
        _ if error.raw_os_error().is_some() => StreamEnd::Unreadable(error.to_string()),
        _ => StreamEnd::Damaged,
    }
}
