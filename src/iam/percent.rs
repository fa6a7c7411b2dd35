//! Percent-encoded text (RFC 3986): the form in which IAM's API gives policy documents, and some services record ARNs that were
//! part of a path.

use std::borrow::Cow;

/// How an ARN begins that was part of a path, and is recorded as it stood there.
const ENCODED_ARN: [&str; 2] = ["arn%3A", "arn%3a"];

/// Decodes `%XX`; `None` when a `%` is not followed by two hexadecimal digits or the bytes are no UTF-8.
///
/// A `+` is a plus sign: IAM writes a space as `%20`.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = hexadecimal(bytes.next()?)?;
            let low = hexadecimal(bytes.next()?)?;
            decoded.push(high << 4 | low);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// Whether a text of a request is an ARN.
pub(super) fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") || is_encoded_arn(text)
}

fn is_encoded_arn(text: &str) -> bool {
    ENCODED_ARN.iter().any(|start| text.starts_with(start))
}

/// A text as it is, but an ARN without the encoding with which some are recorded (`"clusterArn": "arn%3Aaws%3Akafka%3A…"` in the
/// developer guide of Amazon MSK, "Logging API calls with AWS CloudTrail").
pub(super) fn with_plain_arn(text: &str) -> Cow<'_, str> {
    let decoded = is_encoded_arn(text).then(|| decode(text)).flatten();
    decoded.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_text_is_decoded_and_a_plus_stays() {
        assert_eq!(
            decode("%7B%22a%22%3a%20%22%C3%BC+%22%7D").as_deref(),
            Some("{\"a\": \"ü+\"}")
        );
    }

    #[test]
    fn broken_encoding_is_refused() {
        for text in ["%", "%2", "%2g", "%+1", "%FF"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
