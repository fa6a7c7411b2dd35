//! How long a run that was asked to stop waits for its store.
//!
//! Requests are repeated for minutes while a service is in trouble, and what asked the program to stop will not wait for
//! that: Kubernetes kills after 30 seconds, and then there is neither an account of the run nor its exit code.

use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::fault::Fault;
use super::fault::FaultKind;

/// Time without any answer to what is asked, after the signal, that ends the requests: the last batch is still to be committed.
const GRACE: Duration = Duration::from_secs(15);
/// How often the signal is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Ends the requests to a bucket that does not answer, once a run is asked to stop.
#[derive(Debug)]
pub(super) struct Patience {
    stop: OnceLock<Arc<AtomicBool>>,
    grace: Duration,
    /// The signal, or the last answer after it.
    heard_at: Mutex<Option<Instant>>,
    is_over: AtomicBool,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stop: OnceLock::new(),
            grace: GRACE,
            heard_at: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }
}

impl Patience {
    /// From now on the flag says whether the run was asked to stop; only the first one counts.
    pub(super) fn watch(&self, stop: Arc<AtomicBool>) {
        self.stop.get_or_init(|| stop);
    }

    /// Whether requests were ended.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Waits for an answer as long as there is patience.
    pub(super) async fn bound<T>(&self, request: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let Some(stop) = self.stop.get() else {
            return request.await;
        };
        let started_at = Instant::now();
        tokio::select! {
            biased;
            () = self.end(stop, started_at) => {
                Err(Fault::new(
                    FaultKind::Unavailable,
                    "no answer since the run was asked to stop; run again, and nothing is counted twice",
                ))
            }
            answer = request => {
                if stop.load(Ordering::Relaxed) && !matches!(&answer, Err(fault) if fault.kind == FaultKind::Unavailable) {
                    *self.heard_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                }
                answer
            }
        }
    }

    async fn end(&self, stop: &AtomicBool, started_at: Instant) {
        while !self.is_at_its_end(stop, started_at) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// A store is only silent while it is asked: the run may sort and encode for longer than that between two requests.
    fn is_at_its_end(&self, stop: &AtomicBool, started_at: Instant) -> bool {
        if self.is_over() || !stop.load(Ordering::Relaxed) {
            return self.is_over();
        }
        let mut heard_at = self.heard_at.lock().unwrap_or_else(PoisonError::into_inner);
        let heard_at = *heard_at.get_or_insert_with(Instant::now);
        heard_at.max(started_at).elapsed() >= self.grace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer() -> Result<u8, Fault> {
        tokio::task::yield_now().await;
        Ok(7)
    }

    #[tokio::test]
    async fn request_without_an_answer_ends_after_the_signal_and_so_do_those_behind_it() {
        let patience = Patience {
            grace: Duration::ZERO,
            ..Patience::default()
        };
        assert_eq!(patience.bound(answer()).await, Ok(7));
        let stop = Arc::new(AtomicBool::new(false));
        patience.watch(Arc::clone(&stop));
        assert_eq!(patience.bound(answer()).await, Ok(7));
        stop.store(true, Ordering::Relaxed);
        let ended = patience.bound(std::future::pending::<Result<(), Fault>>()).await;
        assert_eq!(ended.unwrap_err().kind, FaultKind::Unavailable);
        assert!(patience.is_over());
        assert!(patience.bound(answer()).await.is_err());
    }

    #[tokio::test]
    async fn store_that_answers_is_waited_for_after_the_signal() {
        let patience = Patience::default();
        patience.watch(Arc::new(AtomicBool::new(true)));
        assert_eq!(patience.bound(answer()).await, Ok(7));
        assert!(!patience.is_over());
    }

    #[tokio::test]
    async fn time_in_which_nothing_is_asked_is_no_silence_of_the_store() {
        let patience = Patience {
            grace: Duration::from_secs(60),
            ..Patience::default()
        };
        patience.watch(Arc::new(AtomicBool::new(true)));
        let long_ago = Instant::now().checked_sub(patience.grace + LOOK_AGAIN);
        *patience.heard_at.lock().unwrap() = Some(long_ago.unwrap());
        assert_eq!(patience.bound(answer()).await, Ok(7));
        assert!(!patience.is_over());
        assert!(!patience.is_at_its_end(&AtomicBool::new(true), long_ago.unwrap()));
    }
}
