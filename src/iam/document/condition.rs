//! The `Condition` element.

use serde_json::Number;

use super::OneOrMany;

/// One operator of a `Condition` with its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionBlock {
    /// As it stands in the document, such as `ForAnyValue:StringLikeIfExists`.
    pub operator: String,
    /// Condition keys and their values, in the order of the document.
    pub keys: Vec<(String, OneOrMany<ConditionValue>)>,
}

/// A value in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionValue {
    /// A string.
    Text(String),
    /// A number that was written without quotes.
    Number(Number),
    /// A boolean that was written without quotes.
    Bool(bool),
}

/// Operators without set prefix and `IfExists`.
const OPERATORS: &[&str] = &[
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

impl ConditionBlock {
    /// Whether IAM has the operator, in any letter case; one that it has not may hold always or never.
    pub fn has_known_operator(&self) -> bool {
        let operator = self.operator.to_ascii_lowercase();
        let without_set = ["forallvalues:", "foranyvalue:"]
            .iter()
            .find_map(|set| operator.strip_prefix(set))
            .unwrap_or(&operator);
        let is_operator = |name: &str| OPERATORS.iter().any(|operator| operator.eq_ignore_ascii_case(name));
        let plain = without_set.strip_suffix("ifexists").filter(|plain| *plain != "null");
        is_operator(plain.unwrap_or(without_set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_known_with_their_prefix_and_suffix() {
        let is_known = |operator: &str| {
            let block = ConditionBlock {
                operator: operator.to_owned(),
                keys: Vec::new(),
            };
            block.has_known_operator()
        };
        for operator in [
            "StringLike",
            "stringlike",
            "ForAnyValue:ArnLikeIfExists",
            "BoolIfExists",
            "FORALLVALUES:STRINGNOTEQUALSIGNORECASEIFEXISTS",
            "foranyvalue:arnnotlike",
            "numericlessthanequalsifexists",
            "Null",
        ] {
            assert!(is_known(operator), "{operator}");
        }
        for operator in [
            "",
            "StringLikes",
            "ForSomeValues:StringLike",
            "NullIfExists",
            "IfExists",
        ] {
            assert!(!is_known(operator), "{operator}");
        }
    }
}
