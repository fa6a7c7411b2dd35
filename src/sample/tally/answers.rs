//! The tally read back: for `expected.json`, for the estate's README and for the snapshots.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::CallCount;
use super::Tally;
use crate::sample::estate::ACCOUNTS;
use crate::sample::estate::WORKLOAD_REGIONS;
use crate::sample::moment::Moment;

/// Time and region of a principal's last call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sample) struct LastUse {
    pub(in crate::sample) time: Moment,
    pub(in crate::sample) region: String,
    pub(in crate::sample) service: String,
}

impl Tally {
    /// The events under a planted fact.
    pub(in crate::sample) fn planted(&self, label: &str) -> &[Value] {
        self.planted.get(label).map_or(&[], Vec::as_slice)
    }

    /// The last call of a principal.
    pub(in crate::sample) fn last_use(&self, principal: &str) -> Option<LastUse> {
        let sources = self.principals.get(principal)?;
        let calls = sources
            .iter()
            .flat_map(|(source, names)| names.values().map(move |count| (source, count)));
        calls
            .max_by_key(|(_, count)| count.last)
            .map(|(source, count)| LastUse {
                time: count.last,
                region: count.last_region.clone(),
                service: source.split('.').next().unwrap_or_default().to_owned(),
            })
    }

    /// How many different operations a principal called with success.
    pub(in crate::sample) fn used_operations(&self, principal: &str) -> usize {
        let names = self
            .principals
            .get(principal)
            .into_iter()
            .flat_map(BTreeMap::values)
            .flat_map(BTreeMap::values);
        names.filter(|count| count.succeeded > 0).count()
    }

    /// Pairs of records that two accounts hold of one call.
    pub(in crate::sample) const fn cross_account_twins(&self) -> u64 {
        self.cross_account_twins
    }

    /// Records that lie in the folder of another day than their own.
    pub(in crate::sample) const fn foreign_day_records(&self) -> u64 {
        self.foreign_day_records
    }

    /// Records that lie in the folder of another region than their own.
    pub(in crate::sample) const fn foreign_region_records(&self) -> usize {
        self.foreign_region_records.len()
    }

    /// Records in objects that were delivered days late.
    pub(in crate::sample) const fn late_records(&self) -> usize {
        self.late_records
    }

    /// Records of the objects of a kind that holds no events.
    pub(in crate::sample) fn other_records(&self, kind: &str) -> u64 {
        self.other_records.get(kind).copied().unwrap_or(0)
    }

    /// The reads of secrets, `(principal, operation, secret, succeeded, denied)`.
    pub(in crate::sample) fn secret_reads(&self) -> impl Iterator<Item = (&str, &str, &str, u64, u64)> {
        self.secret_reads.iter().map(|((principal, operation, secret), count)| {
            (
                principal.as_str(),
                operation.as_str(),
                secret.as_str(),
                count.succeeded,
                count.denied,
            )
        })
    }

    /// Roles passed to services, `(principal, operation, role, succeeded, denied)`.
    pub(in crate::sample) fn passed_roles(&self) -> impl Iterator<Item = (&str, &str, &str, u64, u64)> {
        self.passed_roles.iter().map(|((principal, operation, role), count)| {
            (
                principal.as_str(),
                operation.as_str(),
                role.as_str(),
                count.succeeded,
                count.denied,
            )
        })
    }

    /// The calls outside the regions of the organization's workloads.
    pub(in crate::sample) fn unexpected_region(&self) -> &[Value] {
        &self.unexpected_region
    }

    /// Calls that CloudTrail records in us-east-1 wherever they are made from.
    pub(in crate::sample) const fn global_calls(&self) -> u64 {
        self.global_calls
    }

    /// Everything as JSON, for `expected.json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "config": {
                "seed": self.config.seed,
                "background_events": self.config.events,
                "first_day": self.config.first_day.to_string(),
                "days": self.config.days,
            },
            "records": {
                "in_event_objects": self.records(),
                "events": self.events,
                "duplicates": self.duplicates,
                "rejected": self.rejected_records,
            },
            "objects": self.objects,
            "other_records": self.other_records,
            "digest_log_files": self.digest_log_files,
            "accounts": self.accounts(),
            "days": self.by_day.iter().map(|(day, count)| (day.to_string(), Value::from(*count)))
                .collect::<Map<_, _>>(),
            "regions": self.by_region,
            "categories": self.by_category,
            "cross_account_twins": self.cross_account_twins,
            "global_calls_in_us_east_1": self.global_calls,
            "unexpected_region": { "expected_regions": WORKLOAD_REGIONS, "calls": self.unexpected_region },
            "secret_reads": self.secret_reads.iter().map(|((principal, operation, secret), count)| {
                count.json(json!({ "principal": principal, "operation": operation, "secret": secret }))
            }).collect::<Vec<_>>(),
            "passed_roles": self.passed_roles.iter().map(|((principal, operation, role), count)| {
                count.json(json!({ "principal": principal, "operation": operation, "passed_role": role }))
            }).collect::<Vec<_>>(),
            "planted": self.planted,
            "rejects": self.rejects,
            "corrupt_objects": self.corrupt_objects,
            "late_objects": self.late_objects,
            "events_in_another_days_folder": self.foreign_day_records,
            "events_in_another_regions_folder": self.foreign_region_records,
            "principals": self.principals_json(),
        })
    }

    fn accounts(&self) -> Vec<Value> {
        let count = |id: &str| self.by_account.get(id).copied().unwrap_or(0);
        ACCOUNTS
            .iter()
            .map(|account| {
                json!({
                    "account_id": account.id,
                    "name": account.name,
                    "events": count(account.id),
                    "s3_data_events_recorded": account.data_events,
                })
            })
            .collect()
    }

    fn principals_json(&self) -> Value {
        let principals = self.principals.iter().map(|(principal, sources)| {
            let calls: Vec<Value> = sources
                .iter()
                .flat_map(|(source, names)| {
                    names
                        .iter()
                        .map(move |(name, count)| count.json(json!({ "event_source": source, "event_name": name })))
                })
                .collect();
            (principal.clone(), Value::Array(calls))
        });
        Value::Object(principals.collect())
    }
}

impl CallCount {
    /// The counts added to the members of `base`.
    fn json(&self, base: Value) -> Value {
        let mut members = match base {
            Value::Object(members) => members,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        members.insert("succeeded".to_owned(), self.succeeded.into());
        members.insert("denied".to_owned(), self.denied.into());
        members.insert("failed".to_owned(), self.failed.into());
        members.insert("regions".to_owned(), self.regions.iter().cloned().collect());
        members.insert("first".to_owned(), self.first.iso().into());
        members.insert("last".to_owned(), self.last.iso().into());
        Value::Object(members)
    }
}
