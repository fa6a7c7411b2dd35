//! Gzip: inflating under a cap, through every member; and compressing, for what trimtrail writes itself.

use std::io::BufRead;
use std::io::Read;
use std::io::Write;

use flate2::Compression;
use flate2::GzBuilder;
use flate2::bufread::GzDecoder;

/// Why inflating stopped before the end of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GzipFault {
    /// The stream ends in the middle of a member.
    #[error("gzip stream ends in the middle of member {member}; copy it again")]
    Truncated {
        /// Number of the member, from 1.
        member: u64,
    },
    /// A member's bytes are no valid deflate stream, or its checksum is wrong.
    #[error("gzip member {member} is damaged: {cause}; copy it again")]
    Damaged {
        /// Number of the member, from 1.
        member: u64,
        /// What the inflater says.
        cause: String,
    },
    /// Bytes that are no gzip member follow the last one.
    #[error("{bytes} bytes after gzip member {member} are not gzip; copy it again")]
    TrailingBytes {
        /// Number of the last good member, from 1.
        member: u64,
        /// How many bytes follow.
        bytes: usize,
    },
    /// The bytes stop coming.
    #[error("cannot be read to its end: {cause}; copy it again")]
    Unreadable {
        /// What the system says.
        cause: String,
    },
    /// The object inflates to more than the cap.
    #[error("object inflates to more than {max_bytes} bytes")]
    TooLarge {
        /// The cap.
        max_bytes: u64,
    },
}

/// Whether bytes start like a gzip member (RFC 1952 §2.3.1).
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Compresses into one gzip member without time or name, so that equal input gives equal bytes.
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(6));
    // INVARIANT: writing into a `Vec` does not fail.
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .unwrap_or_default()
}

/// Reads the inflated bytes of one object, plain or gzip, piece by piece.
#[derive(Debug)]
pub(crate) struct Inflater<R> {
    stream: Stream<R>,
    member: u64,
    inflated_bytes: u64,
    max_bytes: u64,
}

#[derive(Debug)]
enum Stream<R> {
    Start(R),
    Plain(R),
    Member(Box<GzDecoder<R>>),
    Between(R),
    Ended,
}

impl<R: BufRead> Inflater<R> {
    pub(crate) fn new(object: R, max_bytes: u64) -> Self {
        Self {
            stream: Stream::Start(object),
            member: 0,
            inflated_bytes: 0,
            max_bytes,
        }
    }

    /// Bytes given out so far.
    pub(crate) fn inflated_bytes(&self) -> u64 {
        self.inflated_bytes
    }

    /// Appends up to `count` bytes to `buffer`; returns whether the end of the object is reached.
    ///
    /// What was inflated before a fault stays in `buffer`.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, count: usize) -> Result<bool, GzipFault> {
        let start = buffer.len();
        buffer.resize(start + count, 0);
        let mut filled = start;
        let result = loop {
            let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) else {
                break Ok(false);
            };
            match self.read(room) {
                Ok(0) => break Ok(true),
                Ok(bytes) => filled += bytes,
                Err(fault) => break Err(fault),
            }
        };
        buffer.truncate(filled);
        result
    }

    /// Reads at least one byte unless the object is at its end.
    fn read(&mut self, room: &mut [u8]) -> Result<usize, GzipFault> {
        loop {
            match std::mem::replace(&mut self.stream, Stream::Ended) {
                Stream::Start(mut object) => {
                    let start = object.fill_buf().map_err(|error| unreadable(&error))?;
                    self.stream = if may_start_member(start) {
                        self.member = 1;
                        Stream::Member(Box::new(GzDecoder::new(object)))
                    } else {
                        Stream::Plain(object)
                    };
                }
                Stream::Plain(mut object) => {
                    let bytes = object.read(room).map_err(|error| unreadable(&error))?;
                    self.stream = Stream::Plain(object);
                    return self.count(bytes);
                }
                Stream::Between(mut object) => match self.next_member(&mut object)? {
                    true => self.stream = Stream::Member(Box::new(GzDecoder::new(object))),
                    false => return Ok(0),
                },
                Stream::Member(mut decoder) => match decoder.read(room) {
                    Ok(0) => self.stream = Stream::Between(decoder.into_inner()),
                    Ok(bytes) => {
                        self.stream = Stream::Member(decoder);
                        return self.count(bytes);
                    }
                    Err(error) => return Err(self.fault(&error)),
                },
                Stream::Ended => return Ok(0),
            }
        }
    }

    /// Whether another member follows; zeros up to the end are padding.
    fn next_member(&mut self, object: &mut R) -> Result<bool, GzipFault> {
        let mut bytes = 0_usize;
        let mut is_padding = true;
        loop {
            let buffer = object.fill_buf().map_err(|error| unreadable(&error))?;
            if bytes == 0 && may_start_member(buffer) {
                self.member += 1;
                return Ok(true);
            }
            is_padding &= buffer.iter().all(|&byte| byte == 0);
            let length = buffer.len();
            bytes = bytes.saturating_add(length);
            object.consume(length);
            if length == 0 {
                break;
            }
        }
        if is_padding {
            return Ok(false);
        }
        Err(GzipFault::TrailingBytes {
            member: self.member,
            bytes,
        })
    }

    fn count(&mut self, bytes: usize) -> Result<usize, GzipFault> {
        self.inflated_bytes = self
            .inflated_bytes
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.inflated_bytes > self.max_bytes {
            return Err(GzipFault::TooLarge {
                max_bytes: self.max_bytes,
            });
        }
        Ok(bytes)
    }

    fn fault(&self, error: &std::io::Error) -> GzipFault {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => GzipFault::Truncated { member: self.member },
            // What the decoder itself finds wrong has no error number of the system.
            _ if error.raw_os_error().is_some() => unreadable(error),
            _ => GzipFault::Damaged {
                member: self.member,
                cause: error.to_string(),
            },
        }
    }
}

