//! The evidence bundle: tables, one page, and what binds them together.
//!
//! Everything here works on rows, text and hashes. Where the files lie is left to `cli`.

mod archive;
mod check;
mod controls;
mod manifest;
mod page;
mod record;
mod redact;
mod table;

pub use archive::ArchiveError;
pub use archive::ArchiveWriter;
pub use archive::read_archive;
pub use check::Problem;
pub use check::check_bundle;
pub use controls::Control;
pub use controls::ControlMap;
pub use controls::ControlsError;
pub use controls::Evidence;
pub use controls::Exhibit;
pub use controls::ExhibitSource;
pub use controls::FixedTable;
pub use controls::Framework;
pub use manifest::RECORD_FILE;
pub use manifest::STATEMENT_FILE;
pub use manifest::SUMS_FILE;
pub use manifest::is_file_name;
pub use manifest::statement;
pub use manifest::sums;
pub use page::EvidencePage;
pub use record::BundleRecord;
pub use record::ColumnRecord;
pub use record::ControlRecord;
pub use record::CoverageRecord;
pub use record::EvidenceRecord;
pub use record::ExhibitRecord;
pub use record::FORMAT;
pub use record::FrameworkRecord;
pub use record::KeyRecord;
pub use record::PeriodRecord;
pub use record::StoreRecord;
pub use redact::Redaction;
pub use table::ExhibitWriter;
pub use table::Finished;
pub use table::Hashed;
pub use table::integrity_rows;

/// The mapping that comes with the program.
const MAPPING: &str = include_str!("../../queries/controls.toml");
