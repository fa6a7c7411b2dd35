//! Evidence that was gathered last, for those who ask for the same again.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::lock::Mutex;

use super::evidence::AnalysisError;
use super::evidence::usage_beside;
use super::logs::account_logs;
use crate::policy::AccountLog;
use crate::policy::Usage;
use crate::policy::Window;
use crate::query::QuerySession;

/// More than this is given to those who ask, and not kept for the next.
const MOST_KEPT_BYTES: usize = 256 << 20;

/// What the last window held, for all statements of one session: its tables show one version of the store throughout.
///
/// Who asks while another gathers waits for it.
#[derive(Debug, Default)]
pub struct KeptEvidence {
    logs: Kept<BTreeMap<String, AccountLog>>,
    uses: Kept<Usage>,
}

impl KeptEvidence {
    /// As [`account_logs`]; of the same session each time.
    pub async fn account_logs(
        &self,
        session: &QuerySession,
        window: Window,
    ) -> Result<Arc<BTreeMap<String, AccountLog>>, AnalysisError> {
        self.logs.of(window, account_logs(session, window), |_| true).await
    }

    /// As [`super::usage`], with what the logs hold, `logs`, from the first to the last event; of the same session each time.
    pub async fn usage(
        &self,
        session: &QuerySession,
        window: Window,
        logs: Window,
    ) -> Result<Arc<Usage>, AnalysisError> {
        let gathered = async {
            let accounts = self.account_logs(session, window).await?;
            let usage = usage_beside(session, window, (*accounts).clone()).await?;
            Ok(Usage {
                logs_until: logs.until,
                ..usage
            })
        };
        let is_small = |usage: &Usage| usage.approximate_bytes() <= MOST_KEPT_BYTES;
        self.uses.of(window, gathered, is_small).await
    }
}

/// What belongs to the window that was last asked for.
#[derive(Debug)]
struct Kept<T>(Mutex<Option<(Window, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Kept<T> {
    /// What is kept for a window, or else what is gathered now.
    async fn of(
        &self,
        window: Window,
        gathered: impl Future<Output = Result<T, AnalysisError>>,
        is_kept: impl Fn(&T) -> bool,
    ) -> Result<Arc<T>, AnalysisError> {
        let mut kept = self.0.lock().await;
        if let Some((_, known)) = kept.as_ref().filter(|(of, _)| *of == window) {
            return Ok(Arc::clone(known));
        }
        // Not beside what takes its place.
        *kept = None;
        let gathered = Arc::new(gathered.await?);
        *kept = is_kept(&gathered).then(|| (window, Arc::clone(&gathered)));
        Ok(gathered)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn window_is_gathered_once_until_another_is_asked_for() {
        let kept = Kept::default();
        let ask = |since: i64, answer: Result<i64, AnalysisError>, is_kept: bool| {
            let window = Window { since, until: 9 };
            let asked = kept.of(window, async { answer }, |_| is_kept).now_or_never();
            asked.unwrap().map(|it| *it)
        };
        assert_eq!(ask(1, Ok(1), true).unwrap(), 1);
        assert_eq!(ask(1, Ok(2), true).unwrap(), 1);
        assert_eq!(ask(2, Ok(3), true).unwrap(), 3);
        assert_eq!(ask(1, Ok(4), false).unwrap(), 4);
        assert!(ask(1, Err(AnalysisError::OutsideOfCalendar), true).is_err());
        assert_eq!(ask(1, Ok(5), true).unwrap(), 5);
    }
}
