//! What one object is by its name, and what is taken of its bytes.

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::convert::Infallible;

use rayon::prelude::*;

use crate::decode::Decoder;
use crate::decode::EventKeys;
use crate::decode::Limits;
use crate::decode::RowBuffer;
use crate::integrity::DigestOutline;
use crate::integrity::FoundDigest;
use crate::integrity::HashedLog;
use crate::integrity::Metadata;
use crate::integrity::Place;
use crate::integrity::PresentLog;
use crate::integrity::Recorded;
use crate::integrity::Stored;
use crate::integrity::StreamEnd;
use crate::integrity::Window;
use crate::source::Content;
use crate::source::Fault;
use crate::source::Fetched;
use crate::source::ObjectRef;

/// Most bytes that a log may inflate to.
const MAX_LOG_BYTES: u64 = 2 << 30;

/// Whether `ingest` would take events from an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holding {
    /// It would.
    Events,
    /// It was read to its end, and has none.
    None,
    /// It could not be read to its end, and none was found so far: why.
    Unread(String),
}

/// A digest at its place; one in a folder of which nothing is known is taken to lie where it says, if it has that name.
pub(super) fn found_digest<'a>(
    place: Option<Place>,
    path: &str,
    stored: Stored<'a>,
    metadata: &'a Metadata,
) -> FoundDigest<'a> {
    let file_name = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let claimed = || {
        let claimed = stored.claimed_place()?;
        (file_name(&claimed.key) == file_name(path)).then_some(claimed)
    };
    let place = place.or_else(claimed).unwrap_or_else(|| Place::new("", path));
    FoundDigest {
        place,
        stored,
        metadata,
    }
}

pub(super) fn is_digest(uri: &str) -> bool {
    uri.contains("/CloudTrail-Digest/") || uri.contains("_CloudTrail-Digest_")
}

/// Whether digests name such a file, or would if it were genuine: `ingest` takes whatever lies among the logs for one,
/// whatever its name.
pub(super) fn is_log(key: &str) -> bool {
    Place::tail(key).is_some_and(|tail| tail.contains("/CloudTrail/")) || has_log_name(key)
}

/// Whether the name is that of a log of management and data events.
pub(super) fn has_log_name(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    name.split('_').nth(1) == Some("CloudTrail")
}

/// A log of the ledger, with the events of all its copies.
pub(super) fn present_log(place: &Place, copies: &[&Recorded]) -> PresentLog {
    let times = copies.iter().filter_map(|copy| copy.event_times);
    let event_times =
        times.reduce(|(first, last), (other_first, other_last)| (first.min(other_first), last.max(other_last)));
    PresentLog {
        event_times,
        ..PresentLog::new(place.clone())
    }
}

pub(super) fn whole(object: &ObjectRef, fetched: Fetched<'_>) -> (Result<Vec<u8>, String>, Metadata) {
    let metadata = match fetched.metadata.is_empty() && !object.is_remote() {
        true => Metadata::Unknown,
        false => Metadata::Known(fetched.metadata),
    };
    let bytes = match fetched.content {
        Content::Whole(bytes) => Ok(bytes),
        Content::Stream(_) => Err("it is larger than any digest".to_owned()),
    };
    (bytes, metadata)
}

pub(super) fn hashed(fetched: Result<Fetched<'_>, Fault>) -> HashedLog {
    match fetched.map(|fetched| fetched.content) {
        Ok(Content::Whole(bytes)) => HashedLog::read(bytes.as_slice(), MAX_LOG_BYTES),
        Ok(Content::Stream(stream)) => HashedLog::read(stream, MAX_LOG_BYTES),
        Err(fault) => HashedLog {
            sha256: String::new(),
            end: StreamEnd::Unreadable(fault.to_string()),
        },
    }
}

/// URIs of digests of a ledger that say something of a window whenever they were made: those with which a chain begins, or goes on
/// from another place, as they say where their trail delivers from then on; those that name logs with events of the window, whenever
/// these were delivered; and those that name one before that is not there as they state, and may have named such logs. Of digests
/// that state the signatures of these in a copy without metadata, the URIs too.
pub(super) fn landmarks(digests: &[&Recorded], window: Window) -> BTreeSet<String> {
    let file_name = |uri: &str| uri.rsplit('/').next().unwrap_or(uri).to_owned();
    let there: HashSet<(String, &str)> = digests
        .iter()
        .filter_map(|digest| Some((file_name(&digest.uri), digest.sha256.as_deref()?)))
        .collect();
    let told = digests.par_iter().filter_map(|digest| {
        let outline = DigestOutline::of(digest)?;
        let before = outline.previous.as_ref();
        let is_lost = before.is_some_and(|(name, hash)| !there.contains(&(name.clone(), hash.as_str())));
        let is_moved = outline.previous_root.as_ref().is_some_and(|root| *root != outline.root);
        let is_landmark = outline.is_starting
            || is_moved
            || is_lost && window.is_proven_by(outline.start)
            || outline.logs.iter().any(|log| window.includes_events(log.event_times));
        let before = outline.previous.map(|(name, _)| name);
        Some((digest.uri.as_str(), is_landmark, before))
    });
    let told: Vec<(&str, bool, Option<String>)> = told.collect();
    let landmarks = told.iter().filter(|(_, is_landmark, _)| *is_landmark);
    let names: BTreeSet<String> = landmarks.map(|(uri, ..)| file_name(uri)).collect();
    let wanted = told
        .into_iter()
        .filter(|(_, is_landmark, before)| *is_landmark || before.as_ref().is_some_and(|name| names.contains(name)));
    wanted.map(|(uri, ..)| uri.to_owned()).collect()
}

