//! A bucket that holds a store: objects read, written and listed by key.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

use aws_sdk_s3::config::ConfigBag;
use aws_sdk_s3::config::Intercept;
use aws_sdk_s3::config::RuntimeComponents;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::primitives::DateTime;
use bytes::Bytes;

use super::bucket::Bucket;
use super::bucket::RequestCounts;
use super::connect::Connection;
use super::connect::S3Options;
use super::fault::Failure;
use super::fault::Fault;
use super::fault::FaultKind;
use super::fault::Verb;
use super::page::PageRequest;
use super::page::folders;
use super::page::microseconds;
use super::page::next_token;
use super::page::stated;
use super::patience::Patience;

/// A bucket with the credentials, the pace and the repeats of those that logs are read from; clones share it.
#[derive(Debug, Clone)]
pub struct StoreBucket {
    pub(super) bucket: Arc<Bucket>,
    patience: Arc<Patience>,
}

/// Which bytes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first position up to, without, the last.
    Between(Range<u64>),
    /// From a position on.
    From(u64),
    /// The last ones.
    Last(u64),
}

/// What is known of an object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The whole key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// As the service writes it.
    pub etag: Option<String>,
    /// Microseconds since 1970-01-01T00:00:00Z; 0 when it is not known.
    pub last_modified: i64,
}

/// Bytes of an object.
#[derive(Debug, Clone)]
pub struct StoredBytes {
    /// The object that they belong to.
    pub object: StoredObject,
    /// Where in it they stand.
    pub range: Range<u64>,
    /// The bytes, all of the range.
    pub bytes: Bytes,
}

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct StoredPage {
    /// In the order of the service.
    pub objects: Vec<StoredObject>,
    /// Prefixes that end in a slash, of a flat listing.
    pub folders: Vec<String>,
    /// Token of the next page.
    pub next: Option<String>,
}

impl StoreBucket {
    /// Finds out where the bucket lies; credentials are asked for with the first request.
    pub async fn connect(name: &str, options: &S3Options) -> Self {
        let connection = Connection::new(options).await;
        Self {
            bucket: connection.bucket(name).await,
            patience: Arc::default(),
        }
    }

    /// Makes requests end soon that get no answer once a run is asked to stop, which the flag says.
    pub fn end_after(&self, stop: Arc<AtomicBool>) {
        self.patience.watch(stop);
    }

    /// Whether requests were ended because a run was asked to stop, so that nobody knows whether they were carried out.
    pub fn has_given_up(&self) -> bool {
        self.patience.is_over()
    }

    /// Whether it is a directory bucket.
    pub fn is_directory(&self) -> bool {
        self.bucket.is_directory()
    }

    /// Requests made so far.
    pub fn requests(&self) -> RequestCounts {
        self.bucket.requests()
    }

    /// Reads an object, or some of it.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Vanished`] when there is no such object, and all else that keeps its bytes away.
    pub async fn get(&self, key: &str, range: Option<&ByteRange>) -> Result<StoredBytes, Fault> {
        self.call(Verb::Get, || self.request_get(key, range)).await
    }

    /// Reads an object whose bytes show whether they are all there; the check says what is missing.
    ///
    /// # Errors
    ///
    /// As for [`Self::get`], and when bytes are missing however often it is asked.
    pub async fn get_whole(
        &self,
        key: &str,
        check: impl Fn(&StoredBytes) -> Result<(), String>,
    ) -> Result<StoredBytes, Fault> {
        let stored = self.call(Verb::Get, || async {
            let stored = self.request_get(key, None).await.map_err(|failure| match failure.fault.kind {
                FaultKind::Incomplete => {
                    let reason = format!("`{}`: {}", self.bucket.uri(key), failure.fault);
                    Failure::repeatable(FaultKind::Incomplete, reason)
                }
                _ => failure,
            })?;
            let checked = check(&stored).map_err(|reason| {
                let uri = self.bucket.uri(key);
                let reason = format!(
                    "`{uri}` does not come whole ({reason}); run again, and if it stays so, restore that object from an older \
                     version of it or from a copy of the store"
                );
                Failure::repeatable(FaultKind::Incomplete, reason)
            });
            checked.map(|()| stored)
        });
        stored.await
    }

