//! The commands: each is a function that prints through `Output` and returns an exit status.

mod balance;
mod commit;
mod completions;
mod coverage;
mod demo;
mod diff;
mod doctor;
mod evidence;
mod facts;
mod iam;
mod ingest;
mod man;
mod policy;
mod query;
mod replay;
mod run_report;
mod sample;
mod sql;
mod store;
mod verify;

pub use commit::commit;
pub use completions::completions;
pub use coverage::coverage;
pub use demo::demo;
pub use diff::diff;
pub use doctor::doctor;
pub use evidence::evidence;
pub use facts::facts;
pub use iam::iam;
pub use ingest::ingest;
pub use man::man;
pub use policy::policy;
pub use query::query;
pub use replay::replay;
pub use sample::sample;
pub use sql::sql;
pub use store::store;
pub use verify::verify;

pub(super) use query::find_question;
pub(super) use query::load_library;
pub(super) use query::note_caveats;
pub(super) use query::question_rows;
