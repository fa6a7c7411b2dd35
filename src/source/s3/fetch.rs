//! Fetching one object whole.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use futures::StreamExt;
use futures::stream;
use tracing::Instrument;

use super::bucket::Bucket;
use super::fault::Failure;
use super::fault::Fault;
use super::fault::FaultKind;
use super::fault::Verb;
use crate::source::Content;
use crate::source::Fetched;
use crate::source::LARGEST_FETCHED_BYTES;
use crate::source::ObjectRef;

/// Objects above this size are fetched in parts.
const LARGE: u64 = 16 << 20;
const PART: u64 = 4 << 20;
const PARTS_AT_A_TIME: usize = 4;
/// How often an object is looked at again because it was replaced meanwhile.
const MAX_CHANGES: u32 = 3;

/// Bytes of one answer, with what it says about the object.
struct Body {
    bytes: Vec<u8>,
    metadata: BTreeMap<String, String>,
}

impl Bucket {
    /// Fetches an object of at most so many bytes; one that was replaced since it was listed is fetched as it is now.
    pub(in crate::source) async fn fetch<'o>(
        self: &Arc<Self>,
        object: &'o ObjectRef,
        max_bytes: u64,
    ) -> Result<Fetched<'o>, Fault> {
        let span = tracing::debug_span!("fetch", uri = &*object.uri, bytes = object.size);
        let (object, body) = match self.newest(object, max_bytes).instrument(span).await {
            Err(fault) if object.may_be_gone => return Err(self.denied_or_gone(object, fault).await),
            newest => newest?,
        };
        Ok(Fetched {
            object,
            content: Content::Whole(body.bytes),
            metadata: body.metadata,
        })
    }

    /// Tells an object that is gone from one that must not be read: without `s3:ListBucket` on the whole bucket, both are refused alike
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, section Permissions), and a policy that names prefixes
    /// allows to list the key.
    async fn denied_or_gone(self: &Arc<Self>, object: &ObjectRef, fault: Fault) -> Fault {
        match object.bucket_key(self) {
            Some(key) if fault.kind == FaultKind::Denied && self.lists_no(key).await => {
                let reason = "there is no such object (it cannot be read, and no listing has it): it was deleted, or its key is wrong";
                Fault::new(FaultKind::Vanished, reason)
            }
            _ => fault,
        }
    }

    /// The bytes of an object, as it is now.
    pub(in crate::source) async fn read(self: &Arc<Self>, object: &ObjectRef) -> Result<Vec<u8>, Fault> {
        let (_, body) = self.newest(object, LARGEST_FETCHED_BYTES).await?;
        Ok(body.bytes)
    }

    async fn newest<'o>(
        self: &Arc<Self>,
        object: &'o ObjectRef,
        max_bytes: u64,
    ) -> Result<(Cow<'o, ObjectRef>, Body), Fault> {
        let mut object = Cow::Borrowed(object);
        let Some(key) = object.bucket_key(self).map(str::to_owned) else {
            return Err(Fault::new(FaultKind::Refused, "the object belongs to another bucket"));
        };
        if object.has_no_version() {
            object = Cow::Owned(self.as_it_is(&object, &key).await?);
        }
        let (mut changes, mut has_looked) = (0, false);
        loop {
            if object.size > max_bytes {
                let fault = Fault::too_large(object.size, max_bytes);
                return Err(match &object {
                    Cow::Borrowed(_) => fault,
                    Cow::Owned(newer) => fault.of_version(newer),
                });
            }
            match self.body(&object, &key).await {
                Ok(body) => return Ok((object, body)),
                Err(fault) if fault.kind == FaultKind::Changed && changes < MAX_CHANGES => {
                    changes += 1;
                    object = Cow::Owned(self.with_version(&object, &key).await?);
                }
                // The size may be wrong that somebody told of it.
                Err(fault) if fault.kind == FaultKind::Incomplete && !has_looked => {
                    has_looked = true;
                    object = match self.with_version(&object, &key).await {
                        Ok(now) if now.size != object.size => Cow::Owned(now),
                        _ => return Err(fault),
                    };
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Looks up etag and size of an object that was named without, if they can be had; it says why not when it is fetched.
    ///
    /// # Errors
    ///
    /// What hinders will hinder all others, too.
    pub(in crate::source) async fn look_up(self: &Arc<Self>, object: ObjectRef) -> Result<ObjectRef, Fault> {
        let Some(key) = object.bucket_key(self).filter(|_| object.has_no_version()) else {
            return Ok(object);
        };
        let found = self.with_version(&object, key).await;
        match found {
            Err(fault) if !fault.stops_the_run() => Ok(object),
            found => found,
        }
    }

    /// An object as it is now, or what hinders in the words of an answer to GET: one to HEAD has no text.
    async fn as_it_is(self: &Arc<Self>, object: &ObjectRef, key: &str) -> Result<ObjectRef, Fault> {
        let fault = match self.with_version(object, key).await {
            Err(fault) if matches!(fault.kind, FaultKind::Denied | FaultKind::Vanished) => fault,
            found => return found,
        };
        let first_byte = Some("bytes=0-0".to_owned());
        let asked = self.call(Verb::Get, || self.request_get(object, key, first_byte.clone()));
        Err(asked.await.err().unwrap_or(fault))
    }

    /// The version that there is now of an object.
    async fn with_version(self: &Arc<Self>, object: &ObjectRef, key: &str) -> Result<ObjectRef, Fault> {
        Ok(ObjectRef {
            listed_from: object.listed_from,
            is_named: object.is_named,
            may_be_gone: object.may_be_gone,
            ..self.head(key).await?
        })
    }

    /// An object as it is now.
    pub(in crate::source) async fn head(self: &Arc<Self>, key: &str) -> Result<ObjectRef, Fault> {
        let answer = self.call(Verb::Head, || self.request_head(key)).await?;
        let Some(size) = answer.content_length().and_then(|length| u64::try_from(length).ok()) else {
            let reason = "the answer does not say how many bytes the object has; run again";
            return Err(Fault::new(FaultKind::Incomplete, reason));
        };
        let Some(etag) = answer.e_tag() else {
            let reason = "the answer names no etag, so that versions of the object cannot be told apart; run again";
            return Err(Fault::new(FaultKind::Incomplete, reason));
        };
        Ok(self.object(key, etag, size, answer.last_modified()))
    }

    async fn body(&self, object: &ObjectRef, key: &str) -> Result<Body, Fault> {
        if object.size <= LARGE {
            return self.part(object, key, None).await;
        }
        let starts = (0..object.size).step_by(usize::try_from(PART).unwrap_or(usize::MAX));
        let ranges = starts.map(|start| start..=(start + PART).min(object.size) - 1);
        let mut parts = stream::iter(ranges)
            .map(|range| self.part(object, key, Some(range)))
            .buffered(PARTS_AT_A_TIME);
        let mut whole = Body {
            bytes: Vec::with_capacity(usize::try_from(object.size).unwrap_or_default()),
            metadata: BTreeMap::new(),
        };
        while let Some(part) = parts.next().await {
            let part = part?;
            whole.bytes.extend(part.bytes);
            whole.metadata = part.metadata;
        }
        Ok(whole)
    }

    async fn part(&self, object: &ObjectRef, key: &str, range: Option<RangeInclusive<u64>>) -> Result<Body, Fault> {
        let wanted = match &range {
            Some(range) => range.end() - range.start() + 1,
            None => object.size,
        };
        let asked = range.map(|range| format!("{}-{}", range.start(), range.end()));
        let content_range = asked.as_ref().map(|asked| format!("bytes {asked}/{}", object.size));
        self.call(Verb::Get, || async {
            let range = asked.as_ref().map(|asked| format!("bytes={asked}"));
            let answer = self.request_get(object, key, range).await?;
            match (&content_range, answer.content_range()) {
                // RFC 9110, 15.3.7: an answer with a part must say which part it is.
                (Some(wanted), given) if given != Some(wanted) => Err(other_range(wanted, given)),
                (Some(_), _) => collect(answer, ("a part was asked for with", wanted)).await,
                (None, _) => collect(answer, ("the object was listed with", wanted)).await,
            }
        })
        .await
    }

    async fn request_get(
        &self,
        object: &ObjectRef,
        key: &str,
        range: Option<String>,
    ) -> Result<GetObjectOutput, Failure> {
        let etag = Some(&object.etag).filter(|etag| !etag.is_empty());
        let sent = self
            .client
            .get_object()
            .bucket(self.name())
            .key(key)
            .set_range(range)
            .set_if_match(etag.map(|etag| format!("\"{etag}\"")))
            .set_request_payer(self.request_payer.clone())
            .send()
            .await;
        sent.map_err(|error| Failure::from_sdk(Verb::Get, &error))
    }

    pub(super) async fn request_head(&self, key: &str) -> Result<HeadObjectOutput, Failure> {
        let sent = self
            .client
            .head_object()
            .bucket(self.name())
            .key(key)
            .set_request_payer(self.request_payer.clone())
            .send()
            .await;
        sent.map_err(|error| Failure::from_sdk(Verb::Head, &error))
    }
}

/// A cache, say, gives other bytes than were asked for, or the object has another size than is known of it.
fn other_range(wanted: &str, given: Option<&str>) -> Failure {
    let reason = match given {
        Some(given) => format!("`{wanted}` was asked for, and `{given}` came; run again"),
        None => format!("`{wanted}` was asked for, and the answer does not say which part it is; run again"),
    };
    Failure::repeatable(FaultKind::Incomplete, reason)
}

/// Reads a body, which must have the size that was asked for.
async fn collect(answer: GetObjectOutput, (known, wanted): (&str, u64)) -> Result<Body, Failure> {
    let incomplete = |reason: String| Failure::repeatable(FaultKind::Incomplete, reason);
    let metadata = answer.metadata().into_iter().flatten();
    let metadata = metadata.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut bytes = Vec::with_capacity(usize::try_from(wanted.min(LARGE)).unwrap_or_default());
    let mut body = answer.body;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| {
            incomplete(format!(
                "the object breaks off after {} of {wanted} bytes ({error}); run again",
                bytes.len()
            ))
        })?;
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > wanted {
            break;
        }
    }
    if bytes.len() as u64 != wanted {
        return Err(incomplete(format!(
            "{known} {wanted} bytes, and {} came; run again",
            bytes.len()
        )));
    }
    Ok(Body { bytes, metadata })
}
