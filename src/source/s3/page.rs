//! One page of a listing.

use std::sync::Arc;

use aws_sdk_s3::config::ConfigBag;
use aws_sdk_s3::config::Intercept;
use aws_sdk_s3::config::RuntimeComponents;
use aws_sdk_s3::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::EncodingType;
use aws_sdk_s3::types::Object;
use tracing::Instrument;

use super::bucket::Bucket;
use super::decode_keys::decode_key;
use super::fault::Failure;
use super::fault::Fault;
use super::fault::FaultKind;
use super::fault::Verb;
use crate::source::Listing;
use crate::source::LogKey;
use crate::source::ObjectRef;
use crate::source::object::Place;

/// What to list.
#[derive(Debug, Clone, Default)]
pub(super) struct PageRequest {
    pub(super) prefix: String,
    /// Only the folders and objects right below the prefix, not what is in the folders.
    pub(super) is_flat: bool,
    /// List only keys behind this one.
    pub(super) start_after: Option<String>,
    /// Where the page before ended.
    pub(super) token: Option<String>,
    pub(super) max_keys: Option<i32>,
}

/// Keys of one answer, in its order.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) objects: Vec<ObjectRef>,
    /// Prefixes that end in a slash.
    pub(super) folders: Vec<String>,
    /// Token of the next page.
    pub(super) next: Option<String>,
}

impl Bucket {
    /// Lists one page.
    pub(super) async fn page(self: &Arc<Self>, request: &PageRequest) -> Result<Page, Fault> {
        let span = tracing::debug_span!("list", bucket = self.name(), prefix = request.prefix);
        let output = self.call(Verb::List, || self.request_page(request));
        let output = output.instrument(span).await?;
        let mut listing = Listing::default();
        let objects = output.contents().iter().filter_map(|object| self.listed(object));
        listing.extend(objects.collect::<Result<Vec<ObjectRef>, Fault>>()?);
        Ok(Page {
            objects: listing.objects,
            folders: folders(&output),
            next: next_token(&output, request.token.as_deref())?,
        })
    }

    /// The first object below a prefix, behind those that only show folders.
    pub(super) async fn first_below(self: &Arc<Self>, prefix: &str) -> Result<Option<ObjectRef>, Fault> {
        let mut request = PageRequest {
            prefix: prefix.to_owned(),
            max_keys: Some(1),
            ..PageRequest::default()
        };
        loop {
            let page = self.page(&request).await?;
            let first = page.objects.into_iter().next();
            if first.is_some() || page.next.is_none() {
                return Ok(first);
            }
            request.token = page.next;
        }
    }

    pub(super) async fn request_page(&self, request: &PageRequest) -> Result<ListObjectsV2Output, Failure> {
        let sent = self
            .client
            .list_objects_v2()
            .bucket(self.name())
            .prefix(&request.prefix)
            .set_delimiter(request.is_flat.then(|| "/".to_owned()))
            .set_start_after(request.start_after.clone().filter(|_| request.token.is_none()))
            .set_continuation_token(request.token.clone())
            .set_max_keys(request.max_keys)
            // Keys may hold characters that XML cannot.
            .encoding_type(EncodingType::Url)
            .set_request_payer(self.request_payer.clone())
            .customize()
            .interceptor(WholeListing)
            .send()
            .await;
        sent.map_err(|error| Failure::from_sdk(Verb::List, &error))
    }

    /// `None` for the empty objects that consoles make to show a folder.
    ///
    /// # Errors
    /// Of an object the key or the size is missing: it can neither be left out nor be read.
    fn listed(self: &Arc<Self>, object: &Object) -> Option<Result<ObjectRef, Fault>> {
        let stated = object
            .key()
            .zip(object.size().and_then(|size| u64::try_from(size).ok()));
        let Some((key, size)) = stated else {
            let reason = format!(
                "the service lists an object without a key or a size (`{}`), so that the listing cannot be trusted",
                object.key().map(decode_key).unwrap_or_default().escape_debug()
            );
            return Some(Err(Fault::new(FaultKind::Refused, reason)));
        };
        let key = decode_key(key);
        if size == 0 && key.ends_with('/') {
            return None;
        }
        let etag = object.e_tag().unwrap_or_default();
        Some(Ok(self.object(&key, etag, size, object.last_modified())))
    }

