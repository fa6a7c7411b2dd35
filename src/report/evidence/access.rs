//! What users and roles may do and did not: the rows of `unused-access`, put together by principal and policy.

use std::collections::BTreeMap;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::datatypes::Int64Type;
use arrow::datatypes::TimestampMicrosecondType;
use serde_json::Value;
use serde_json::json;
use sha2::Digest;
use sha2::Sha256;

use super::table::hex;
use crate::query::Severity;
use crate::report::check::OcsfClass;
use crate::report::check::ocsf_head;
use crate::report::check::ocsf_merged;
use crate::report::check::ocsf_resource_type;
use crate::report::counted::format_count;

/// The question whose rows these are.
pub const ACCESS_QUESTION: &str = "unused-access";

/// Unused permissions of all principals.
#[derive(Debug, Clone, Default)]
pub struct AccessAnalysis {
    /// By ARN and unique id.
    principals: BTreeMap<(String, String), BTreeMap<String, Policy>>,
}

/// Services by prefix.
type Policy = BTreeMap<String, Service>;

/// Actions of one service that one policy grants.
#[derive(Debug, Clone, Default)]
struct Service {
    /// Those of which something can be said.
    analyzed: i64,
    unused: i64,
    last_used: Option<i64>,
}

impl AccessAnalysis {
    /// Takes rows of the answer; those without the columns that the question declares are passed over.
    pub fn look_at(&mut self, batch: &RecordBatch) {
        let text = |name: &str, row: usize| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let count = |name: &str, row: usize| {
            let column = batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
            column.is_valid(row).then(|| column.value(row))
        };
        let time = |name: &str, row: usize| {
            let column = batch
                .column_by_name(name)?
                .as_primitive_opt::<TimestampMicrosecondType>()?;
            column.is_valid(row).then(|| column.value(row))
        };
        for row in 0..batch.num_rows() {
            let (Some(arn), Some(policy), Some(service)) =
                (text("principal_arn", row), text("policy", row), text("service", row))
            else {
                continue;
            };
            let principal = (arn, text("principal_id", row).unwrap_or_default());
            let policies = self.principals.entry(principal).or_default();
            let service = policies.entry(policy).or_default().entry(service).or_default();
            let granted = count("granted", row).unwrap_or_default();
            service.analyzed += granted - count("unknown", row).unwrap_or_default();
            service.unused += count("unused", row).unwrap_or_default();
            service.last_used = service.last_used.max(time("last_used", row));
        }
    }

    /// One event for every principal with unused permissions.
    pub(super) fn events(&self, milliseconds: i64) -> impl Iterator<Item = Value> {
        let principals = self.principals.iter();
        principals.filter_map(move |((arn, id), policies)| event(arn, id, policies, milliseconds))
    }
}

fn event(arn: &str, id: &str, policies: &BTreeMap<String, Policy>, milliseconds: i64) -> Option<Value> {
    let services = || policies.values().flat_map(BTreeMap::values);
    let unused: i64 = services().map(|service| service.unused).sum();
    if unused <= 0 {
        return None;
    }
    let results: Vec<Value> = policies
        .iter()
        .filter(|(_, services)| services.values().any(|service| service.unused > 0))
        .map(|(policy, services)| of_policy(policy, services))
        .collect();
    let uid = hex(&Sha256::digest(format!("{ACCESS_QUESTION}\0{arn}\0{id}")));
    let number = format_count(u64::try_from(unused).unwrap_or_default());
    let message = format!("{arn}: {number} permissions were not used");
    let mut body = json!({
        "status_id": 1,
        "status": "New",
        "message": message,
        "cloud": {"provider": "AWS"},
        "finding_info": {
            "uid": uid,
            "title": "Unused permissions",
            "types": [ACCESS_QUESTION],
        },
        "resources": [{"uid": arn, "type": ocsf_resource_type(arn)}],
        "permission_analysis_results": results,
    });
    let last_used = services().filter_map(|service| service.last_used).max();
    if let Some((members, last_used)) = body.as_object_mut().zip(last_used) {
        let metrics = json!({"last_seen_time": last_used.div_euclid(1_000)});
        members.insert("identity_activity_metrics".to_owned(), metrics);
    }
    Some(ocsf_merged(
        ocsf_head(OcsfClass::IamAnalysis, Severity::Medium, milliseconds),
        body,
    ))
}

fn of_policy(policy: &str, services: &Policy) -> Value {
    let is_idle = |service: &Service| service.unused > 0 && service.unused == service.analyzed;
    let list = services.iter().map(|(name, service)| {
        let mut value = json!({
            "name": name,
            "all_privileges_unused": is_idle(service),
            "analyzed_privileges_count": service.analyzed,
            "unused_privileges_count": service.unused,
        });
        if let Some((members, last_used)) = value.as_object_mut().zip(service.last_used) {
            members.insert("last_used_time".to_owned(), json!(last_used.div_euclid(1_000)));
        }
        value
    });
    let list: Vec<Value> = list.collect();
    json!({
        "policy": {"uid": policy},
        "unused_privileges_count": services.values().map(|service| service.unused).sum::<i64>(),
        "unused_services_count": services.values().filter(|service| is_idle(service)).count(),
        "service_privilege_analysis_list": list,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ArrayRef;
    use arrow::array::Int64Array;
    use arrow::array::StringArray;
    use arrow::array::TimestampMicrosecondArray;

    use super::*;

    #[test]
    fn rows_are_summed_by_principal_policy_and_service() {
        let text = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
        let count = |values: [i64; 3]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
        let times = TimestampMicrosecondArray::from(vec![Some(7_000_000), None, None]);
        let batch = RecordBatch::try_from_iter([
            ("principal_arn", text(["arn:aws:iam::111122223333:role/a"; 3])),
            ("policy", text(["p", "p", "q"])),
            ("service", text(["s3", "s3", "ec2"])),
            ("granted", count([5, 3, 2])),
            ("unknown", count([1, 0, 2])),
            ("unused", count([2, 3, 0])),
            ("last_used", Arc::new(times.with_timezone("UTC"))),
        ]);
        let mut access = AccessAnalysis::default();
        access.look_at(&batch.unwrap());
        let events: Vec<Value> = access.events(9).collect();
        let [event] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(event["class_uid"], 2008);
        assert_eq!(event["identity_activity_metrics"]["last_seen_time"], 7_000);
        let results = &event["permission_analysis_results"];
        assert_eq!(results.as_array().unwrap().len(), 1, "{results}");
        assert_eq!(results[0]["unused_privileges_count"], 5);
        assert_eq!(results[0]["unused_services_count"], 0);
        let service = &results[0]["service_privilege_analysis_list"][0];
        assert_eq!(
            (&service["name"], &service["analyzed_privileges_count"]),
            (&"s3".into(), &7.into())
        );
    }
}
