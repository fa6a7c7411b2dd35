//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use super::error::CliError;
use super::exit::ExitStatus;
use super::runtime::Runtime;

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

    /// The status to end with, once the flag is raised.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.status.get().copied()
    }
}
