//! Whose use is looked at, in which window, and what it takes to say "unused", as typed.

use std::path::PathBuf;

use clap::Args;

/// Whose use is looked at, in which window, and what it takes to say "unused".
#[derive(Debug, Clone, Args)]
pub struct BasisArgs {
    /// Only these users and roles: ARN, name, or a pattern with `*` over either; may be repeated
    #[arg(long = "principal", value_name = "PRINCIPAL")]
    pub principals: Vec<String>,
    /// Only users and roles of these accounts; may be repeated
    #[arg(long = "account", value_name = "ID")]
    pub accounts: Vec<String>,
    /// The window and what it takes.
    #[command(flatten)]
    pub evidence: LogArgs,
}

/// The window, and what it takes to say "unused".
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
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
    /// What the trails record, instead of what the logs let one guess: output of `aws cloudtrail get-event-selectors` and `describe-trails`, as file or folder; may be repeated
    #[arg(long = "event-selectors", value_name = "PATH")]
    pub event_selectors: Vec<PathBuf>,
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1, such as 0.95".to_owned())
}

pub(super) fn parse_days(text: &str) -> Result<i64, String> {
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
