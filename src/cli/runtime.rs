//! The async runtime, which only the commands that need one start.

use std::num::NonZeroUsize;

use tokio::runtime::Builder;
use tokio::runtime::Runtime;

use super::error::CliError;

/// Starts a runtime with this many threads.
pub(super) fn start(threads: NonZeroUsize) -> Result<Runtime, CliError> {
    Builder::new_multi_thread()
        .worker_threads(threads.get())
        .enable_all()
        .build()
        .map_err(CliError::Start)
}
