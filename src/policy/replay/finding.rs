//! What came out of a replay, call by call of one kind.

use super::Consequence;
use super::ReplayedCall;

/// Events that are named for each finding.
const SAMPLES: usize = 3;

/// What came out for one principal, action, resource and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayFinding {
    /// What would have become of the calls.
    pub consequence: Consequence,
    /// ARN of the principal.
    pub principal_arn: String,
    /// The action; the name of the call where none is known.
    pub action: String,
    /// The resource, of objects in folders the first folder; `None` if the record names none.
    pub resource: Option<String>,
    /// Region that served the calls.
    pub region: Option<String>,
    /// How many.
    pub calls: u64,
    /// The first: microseconds since 1970-01-01T00:00:00Z.
    pub first_seen: i64,
    /// The last.
    pub last_seen: i64,
    /// Ids of the newest events, the newest first.
    samples: Vec<(i64, String)>,
}

/// What distinguishes findings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) consequence: Consequence,
    pub(super) principal_arn: String,
    pub(super) action: String,
    pub(super) resource: Option<String>,
    pub(super) region: Option<String>,
}

impl ReplayFinding {
    /// Ids of the newest events, the newest first.
    pub fn event_ids(&self) -> impl Iterator<Item = &str> {
        self.samples.iter().map(|(_, id)| id.as_str())
    }

    pub(super) fn at(place: Place) -> Self {
        Self {
            consequence: place.consequence,
            principal_arn: place.principal_arn,
            action: place.action,
            resource: place.resource,
            region: place.region,
            calls: 0,
            first_seen: i64::MAX,
            last_seen: i64::MIN,
            samples: Vec::new(),
        }
    }

    pub(super) fn place(&self) -> (&Consequence, &str, &str, Option<&str>, Option<&str>) {
        let (resource, region) = (self.resource.as_deref(), self.region.as_deref());
        (&self.consequence, &self.principal_arn, &self.action, resource, region)
    }

    pub(super) fn add(&mut self, call: &ReplayedCall<'_>) {
        let time = call.fields.event_time;
        self.calls += 1;
        self.first_seen = self.first_seen.min(time);
        self.last_seen = self.last_seen.max(time);
        // Of equal moments the first id counts, whatever the order in which calls come.
        let is_before = |(at, id): &(i64, String)| *at > time || (*at == time && id.as_str() < call.event_id);
        let position = self.samples.partition_point(is_before);
        if position < SAMPLES {
            self.samples.insert(position, (time, call.event_id.to_owned()));
            self.samples.truncate(SAMPLES);
        }
    }
}

/// Objects of a bucket by their first folder: there may be millions.
pub(super) fn shown(arn: &str) -> String {
    let is_object = arn.split(':').nth(2) == Some("s3");
    let mut parts = arn.splitn(3, '/').filter(|_| is_object);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(bucket), Some(folder), Some(_)) => format!("{bucket}/{folder}/*"),
        _ => arn.to_owned(),
    }
}
