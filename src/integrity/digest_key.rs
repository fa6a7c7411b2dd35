//! The grammar of digest keys.
//!
//! `[prefix/]AWSLogs/[o-id/]account/CloudTrail-Digest/region/YYYY/MM/DD/` and then
//! `account_CloudTrail-Digest_region_trail_homeRegion_YYYYMMDDTHHMMSSZ[_backfill].json.gz`
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>).

use crate::event::parse_event_time;

const KIND: &str = "CloudTrail-Digest";

/// What the name of a digest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestKey<'k> {
    /// Account whose log files it names.
    pub account_id: &'k str,
    /// Region that these were delivered from.
    pub region: &'k str,
    /// Name of the trail.
    pub trail: &'k str,
    /// Region of the trail, and of the key that signs.
    pub home_region: &'k str,
    /// End of its hour, microseconds since 1970-01-01T00:00:00Z.
    pub ends_at: i64,
    /// Whether it was delivered afterwards, in place of one that could not be.
    pub is_backfill: bool,
}

impl<'k> DigestKey<'k> {
    /// Reads a key or path by its file name; `None` for one that is not the name of a digest.
    pub fn parse(key: &'k str) -> Option<Self> {
        let name = key.rsplit('/').next()?.strip_suffix(".json.gz")?;
        let (name, is_backfill) = match name.strip_suffix("_backfill") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (name, stamp) = name.rsplit_once('_')?;
        // A trail's name may hold `_`; regions and accounts do not.
        let (name, home_region) = name.rsplit_once('_')?;
        let mut parts = name.splitn(4, '_');
        let (account_id, kind, region, trail) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        (kind == KIND).then_some(())?;
        Some(Self {
            account_id,
            region,
            trail,
            home_region,
            ends_at: time_of_stamp(stamp)?,
            is_backfill,
        })
    }
}

/// Reads `YYYYMMDDTHHMMSSZ`, or `YYYYMMDDTHHmmZ` as names of log files have it.
pub(super) fn time_of_stamp(stamp: &str) -> Option<i64> {
    let (date, time) = stamp.strip_suffix('Z')?.split_once('T')?;
    let seconds = match time.len() {
        6 => time.get(4..6)?,
        4 => "00",
        _ => return None,
    };
    let text = format!(
        "{}-{}-{}T{}:{}:{seconds}Z",
        date.get(..4)?,
        date.get(4..6)?,
        date.get(6..).filter(|day| day.len() == 2)?,
        time.get(..2)?,
        time.get(2..4)?,
    );
    Some(parse_event_time(&text)?.microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_backfill_names_are_read_and_a_trail_may_hold_underscores() {
        for (suffix, is_backfill) in [("", false), ("_backfill", true)] {
            let name = format!(
                "p/AWSLogs/o-1/111122223333/CloudTrail-Digest/eu-west-1/2026/09/01/\
                 111122223333_CloudTrail-Digest_eu-west-1_org_trail_us-east-1_20260901T010000Z{suffix}.json.gz"
            );
            let wanted = DigestKey {
                account_id: "111122223333",
                region: "eu-west-1",
                trail: "org_trail",
                home_region: "us-east-1",
                ends_at: 1_788_224_400_000_000,
                is_backfill,
            };
            assert_eq!(DigestKey::parse(&name), Some(wanted));
        }
    }

    #[test]
    fn other_names_are_no_digests() {
        for name in [
            "111122223333_CloudTrail_eu-west-1_20260901T0105Z_abcdefghijklmnop.json.gz",
            "111122223333_CloudTrail-Digest_eu-west-1_trail_us-east-1_20260901T01Z.json.gz",
            "111122223333_CloudTrail-Digest_eu-west-1_us-east-1_20260901T010000Z.json.gz",
            "111122223333_CloudTrail-Digest_eu-west-1_t_us-east-1_20261301T010000Z.json.gz",
            "111122223333_CloudTrail-Digest_eu-west-1_t_us-east-1_2026090\u{e9}T010000Z.json.gz",
        ] {
            assert_eq!(DigestKey::parse(name), None, "{name}");
        }
    }
}