    /// An object of which key, etag and size are known.
    pub(in crate::source) fn object(
        self: &Arc<Self>,
        key: &str,
        etag: &str,
        size: u64,
        last_modified: Option<&DateTime>,
    ) -> ObjectRef {
        ObjectRef {
            uri: self.uri(key).into_boxed_str(),
            etag: etag.trim_matches('"').into(),
            size,
            last_modified: last_modified.and_then(microseconds),
            key: LogKey::parse(key),
            is_named: false,
            listed_from: None,
            place: Place::Bucket(Arc::clone(self)),
        }
    }
}

/// Takes no listing for whole that breaks off: the SDK reads XML without its end, and not every connection or proxy tells that bytes
/// are missing.
#[derive(Debug)]
struct WholeListing;

impl Intercept for WholeListing {
    fn name(&self) -> &'static str {
        "WholeListing"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().filter(|_| response.status().is_success());
        match body.is_none_or(is_whole) {
            true => Ok(()),
            false => Err("the listing has no end".into()),
        }
    }
}

fn is_whole(listing: &[u8]) -> bool {
    let listing = listing.trim_ascii_end();
    let start = listing.iter().rposition(|byte| *byte == b'<').unwrap_or_default();
    let last = listing.get(start..).unwrap_or_default();
    last.starts_with(b"</") && last.ends_with(b"ListBucketResult>") || last == b"<ListBucketResult/>"
}

/// Prefixes that an answer folds, each with a slash at its end.
pub(super) fn folders(output: &ListObjectsV2Output) -> Vec<String> {
    let folders = output.common_prefixes().iter().filter_map(|folder| folder.prefix());
    folders.map(decode_key).collect()
}

/// Token of the page behind an answer to `asked`; `None` behind the last.
///
/// # Errors
/// The service says that there is more, but not where: the listing is not complete, and asking again would give the same
/// page for ever.
pub(super) fn next_token(output: &ListObjectsV2Output, asked: Option<&str>) -> Result<Option<String>, Fault> {
    if output.is_truncated != Some(true) {
        return Ok(None);
    }
    match output.next_continuation_token.as_deref() {
        Some(next) if asked != Some(next) => Ok(Some(next.to_owned())),
        _ => {
            let reason = "the service says that the listing goes on, but not where";
            Err(Fault::new(FaultKind::Refused, reason))
        }
    }
}

pub(super) fn microseconds(time: &DateTime) -> Option<i64> {
    time.secs()
        .checked_mul(1_000_000)?
        .checked_add(i64::from(time.subsec_nanos() / 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_without_its_end_is_no_whole_one() {
        for (text, wanted) in [
            ("<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>\n", true),
            ("<s3:ListBucketResult></s3:ListBucketResult>", true),
            ("<ListBucketResult/>", true),
            ("<ListBucketResult><Contents><Key>a</Key></Contents>", false),
            ("<ListBucketResult><Contents><Key>a/", false),
            ("<ListBucketResult>", false),
            ("", false),
        ] {
            assert_eq!(is_whole(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn listing_that_goes_on_nowhere_is_no_complete_one() {
        let answer = |is_truncated: bool, next: Option<&str>| {
            let output = ListObjectsV2Output::builder().is_truncated(is_truncated);
            output.set_next_continuation_token(next.map(str::to_owned)).build()
        };
        let next = |is_truncated, next, asked| next_token(&answer(is_truncated, next), asked);
        assert_eq!(next(false, Some("a"), None).unwrap(), None);
        assert_eq!(next(true, Some("b"), Some("a")).unwrap().as_deref(), Some("b"));
        for (told, asked) in [(None, None), (Some("a"), Some("a"))] {
            assert_eq!(next(true, told, asked).unwrap_err().kind, FaultKind::Refused);
        }
    }
}
