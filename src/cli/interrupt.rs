//! Ctrl-C and SIGTERM.

use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use super::error::CliError;
use super::exit::ExitStatus;

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
