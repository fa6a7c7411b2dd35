//! What is signed, and hexadecimal text.
//!
//! The string to sign is `digestEndTime`, bucket and key, the SHA-256 of the file's own bytes and the signature of the digest
//! before, each on its own line
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>).

use sha2::Digest as _;
use sha2::Sha256;

use super::digest::Digest;

/// The only algorithm of signatures.
pub(super) const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";
/// The only algorithm of hashes.
pub(super) const HASH_ALGORITHM: &str = "SHA-256";

/// What the signature of a digest is made of; `hash` is that of the inflated file.
pub(super) fn string_to_sign(digest: &Digest, hash: &str) -> String {
    let previous = digest.previous_signature.as_deref().unwrap_or("null");
    format!(
        "{}\n{}/{}\n{hash}\n{previous}",
        digest.end_text, digest.place.bucket, digest.place.key
    )
}

/// SHA-256 as lower-case hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map_or('?', char::from);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Reads hexadecimal text of either case.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let mut pairs = text.as_bytes().chunks_exact(2);
    let bytes = pairs.by_ref().map(|pair| match pair {
        [high, low] => Some(value(*high)? << 4 | value(*low)?),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    bytes.filter(|_| text.len().is_multiple_of(2))
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    #[test]
    fn string_to_sign_is_that_of_the_published_vector() {
        let digest = Digest {
            place: Place::new("b", "c"),
            end_text: "a".to_owned(),
            times: None,
            fingerprint: String::new(),
            algorithm: None,
            previous: None,
            previous_signature: None,
            logs: None,
        };
        let wanted = "a\nb/c\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\nnull";
        assert_eq!(string_to_sign(&digest, &sha256_hex(b"abc")), wanted);
    }

    #[test]
    fn hexadecimal_of_either_case_is_read_and_anything_else_is_not() {
        assert_eq!(from_hex("00fFa0"), Some(vec![0, 255, 160]));
        for text in ["0", "0g", "é0", "+1"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }
}
