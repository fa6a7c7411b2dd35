//! What a bucket answers instead of the bytes, and what to do about it.

mod arn;
mod version;
mod words;

use std::error::Error;
use std::fmt::Display;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::error::SdkError;

use version::Version;
use words::cut;
use words::said;

pub(super) use words::chain;

/// What is said of a listing whose XML breaks off, or that is no listing.
pub(super) const NO_END: &str = "the listing has no end";
/// Words, in small letters, of errors that come because nobody is reached.
const WITHOUT_NETWORK: [&str; 4] = [
    "dns error",
    "failed to lookup address",
    "connection refused",
    "connect timeout",
];

/// Why an object, or a list of objects, cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    /// What kind of hindrance it is.
    pub kind: FaultKind,
    reason: String,
    /// The version that is there now of an object, where it is about that one and not about the one that was listed.
    newer: Option<Box<Version>>,
}

/// Kinds of hindrances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// A permission is missing.
    Denied,
    /// The object lies in an archive and must be restored first.
    Archived,
    /// The object was there when it was listed, and is gone.
    Vanished,
    /// The object is another one than the one listed.
    Changed,
    /// The bytes that came are not those that were promised.
    Incomplete,
    /// The object has more bytes than may be held at a time.
    TooLarge,
    /// The service or the network does not answer, however often it is asked.
    Unavailable,
    /// There are no credentials, or none that are accepted.
    Credentials,
    /// The bucket lies in another region.
    WrongRegion,
    /// Everything else.
    Refused,
}

/// What to do after a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    GiveUp,
    Repeat,
    /// Repeat more often, as the service answers that it is its own fault.
    Insist,
    /// The same, and ask less at a time.
    SlowDown,
}

/// What was asked of the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    List,
    Get,
    Head,
    Put,
    Delete,
}

/// A failed request, before it is decided whether to repeat it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    pub(super) remedy: Remedy,
    /// Region of the bucket, where the answer names it.
    pub(super) region: Option<String>,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            newer: None,
        }
    }

    /// A fault of another kind, in the words of its cause.
    pub(in crate::source) fn unreadable(reason: &str) -> Self {
        Self::new(FaultKind::Refused, reason)
    }

    /// An object of which no byte is asked for.
    pub(super) fn too_large(bytes: u64, max_bytes: u64) -> Self {
        Self::new(
            FaultKind::TooLarge,
            format!(
                "the object has {bytes} bytes, and no more than {max_bytes} are fetched of one; copy it into a folder, where it is \
                 read piece by piece, and ingest that"
            ),
        )
    }

    /// The fetching ended before its time.
    pub fn broken_off() -> Self {
        Self::new(FaultKind::Refused, "the fetching of objects broke down; run again")
    }

    /// What keeps a file from being read.
    pub fn of_file(cause: &dyn Display) -> Self {
        Self::new(FaultKind::Refused, format!("{cause}; make it readable and run again"))
    }

    /// What a bucket said, of which a library passes on the text alone.
    pub fn told(reason: &str) -> Self {
        Self::new(FaultKind::Refused, reason)
    }

    /// What is wrong and, where the text says so, what to do.
    pub fn found_and_remedy(&self) -> (&str, Option<&str>) {
        // What the service itself says stands in brackets, and may hold a semicolon.
        let (answer, rest) = match self.reason.find("); ") {
            Some(bracket) => self.reason.split_at(bracket + 1),
            None => ("", self.reason.as_str()),
        };
        match rest.find("; ") {
            Some(end) => {
                let found = self.reason.get(..answer.len() + end);
                (found.unwrap_or(&self.reason), rest.get(end + 2..))
            }
            None => (&self.reason, None),
        }
    }

    /// The same for a bucket that holds a store, whose options have names of their own.
    #[must_use]
    pub fn of_store(mut self) -> Self {
        for (option, of_store) in [
            ("`--aws-region", "`--store-region"),
            ("`--profile", "`--store-profile"),
            ("`--endpoint-url", "`--store-endpoint-url"),
            ("`--path-style", "`--store-path-style"),
        ] {
            self.reason = self.reason.replace(option, of_store);
        }
        self
    }

    /// Whether what is asked for next will meet the same hindrance, whatever it is.
    pub fn stops_the_run(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Unavailable | FaultKind::Credentials | FaultKind::WrongRegion
        )
    }
}

