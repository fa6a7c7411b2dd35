//! The sample estate: a seeded generator that writes an AWS organization's central log bucket as a folder, with matching
//! IAM snapshots and the answers that a correct analysis must give.
//!
//! The same generator makes the committed `sample-logs/`, the corpora of tests and those of the benches. It knows nothing
//! of the readers in this program: expected answers are counted while records are written.

mod assume;
mod background;
mod call;
mod caller;
mod config;
mod digest;
mod error;
mod estate;
mod event;
mod moment;
mod objects;
mod organization;
mod planted;
mod random;
mod readme;
mod recorder;
mod session;
mod snapshot;
mod stage;
mod summaries;
mod tally;
mod template;
mod workload;
mod write;

pub use config::EstateConfig;
pub use config::ObjectSize;
pub use error::SampleError;
pub use tally::Tally;
pub use write::write_estate;
