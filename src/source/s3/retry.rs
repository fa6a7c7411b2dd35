//! How long and how often a request is repeated.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Attempts at one request.
pub(super) const MAX_ATTEMPTS: u32 = 10;

/// Attempts while the service answers, and each time that it is busy or in trouble. A third of all requests may end so: a run
/// of millions must not meet one that always does, nor a commit that needs a second answer because the first got lost.
pub(super) const MAX_ATTEMPTS_AT_TROUBLE: u32 = 16;

/// Attempts at bytes that come, but not as promised: that seldom passes.
pub(super) const MAX_ATTEMPTS_AT_BYTES: u32 = 4;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Repeats that may be outstanding before requests succeed again.
const FULL_BUDGET: u32 = 2_000;

/// Repeats that a run may still make: each success earns one, so that a service in trouble is not asked ten times as much.
#[derive(Debug)]
pub(super) struct RetryBudget {
    left: AtomicU32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            left: AtomicU32::new(FULL_BUDGET),
        }
    }
}

impl RetryBudget {
    /// Takes one repeat; false when none is left.
    pub(super) fn take(&self) -> bool {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
    }

    /// A request succeeded.
    pub(super) fn earn(&self) {
        // The error means that the budget is full.
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                (left < FULL_BUDGET).then_some(left + 1)
            })
            .ok();
    }
}

/// Pause before the next attempt: drawn between nothing and a bound that doubles, so that requests do not come in waves.
pub(super) fn pause_after(attempt: u32) -> Duration {
    let bound = FIRST_PAUSE
        .saturating_mul(1 << attempt.min(20).saturating_sub(1))
        .min(LONGEST_PAUSE);
    let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
    // The keys of a hasher are drawn at random for each one.
    Duration::from_micros(RandomState::new().hash_one(attempt) % micros.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_ends_and_is_earned_back() {
        let budget = RetryBudget::default();
        assert_eq!((0..FULL_BUDGET + 5).filter(|_| budget.take()).count(), 2_000);
        budget.earn();
        assert!(budget.take() && !budget.take());
    }

    #[test]
    fn pauses_grow_up_to_a_bound() {
        for attempt in 1..40 {
            assert!(pause_after(attempt) < LONGEST_PAUSE);
            assert!(attempt > 3 || pause_after(attempt) < FIRST_PAUSE * 4);
        }
    }
}
