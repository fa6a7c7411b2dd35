//! How far the logs of an organization reach: account by region by hour, from what the store knows.
//!
//! An hour is complete when every digest that is to be expected is there and every log that one names is in the store with
//! its hash. Without digests, what is there can be counted, and nothing says what is not.

mod chains;
mod changes;
mod cover;
mod judge;
mod model;
mod named;
mod present;
mod read;
mod settings;
mod told;
mod unproven;

pub use model::CoverageCounts;
pub use model::CoverageRow;
pub use model::CoverageState;
pub use model::Gap;
pub use model::GapKind;
pub use model::RegionCoverage;
pub use model::Step;
pub use model::moment;
pub use read::CoverageBasis;
pub use read::MOST_COVERAGE_DAYS;
pub use read::coverage_basis;
pub use settings::TrailSetting;
pub use settings::trail_settings;
