//! The async runtime, which only the commands that need one start.

use std::future::Future;
use std::num::NonZeroUsize;

use tokio::runtime::Builder;
use tokio::runtime::Handle;

use super::error::CliError;

/// Runs futures; what they left running in the background is abandoned at the end, not waited for.
#[derive(Debug)]
pub(super) struct Runtime {
    inner: Option<tokio::runtime::Runtime>,
    handle: Handle,
}

impl Runtime {
    /// Starts a runtime with this many threads.
    pub(super) fn start(threads: NonZeroUsize) -> Result<Self, CliError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.get())
            .enable_all()
            .build();
        let runtime = runtime.map_err(CliError::Start)?;
        Ok(Self {
            handle: runtime.handle().clone(),
            inner: Some(runtime),
        })
    }

    /// Runs a future to its end.
    pub(super) fn run<T>(&self, future: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
        self.handle.block_on(future)
    }

    /// For work that waits for futures on threads of its own.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.inner.take() {
            runtime.shutdown_background();
        }
    }
}
