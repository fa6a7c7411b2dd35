//! The part of a window for which it is proven that events of some kinds were recorded.

use super::reason::Reason;
use crate::policy::account_log::Extent;
use crate::policy::account_log::Stream;
use crate::policy::window::Window;

/// Days without an event of a kind at the end of the window from which on its recording may have been switched off.
const SILENT_DAYS: i64 = 7;

/// What is left of a window.
#[derive(Debug)]
pub(super) struct Span {
    window: Window,
    needed_days: i64,
    /// Its begin, if that is not the first day of the window.
    pub(super) since: Option<i64>,
}

impl Span {
    pub(super) fn new(window: Window, needed_days: i64) -> Self {
        Self {
            window,
            needed_days,
            since: None,
        }
    }

    /// Events of a kind were there between two moments: before, and long after, nothing proves that they were recorded.
    pub(super) fn narrow(&mut self, seen: Option<&Extent>, stream: impl Fn() -> Stream) -> Result<(), Reason> {
        let Some(seen) = seen else { return Ok(()) };
        let rest = |since: i64| Window { since, ..self.window }.whole_days();
        // Nothing happens at the first moment of a window.
        let is_late = Window {
            until: seen.first,
            ..self.window
        }
        .whole_days()
            >= 1;
        if is_late && rest(seen.first) < self.needed_days {
            return Err(Reason::RecordedRecently {
                stream: stream(),
                days: rest(seen.first),
                needed: self.needed_days,
            });
        }
        if rest(seen.last) > SILENT_DAYS {
            return Err(Reason::RecordingEnded {
                stream: stream(),
                days: rest(seen.last),
            });
        }
        if is_late {
            self.since = self.since.max(Some(seen.first));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn narrowed(first: i64, last: i64) -> Result<Option<i64>, &'static str> {
        let window = Window {
            since: 0,
            until: 40 * DAY,
        };
        let mut span = Span::new(window, 30);
        let seen = Extent {
            first: first * DAY,
            last: last * DAY,
        };
        let told = span.narrow(Some(&seen), || Stream::Management { is_read: true });
        told.map(|()| span.since).map_err(|reason| reason.name())
    }

    #[test]
    fn recording_is_proven_from_the_first_event_on_and_shortly_after_the_last() {
        assert_eq!(narrowed(0, 39), Ok(None));
        assert_eq!(narrowed(5, 39), Ok(Some(5 * DAY)));
        assert_eq!(narrowed(11, 39), Err("recorded-recently"));
        assert_eq!(narrowed(0, 33), Ok(None));
        assert_eq!(narrowed(0, 31), Err("recording-ended"));
    }
}
