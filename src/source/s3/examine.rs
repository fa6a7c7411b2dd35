//! Looking at a bucket before a run, with few requests and without keeping anything.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use aws_sdk_s3::config::ConfigBag;
use aws_sdk_s3::config::Intercept;
use aws_sdk_s3::config::ProvideCredentials;
use aws_sdk_s3::config::RuntimeComponents;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::primitives::DateTimeFormat;
use aws_sdk_s3::types::EncodingType;
use futures::StreamExt;
use futures::stream;
use jiff::civil::Date;

use super::bucket::Bucket;
use super::connect::Connection;
use super::connect::S3Options;
use super::discover::discover;
use super::fault::Failure;
use super::fault::Fault;
use super::fault::FaultKind;
use super::fault::Verb;
use super::layout::region_folder;
use super::location::BucketPrefix;
use super::page::microseconds;
use crate::source::Listing;
use crate::source::ObjectRef;
use crate::source::OwnKeys;
use crate::source::Selection;
use crate::source::SourceError;
use crate::source::SourceSummary;

/// Region folders whose days are looked at: four requests each.
const FOLDERS_LOOKED_AT: usize = 64;
const LOOKED_AT_A_TIME: usize = 16;
/// A run waits longer; who asks whether a bucket answers waits at the terminal.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A bucket that is looked at.
#[derive(Debug)]
pub struct BucketExam {
    place: BucketPrefix,
    connection: Connection,
    bucket: Arc<Bucket>,
}

/// Credentials, without what is secret in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialSummary {
    /// Whether they end by themselves.
    pub is_temporary: bool,
    /// When they end, microseconds since 1970-01-01T00:00:00Z.
    pub expires_at: Option<i64>,
}

/// What an answer of the bucket says beside its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// The clock of the server, microseconds since 1970-01-01T00:00:00Z.
    pub server_time: Option<i64>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Whether it was asked for a list, and not for the one object that is the source.
    pub is_listed: bool,
}

/// What reading one byte of one object shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadObject {
    /// URI of the object.
    pub uri: String,
    /// ARN of the KMS key that encrypts it.
    pub kms_key: Option<String>,
}

/// Keeps headers of the last answer.
#[derive(Debug, Clone, Default)]
struct Headers(Arc<Mutex<Reached>>);

impl BucketExam {
    /// Gets ready to look at `s3://bucket/prefix`.
    ///
    /// # Errors
    /// The text names no bucket.
    pub async fn open(source: &str, options: &S3Options) -> Result<Self, SourceError> {
        let place = BucketPrefix::of_source(source)?;
        let connection = Connection::new(options).await;
        let bucket = connection.bucket(&place.bucket).await;
        Ok(Self {
            place: if place.is_object() { place } else { place.into_folder() },
            connection,
            bucket,
        })
    }