/// The second byte may not be in the buffer yet; if it is wrong, the decoder finds the member damaged.
fn may_start_member(buffer: &[u8]) -> bool {
    is_gzip(buffer) || buffer == [0x1f]
}

fn unreadable(error: &std::io::Error) -> GzipFault {
    GzipFault::Unreadable {
        cause: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(object: &[u8], max_bytes: u64) -> (Vec<u8>, Result<bool, GzipFault>) {
        let mut inflater = Inflater::new(object, max_bytes);
        let mut buffer = Vec::new();
        loop {
            match inflater.fill(&mut buffer, 7) {
                Ok(false) => {}
                end => return (buffer, end),
            }
        }
    }

    #[test]
    fn two_member_gzip_yields_both_members() {
        let object = [compress(b"first,"), compress(b"second")].concat();
        assert_eq!(inflate(&object, 100), (b"first,second".to_vec(), Ok(true)));
    }

    #[test]
    fn plain_bytes_pass_through() {
        assert_eq!(
            inflate(b"{\"Records\":[]}", 100),
            (b"{\"Records\":[]}".to_vec(), Ok(true))
        );
    }

    #[test]
    fn truncated_member_keeps_what_came_before() {
        let text: Vec<u8> = (0..5000_u32).flat_map(u32::to_le_bytes).collect();
        let object = compress(&text);
        let (inflated, end) = inflate(&object[..object.len() / 2], u64::MAX);
        assert_eq!(end, Err(GzipFault::Truncated { member: 1 }));
        assert!(!inflated.is_empty() && text.starts_with(&inflated));
    }

    #[test]
    fn wrong_checksum_is_damage() {
        let mut object = compress(b"some text");
        let checksum = object.len() - 8;
        object[checksum] ^= 1;
        assert!(matches!(
            inflate(&object, 100).1,
            Err(GzipFault::Damaged { member: 1, .. })
        ));
    }

    #[test]
    fn trailing_bytes_are_reported_and_zero_padding_is_not() {
        let object = compress(b"text");
        assert_eq!(inflate(&[object.clone(), vec![0; 512]].concat(), 100).1, Ok(true));
        let trailing = inflate(&[object, b"junk".to_vec()].concat(), 100);
        assert_eq!(
            trailing,
            (b"text".to_vec(), Err(GzipFault::TrailingBytes { member: 1, bytes: 4 }))
        );
    }

    /// Gives one byte at a time, then an error of the system.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
            match self.0 {
                [] => Err(std::io::Error::from_raw_os_error(5)),
                _ => self.0.read(&mut room[..1]),
            }
        }
    }

    #[test]
    fn members_are_found_however_the_bytes_come_and_a_failing_disk_is_named() {
        let object = [compress(b"first,"), compress(b"second")].concat();
        for object in [object.as_slice(), b"plain text"] {
            let mut inflater = Inflater::new(std::io::BufReader::with_capacity(2, Failing(object)), 100);
            let mut buffer = Vec::new();
            let end = inflater.fill(&mut buffer, 100);
            assert!(matches!(&end, Err(GzipFault::Unreadable { .. })), "{end:?}");
            assert!(
                [b"first,second".as_slice(), b"plain text"].contains(&buffer.as_slice()),
                "{buffer:?}"
            );
        }
    }

    #[test]
    fn bomb_stops_at_the_cap() {
        let object = compress(&vec![b' '; 1_000_000]);
        let (inflated, end) = inflate(&object, 1000);
        assert_eq!(end, Err(GzipFault::TooLarge { max_bytes: 1000 }));
        assert!(inflated.len() <= 1007);
    }
}
