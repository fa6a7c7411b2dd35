//! What a JSON value is: a record, an envelope around one, a digest, or nothing that CloudTrail writes.

use std::borrow::Cow;

use super::fields::Content;
use super::fields::Draft;
use super::fields::Field;
use super::nested::Value;
use super::scan::Scanner;
use super::scan::SyntaxError;
use super::scan::ValueKind;
use super::scan::string_content;

/// A JSON object that is not a plain record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Document<'a> {
    /// A record inside an EventBridge event (`detail`) or LookupEvents output (`CloudTrailEvent`): its text.
    Envelope(Cow<'a, str>),
    /// A digest file.
    Digest,
    /// One element of a `CloudTrail-Aggregated` object.
    Aggregated,
    /// None of these.
    Unknown,
}

/// Whether the members are those of a CloudTrail record.
///
/// Amazon S3 event notifications share the names but have a source like `aws:s3`.
pub(crate) fn is_record(draft: &Draft<'_>) -> bool {
    let text = |field| draft.content(field);
    let foreign = text(Field::EventSource).is_some_and(|source| source.starts_with("aws:"));
    let named = text(Field::EventName).is_some() || draft.get(Field::InsightDetails).is_some();
    let sourced = text(Field::EventSource).is_some() && text(Field::EventType).is_some();
    !foreign && (named || sourced) && text(Field::EventCategory) != Some("Aggregated")
}

/// Reads a record from its text, slowly and strictly.
pub(crate) fn read_record(text: &str) -> Result<Draft<'_>, SyntaxError> {
    let mut draft = Draft::new();
    let mut invalid_string = false;
    Scanner::new(text).members(|key, kind, raw| {
        let content = match kind {
            ValueKind::String => string_content(raw),
            _ => Some(Cow::Borrowed(raw)),
        };
        invalid_string |= content.is_none();
        let content = Content::Text(content.unwrap_or_default());
        draft.add(&key, kind, content, || Value::in_text(kind, raw));
    })?;
    if invalid_string {
        return Err(SyntaxError {
            problem: "invalid escape in a string",
            offset: 0,
        });
    }
    Ok(draft)
}

/// Tells what an object that is no record is.
pub(crate) fn classify(text: &str) -> Result<Document<'_>, SyntaxError> {
    let mut envelope = None;
    let mut is_event_bridge = false;
    let mut digest_members = 0_usize;
    let mut aggregated_members = 0_usize;
    Scanner::new(text).members(|key, kind, raw| match (key.as_ref(), kind) {
        ("CloudTrailEvent", ValueKind::String) => envelope = string_content(raw),
        ("detail", ValueKind::Object) => envelope = envelope.take().or(Some(Cow::Borrowed(raw))),
        ("detail-type", ValueKind::String) => is_event_bridge = true,
        ("digestStartTime" | "digestEndTime" | "digestS3Object" | "digestPublicKeyFingerprint", _) => {
            digest_members += 1
        }
        ("timeWindow" | "summary", ValueKind::Object) => aggregated_members += 1,
        ("eventCategory", ValueKind::String) if raw == "\"Aggregated\"" => aggregated_members += 1,
        _ => {}
    })?;
    let envelope_holds_text = envelope
        .as_ref()
        .is_some_and(|envelope| is_event_bridge || matches!(envelope, Cow::Owned(_)));
    Ok(match envelope {
        Some(envelope) if envelope_holds_text || text.contains("\"CloudTrailEvent\"") => Document::Envelope(envelope),
        _ if digest_members >= 3 => Document::Digest,
        _ if aggregated_members >= 2 => Document::Aggregated,
        _ => Document::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_give_the_record_inside() {
        let lookup = r#"{"EventId":"x","CloudTrailEvent":"{\"eventName\":\"A\"}"}"#;
        assert_eq!(classify(lookup), Ok(Document::Envelope(r#"{"eventName":"A"}"#.into())));
        let bridge = r#"{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"A"}}"#;
        assert_eq!(classify(bridge), Ok(Document::Envelope(r#"{"eventName":"A"}"#.into())));
        assert_eq!(classify(r#"{"detail":{"x":1}}"#), Ok(Document::Unknown));
    }

    #[test]
    fn digests_and_aggregates_are_told_from_their_members() {
        let digest = r#"{"digestStartTime":"","digestEndTime":"","digestS3Object":"","logFiles":[]}"#;
        assert_eq!(classify(digest), Ok(Document::Digest));
        let aggregate =
            r#"{"eventCategory":"Aggregated","timeWindow":{},"summary":{},"eventSource":"s3.amazonaws.com"}"#;
        assert_eq!(classify(aggregate), Ok(Document::Aggregated));
    }

    #[test]
    fn s3_notification_is_no_record() {
        let notification = r#"{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put"}"#;
        assert!(!is_record(&read_record(notification).unwrap()));
        assert!(is_record(
            &read_record(r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}"#).unwrap()
        ));
    }
}