    /// The credentials that requests are signed with.
    ///
    /// # Errors
    /// There are none.
    pub async fn credentials(&self) -> Result<CredentialSummary, Fault> {
        let none = |reason: &str| Failure::without_answer(&format!("no credentials: {reason}")).fault;
        let provider = self.connection.config().credentials_provider();
        let provider = provider.ok_or_else(|| none("no provider is configured"))?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| none(&super::fault::chain(&error)))?;
        let expiry = credentials
            .expiry()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(CredentialSummary {
            is_temporary: credentials.session_token().is_some(),
            expires_at: expiry.and_then(|expiry| i64::try_from(expiry.as_micros()).ok()),
        })
    }

    /// ARN of the caller, as the security token service names it.
    ///
    /// # Errors
    /// It does not answer, or does not accept the credentials.
    pub async fn identity(&self) -> Result<String, Fault> {
        let answer = self.connection.token_service().get_caller_identity().send().await;
        let answer = answer.map_err(|error| Failure::from_sdk(Verb::Head, &error).fault)?;
        let arn = answer.arn().map(str::to_owned);
        arn.ok_or_else(|| Fault::new(FaultKind::Refused, "the answer names no ARN"))
    }

    /// Asks for the object that is the source, as a run over it does, or lists one key below the prefix.
    ///
    /// # Errors
    /// The bucket cannot be reached or listed, or the object not be read; what the answer says beside is there all the same.
    pub async fn reach(&self) -> (Reached, Result<(), Fault>) {
        let headers = Headers::default();
        let (is_listed, answer) = match self.place.is_object() {
            true => match bounded(self.ask_object(&headers)).await {
                // As for a run, it may be the name of a folder.
                Err(fault) if fault.kind == FaultKind::Vanished => (true, bounded(self.list_one(&headers)).await),
                answer => (false, answer),
            },
            false => (true, bounded(self.list_one(&headers)).await),
        };
        let reached = headers.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (Reached { is_listed, ..reached }, answer)
    }

    async fn ask_object(&self, headers: &Headers) -> Result<(), Fault> {
        let asked = self.bucket.call(Verb::Head, || async {
            let request = self.bucket.client.head_object().bucket(self.bucket.name());
            let request = request.key(&self.place.prefix);
            let request = request.set_request_payer(self.bucket.request_payer.clone());
            let sent = request.customize().interceptor(headers.clone()).send().await;
            sent.map(drop).map_err(|error| Failure::from_sdk(Verb::Head, &error))
        });
        asked.await
    }

    async fn list_one(&self, headers: &Headers) -> Result<(), Fault> {
        let listed = self.bucket.call(Verb::List, || async {
            let request = self.bucket.client.list_objects_v2().bucket(self.bucket.name());
            let request = request.prefix(&self.place.prefix).max_keys(1);
            // Keys may hold characters that XML cannot.
            let request = request.encoding_type(EncodingType::Url);
            let request = request.set_request_payer(self.bucket.request_payer.clone());
            let sent = request.customize().interceptor(headers.clone()).send().await;
            sent.map(drop).map_err(|error| Failure::from_sdk(Verb::List, &error))
        });
        listed.await
    }

    /// Finds organizations, accounts, regions and days, and an object to read; the store of a run is left out.
    ///
    /// # Errors
    /// A list is refused.
    pub async fn summary(
        &self,
        selection: &Selection,
        own_keys: &OwnKeys,
    ) -> Result<(SourceSummary, Option<ObjectRef>), Fault> {
        if self.place.is_object() {
            match self.bucket.head(&self.place.prefix).await {
                Ok(object) => {
                    let listing = Listing {
                        objects: vec![object.clone()],
                        ..Listing::default()
                    };
                    return Ok((SourceSummary::of_listing(&listing), Some(object)));
                }
                Err(fault) if fault.kind == FaultKind::Vanished => {}
                Err(fault) => return Err(fault),
            }
        }
        let layout = discover(&self.bucket, &self.place.prefix, selection, own_keys).await;
        let layout = layout.map_err(|(_, fault)| fault)?;
        let mut summary = SourceSummary {
            folders: layout.regions.len(),
            passed_over: layout.passed_over,
            unlisted: layout.unlisted,
            ..SourceSummary::default()
        };
        if !layout.is_known {
            return Ok((summary, self.bucket.first_below(&self.place.prefix).await?));
        }
        for folder in &layout.regions {
            summary.add_path(&format!("/{folder}"));
            let mut parts = folder.trim_end_matches('/').rsplit('/');
            summary.regions.extend(parts.next().map(str::to_owned));
            summary.accounts.extend(parts.nth(1).map(str::to_owned));
        }
        // Spread over all of them, as accounts differ in age.
        let step = layout.regions.len().div_ceil(FOLDERS_LOOKED_AT).max(1);
        let chosen: Vec<String> = layout.regions.into_iter().step_by(step).collect();
        summary.folders_looked_at = chosen.len();
        let mut looked_at = stream::iter(chosen)
            .map(|folder| self.ends_of(folder))
            .buffered(LOOKED_AT_A_TIME);
        let mut newest: Option<(Date, ObjectRef)> = None;
        while let Some(ends) = looked_at.next().await {
            for (day, object) in ends? {
                summary.add_day(day);
                if newest.as_ref().is_none_or(|(newest, _)| *newest < day) {
                    newest = Some((day, object));
                }
            }
        }
        Ok((summary, newest.map(|(_, object)| object)))
    }

    /// Reads one byte of an object.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn read_byte(&self, object: &ObjectRef) -> Result<ReadObject, Fault> {
        let key = object.bucket_key(&self.bucket).unwrap_or_default();
        let answer = self
            .bucket
            .call(Verb::Get, || async {
                let request = self.bucket.client.get_object().bucket(self.bucket.name()).key(key);
                let request = request.set_range((object.size > 0).then(|| "bytes=0-0".to_owned()));
                let request = request.set_request_payer(self.bucket.request_payer.clone());
                let sent = request.send().await;
                sent.map_err(|error| Failure::from_sdk(Verb::Get, &error))
            })
            .await?;
        Ok(ReadObject {
            uri: object.uri.to_string(),
            kms_key: answer.ssekms_key_id().map(str::to_owned),
        })
    }

    /// First object of the first day and of the last.
    async fn ends_of(&self, folder: String) -> Result<Vec<(Date, ObjectRef)>, Fault> {
        let first = self.bucket.first_below(&folder).await?;
        let mut last_folder = folder;
        for _ in ["year", "month", "day"] {
            match self.bucket.last_folder_below(&last_folder).await? {
                Some(last) => last_folder = last,
                None => break,
            }
        }
        let last = self.bucket.first_below(&last_folder).await?;
        let ends = first.into_iter().chain(last);
        Ok(ends
            .filter_map(|object| Some((region_folder(&object.uri)?.1, object)))
            .collect())
    }
}

impl Intercept for Headers {
    fn name(&self) -> &'static str {
        "Headers"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        let date = headers.get("date");
        let date = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Reached {
            server_time: date.as_ref().and_then(microseconds),
            region: headers.get("x-amz-bucket-region").map(str::to_owned),
            is_listed: false,
        };
        Ok(())
    }
}

/// An answer that is waited for as long as somebody at a terminal waits.
async fn bounded(asked: impl Future<Output = Result<(), Fault>>) -> Result<(), Fault> {
    let waited = tokio::time::timeout(LONGEST_WAIT, asked).await;
    waited.unwrap_or_else(|_| {
        let seconds = LONGEST_WAIT.as_secs();
        let reason = format!("no answer within {seconds} seconds; check the network, the region and `--endpoint-url`");
        Err(Fault::new(FaultKind::Unavailable, reason))
    })
}
