//! Where a folder stands in the grammar of CloudTrail's keys.
//!
//! `[prefix/]AWSLogs/[o-id/]account/kind/region/YYYY/MM/DD/`: each level is found by listing the folders of the one above.

use jiff::civil::Date;

use crate::source::Selection;
use crate::source::key::is_account_id;

const ROOT: &str = "AWSLogs";

/// What the folders below a folder are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// `AWSLogs` has not been met.
    Outside,
    /// Organizations and accounts, or accounts alone.
    Accounts,
    /// `CloudTrail` and its relatives, among the folders of other services.
    Kinds,
    Regions,
    /// Years: the keys below sort by time of delivery.
    Days,
    /// Inside of the days.
    Below,
    /// Nothing that CloudTrail writes.
    Foreign,
}

/// Level of a folder, which is empty or ends in a slash.
pub(super) fn level_of(folder: &str) -> Level {
    let parts: Vec<&str> = folder.split_terminator('/').collect();
    let Some(root) = parts.iter().rposition(|part| *part == ROOT) else {
        return Level::Outside;
    };
    let below = match parts.get(root + 1..).unwrap_or_default() {
        [organization, rest @ ..] if is_organization(organization) => rest,
        all => all,
    };
    match below {
        [] => Level::Accounts,
        [account, ..] if !is_account_id(account) => Level::Foreign,
        [_] => Level::Kinds,
        [_, kind, ..] if !is_kind(kind) => Level::Foreign,
        [_, _] => Level::Regions,
        [_, _, _] => Level::Days,
        _ => Level::Below,
    }
}

/// Names of the folders below the last `AWSLogs` of a path, down to the region.
pub(super) fn names_of(folder: &str) -> impl Iterator<Item = &str> {
    let names: Vec<&str> = folder.split_terminator('/').collect();
    let root = names.iter().rposition(|name| *name == ROOT).unwrap_or(names.len());
    names.into_iter().skip(root + 1)
}

/// Whether the folders at `level` may be called `name`.
pub(super) fn is_expected(level: Level, name: &str) -> bool {
    match level {
        Level::Outside => name == ROOT,
        // A trail's prefix may be `AWSLogs` itself.
        Level::Accounts => is_organization(name) || is_account_id(name) || name == ROOT,
        Level::Kinds => is_kind(name),
        Level::Regions => name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
        Level::Days | Level::Below | Level::Foreign => false,
    }
}

/// Whether a folder of an expected name is wanted.
pub(super) fn is_wanted(level: Level, name: &str, selection: &Selection) -> bool {
    let is_chosen = |chosen: &[String]| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name);
    match level {
        Level::Accounts => is_organization(name) || name == ROOT || is_chosen(&selection.accounts),
        Level::Regions => is_chosen(&selection.regions),
        _ => true,
    }
}

/// The folder of a region and the day, of a key or URI that has all levels.
pub(in crate::source) fn region_folder(key: &str) -> Option<(&str, Date)> {
    let (folder, _) = key.rsplit_once('/')?;
    let (folder, day) = folder.rsplit_once('/')?;
    let (folder, month) = folder.rsplit_once('/')?;
    let (region, year) = folder.rsplit_once('/')?;
    let day = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    let with_slash = key.get(..region.len() + 1)?;
    (level_of(with_slash) == Level::Days).then_some((with_slash, day))
}

/// The folder of a region that a key or URI lies in, however deep. Inside of one there are no further ones.
pub(in crate::source) fn enclosing_region(key: &str) -> Option<&str> {
    let folders = key.match_indices('/').filter_map(|(slash, _)| key.get(..=slash));
    folders.into_iter().find(|folder| level_of(folder) == Level::Days)
}

/// Day in the folders of an object that lies right below a region's folder.
pub(super) fn day_below(uri: &str, folder: &str) -> Option<Date> {
    let (place, day) = region_folder(uri)?;
    place.ends_with(folder).then_some(day)
}

/// The part of a key below its region that sorts before every key of a day.
pub(super) fn day_path(day: Date) -> String {
    format!("{:04}/{:02}/{:02}", day.year(), day.month(), day.day())
}

fn is_organization(name: &str) -> bool {
    name.strip_prefix("o-")
        .is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn is_kind(name: &str) -> bool {
    name.starts_with("CloudTrail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_below_a_region_lies_in_its_folder() {
        let region = "s3://bucket/logs/AWSLogs/o-a1/111122223333/CloudTrail/eu-west-1/";
        for below in [
            "2026/09/01/a",
            "2026/09/01/backup/a",
            "2026/a",
            "a",
            "AWSLogs/444455556666/CloudTrail/eu-west-1/a",
        ] {
            assert_eq!(enclosing_region(&format!("{region}{below}")), Some(region), "{below}");
        }
        for outside in [
            "s3://bucket/a",
            "AWSLogs/111122223333/CloudTrail/a",
            "AWSLogs/111122223333/Config/eu-west-1/a",
            "",
        ] {
            assert_eq!(enclosing_region(outside), None, "{outside}");
        }
    }

    #[test]
    fn every_prefix_of_a_key_has_its_level() {
        for (folder, level) in [
            ("", Level::Outside),
            ("logs/", Level::Outside),
            ("AWSLogs/", Level::Accounts),
            ("a/b/AWSLogs/o-abc123/", Level::Accounts),
            ("AWSLogs/AWSLogs/", Level::Accounts),
            ("AWSLogs/main/AWSLogs/111122223333/", Level::Kinds),
            ("AWSLogs/111122223333/", Level::Kinds),
            ("AWSLogs/o-abc123/111122223333/", Level::Kinds),
            ("AWSLogs/111122223333/CloudTrail-Digest/", Level::Regions),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/", Level::Days),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/", Level::Below),
            ("AWSLogs/111122223333/vpcflowlogs/", Level::Foreign),
            ("AWSLogs/other/", Level::Foreign),
        ] {
            assert_eq!(level_of(folder), level, "{folder}");
        }
    }

    #[test]
    fn region_folder_and_day_are_read_from_whole_keys_only() {
        let key = "s3://b/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/x.json.gz";
        let (folder, day) = region_folder(key).unwrap();
        assert_eq!(folder, "s3://b/AWSLogs/111122223333/CloudTrail/eu-west-1/");
        assert_eq!(day_path(day), "2026/09/01");
        for other in [
            "x.json.gz",
            "s3://b/2026/09/01/x",
            "s3://b/AWSLogs/1/CloudTrail/eu-west-1/2026/09/01/x",
        ] {
            assert_eq!(region_folder(other), None, "{other}");
        }
    }

    #[test]
    fn only_wanted_accounts_and_regions_are_entered() {
        let selection = Selection {
            accounts: vec!["111122223333".to_owned()],
            regions: vec!["eu-west-1".to_owned()],
            ..Selection::default()
        };
        assert!(is_wanted(Level::Accounts, "111122223333", &selection));
        assert!(!is_wanted(Level::Accounts, "444455556666", &selection));
        assert!(is_wanted(Level::Accounts, "o-abc123", &selection));
        assert!(is_expected(Level::Accounts, "AWSLogs") && is_wanted(Level::Accounts, "AWSLogs", &selection));
        assert!(!is_wanted(Level::Regions, "us-east-1", &selection));
        assert!(is_expected(Level::Kinds, "CloudTrail-Insight") && !is_expected(Level::Kinds, "Config"));
    }
}
