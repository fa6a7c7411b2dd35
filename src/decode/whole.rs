//! Inflating an ordinary object at once, which takes less time than piece by piece.
//!
//! Ordinary is one gzip member of known, bounded size. For everything else, and for whatever is damaged, there is
//! [`super::gzip::Inflater`], which also tells what is wrong.

use libdeflater::Decompressor;
use memchr::memmem;

/// Start of a gzip member with a deflate stream (RFC 1952 §2.3.1) and without any optional field.
const PLAIN_MEMBER: &[u8] = b"\x1f\x8b\x08\x00";
/// Start of any gzip member.
const MEMBER: &[u8] = b"\x1f\x8b\x08";
const HEADER_BYTES: usize = 10;

/// Inflates objects one after another, reusing its tables.
pub(crate) struct WholeInflater {
    decompressor: Decompressor,
}

impl Default for WholeInflater {
    fn default() -> Self {
        Self {
            decompressor: Decompressor::new(),
        }
    }
}

impl WholeInflater {
    /// Replaces the content of `buffer` by that of the object; returns false, leaving `buffer` empty, if the object is not
    /// ordinary, not sound, or larger than `max_bytes`.
    pub(crate) fn inflate(&mut self, object: &[u8], max_bytes: usize, buffer: &mut Vec<u8>) -> bool {
        let inflated = self.try_inflate(object, max_bytes, buffer).is_some();
        if !inflated {
            buffer.clear();
        }
        inflated
    }

    fn try_inflate(&mut self, object: &[u8], max_bytes: usize, buffer: &mut Vec<u8>) -> Option<()> {
        let (rest, size) = object.split_last_chunk::<4>()?;
        let (rest, checksum) = rest.split_last_chunk::<4>()?;
        let stream = rest.get(HEADER_BYTES..)?;
        let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
        if !object.starts_with(PLAIN_MEMBER) || size > max_bytes {
            return None;
        }
        buffer.resize(size, 0);
        let inflated = self.decompressor.deflate_decompress(stream, buffer).ok()?;
        // INVARIANT: the stream may end before the trailer, but then what follows is no member, because it starts none, and
        // the object's last bytes are still the checksum and size of what was inflated. A member that starts by chance
        // inside the stream costs only time.
        let is_only_member = memmem::find(stream, MEMBER).is_none();
        let is_sound = inflated == size && libdeflater::crc32(buffer) == u32::from_le_bytes(*checksum);
        (is_only_member && is_sound).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::gzip;
    use super::*;

    fn inflate(object: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
        let mut buffer = b"left over".to_vec();
        let inflated = WholeInflater::default().inflate(object, max_bytes, &mut buffer);
        assert!(inflated || buffer.is_empty());
        inflated.then_some(buffer)
    }

    #[test]
    fn one_sound_member_is_inflated() {
        let object = gzip::compress(b"some text");
        assert_eq!(inflate(&object, 9).as_deref(), Some(b"some text".as_slice()));
        assert_eq!(inflate(&gzip::compress(b""), 9).as_deref(), Some(b"".as_slice()));
    }

    #[test]
    fn everything_else_is_left_to_the_other_inflater() {
        let object = gzip::compress(b"some text");
        assert_eq!(inflate(&object, 8), None, "larger than allowed");
        assert_eq!(
            inflate(&[object.clone(), object.clone()].concat(), 100),
            None,
            "two members"
        );
        assert_eq!(inflate(&[object.clone(), vec![0; 512]].concat(), 100), None, "padding");
        assert_eq!(inflate(&object[..object.len() - 1], 100), None, "truncated");
        assert_eq!(inflate(b"{\"Records\":[]}", 100), None, "plain");
        assert_eq!(inflate(b"", 100), None, "empty");
        for place in [3, 12, object.len() - 8, object.len() - 4] {
            let mut damaged = object.clone();
            damaged[place] ^= 1;
            assert_eq!(inflate(&damaged, 100), None, "damaged at byte {place}");
        }
    }
}