impl Verb {
    /// The permission that allows it.
    fn action(self) -> &'static str {
        match self {
            Self::List => "s3:ListBucket",
            Self::Get | Self::Head => "s3:GetObject",
            Self::Put => "s3:PutObject",
            Self::Delete => "s3:DeleteObject",
        }
    }
}

impl Failure {
    pub(super) fn repeatable(kind: FaultKind, reason: impl Into<String>) -> Self {
        Self {
            fault: Fault::new(kind, reason),
            remedy: Remedy::Repeat,
            region: None,
        }
    }

    /// Reads an error of the SDK.
    pub(super) fn from_sdk<E>(verb: Verb, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let response = error.raw_response();
        let status = response.map(|response| response.status().as_u16());
        let region = response
            .and_then(|response| response.headers().get("x-amz-bucket-region"))
            .map(str::to_owned);
        match (error, status) {
            (SdkError::ServiceError(service), Some(status)) => {
                let (code, message) = (service.err().code(), service.err().message());
                Self::from_answer(
                    verb,
                    status,
                    (code.unwrap_or_default(), message.unwrap_or_default()),
                    region,
                )
            }
            (SdkError::ResponseError(_), _) if chain(error).contains(NO_END) => {
                Self::repeatable(FaultKind::Incomplete, format!("{NO_END}; run again"))
            }
            (SdkError::ResponseError(_), _) => Self::repeatable(
                FaultKind::Incomplete,
                format!("the answer breaks off ({}); run again", cut(&chain(error))),
            ),
            _ => Self::without_answer(&chain(error)),
        }
    }

    /// Nothing came back: no credentials, or no network.
    pub(super) fn without_answer(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        if let Some(reason) = arn::refusal(&lower, &cut(text)) {
            return Self::final_one(FaultKind::Refused, reason);
        }
        let is_of_credentials = lower.contains("credential") || lower.contains("token") && lower.contains("sso");
        if is_of_credentials && WITHOUT_NETWORK.iter().any(|words| lower.contains(words)) {
            return Self::repeatable(
                FaultKind::Unavailable,
                format!(
                    "the service that gives the credentials does not answer ({}); check the network, and that it reaches AWS STS",
                    cut(text)
                ),
            );
        }
        if is_of_credentials {
            return Self::final_one(
                FaultKind::Credentials,
                format!(
                    "there are no usable AWS credentials ({}); log in with `aws sso login`, name a profile with \
                     `--profile`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is attached",
                    cut(text)
                ),
            );
        }
        Self::repeatable(
            FaultKind::Unavailable,
            format!(
                "no answer ({}); check the network, the region and `--endpoint-url`",
                cut(text)
            ),
        )
    }

    fn from_answer(verb: Verb, status: u16, (code, message): (&str, &str), region: Option<String>) -> Self {
        let said = said(status, code, message);
        let failure = Self::of_service(status, code, &said)
            .or_else(|| Self::of_credentials(code, &said))
            .or_else(|| Self::of_region(status, code, &said, region.as_deref()))
            .or_else(|| Self::of_object(status, code, &said));
        let is_denied = matches!(code, "AccessDenied" | "AllAccessDisabled") || status == 403;
        let mut failure = failure.unwrap_or_else(|| match code {
            _ if is_denied => Self::final_one(FaultKind::Denied, denied(verb, message, &said)),
            code if code.starts_with("KMS.") => Self::final_one(
                FaultKind::Denied,
                format!(
                    "the key that encrypts the object cannot be used ({said}); enable it, or allow `kms:Decrypt` on it"
                ),
            ),
            _ if (200..400).contains(&status) => Self::final_one(
                FaultKind::Refused,
                format!("the answer is none that S3 gives ({said}); check `--endpoint-url`, and what stands between, as a proxy"),
            ),
            _ => Self::final_one(FaultKind::Refused, format!("the service refuses ({said})")),
        });
        failure.region = region;
        failure
    }

