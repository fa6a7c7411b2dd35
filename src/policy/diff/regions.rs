//! In which regions a statement can be used, and in which of them a use would have to be seen.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::iam::document::ConditionBlock;
use crate::iam::document::ConditionValue;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::iam::resource_matches;
use crate::policy::dates::plain_operator;
use crate::policy::resource::without_variables;

/// "This key is always included in the request context" (IAM user guide, "AWS global condition context keys").
const REQUESTED_REGION: &str = "aws:requestedregion";

/// What binds a statement to regions.
#[derive(Debug, Default)]
pub(super) struct RegionLimits<'s> {
    /// Regions that resources name.
    named: BTreeSet<&'s str>,
    /// Patterns that resources have in the place of the region.
    patterns: BTreeSet<String>,
    /// Whether a resource may be of any region.
    is_open: bool,
    conditions: Vec<RegionCondition<'s>>,
}

/// A condition on the region of the request.
#[derive(Debug)]
struct RegionCondition<'s> {
    is_negated: bool,
    has_wildcards: bool,
    ignores_case: bool,
    values: Vec<&'s str>,
}

impl<'s> RegionLimits<'s> {
    pub(super) fn of(statement: &'s Statement) -> Self {
        let mut limits = Self {
            conditions: statement.conditions.iter().flat_map(conditions_of).collect(),
            ..Self::default()
        };
        let Some(Scope::Only(resources)) = &statement.resources else {
            limits.is_open = true;
            return limits;
        };
        for resource in resources.texts() {
            match resource.split(':').nth(3) {
                None | Some("" | "*") => limits.is_open = true,
                Some(region) if region.contains(['*', '?', '$']) => {
                    limits.patterns.insert(without_variables(region));
                }
                Some(region) => {
                    limits.named.insert(region);
                }
            }
        }
        limits
    }

    /// The regions that resources or conditions name, where the statement can be used.
    pub(super) fn named(&self) -> BTreeSet<&'s str> {
        let of_conditions = self.conditions.iter().flat_map(RegionCondition::named);
        let named = self.named.iter().copied().chain(of_conditions);
        named.filter(|region| self.allow(region)).collect()
    }

    /// The regions in which a use would have to be seen: those that are named. Where the statement can be used in others as well,
    /// a principal that was active in some of these may be relied upon in them; for one that was not, all of the account count.
    /// None, where nothing of the account is known to be within the limits.
    pub(super) fn observed<'r>(
        &self,
        active: &'r BTreeSet<String>,
        all: &'r BTreeSet<String>,
    ) -> Cow<'r, BTreeSet<String>> {
        let relied_upon = if active.is_empty() { all } else { active };
        if self.is_open && self.named.is_empty() && self.conditions.is_empty() {
            return Cow::Borrowed(relied_upon);
        }
        let mut observed: BTreeSet<String> = self.named().into_iter().map(str::to_owned).collect();
        if self.is_open || !self.patterns.is_empty() {
            let within = |regions: &BTreeSet<String>| -> BTreeSet<String> {
                regions.iter().filter(|region| self.allow(region)).cloned().collect()
            };
            let of_active = within(relied_upon);
            observed.extend(if of_active.is_empty() { within(all) } else { of_active });
        }
        Cow::Owned(observed)
    }

    /// The limits, for people.
    pub(super) fn told(&self) -> Vec<String> {
        let of_resources = self.named.iter().map(|region| (*region).to_owned());
        let of_conditions = self.conditions.iter().flat_map(|condition| {
            let word = if condition.is_negated { "not " } else { "" };
            condition.values.iter().map(move |value| format!("{word}{value}"))
        });
        let all: BTreeSet<String> = of_resources
            .chain(self.patterns.iter().cloned())
            .chain(of_conditions)
            .collect();
        all.into_iter().collect()
    }

    fn allow(&self, region: &str) -> bool {
        let is_of_resources = self.is_open
            || self.named.contains(region)
            || self.patterns.iter().any(|pattern| resource_matches(pattern, region));
        is_of_resources && self.conditions.iter().all(|condition| condition.holds(region))
    }
}

impl<'s> RegionCondition<'s> {
    /// The regions that it asks for by their names.
    fn named(&self) -> impl Iterator<Item = &'s str> {
        let is_name = |value: &&str| {
            !self.is_negated
                && value
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        self.values.iter().copied().filter(is_name)
    }

    /// A value with variables may stand for any region.
    fn holds(&self, region: &str) -> bool {
        let mut values = self.values.iter();
        let is_meant = values.any(|value| match value.contains("${") {
            true => !self.is_negated && resource_matches(&without_variables(value), region),
            false if self.has_wildcards => resource_matches(value, region),
            false if self.ignores_case => value.eq_ignore_ascii_case(region),
            false => *value == region,
        });
        is_meant != self.is_negated
    }
}

