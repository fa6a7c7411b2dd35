//! One bucket: every request to it is paced, counted and repeated here.

use std::future::Future;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::RequestPayer;

use super::fault::Failure;
use super::fault::Fault;
use super::fault::FaultKind;
use super::fault::Remedy;
use super::fault::Verb;
use super::limiter::Limiter;
use super::retry::MAX_ATTEMPTS;
use super::retry::MAX_ATTEMPTS_AT_BYTES;
use super::retry::MAX_ATTEMPTS_AT_TROUBLE;
use super::retry::RetryBudget;
use super::retry::pause_after;

/// A bucket that can be listed and read, and written where it holds a store.
#[derive(Debug)]
pub(in crate::source) struct Bucket {
    name: String,
    /// Which service is asked.
    endpoint: String,
    pub(super) client: Client,
    pub(super) request_payer: Option<RequestPayer>,
    limiter: Limiter,
    budget: RetryBudget,
    counts: Counts,
    /// Why every request would be refused, where that is known before the first.
    refusal: Option<Fault>,
}

/// Requests that a run made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Lists of keys.
    pub list: u64,
    /// Objects, or parts of them.
    pub get: u64,
    /// Sizes and etags only.
    pub head: u64,
    /// Objects, or parts of them, that were written.
    pub put: u64,
    /// Objects that were removed.
    pub delete: u64,
    /// Of all these, the ones that were repeated.
    pub repeated: u64,
    /// Answers by which the service asked for fewer requests.
    pub throttled: u64,
}

#[derive(Debug, Default)]
struct Counts {
    list: AtomicU64,
    get: AtomicU64,
    head: AtomicU64,
    put: AtomicU64,
    delete: AtomicU64,
    repeated: AtomicU64,
    throttled: AtomicU64,
}

impl Bucket {
    pub(super) fn new((name, endpoint): (String, String), client: Client, request_payer: Option<RequestPayer>) -> Self {
        Self {
            name,
            endpoint,
            client,
            request_payer,
            limiter: Limiter::default(),
            budget: RetryBudget::default(),
            counts: Counts::default(),
            refusal: None,
        }
    }

    /// The same, to which no request is made if it is known why it would be refused.
    pub(super) fn refusing(self, refusal: Option<Fault>) -> Self {
        Self { refusal, ..self }
    }

    pub(in crate::source) fn name(&self) -> &str {
        &self.name
    }

    /// The service that is asked: [`AWS`](crate::source::history::AWS), or the URL of another one, where the same name is another
    /// bucket's.
    pub(in crate::source) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether it is a directory bucket, whose listings have no order, by the ending of its name
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html>).
    pub(super) fn is_directory(&self) -> bool {
        self.name.ends_with("--x-s3")
    }

    pub(in crate::source) fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    pub(in crate::source) fn requests(&self) -> RequestCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        RequestCounts {
            list: read(&self.counts.list),
            get: read(&self.counts.get),
            head: read(&self.counts.head),
            put: read(&self.counts.put),
            delete: read(&self.counts.delete),
            repeated: read(&self.counts.repeated),
            throttled: read(&self.counts.throttled),
        }
    }

    /// Makes a request until it succeeds or cannot.
    pub(super) async fn call<T, F>(&self, verb: Verb, request: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        if let Some(fault) = &self.refusal {
            return Err(fault.clone());
        }
        let mut attempt = 1;
        loop {
            let answer = {
                let _slot = self.limiter.slot().await;
                self.count(verb).fetch_add(1, Ordering::Relaxed);
                request().await
            };
            let failure = match answer {
                Ok(answer) => {
                    self.limiter.succeeded();
                    self.budget.earn();
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            if failure.remedy == Remedy::SlowDown {
                self.limiter.throttled();
                self.counts.throttled.fetch_add(1, Ordering::Relaxed);
            }
            let most = match (failure.fault.kind, failure.remedy) {
                (FaultKind::Incomplete, _) => MAX_ATTEMPTS_AT_BYTES,
                (_, Remedy::Insist | Remedy::SlowDown) => MAX_ATTEMPTS_AT_TROUBLE,
                _ => MAX_ATTEMPTS,
            };
            let may_repeat = failure.remedy != Remedy::GiveUp && attempt < most && self.budget.take();
            if !may_repeat {
                tracing::debug!(?verb, attempt, reason = %failure.fault, "request failed");
                return Err(failure.fault);
            }
            self.counts.repeated.fetch_add(1, Ordering::Relaxed);
            let pause = pause_after(attempt);
            tracing::debug!(?verb, attempt, ?pause, reason = %failure.fault, "request is repeated");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    fn count(&self, verb: Verb) -> &AtomicU64 {
        match verb {
            Verb::List => &self.counts.list,
            Verb::Get => &self.counts.get,
            Verb::Head => &self.counts.head,
            Verb::Put => &self.counts.put,
            Verb::Delete => &self.counts.delete,
        }
    }
}

impl RequestCounts {
    /// Adds those of another bucket.
    pub(in crate::source) fn add(&mut self, other: Self) {
        self.list += other.list;
        self.get += other.get;
        self.head += other.head;
        self.put += other.put;
        self.delete += other.delete;
        self.repeated += other.repeated;
        self.throttled += other.throttled;
    }
}
