//! From the rows of the store to typed findings: the evidence of use, the coverage of the logs, and the estate.
//!
//! The statements stand in `query`, the judgement in `policy`, the shape on paper in `report`.

mod assumed;
mod calls;
mod check;
mod columns;
mod coverage;
mod evidence;
mod integrity;
mod kept;
mod logs;
mod named;
mod review;
mod snapshots;
mod structures;
mod sums;
mod traces;

pub use assumed::each_assumption;
pub use calls::callers;
pub use calls::replay;
pub use check::CheckFinding;
pub use check::Checked;
pub use check::Checker;
pub use check::check;
pub use coverage::CoverageBasis;
pub use coverage::CoverageCounts;
pub use coverage::CoverageRow;
pub use coverage::CoverageState;
pub use coverage::Gap;
pub use coverage::GapKind;
pub use coverage::MOST_COVERAGE_DAYS;
pub use coverage::RegionCoverage;
pub use coverage::Step;
pub use coverage::TrailSetting;
pub use coverage::coverage_basis;
pub use coverage::moment;
pub use coverage::trail_settings;
pub use evidence::AnalysisError;
pub use evidence::extent;
pub use evidence::usage;
pub use integrity::recorded_groups;
pub use integrity::recorded_objects;
pub use integrity::recorded_samples;
pub use integrity::recorded_unplaced;
pub use kept::KeptEvidence;
pub use logs::account_logs;
pub use review::review_log;
pub use snapshots::snapshots;
pub use sums::each_call_sum;
pub use traces::traces;
