//! The grammar of CloudTrail's object keys.
//!
//! `[prefix/]AWSLogs/[o-id/]account/kind/region/YYYY/MM/DD/account_kind_region_YYYYMMDDTHHmmZ_unique.json.gz`
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>). Day and time are
//! those of delivery, not of the events.

use std::sync::Arc;

use jiff::civil::Date;

/// What a file with the metadata of a digest beside it has behind the digest's name.
pub(super) const METADATA_SUFFIX: &str = ".meta.json";

/// What a key says about its object. The content may say otherwise, and is right then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    /// Account whose events the object holds.
    pub account_id: Arc<str>,
    /// Region that the object was delivered from.
    pub region: Arc<str>,
    /// Day of delivery, UTC.
    pub day: Date,
    /// Time of delivery where the file name has it, `HHmm` as one number.
    pub time: Option<u16>,
}

impl LogKey {
    /// Takes over the texts of a neighbour where they are the same, so that many keys share them.
    pub(super) fn share_with(&mut self, neighbour: &Self) {
        for (own, other) in [
            (&mut self.account_id, &neighbour.account_id),
            (&mut self.region, &neighbour.region),
        ] {
            if own == other {
                *own = Arc::clone(other);
            }
        }
    }

    /// Reads a key or path; `None` for one that does not follow the grammar.
    ///
    /// The folders count; without them (a flat copy) the file name does.
    pub fn parse(key: &str) -> Option<Self> {
        if key.ends_with(METADATA_SUFFIX) {
            return None;
        }
        let parts: Vec<&str> = key.split('/').collect();
        let (file_name, folders) = parts.split_last()?;
        from_folders(folders, file_name).or_else(|| from_file_name(file_name))
    }
}

fn from_folders(folders: &[&str], file_name: &str) -> Option<LogKey> {
    let root = folders.iter().rposition(|folder| *folder == "AWSLogs")?;
    let below = folders.get(root + 1..)?;
    let below = match below {
        [organization, rest @ ..] if organization.starts_with("o-") => rest,
        all => all,
    };
    let [account_id, kind, region, year, month, day, ..] = below else {
        return None;
    };
    if !kind.starts_with("CloudTrail") || !is_account_id(account_id) {
        return None;
    }
    let day = date(year, month, day)?;
    let time = from_file_name(file_name).and_then(|key| key.time);
    Some(LogKey {
        account_id: Arc::from(*account_id),
        region: Arc::from(*region),
        day,
        time,
    })
}

fn from_file_name(file_name: &str) -> Option<LogKey> {
    let mut parts = file_name.split('_');
    let (account_id, kind, region) = (parts.next()?, parts.next()?, parts.next()?);
    if !kind.starts_with("CloudTrail") || !is_account_id(account_id) {
        return None;
    }
    // Digest names have the trail's name and home region before the time; old names lack the `_` behind it.
    let stamp = parts.find(|part| is_stamp(part))?;
    let day = date(stamp.get(..4)?, stamp.get(4..6)?, stamp.get(6..8)?)?;
    Some(LogKey {
        account_id: Arc::from(account_id),
        region: Arc::from(region),
        day,
        time: stamp.get(9..13).and_then(|time| time.parse().ok()),
    })
}

fn is_stamp(part: &str) -> bool {
    let bytes = part.as_bytes();
    let digits = |range| {
        bytes
            .get(range)
            .is_some_and(|digits: &[u8]| digits.iter().all(u8::is_ascii_digit))
    };
    digits(0..8) && bytes.get(8) == Some(&b'T') && digits(9..13)
}

pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Account, region, day and time.
    type Parsed = (Arc<str>, Arc<str>, String, Option<u16>);

    fn parsed(key: &str) -> Option<Parsed> {
        let key = LogKey::parse(key)?;
        Some((key.account_id, key.region, key.day.to_string(), key.time))
    }

    #[test]
    fn account_organization_and_flat_layouts_are_read() {
        let wanted = Some((
            "111122223333".into(),
            "eu-west-1".into(),
            "2026-09-01".into(),
            Some(105),
        ));
        let name = "111122223333_CloudTrail_eu-west-1_20260901T0105Z_abcdefghijklmnop.json.gz";
        for folders in [
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/",
            "prefix/AWSLogs/o-abc123/111122223333/CloudTrail/eu-west-1/2026/09/01/",
            "some/folder/",
            "",
        ] {
            assert_eq!(parsed(&format!("{folders}{name}")), wanted, "{folders}");
        }
    }

    #[test]
    fn digest_names_carry_trail_and_home_region_before_the_time() {
        let name = "111122223333_CloudTrail-Digest_eu-west-1_org_trail_us-east-1_20260901T010000Z_backfill.json.gz";
        let wanted = Some((
            "111122223333".into(),
            "eu-west-1".into(),
            "2026-09-01".into(),
            Some(100),
        ));
        assert_eq!(parsed(name), wanted);
    }

    #[test]
    fn other_names_are_no_log_keys() {
        for key in [
            "README.md",
            "AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/09/01/x.gz",
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/13/01/x.gz",
            "AWSLogs/me/CloudTrail/eu-west-1/2026/09/01/x.gz",
            "1_CloudTrail_eu_20260901T0105Z.json",
            "111122223333_CloudTrail_eu-west-1_20260901T0105Z_abcdefghijklmnop.json.gz.meta.json",
        ] {
            assert_eq!(LogKey::parse(key), None, "{key}");
        }
    }
}