    fn of_service(status: u16, code: &str, said: &str) -> Option<Self> {
        match (code, status) {
            ("SlowDown" | "ServiceUnavailable" | "RequestLimitExceeded", _) | (_, 429 | 503) => Some(Self {
                remedy: Remedy::SlowDown,
                ..Self::repeatable(
                    FaultKind::Unavailable,
                    format!("the service is too busy ({said}); run again later"),
                )
            }),
            ("InternalError" | "RequestTimeout" | "OperationAborted" | "ConditionalRequestConflict", _)
            | (_, 409 | 500 | 502 | 504) => Some(Self {
                remedy: Remedy::Insist,
                ..Self::repeatable(
                    FaultKind::Unavailable,
                    format!("the service fails ({said}); run again later"),
                )
            }),
            _ => None,
        }
    }

    fn of_credentials(code: &str, said: &str) -> Option<Self> {
        let reason = match code {
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired" => {
                format!("the credentials have expired ({said}); log in again and run again")
            }
            "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "AuthFailure" => format!(
                "the credentials are not accepted ({said}); check the profile, and `--aws-region` for buckets in other \
                 partitions"
            ),
            "RequestTimeTooSkewed" => format!("the clock of this machine is wrong ({said}); set it and run again"),
            _ => return None,
        };
        Some(Self::final_one(FaultKind::Credentials, reason))
    }

    fn of_region(status: u16, code: &str, said: &str, region: Option<&str>) -> Option<Self> {
        let is_named = matches!(
            code,
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
        );
        let is_elsewhere = is_named || matches!(status, 301 | 307) || status == 400 && region.is_some();
        let where_to = match region {
            Some(region) => format!("use `--aws-region {region}`"),
            None => "name it with `--aws-region`".to_owned(),
        };
        is_elsewhere.then(|| {
            Self::final_one(
                FaultKind::WrongRegion,
                format!("the bucket lies in another region ({said}); {where_to}"),
            )
        })
    }

    fn of_object(status: u16, code: &str, said: &str) -> Option<Self> {
        let (kind, reason) = match (code, status) {
            ("InvalidObjectState", _) => (
                FaultKind::Archived,
                format!(
                    "archived: the object lies in a Glacier storage class ({said}); restore it with `aws s3api \
                     restore-object` and run again"
                ),
            ),
            ("NoSuchBucket", _) => (
                FaultKind::Refused,
                format!("there is no such bucket ({said}); check its name"),
            ),
            (_, 404) => (
                FaultKind::Vanished,
                format!("there is no such object ({said}): it was deleted, or its key is wrong"),
            ),
            (_, 412) => (
                FaultKind::Changed,
                format!("changed: the object was replaced while it was read ({said}); run again"),
            ),
            _ => return None,
        };
        Some(Self::final_one(kind, reason))
    }

    fn final_one(kind: FaultKind, reason: String) -> Self {
        Self {
            remedy: Remedy::GiveUp,
            ..Self::repeatable(kind, reason)
        }
    }
}

