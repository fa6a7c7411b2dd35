//! The words of services and libraries, as far as they are passed on.

use std::error::Error;

/// Longest part of a server's own message that is kept.
const MAX_MESSAGE: usize = 400;

/// What an answer says of itself.
pub(super) fn said(status: u16, code: &str, message: &str) -> String {
    match (code, message) {
        ("", "") => format!("status {status}"),
        (code, "") => format!("{status} {code}"),
        (code, message) => format!("{status} {code}: {}", cut(message)),
    }
}

/// Messages of all causes, outermost first.
pub(in crate::source::s3) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

/// The beginning of a text.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}
