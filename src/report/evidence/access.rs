//! What users and roles may do and did not: the rows of `unused-access`, put together by principal and policy.
//!
//! The question leaves out statements of which everything is used, so that its rows count what is unused and nothing else: how much is
//! granted in all, whether a whole service is idle, and when it was last used are left unsaid.

use std::collections::BTreeMap;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::RecordBatch;
use arrow::datatypes::Int64Type;
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

/// How many permissions for each service are unused, by its prefix.
type Policy = BTreeMap<String, i64>;

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
        for row in 0..batch.num_rows() {
            let (Some(arn), Some(policy), Some(service)) =
                (text("principal_arn", row), text("policy", row), text("service", row))
            else {
                continue;
            };
            let unused = count("unused", row).unwrap_or_default();
            if unused > 0 {
                let principal = (arn, text("principal_id", row).unwrap_or_default());
                let policies = self.principals.entry(principal).or_default();
                *policies.entry(policy).or_default().entry(service).or_default() += unused;
            }
        }
    }

    /// One event for every principal with unused permissions.
    pub(super) fn events(&self, milliseconds: i64) -> impl Iterator<Item = Value> {
        let principals = self.principals.iter();
        principals.map(move |((arn, id), policies)| event(arn, id, policies, milliseconds))
    }
}

fn event(arn: &str, id: &str, policies: &BTreeMap<String, Policy>, milliseconds: i64) -> Value {
    let unused: i64 = policies.values().flat_map(BTreeMap::values).sum();
    let results: Vec<Value> = policies
        .iter()
        .map(|(policy, services)| of_policy(policy, services))
        .collect();
    let uid = hex(&Sha256::digest(format!("{ACCESS_QUESTION}\0{arn}\0{id}")));
    let number = format_count(unused);
    let body = json!({
        "status_id": 1,
        "status": "New",
        "message": format!("{arn}: {number} permissions were not used"),
        "cloud": {"provider": "AWS"},
        "finding_info": {
            "uid": uid,
            "title": "Unused permissions",
            "types": [ACCESS_QUESTION],
        },
        "resources": [{"uid": arn, "type": ocsf_resource_type(arn)}],
        "permission_analysis_results": results,
    });
    ocsf_merged(ocsf_head(OcsfClass::IamAnalysis, Severity::Medium, milliseconds), body)
}

fn of_policy(policy: &str, services: &Policy) -> Value {
    let list = services
        .iter()
        .map(|(name, unused)| json!({"name": name, "unused_privileges_count": unused}));
    json!({
        "policy": {"uid": policy},
        "unused_privileges_count": services.values().sum::<i64>(),
        "service_privilege_analysis_list": list.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ArrayRef;
    use arrow::array::Int64Array;
    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn unused_permissions_are_summed_and_nothing_is_said_of_those_that_the_answer_leaves_out() {
        let text = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
        let count = |values: [i64; 3]| -> ArrayRef { Arc::new(Int64Array::from(values.to_vec())) };
        let batch = RecordBatch::try_from_iter([
            ("principal_arn", text(["arn:aws:iam::111122223333:role/a"; 3])),
            ("policy", text(["p", "p", "q"])),
            ("service", text(["s3", "s3", "ec2"])),
            ("granted", count([5, 3, 2])),
            ("unknown", count([1, 0, 2])),
            ("unused", count([2, 3, 0])),
        ]);
        let mut access = AccessAnalysis::default();
        access.look_at(&batch.unwrap());
        let events: Vec<Value> = access.events(9).collect();
        let [event] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(event["class_uid"], 2008);
        let results = serde_json::json!([{
            "policy": {"uid": "p"},
            "unused_privileges_count": 5,
            // Another statement may grant actions of the service that are all in use.
            "service_privilege_analysis_list": [{"name": "s3", "unused_privileges_count": 5}],
        }]);
        assert_eq!(event["permission_analysis_results"], results);
        assert!(event.get("identity_activity_metrics").is_none());
    }
}