    /// Asks for size and etag of an object.
    ///
    /// # Errors
    ///
    /// As for [`Self::get`].
    pub async fn head(&self, key: &str) -> Result<StoredObject, Fault> {
        let answer = self.call(Verb::Head, || self.bucket.request_head(key)).await?;
        let size = u64::try_from(answer.content_length().unwrap_or_default()).unwrap_or_default();
        Ok(stored(key.to_owned(), size, answer.e_tag(), answer.last_modified()))
    }

    /// Writes an object, whatever was there.
    ///
    /// # Errors
    ///
    /// The service does not take it, or nobody knows whether it did.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), Fault> {
        self.request_put(key, bytes, None).await
    }

    /// Writes an object that must not be there yet; false when there is one.
    ///
    /// An answer that gets lost makes the request be repeated, so the object that is there may be this one.
    ///
    /// # Errors
    ///
    /// As for [`Self::put`].
    pub async fn create(&self, key: &str, bytes: Bytes) -> Result<bool, Fault> {
        match self.request_put(key, bytes, Some("*")).await {
            Ok(()) => Ok(true),
            Err(fault) if fault.kind == FaultKind::Changed => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// The service does not allow it or does not answer.
    pub async fn remove(&self, key: &str) -> Result<(), Fault> {
        let removed = self.call(Verb::Delete, || async {
            let request = self.bucket.client.delete_object().bucket(self.bucket.name()).key(key);
            let sent = request.send().await;
            sent.map_err(|error| Failure::from_sdk(Verb::Delete, &error))
        });
        match removed.await {
            Ok(_) => Ok(()),
            Err(fault) if fault.kind == FaultKind::Vanished => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Lists one page of the keys below a prefix and behind a key; a flat listing stops at the next slash.
    ///
    /// # Errors
    ///
    /// The bucket cannot be listed.
    pub async fn list(
        &self,
        prefix: &str,
        (start_after, is_flat): (Option<&str>, bool),
        token: Option<&str>,
    ) -> Result<StoredPage, Fault> {
        let request = PageRequest {
            prefix: prefix.to_owned(),
            is_flat,
            start_after: start_after.map(str::to_owned),
            token: token.map(str::to_owned),
            max_keys: None,
        };
        let output = self.call(Verb::List, || self.bucket.request_page(&request)).await?;
        page(&output, token)
    }

    async fn request_get(&self, key: &str, range: Option<&ByteRange>) -> Result<StoredBytes, Failure> {
        let request = self.bucket.client.get_object().bucket(self.bucket.name()).key(key);
        let request = request.set_range(range.map(ByteRange::header));
        let status = Status::default();
        let sent = request.customize().interceptor(status.clone()).send().await;
        let answer = sent.map_err(|error| Failure::from_sdk(Verb::Get, &error))?;
        // `GetObject` answers with 200, or with 206 for a part
        // (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>), but the SDK takes 204 as well.
        match status.0.load(Ordering::Relaxed) {
            200 | 206 => collect(key, answer, range).await,
            other => {
                let reason = format!("the answer has status {other} and no object; run again");
                Err(Failure::repeatable(FaultKind::Incomplete, reason))
            }
        }
    }

    async fn request_put(&self, key: &str, bytes: Bytes, if_none_match: Option<&str>) -> Result<(), Fault> {
        self.call(Verb::Put, || async {
            let request = self.bucket.client.put_object().bucket(self.bucket.name()).key(key);
            let sent = request
                .set_if_none_match(if_none_match.map(str::to_owned))
                .body(ByteStream::from(bytes.clone()))
                .send()
                .await;
            sent.map_err(|error| Failure::from_sdk(Verb::Put, &error))
        })
        .await?;
        Ok(())
    }

    /// Every request of a store goes through here.
    pub(super) async fn call<T, F>(&self, verb: Verb, request: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let answer = Box::pin(self.patience.bound(self.bucket.call(verb, request))).await;
        answer.map_err(Fault::of_store)
    }
}

impl ByteRange {
    fn header(&self) -> String {
        match self {
            Self::Between(range) => format!("bytes={}-{}", range.start, range.end.saturating_sub(1)),
            Self::From(start) => format!("bytes={start}-"),
            Self::Last(count) => format!("bytes=-{count}"),
        }
    }

    /// Where these bytes stand in an object of this size.
    fn within(&self, size: u64) -> Range<u64> {
        match self {
            Self::Between(range) => range.start.min(size)..range.end.min(size),
            Self::From(start) => (*start).min(size)..size,
            Self::Last(count) => size.saturating_sub(*count)..size,
        }
    }
}

/// Keeps the status of an answer, which the SDK does not tell.
#[derive(Debug, Clone, Default)]
struct Status(Arc<AtomicU16>);

impl Intercept for Status {
    fn name(&self) -> &'static str {
        "Status"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.store(context.response().status().as_u16(), Ordering::Relaxed);
        Ok(())
    }
}

fn page(output: &ListObjectsV2Output, token: Option<&str>) -> Result<StoredPage, Fault> {
    let objects = output.contents().iter().map(|object| {
        let (key, size) = stated(object)?;
        Ok(stored(key, size, object.e_tag(), object.last_modified()))
    });
    Ok(StoredPage {
        objects: objects.collect::<Result<_, Fault>>()?,
        folders: folders(output)?,
        next: next_token(output, token)?,
    })
}

fn stored(key: String, size: u64, etag: Option<&str>, last_modified: Option<&DateTime>) -> StoredObject {
    StoredObject {
        key,
        size,
        etag: etag.map(str::to_owned),
        last_modified: last_modified.and_then(microseconds).unwrap_or_default(),
    }
}

/// Reads a body, which must be all that was asked for.
async fn collect(key: &str, answer: GetObjectOutput, range: Option<&ByteRange>) -> Result<StoredBytes, Failure> {
    let incomplete = |reason: String| Failure::repeatable(FaultKind::Incomplete, reason);
    let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
    // `bytes 0-9/1000` where only a part was asked for; a service may give the whole all the same.
    let total = answer
        .content_range()
        .and_then(|text| text.rsplit_once('/')?.1.parse().ok());
    let Some(size) = total.or(length) else {
        let reason = "the answer does not say how many bytes the object has; run again";
        return Err(incomplete(reason.to_owned()));
    };
    let wanted = range.map_or(0..size, |range| range.within(size));
    let sent = if total.is_some() { wanted.clone() } else { 0..size };
    let object = stored(key.to_owned(), size, answer.e_tag(), answer.last_modified());
    let body = answer.body.collect().await;
    let bytes = body.map_err(|error| incomplete(format!("the object breaks off ({error}); run again")))?;
    let mut bytes = bytes.into_bytes();
    if bytes.len() as u64 != sent.end - sent.start {
        return Err(incomplete(format!(
            "{} bytes of the object came instead of {}; run again",
            bytes.len(),
            sent.end - sent.start
        )));
    }
    if sent != wanted {
        let part = usize::try_from(wanted.start).ok().zip(usize::try_from(wanted.end).ok());
        let (start, end) = part.ok_or_else(|| incomplete("the part is too large".to_owned()))?;
        bytes = bytes.slice(start..end);
    }
    Ok(StoredBytes {
        object,
        range: wanted,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_asked_for_as_http_does_and_end_with_the_object() {
        for (range, header, within) in [
            (ByteRange::Between(2..5), "bytes=2-4", 2..5),
            (ByteRange::Between(8..12), "bytes=8-11", 8..10),
            (ByteRange::From(7), "bytes=7-", 7..10),
            (ByteRange::Last(4), "bytes=-4", 6..10),
            (ByteRange::Last(40), "bytes=-40", 0..10),
        ] {
            assert_eq!((range.header().as_str(), range.within(10)), (header, within));
        }
    }
}
