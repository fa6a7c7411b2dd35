//! AWS managed policies, for snapshots that name one without its document.
//!
//! They are a file of their own, read on first use: most runs need none of them.

use std::sync::LazyLock;

use super::facts::Sections;

/// A policy that AWS manages, in its default version when the facts were collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// ARN in the partition `aws`.
    pub arn: &'static str,
    /// Default version, as `v12`.
    pub version: &'static str,
    /// Day on which that version was made, `YYYY-MM-DD`.
    pub date: &'static str,
    /// Policy document as JSON.
    pub document: &'static str,
}

/// All known AWS managed policies in order of their ARNs.
pub fn managed_policies() -> &'static [ManagedPolicy] {
    static POLICIES: LazyLock<Vec<ManagedPolicy>> = LazyLock::new(|| {
        // INVARIANT: the embedded file is readable; a test reads it.
        let sections = Sections::inflate(include_bytes!("facts/managed_policies.gz"));
        let rows = sections.and_then(|sections| sections.rows("managed-policies"));
        let policies = rows.into_iter().flatten().map(|mut row| ManagedPolicy {
            arn: row.cell(),
            version: row.cell(),
            date: row.cell(),
            document: row.cell(),
        });
        policies.collect()
    });
    &POLICIES
}

/// The AWS managed policy of an ARN, in whichever partition.
pub fn managed_policy(arn: &str) -> Option<&'static ManagedPolicy> {
    let (_, after) = arn.strip_prefix("arn:")?.split_once(':')?;
    let wanted = format!("arn:aws:{after}");
    let policies = managed_policies();
    let found = policies
        .binary_search_by(|policy| policy.arn.cmp(wanted.as_str()))
        .ok()?;
    policies.get(found)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_policy_is_json_with_statements_and_in_order() {
        let policies = managed_policies();
        assert!(policies.len() > 1500, "{}", policies.len());
        assert!(policies.is_sorted_by(|left, right| left.arn < right.arn));
        for policy in policies {
            let document: Value = serde_json::from_str(policy.document).unwrap();
            assert!(!document["Statement"].is_null(), "{}", policy.arn);
        }
    }

    #[test]
    fn policy_is_found_in_every_partition() {
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            let policy = managed_policy(&format!("arn:{partition}:iam::aws:policy/AdministratorAccess")).unwrap();
            assert!(policy.document.contains(r#""Action":"*""#));
        }
        assert_eq!(managed_policy("arn:aws:iam::111122223333:policy/own"), None);
        assert_eq!(managed_policy("AdministratorAccess"), None);
    }
}