/// Names the permission that is missing, as the answer does, or as the request needs it.
fn denied(verb: Verb, message: &str, said: &str) -> String {
    let named = message
        .split_once("not authorized to perform: ")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    let is_about_a_key = message.to_ascii_lowercase().contains("kms");
    let action = match named {
        Some(action) => action,
        None if is_about_a_key && verb == Verb::Put => "kms:GenerateDataKey",
        None if is_about_a_key => "kms:Decrypt",
        None => verb.action(),
    };
    let place = match (action, verb) {
        ("kms:Decrypt" | "kms:GenerateDataKey", _) => {
            "on the key that encrypts the object, in the role's policy and in the key's"
        }
        (_, Verb::List) => "on the bucket",
        (_, Verb::Put | Verb::Delete) => "on the objects below the prefix",
        _ => "on the objects; without `s3:ListBucket` a missing object looks the same",
    };
    format!("access denied ({said}); allow `{action}` {place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(verb: Verb, status: u16, code: &str, message: &str) -> (FaultKind, Remedy, String) {
        let failure = Failure::from_answer(verb, status, (code, message), None);
        (failure.fault.kind, failure.remedy, failure.fault.to_string())
    }

    #[test]
    fn missing_permission_is_named_as_the_answer_names_it_or_as_the_request_needs_it() {
        let message = "User: arn:aws:sts::111122223333:assumed-role/batch/i is not authorized to perform: kms:Decrypt \
             on resource: arn:aws:kms:eu-west-1:111122223333:key/1 because no identity-based policy allows it";
        for (verb, message, wanted) in [
            (Verb::Get, message, "allow `kms:Decrypt` on the key"),
            (Verb::Get, "Access Denied", "allow `s3:GetObject` on the objects"),
            (Verb::List, "Access Denied", "allow `s3:ListBucket` on the bucket"),
            (
                Verb::Get,
                "The ciphertext refers to a KMS key that you cannot use",
                "allow `kms:Decrypt`",
            ),
        ] {
            let (kind, remedy, reason) = fault(verb, 403, "AccessDenied", message);
            assert_eq!((kind, remedy), (FaultKind::Denied, Remedy::GiveUp));
            assert!(reason.contains(wanted), "{reason}");
        }
    }

    #[test]
    fn throttling_slows_down_and_failures_of_the_service_are_repeated() {
        assert_eq!(fault(Verb::Get, 503, "SlowDown", "x").1, Remedy::SlowDown);
        assert_eq!(fault(Verb::Head, 503, "", "").1, Remedy::SlowDown);
        assert_eq!(fault(Verb::Get, 500, "InternalError", "x").1, Remedy::Insist);
        assert_eq!(
            fault(Verb::Put, 409, "ConditionalRequestConflict", "x").1,
            Remedy::Insist
        );
        assert_eq!(fault(Verb::Get, 403, "InvalidObjectState", "x").0, FaultKind::Archived);
        assert_eq!(fault(Verb::Head, 404, "", "").0, FaultKind::Vanished);
        assert_eq!(fault(Verb::Get, 404, "NoSuchBucket", "").0, FaultKind::Refused);
    }

    #[test]
    fn what_is_found_ends_with_its_bracket_and_the_remedy_stands_behind_it() {
        for (reason, found, remedy) in [
            (
                "there is no such bucket (404 x; y); check its name",
                "there is no such bucket (404 x; y)",
                Some("check its name"),
            ),
            (
                "no answer; check the network; or wait",
                "no answer",
                Some("check the network; or wait"),
            ),
            ("gone (404)", "gone (404)", None),
        ] {
            assert_eq!(Fault::told(reason).found_and_remedy(), (found, remedy));
        }
    }

    #[test]
    fn wrong_region_and_missing_credentials_come_with_a_remedy() {
        let failure = Failure::from_answer(Verb::List, 301, ("PermanentRedirect", "x"), Some("eu-central-1".into()));
        assert!(failure.fault.to_string().contains("`--aws-region eu-central-1`"));
        let failure = Failure::without_answer("dispatch failure: no providers in chain provided credentials");
        assert_eq!(failure.fault.kind, FaultKind::Credentials);
        assert!(failure.fault.stops_the_run());
        for text in [
            "dispatch failure: connection refused",
            "failed to load credentials: dispatch failure: dns error: failed to lookup address information",
        ] {
            let failure = Failure::without_answer(text);
            assert_eq!(
                (failure.fault.kind, failure.remedy),
                (FaultKind::Unavailable, Remedy::Repeat)
            );
        }
        let page = Failure::from_answer(Verb::List, 200, ("", ""), None);
        assert!(page.fault.to_string().contains("`--endpoint-url`"));
    }
}
