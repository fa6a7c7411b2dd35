//! How many requests are under way at a time.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::Notify;

const FIRST_LIMIT: f64 = 32.0;
const LEAST_LIMIT: f64 = 1.0;
const MOST_LIMIT: f64 = 192.0;
const DECREASE: f64 = 0.6;
/// Answers to requests that were under way together count as one complaint.
const DEAF_TIME: Duration = Duration::from_millis(250);

/// Grows with every success and shrinks when the service complains.
#[derive(Debug)]
pub(super) struct Limiter {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    under_way: u32,
    limit: f64,
    /// Nothing was complained about so far: grow fast.
    is_starting: bool,
    last_decrease: Option<Instant>,
}

/// The right to have one request under way.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    limiter: &'a Limiter,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                under_way: 0,
                limit: FIRST_LIMIT,
                is_starting: true,
                last_decrease: None,
            }),
            freed: Notify::new(),
        }
    }
}

impl Limiter {
    /// Waits for a slot.
    pub(super) async fn slot(&self) -> Slot<'_> {
        loop {
            if self.take() {
                return Slot { limiter: self };
            }
            self.freed.notified().await;
        }
    }

    fn take(&self) -> bool {
        let mut state = self.lock();
        let has_room = f64::from(state.under_way) + 1.0 <= state.limit;
        if has_room {
            state.under_way += 1;
            if f64::from(state.under_way) + 1.0 <= state.limit {
                // A wake-up is kept for one waiter only, so that each passes it on while there is room.
                self.freed.notify_one();
            }
        }
        has_room
    }

    pub(super) fn succeeded(&self) {
        let mut state = self.lock();
        let step = if state.is_starting { 1.0 } else { 1.0 / state.limit };
        state.limit = (state.limit + step).min(MOST_LIMIT);
    }

    pub(super) fn throttled(&self) {
        let mut state = self.lock();
        let now = Instant::now();
        let is_heard = state
            .last_decrease
            .is_none_or(|last| now.duration_since(last) > DEAF_TIME);
        if is_heard {
            state.limit = (state.limit * DECREASE).max(LEAST_LIMIT);
            state.is_starting = false;
            state.last_decrease = Some(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.limiter.lock().under_way -= 1;
        self.limiter.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(limiter: &Limiter) -> f64 {
        limiter.lock().limit
    }

    #[test]
    fn successes_raise_the_limit_to_its_bound_and_one_complaint_lowers_it_once() {
        let limiter = Limiter::default();
        (0..1_000).for_each(|_| limiter.succeeded());
        assert!((limit(&limiter) - MOST_LIMIT).abs() < 1e-9);
        (0..5).for_each(|_| limiter.throttled());
        assert!((limit(&limiter) - MOST_LIMIT * DECREASE).abs() < 1e-9);
        limiter.succeeded();
        assert!(limit(&limiter) < MOST_LIMIT * DECREASE + 0.1);
    }

    #[tokio::test]
    async fn slots_beyond_the_limit_wait_until_one_is_given_back() {
        let limiter = Limiter::default();
        let mut slots = Vec::new();
        for _ in 0..32 {
            slots.push(limiter.slot().await);
        }
        let soon = Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, limiter.slot()).await.is_err());
        slots.pop();
        assert!(tokio::time::timeout(soon, limiter.slot()).await.is_ok());
    }
}
