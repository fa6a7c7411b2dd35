//! Rendering: result rows as a table, JSON, CSV, Markdown or Parquet; findings as SARIF or annotations; the diff as a page;
//! proposed policies as JSON and as code.
//!
//! Everything here is a pure function of rows, options and a `Write`: no clock, no locale, no terminal. Rows hold text that
//! attackers chose, so every format meant for people shows control and invisible characters as escapes ([`escape`]);
//! JSON and Parquet stay exact. Which rows there are is left to `query`, where they go to `cli`.

pub mod escape;
pub mod evidence;

mod arrangement;
mod cells;
mod counted;
mod coverage;
mod csv;
mod diff;
mod diff_functions;
mod error;
mod github;
mod groups;
mod guardrail;
mod integrity;
mod json;
mod layout;
mod ledger;
mod markdown;
mod page;
mod parquet;
mod policy;
mod replay;
mod result;
mod sarif;
mod table;
mod trust;

pub use arrangement::Arrangement;
pub use counted::format_count;
pub use coverage::coverage_row;
pub use diff::DiffFrame;
pub use diff::finding_rows;
pub use diff::permission_rows;
pub use diff::principal_row;
pub use diff_functions::diff_functions;
pub use error::ReportError;
pub use github::annotations;
pub use groups::group_permission_rows;
pub use groups::group_rows;
pub use guardrail::guardrail_text;
pub use integrity::IntegrityReport;
pub use layout::short_name;
pub use layout::wrapped;
pub use ledger::calendar;
pub use ledger::coverage_rows;
pub use ledger::picture;
pub use ledger::setting_rows;
pub use page::Page;
pub use page::PageFrame;
pub use policy::PolicyFile;
pub use policy::PolicyFiles;
pub use policy::PolicyFormat;
pub use policy::PolicyFrame;
pub use policy::PolicyText;
pub use policy::Written;
pub use policy::policy_text;
pub use replay::replay_rows;
pub use result::Demand;
pub use result::Format;
pub use result::Limit;
pub use result::ResultOptions;
pub use result::ResultWriter;
pub use result::Summary;
pub use sarif::sarif;
pub use table::TableShape;
pub use trust::TrustFile;
pub use trust::chain_rows;
pub use trust::taker_rows;
pub use trust::trust_files;
pub use trust::trust_policies;
pub use trust::trust_rows;
