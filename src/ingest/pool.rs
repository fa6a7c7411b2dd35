//! The threads of the CPU pool.

use super::error::IngestError;

/// The threads that decode and verify.
pub(super) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool, IngestError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("decode-{index}"))
        .build()
        .map_err(|error| IngestError::Threads {
            threads,
            cause: error.to_string(),
        })
}
