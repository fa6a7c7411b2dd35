//! SQL over the store: sessions that can only read, compatibility views, and the question library.
//!
//! The only module that names `datafusion`. Library and user text run the same way: one statement, parameters bound as
//! values, never joined into the text. What rows mean is left to `analysis`, how they are shown to `report`.

mod catalog;
mod error;
mod functions;
mod header;
mod library;
mod params;
mod pruning;
mod raw;
mod reference;
mod session;
mod statement;
mod suggest;
mod table;

pub use error::QueryError;
pub use header::HeaderError;
pub use header::Question;
pub use header::QuestionColumn;
pub use header::QuestionParam;
pub use header::Severity;
pub use header::ValueType;
pub use library::Library;
pub use library::LibraryError;
pub use params::ParamText;
pub use params::parse_time;
pub use reference::reference;
pub use session::QuerySession;
pub use session::ResultStream;
pub use session::SessionOptions;
pub use session::TableColumns;
