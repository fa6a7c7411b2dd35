//! `diff` as typed.

use clap::Args;
use clap::ValueEnum;

use super::EngineArgs;
use super::OutputArgs;

/// Arguments of `diff`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct DiffArgs {
    /// Only these users and roles: ARN, name, or a pattern with `*` over either; may be repeated
    #[arg(long = "principal", value_name = "PRINCIPAL")]
    pub principals: Vec<String>,
    /// Only users and roles of these accounts; may be repeated
    #[arg(long = "account", value_name = "ID")]
    pub accounts: Vec<String>,
    /// First moment of the window: `2026-09-01`, an RFC 3339 time, or back from now like `T-90d` [default: where the logs begin, at most 90 days before the end]
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// End of the window, exclusive [default: where the logs end]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Share of the window's hours that the logs of an account must cover for "unused"
    #[arg(long, value_name = "SHARE", default_value = "0.95", value_parser = parse_share)]
    pub min_coverage: f64,
    /// Days that the window must have for "unused"
    #[arg(long, value_name = "DAYS", default_value = "30d", value_parser = parse_days)]
    pub min_window: i64,
    /// One row per permission instead of one per principal
    #[arg(long)]
    pub detail: bool,
    /// Only permissions with this verdict; may be repeated
    #[arg(long = "verdict", value_enum, value_name = "VERDICT", requires = "detail")]
    pub verdicts: Vec<VerdictName>,
    /// How the logs are read.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Where the rows go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What the logs prove of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerdictName {
    /// Granted and used.
    Used,
    /// Granted, and a use would have been seen.
    Unused,
    /// Granted, and nothing can be said.
    Unknown,
    /// Used, and not granted by the snapshot.
    UsedNotGranted,
    /// Tried and denied, and never used.
    DeniedAttempt,
}

impl VerdictName {
    /// As in the rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Unknown => "unknown",
            Self::UsedNotGranted => "used-not-granted",
            Self::DeniedAttempt => "denied-attempt",
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  trimtrail diff
  trimtrail diff --principal 'arn:aws:iam::111122223333:role/ci/*' --since T-90d
  trimtrail diff --principal github-deploy --detail --verdict unused -o unused.csv
  trimtrail diff --account 111122223333 --min-window 14d --min-coverage 0.9 --output markdown";

fn parse_share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1, such as 0.95".to_owned())
}

fn parse_days(text: &str) -> Result<i64, String> {
    let days: Option<u32> = text.strip_suffix('d').unwrap_or(text).parse().ok();
    days.map(i64::from)
        .ok_or_else(|| "days are written like `30d`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_days_are_read_and_nothing_else() {
        assert_eq!((parse_share("0.9"), parse_share("1")), (Ok(0.9), Ok(1.0)));
        assert_eq!((parse_days("30d"), parse_days("7")), (Ok(30), Ok(7)));
        for text in ["95", "-0.1", "nan", "", "x"] {
            assert!(parse_share(text).is_err(), "{text}");
        }
        for text in ["-1d", "d", "", "2w"] {
            assert!(parse_days(text).is_err(), "{text}");
        }
    }
}