/// Whether a statement can be used in every region, which is asked for each of its actions.
pub(super) fn is_unlimited(statement: &Statement) -> bool {
    let is_open = |resource: &str| matches!(resource.split(':').nth(3), None | Some("" | "*"));
    let are_open = match &statement.resources {
        Some(Scope::Only(resources)) => resources.texts().all(is_open),
        _ => true,
    };
    let mut keys = statement.conditions.iter().flat_map(|block| &block.keys);
    are_open && !keys.any(|(key, _)| key.eq_ignore_ascii_case(REQUESTED_REGION))
}

fn conditions_of(block: &ConditionBlock) -> impl Iterator<Item = RegionCondition<'_>> {
    let operator = plain_operator(&block.operator);
    let kind = match operator.as_str() {
        "stringequals" => Some((false, false, false)),
        "stringequalsignorecase" => Some((false, false, true)),
        "stringlike" => Some((false, true, false)),
        "stringnotequals" => Some((true, false, false)),
        "stringnotequalsignorecase" => Some((true, false, true)),
        "stringnotlike" => Some((true, true, false)),
        _ => None,
    };
    let keys = block
        .keys
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(REQUESTED_REGION));
    keys.filter_map(move |(_, values)| {
        let (is_negated, has_wildcards, ignores_case) = kind?;
        let values = values.as_slice().iter().filter_map(|value| match value {
            ConditionValue::Text(text) => Some(text.as_str()),
            ConditionValue::Number(_) | ConditionValue::Bool(_) => None,
        });
        Some(RegionCondition {
            is_negated,
            has_wildcards,
            ignores_case,
            values: values.collect(),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::iam::document::Document;

    fn set(regions: &[&str]) -> BTreeSet<String> {
        regions.iter().map(|region| (*region).to_owned()).collect()
    }

    /// The regions in which a use would have to be seen by someone who was active in us-east-1, in an account with three.
    fn observed(resource: &Value, condition: &Value) -> Vec<String> {
        let statement = json!({"Effect": "Allow", "Action": "*", "Resource": resource, "Condition": condition});
        let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let document = Document::parse(&text).unwrap();
        let all = set(&["eu-west-1", "us-east-1", "us-west-2"]);
        let (_, statement) = document.readable().next().unwrap();
        let limits = RegionLimits::of(statement);
        assert!(!is_unlimited(statement) || limits.named().is_empty() && limits.told().is_empty());
        limits.observed(&set(&["us-east-1"]), &all).iter().cloned().collect()
    }

    #[test]
    fn regions_of_resources_are_those_that_are_named_and_those_that_fit() {
        let table = |region: &str| format!("arn:aws:dynamodb:{region}:111122223333:table/t");
        for (resource, wanted) in [
            (json!("*"), &["us-east-1"][..]),
            (json!(table("eu-west-1")), &["eu-west-1"]),
            (
                json!([table("eu-west-1"), "arn:aws:s3:::b/*"]),
                &["eu-west-1", "us-east-1"],
            ),
            (json!([table("eu-west-1"), table("*")]), &["eu-west-1", "us-east-1"]),
            (json!(table("us-*")), &["us-east-1"]),
            (json!(table("eu-*")), &["eu-west-1"]),
            (
                json!([table("us-*"), table("ap-south-1")]),
                &["ap-south-1", "us-east-1"],
            ),
            (json!(table("ap-*")), &[]),
            (json!(table("${aws:PrincipalTag/region}")), &["us-east-1"]),
        ] {
            assert_eq!(observed(&resource, &json!({})), wanted, "{resource}");
        }
    }

    #[test]
    fn conditions_on_the_region_bind_a_statement_to_it() {
        let region = |operator: &str, value: Value| json!({operator: {"aws:RequestedRegion": value}});
        for (condition, wanted) in [
            (region("StringEquals", json!("eu-west-1")), &["eu-west-1"][..]),
            (region("StringEqualsIfExists", json!(["ap-south-1"])), &["ap-south-1"]),
            (region("StringEqualsIgnoreCase", json!("US-EAST-1")), &["us-east-1"]),
            (region("ForAnyValue:StringLike", json!("eu-*")), &["eu-west-1"]),
            (region("StringLike", json!("ap-*")), &[]),
            (
                region("StringNotEquals", json!(["us-east-1"])),
                &["eu-west-1", "us-west-2"],
            ),
            (region("StringNotLike", json!("*")), &[]),
            (
                region("StringEquals", json!("${aws:PrincipalTag/region}")),
                &["us-east-1"],
            ),
            (
                json!({"StringEquals": {"aws:PrincipalTag/a": "eu-west-1"}}),
                &["us-east-1"],
            ),
        ] {
            assert_eq!(observed(&json!("*"), &condition), wanted, "{condition}");
        }
        let table = json!("arn:aws:dynamodb:eu-west-1:111122223333:table/t");
        let elsewhere = region("StringEquals", json!("us-east-1"));
        assert_eq!(observed(&table, &elsewhere), Vec::<String>::new());
    }
}
