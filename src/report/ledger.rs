//! The coverage of the logs as rows, as a calendar and as a picture.

mod calendar;
mod functions;
mod picture;
mod rows;

pub use calendar::calendar;
pub use functions::coverage_functions;
pub use picture::picture;
pub use rows::coverage_rows;
pub use rows::setting_rows;

use crate::analysis::CoverageRow;
use crate::analysis::CoverageState;
use crate::analysis::GapKind;

/// What a day looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Complete,
    Recorded,
    Silent,
    Incomplete,
    /// Somebody switched logging off.
    Stopped,
    /// Nothing at any time.
    Never,
}

impl Look {
    const ALL: [Self; 6] = [
        Self::Complete,
        Self::Recorded,
        Self::Incomplete,
        Self::Stopped,
        Self::Silent,
        Self::Never,
    ];

    fn of(row: &CoverageRow) -> Self {
        let has = |kind: GapKind| row.gaps.iter().any(|gap| gap.kind == kind);
        match row.state {
            CoverageState::Complete => Self::Complete,
            CoverageState::Incomplete => Self::Incomplete,
            _ if has(GapKind::LoggingStopped) || has(GapKind::TrailDeleted) => Self::Stopped,
            CoverageState::Recorded => Self::Recorded,
            CoverageState::Silent if has(GapKind::RegionNeverActive) => Self::Never,
            CoverageState::Silent => Self::Silent,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Recorded => "recorded",
            Self::Silent => "silent",
            Self::Incomplete => "incomplete",
            Self::Stopped => "stopped",
            Self::Never => "never",
        }
    }

    fn character(self) -> char {
        match self {
            Self::Complete => '#',
            Self::Recorded => '+',
            Self::Silent => '.',
            Self::Incomplete => '!',
            Self::Stopped => 'x',
            Self::Never => '-',
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Complete => "complete: every digest is there, and every log that one names",
            Self::Recorded => "recorded: logs are there, but digests do not say of every hour that they are all",
            Self::Silent => "silent: nothing is there, and nothing says whether there was something",
            Self::Incomplete => "incomplete: something is missing or cannot be read",
            Self::Stopped => "stopped: somebody switched logging off",
            Self::Never => "never: the store knows nothing of this account in this region",
        }
    }
}
