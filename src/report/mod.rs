//! Rendering: result rows as a table, JSON, CSV, Markdown or Parquet.
//!
//! Everything here is a pure function of rows, options and a `Write`: no clock, no locale, no terminal. Rows hold text that
//! attackers chose, so every format meant for people shows control and invisible characters as escapes ([`escape`]);
//! JSON and Parquet stay exact. Which rows there are is left to `query`, where they go to `cli`.

pub mod escape;

mod cells;
mod coverage;
mod csv;
mod diff;
mod diff_functions;
mod error;
mod json;
mod layout;
mod markdown;
mod parquet;
mod result;
mod table;

pub use coverage::coverage_row;
pub use diff::DiffFrame;
pub use diff::permission_rows;
pub use diff::principal_row;
pub use diff_functions::diff_functions;
pub use error::ReportError;
pub use result::Demand;
pub use result::Format;
pub use result::Limit;
pub use result::ResultOptions;
pub use result::ResultWriter;
pub use result::Summary;
pub use table::TableShape;
