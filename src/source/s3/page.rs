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
use super::fault::NO_END;
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
            folders: folders(&output)?,
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

    /// Whether a listing, if it is allowed, says that there is no such object.
    pub(super) async fn lists_no(self: &Arc<Self>, key: &str) -> bool {
        // Of a directory bucket, only folders can be listed, and these come in no order.
        if self.is_directory() {
            return false;
        }
        let request = PageRequest {
            prefix: key.to_owned(),
            ..PageRequest::default()
        };
        let uri = self.uri(key);
        // Not every service lists the key itself before those that begin with it: the whole of them is looked at, if it is one page.
        let is_no = |page: Page| page.next.is_none() && page.objects.iter().all(|object| *object.uri != *uri);
        self.page(&request).await.is_ok_and(is_no)
    }

    /// The last folder right below a prefix.
    pub(super) async fn last_folder_below(self: &Arc<Self>, prefix: &str) -> Result<Option<String>, Fault> {
        let mut request = PageRequest {
            prefix: prefix.to_owned(),
            is_flat: true,
            ..PageRequest::default()
        };
        let mut last = None;
        loop {
            let page = self.page(&request).await?;
            last = last.max(page.folders.into_iter().max());
            if page.next.is_none() {
                return Ok(last);
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
    /// As for [`stated`].
    fn listed(self: &Arc<Self>, object: &Object) -> Option<Result<ObjectRef, Fault>> {
        let (key, size) = match stated(object) {
            Ok(stated) => stated,
            Err(fault) => return Some(Err(fault)),
        };
        // Without it nobody sees that an object was replaced by another of the same size.
        let Some(etag) = object.e_tag() else {
            let reason = format!("lists an object without an etag (`{}`)", key.escape_debug());
            return Some(Err(untrusted(&reason)));
        };
        if size == 0 && key.ends_with('/') {
            return None;
        }
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
            may_be_gone: false,
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
            false => Err(NO_END.into()),
        }
    }
}

fn is_whole(listing: &[u8]) -> bool {
    let listing = listing.trim_ascii_end();
    let start = listing.iter().rposition(|byte| *byte == b'<').unwrap_or_default();
    let last = listing.get(start..).unwrap_or_default();
    last.starts_with(b"</") && last.ends_with(b"ListBucketResult>") || last == b"<ListBucketResult/>"
}

/// Key and size of a listed object.
///
/// # Errors
/// One of them is missing: the object can neither be left out nor be read.
pub(super) fn stated(object: &Object) -> Result<(String, u64), Fault> {
    let size = object.size().and_then(|size| u64::try_from(size).ok());
    match (object.key(), size) {
        (Some(key), Some(size)) => Ok((decode_key(key), size)),
        (key, _) => Err(untrusted(&format!(
            "lists an object without a key or a size (`{}`)",
            key.map(decode_key).unwrap_or_default().escape_debug()
        ))),
    }
}

/// Prefixes that an answer folds, each with a slash at its end.
///
/// # Errors
/// One of them is missing, and with it all objects below it.
pub(super) fn folders(output: &ListObjectsV2Output) -> Result<Vec<String>, Fault> {
    let folders = output.common_prefixes().iter().map(|folder| match folder.prefix() {
        Some(prefix) => Ok(decode_key(prefix)),
        None => Err(untrusted("lists a folder without its prefix")),
    });
    folders.collect()
}

/// Token of the page behind an answer to `asked`; `None` behind the last.
///
/// `NextContinuationToken` is sent if and only if `IsTruncated` is true, and `KeyCount` is the number of keys and folders
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
///
/// # Errors
/// The service says that there is more, but not where: asking again would give the same page for ever. Or it tells of a next
/// page, or of more keys, but denies them. The listing is not complete.
pub(super) fn next_token(output: &ListObjectsV2Output, asked: Option<&str>) -> Result<Option<String>, Fault> {
    let listed = output.contents().len() + output.common_prefixes().len();
    // Not each service counts the folders, so that fewer are no sign of anything.
    let counted = output.key_count().and_then(|count| usize::try_from(count).ok());
    if let Some(counted) = counted.filter(|counted| *counted > listed) {
        return Err(untrusted(&format!("counts {counted} keys and lists {listed}")));
    }
    let next = output.next_continuation_token().filter(|token| !token.is_empty());
    match (output.is_truncated, next) {
        (Some(true), Some(next)) if asked != Some(next) => Ok(Some(next.to_owned())),
        (Some(true), _) => Err(untrusted("says that the listing goes on, but not where")),
        (_, Some(_)) => Err(untrusted("says where the listing goes on, but not that it does")),
        (_, None) => Ok(None),
    }
}

fn untrusted(what: &str) -> Fault {
    let reason = format!(
        "the service {what}, so that the listing cannot be trusted; ingest what another program lists, \
         with `--keys-from`"
    );
    Fault::new(FaultKind::Refused, reason)
}

pub(super) fn microseconds(time: &DateTime) -> Option<i64> {
    time.secs()
        .checked_mul(1_000_000)?
        .checked_add(i64::from(time.subsec_nanos() / 1_000))
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::CommonPrefix;

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
        let next = |is_truncated: Option<bool>, told: Option<&str>, asked: Option<&str>| {
            let output = ListObjectsV2Output::builder().set_is_truncated(is_truncated);
            let output = output.set_next_continuation_token(told.map(str::to_owned));
            next_token(&output.build(), asked).map_err(|fault| fault.kind)
        };
        let refused = Err(FaultKind::Refused);
        assert_eq!(next(Some(false), None, None), Ok(None));
        assert_eq!(next(Some(false), Some(""), None), Ok(None));
        assert_eq!(next(None, None, None), Ok(None));
        assert_eq!(next(Some(true), Some("b"), Some("a")), Ok(Some("b".to_owned())));
        for (is_truncated, told, asked) in [
            (Some(true), None, None),
            (Some(true), Some("a"), Some("a")),
            (None, Some("b"), Some("a")),
            (Some(false), Some("b"), None),
        ] {
            assert_eq!(next(is_truncated, told, asked), refused, "{is_truncated:?} {told:?}");
        }
    }

    #[test]
    fn listing_with_fewer_keys_than_it_counts_is_no_complete_one() {
        let object = Object::builder().key("a").size(1).build();
        let folder = CommonPrefix::builder().prefix("b/").build();
        let counted = |count: i32| {
            let output = ListObjectsV2Output::builder().contents(object.clone());
            let output = output.common_prefixes(folder.clone()).key_count(count).build();
            next_token(&output, None).map_err(|fault| fault.kind)
        };
        assert_eq!(counted(2), Ok(None));
        assert_eq!(counted(1), Ok(None));
        assert_eq!(counted(3), Err(FaultKind::Refused));
    }

    #[test]
    fn object_without_a_size_and_folder_without_a_prefix_are_refused() {
        let unsized_one = Object::builder().key("a%2Fb").build();
        let text = stated(&unsized_one).unwrap_err().to_string();
        assert!(text.contains("(`a/b`)") && text.contains("cannot be trusted"), "{text}");
        assert!(stated(&Object::builder().size(1).build()).is_err());
        let output = ListObjectsV2Output::builder().common_prefixes(CommonPrefix::builder().build());
        assert_eq!(folders(&output.build()).unwrap_err().kind, FaultKind::Refused);
    }
}
