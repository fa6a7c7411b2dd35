//! Keys as S3 writes them in lists: percent-encoded, with `+` for a space.

/// Decodes a key of a listing, an inventory in CSV, or an event notification.
///
/// Bytes that are no UTF-8 afterwards are replaced; such keys cannot be asked for, and the request for them says so.
pub(in crate::source) fn decode_key(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits = (ahead.next().and_then(hex), ahead.next().and_then(hex));
                if let (Some(high), Some(low)) = digits {
                    bytes.push(high << 4 | low);
                    rest = ahead;
                } else {
                    bytes.push(byte);
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_broken_ones_kept() {
        assert_eq!(decode_key("a%20b+c%2Bd%2F..%1b"), "a b c+d/..\u{1b}");
        assert_eq!(decode_key("%c3%A4%zz%4"), "ä%zz%4");
    }
}