/// Whether `ingest` would take events from an object, whatever its name.
pub(super) fn holding(object: &ObjectRef, fetched: Result<Fetched<'_>, Fault>) -> Holding {
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(fault) => return Holding::Unread(fault.to_string()),
    };
    let mut decoder = Decoder::new(Limits::default());
    let mut rows = RowBuffer::new(EventKeys::default());
    let spill = |rows: &mut RowBuffer| -> Result<(), Infallible> {
        rows.clear();
        Ok(())
    };
    let decoded = match fetched.content {
        Content::Whole(bytes) => decoder.decode(&object.uri, &bytes, &mut rows, spill),
        Content::Stream(stream) => decoder.decode_stream(&object.uri, stream, &mut rows, spill),
    };
    let Ok(outcome) = decoded;
    match outcome.sha256 {
        _ if outcome.rows > 0 => Holding::Events,
        Some(_) => Holding::None,
        None => Holding::Unread(
            outcome
                .fault
                .unwrap_or_else(|| "it could not be read to its end".to_owned()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::gzip;
    use crate::source;

    #[test]
    fn file_that_cannot_be_read_is_not_said_to_hold_no_events() {
        let folder = tempfile::tempdir().unwrap();
        let zipped = gzip::compress(b"some text that is long enough to be cut");
        let file = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        file("a-text.json", b"{}");
        file("b-cut.gz", zipped.get(..20).unwrap());
        file(
            "c-events.json",
            br#"{"Records":[{"eventVersion":"1.11","eventTime":"2026-09-01T00:00:00Z","eventName":"a","eventID":"i"}]}"#,
        );
        file("d-gone.json", b"{}");
        let listing = source::list(&[folder.path().display().to_string()]).unwrap();
        std::fs::remove_file(folder.path().join("d-gone.json")).unwrap();
        let said = listing
            .objects
            .iter()
            .map(|object| holding(object, source::fetch_file(object)));
        let said: Vec<Holding> = said.collect();
        let [
            Holding::None,
            Holding::Unread(cut),
            Holding::Events,
            Holding::Unread(gone),
        ] = said.as_slice()
        else {
            panic!("{said:?}");
        };
        assert!(cut.contains("gzip stream ends"), "{cut}");
        assert!(gone.contains("No such file"), "{gone}");
    }

    #[test]
    fn landmarks_are_the_begin_of_a_chain_each_move_and_those_that_sign_them() {
        let digest = |hour: u8, bucket: &str, before: Option<(u8, &str)>| {
            let name = |hour: u8| {
                format!("111122223333_CloudTrail-Digest_eu-west-1_t_us-east-1_20260901T{hour:02}0000Z.json.gz")
            };
            let previous = before.map_or_else(
                || r#""previousDigestS3Bucket":null,"previousDigestS3Object":null"#.to_owned(),
                |(hour, bucket)| {
                    let name = name(hour);
                    format!(
                        r#""previousDigestS3Bucket":"{bucket}","previousDigestS3Object":"{name}","previousDigestHashValue":"aa""#
                    )
                },
            );
            Recorded {
                uri: format!("file:///copy/{}", name(hour)),
                is_digest: true,
                sha256: Some("aa".to_owned()),
                digest_text: Some(format!(
                    r#"{{"digestStartTime":"2026-09-01T0{}:00:00Z","digestEndTime":"2026-09-01T0{hour}:00:00Z","digestS3Bucket":"{bucket}",
                    "digestS3Object":"{}","digestPublicKeyFingerprint":"f","previousDigestSignature":null,{previous},"logFiles":[]}}"#,
                    hour - 1,
                    name(hour),
                )),
                ..Recorded::default()
            }
        };
        let first = 1_788_220_800_000_000;
        let digests = [
            digest(1, "b", None),
            digest(2, "b", Some((1, "b"))),
            digest(3, "b", Some((2, "b"))),
            digest(4, "b", Some((3, "b"))),
            digest(5, "c", Some((4, "b"))),
            digest(6, "c", Some((5, "c"))),
            digest(7, "c", Some((6, "c"))),
        ];
        let hours = |digests: &[Recorded], window: Window| {
            let found = landmarks(&digests.iter().collect::<Vec<_>>(), window);
            let hours = digests.iter().zip(1..);
            let hours = hours.filter(|(digest, _)| found.contains(&digest.uri));
            hours.map(|(_, hour)| hour).collect::<Vec<_>>()
        };
        let before = Window {
            from: None,
            to: Some(first - 1),
        };
        assert_eq!(hours(&digests, Window::default()), [1, 2, 5, 6]);
        // Behind a window the third states another hash of the second, and the fourth holds the signature of the third.
        let mut others = digests.clone();
        others.get_mut(1).unwrap().sha256 = Some("bb".to_owned());
        assert_eq!(hours(&digests, before), [1, 2, 5, 6]);
        assert_eq!(hours(&others, before), [1, 2, 3, 4, 5, 6]);
        assert_eq!(hours(&others, Window::default()), [1, 2, 5, 6]);
    }
}
