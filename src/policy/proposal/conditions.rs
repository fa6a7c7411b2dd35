//! Conditions that the evidence supports: they only ever narrow a statement.

use std::collections::BTreeSet;

use super::resources::listed;
use super::resources::modern;
use crate::iam::document::ConditionBlock;
use crate::iam::document::ConditionValue;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::trace::ActionTrace;

/// Values of one condition; more say little.
const MAX_VALUES: usize = 20;

/// Services that fill in `aws:CalledVia` when they call for someone
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>).
const CALLING_SERVICES: &[&str] = &[
    "athena.amazonaws.com",
    "cloudformation.amazonaws.com",
    "dynamodb.amazonaws.com",
    "kms.amazonaws.com",
];

/// Services whose requests to KMS on someone's behalf have `kms:ViaService`: of its table those of which use is common. Others, among
/// them all that work with a role of their own, leave the key out, so that a condition on it would never hold
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>).
const KEY_USING_SERVICES: &[&str] = &[
    "backup",
    "cassandra",
    "codeartifact",
    "codecommit",
    "connect",
    "dms",
    "dynamodb",
    "ec2",
    "ecr",
    "elasticache",
    "elasticfilesystem",
    "elasticmapreduce",
    "firehose",
    "fsx",
    "glue",
    "kafka",
    "kinesis",
    "lambda",
    "lex",
    "mq",
    "rds",
    "redshift",
    "s3",
    "sagemaker",
    "secretsmanager",
    "ses",
    "sns",
    "sqs",
    "ssm",
    "workmail",
    "workspaces",
    "xray",
];

/// Which conditions to add where all uses of an action agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EvidenceConditions {
    /// `aws:RequestedRegion`.
    pub region: bool,
    /// `aws:SourceVpce`.
    pub endpoint: bool,
    /// `kms:ViaService` and `aws:CalledViaLast`.
    pub via_service: bool,
}

/// A key and the values of which it must have one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OneOf {
    pub(super) key: &'static str,
    pub(super) values: BTreeSet<String>,
}

/// The conditions that held for every use of an action.
pub(super) fn of(wanted: EvidenceConditions, action: &str, trace: &ActionTrace) -> Vec<OneOf> {
    let mut conditions = Vec::new();
    if wanted.region {
        conditions.extend(region(action, trace));
    }
    // A service that calls on someone's behalf does not come through that one's endpoint.
    if wanted.endpoint && trace.without_endpoint == 0 && trace.services.is_empty() {
        let is_endpoint = |text: &str| text.starts_with("vpce-") && is_plain(text);
        conditions.extend(one_of("aws:SourceVpce", trace.endpoints.clone(), is_endpoint));
    }
    if wanted.via_service && trace.without_service == 0 {
        conditions.extend(via_service(action, trace));
    }
    conditions
}

/// The global endpoints of STS and of services without regions do not tell the region that IAM compares, and an inference profile of
/// Bedrock asks for models in regions that no record names.
fn region(action: &str, trace: &ActionTrace) -> Option<OneOf> {
    let is_region = |text: &str| text != "aws-global" && is_plain(text);
    let regions = trace.regions.clone();
    let is_asked_elsewhere = action.starts_with("sts:") || action.starts_with("bedrock:InvokeModel");
    one_of("aws:RequestedRegion", regions, is_region).filter(|_| !is_asked_elsewhere)
}

fn via_service(action: &str, trace: &ActionTrace) -> Option<OneOf> {
    if !action.starts_with("kms:") {
        let is_calling = |service: &str| CALLING_SERVICES.contains(&service);
        return one_of("aws:CalledViaLast", trace.services.clone(), is_calling);
    }
    let mut values = BTreeSet::new();
    for service in &trace.services {
        let label = service.strip_suffix(".amazonaws.com");
        let label = label.filter(|label| KEY_USING_SERVICES.contains(label))?;
        for region in &trace.regions {
            values.insert(format!("{label}.{region}.amazonaws.com"));
        }
    }
    one_of("kms:ViaService", values, |value| value.split('.').all(is_plain))
}

/// The condition, if every value may be one.
fn one_of(key: &'static str, values: BTreeSet<String>, is_value: impl Fn(&str) -> bool) -> Option<OneOf> {
    let is_sound = (1..=MAX_VALUES).contains(&values.len()) && values.iter().all(|value| is_value(value));
    is_sound.then_some(OneOf { key, values })
}

/// Lower-case letters, digits and hyphens: no wildcard and no variable.
fn is_plain(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_fit)
}

