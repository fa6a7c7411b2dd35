//! The evidence bundle: tables, one page, a workbook, documents for machines, and what binds them together.
//!
//! Everything here works on rows, text and hashes. Where the files lie is left to `cli`.

mod access;
mod archive;
mod check;
mod controls;
mod findings;
mod grounds;
mod identity;
mod manifest;
mod oscal;
mod page;
mod record;
mod redact;
mod standing;
mod table;
mod workbook;

pub use access::ACCESS_QUESTION;
pub use access::AccessAnalysis;
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
pub use findings::FINDINGS_FILE;
pub use findings::bundle_findings;
pub use grounds::Grounds;
pub use manifest::RECORD_FILE;
pub use manifest::SIGNATURE_FILE;
pub use manifest::STATEMENT_FILE;
pub use manifest::SUMS_FILE;
pub use manifest::is_file_name;
pub use manifest::statement;
pub use manifest::sums;
pub use oscal::OSCAL_FILE;
pub use oscal::assessment_results;
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
pub use standing::Judgement;
pub use standing::Standing;
pub use table::ExhibitWriter;
pub use table::Finished;
pub use table::Hashed;
pub use table::integrity_rows;
pub use workbook::WORKBOOK_FILE;
pub use workbook::WorkbookRoom;
pub use workbook::bundle_workbook;
pub use workbook::exhibit_sheets;

/// The mapping that comes with the program.
const MAPPING: &str = include_str!("../../queries/controls.toml");
