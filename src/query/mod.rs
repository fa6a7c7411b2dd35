//! SQL over the store: sessions that can only read, compatibility views, and the question library.
//!
//! The only module that names `datafusion`. Library and user text run the same way: one statement, parameters bound as
//! values, never joined into the text. What rows mean is left to `analysis`, how they are shown to `report`.

mod binding;
mod catalog;
mod comparisons;
mod cooperation;
mod derived;
mod dialect;
mod engine;
mod error;
mod evidence;
mod functions;
mod header;
mod library;
mod params;
mod pruning;
mod question;
mod raw;
mod reference;
mod session;
mod sql_type;
mod statement;
mod suggest;
mod table;

pub use catalog::UsageSource;
pub use derived::GatheredRows;
pub use derived::RowError;
pub use derived::RowSource;
pub use derived::WindowArguments;
pub use engine::SessionOptions;
pub use error::QueryError;
pub use evidence::EvidenceQuery;
pub use header::HeaderError;
pub use library::Library;
pub use library::LibraryError;
pub use params::ParamText;
pub use params::parse_time;
pub use question::Question;
pub use question::QuestionColumn;
pub use question::QuestionParam;
pub use question::RowChoice;
pub use question::Severity;
pub use question::ValueType;
pub use raw::RAW_FUNCTION;
pub use raw::Skipped;
pub use reference::reference;
pub use session::QuerySession;
pub use session::ResultStream;
pub use session::TableColumns;
pub use sql_type::sql_type;
