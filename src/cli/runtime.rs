//! The async runtime, which only the commands that need one start.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;

use tokio::runtime::Builder;
use tokio::runtime::Handle;

use super::error::CliError;

/// Runs futures; what they left running in the background goes on until the process ends, and is not waited for.
///
/// To shut the runtime down would drop tasks whose answers other threads of the Delta kernel still wait for, which panic then.
#[derive(Debug)]
pub(super) struct Runtime {
    inner: ManuallyDrop<tokio::runtime::Runtime>,
}

impl Runtime {
    /// Starts a runtime with this many threads.
    pub(super) fn start(threads: NonZeroUsize) -> Result<Self, CliError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.get())
            .enable_all()
            .build();
        Ok(Self {
            inner: ManuallyDrop::new(runtime.map_err(CliError::Start)?),
        })
    }

    /// Runs a future to its end.
    pub(super) fn run<T>(&self, future: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
        self.inner.block_on(future)
    }

    /// Ends what still runs, which nobody wants any more.
    pub(super) fn abandon(self) {
        ManuallyDrop::into_inner(self.inner).shutdown_background();
    }

    /// For work that waits for futures on threads of its own.
    pub(super) fn handle(&self) -> &Handle {
        self.inner.handle()
    }
}
