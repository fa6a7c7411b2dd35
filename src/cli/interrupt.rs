//! Ctrl-C and SIGTERM.

use std::future::Future;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use super::error::CliError;
use super::exit::ExitStatus;
use super::runtime::Runtime;

/// How often the flag is looked at by those who wait for something else.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Waits for the first signal that asks the program to stop; the answer is the status to end with.
pub(super) async fn stop_signal() -> Result<ExitStatus, CliError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::Start)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Start)?;
    tokio::select! {
        _ = interrupt.recv() => Ok(ExitStatus::Interrupted),
        _ = terminate.recv() => Ok(ExitStatus::Terminated),
    }
}

/// Waits for Ctrl-C only.
///
/// An interactive session listens to nothing else: once SIGTERM is listened to, it would no longer end the program while
/// it waits at its prompt.
pub(super) async fn interrupt_signal() -> Result<(), CliError> {
    tokio::signal::ctrl_c().await.map_err(CliError::Start)
}

/// Says that the program was asked to stop, to work that stops at a place of its own choice.
#[derive(Debug, Clone, Default)]
pub(super) struct StopFlag {
    is_raised: Arc<AtomicBool>,
    status: Arc<OnceLock<ExitStatus>>,
}

impl StopFlag {
    /// A flag that the next signal raises.
    pub(super) fn on_signal(runtime: &Runtime) -> Self {
        let flag = Self::default();
        let raised = flag.clone();
        runtime.run_beside(async move {
            if let Ok(status) = stop_signal().await {
                raised.status.get_or_init(|| status);
                raised.is_raised.store(true, Ordering::Relaxed);
            }
        });
        flag
    }

    /// What the work looks at.
    pub(super) fn raised(&self) -> &AtomicBool {
        &self.is_raised
    }

    /// Runs a future to its end, or until the flag is raised: then there is no answer.
    pub(super) async fn or_stop<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let raised = async {
            while !self.is_raised.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::select! {
            answer = future => Some(answer),
            () = raised => None,
        }
    }

    /// The status to end with, once the flag is raised.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.status.get().copied()
    }
}