/// Adds conditions to a statement, but none on a key that it has already.
pub(super) fn add(statement: &mut Statement, conditions: &[OneOf]) {
    const OPERATOR: &str = "StringEquals";
    for condition in conditions {
        let mut keys = statement.conditions.iter().flat_map(|block| &block.keys);
        if keys.any(|(key, _)| key.eq_ignore_ascii_case(condition.key)) {
            continue;
        }
        let values = condition.values.iter().cloned().map(ConditionValue::Text).collect();
        let entry = (condition.key.to_owned(), OneOrMany::Many(values));
        let mut blocks = statement.conditions.iter_mut();
        match blocks.find(|block| block.operator == OPERATOR) {
            Some(block) => block.keys.push(entry),
            None => statement.conditions.push(ConditionBlock {
                operator: OPERATOR.to_owned(),
                keys: vec![entry],
            }),
        }
    }
}

/// A statement of a document of 2008, in which `${` means nothing, as it is written in one of 2012.
pub(super) fn modernised(statement: &Statement, is_2012: bool) -> Statement {
    let mut new = statement.clone();
    if is_2012 {
        return new;
    }
    let texts = |texts: &OneOrMany<String>| listed(texts.texts().map(|text| modern(text, false)));
    new.resources = statement.resources.as_ref().map(|scope| match scope {
        Scope::Only(named) => Scope::Only(texts(named)),
        Scope::AllBut(named) => Scope::AllBut(texts(named)),
    });
    for block in &mut new.conditions {
        for (_, values) in &mut block.keys {
            let modern_value = |value: &ConditionValue| match value {
                ConditionValue::Text(text) => ConditionValue::Text(modern(text, false)),
                other => other.clone(),
            };
            *values = OneOrMany::Many(values.as_slice().iter().map(modern_value).collect());
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[&str]) -> BTreeSet<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn all() -> EvidenceConditions {
        EvidenceConditions {
            region: true,
            endpoint: true,
            via_service: true,
        }
    }

    #[test]
    fn conditions_are_those_that_held_for_every_use() {
        let trace = ActionTrace {
            regions: set(&["eu-west-1"]),
            endpoints: set(&["vpce-0a"]),
            services: set(&["secretsmanager.amazonaws.com"]),
            ..ActionTrace::default()
        };
        let found = of(all(), "kms:Decrypt", &trace);
        let keys: Vec<&str> = found.iter().map(|condition| condition.key).collect();
        assert_eq!(keys, ["aws:RequestedRegion", "kms:ViaService"]);
        assert_eq!(found[1].values, set(&["secretsmanager.eu-west-1.amazonaws.com"]));
        let own = ActionTrace {
            without_endpoint: 1,
            without_service: 1,
            ..trace.clone()
        };
        assert_eq!(of(all(), "kms:Decrypt", &own).len(), 1);
        assert_eq!(of(all(), "sqs:SendMessage", &trace).len(), 1);
        let direct = ActionTrace {
            services: BTreeSet::new(),
            without_service: 1,
            ..trace.clone()
        };
        assert_eq!(of(all(), "sqs:SendMessage", &direct)[1].key, "aws:SourceVpce");
        assert_eq!(of(EvidenceConditions::default(), "kms:Decrypt", &trace), []);
    }

    #[test]
    fn values_that_are_none_give_no_condition() {
        let trace = ActionTrace {
            regions: set(&["*"]),
            endpoints: set(&["vpce-${x}"]),
            services: set(&["AWS Internal"]),
            ..ActionTrace::default()
        };
        assert_eq!(of(all(), "kms:Decrypt", &trace), []);
        let global = ActionTrace {
            regions: set(&["aws-global", "eu-west-1"]),
            without_endpoint: 1,
            without_service: 1,
            ..ActionTrace::default()
        };
        assert_eq!(of(all(), "iam:GetRole", &global), []);
        // The regions of the models behind an inference profile stand in no record.
        let invoked = ActionTrace {
            regions: set(&["eu-west-1"]),
            without_endpoint: 1,
            without_service: 1,
            ..ActionTrace::default()
        };
        assert_eq!(of(all(), "bedrock:InvokeModel", &invoked), []);
        assert_eq!(of(all(), "bedrock:GetGuardrail", &invoked).len(), 1);
        // Works with a role of its own.
        let pipeline = ActionTrace {
            services: set(&["codepipeline.amazonaws.com"]),
            without_endpoint: 1,
            ..ActionTrace::default()
        };
        assert_eq!(of(all(), "kms:Decrypt", &pipeline), []);
    }
}
