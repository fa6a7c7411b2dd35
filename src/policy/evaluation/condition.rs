//! The `Condition` element.
//!
//! User guide, "Condition operators" and "Conditions with multiple context keys or values": all operators and all keys must
//! hold (AND), one value of a key is enough (OR), of a negated operator none may match (NOR).

use super::decision::Missing;
use super::decision::StatementPlace;
use super::keys::ContextKeys;
use super::keys::KeyState;
use super::operator::Comparison;
use super::operator::Operator;
use super::operator::Quantifier;
use super::operator::Test;
use super::operator::truth_value;
use super::truth::Truth;
use crate::iam::document::ConditionBlock;
use crate::iam::document::ConditionValue;
use crate::iam::document::OneOrMany;
use crate::iam::document::Version;

/// One key of one operator, with all that its evaluation needs.
struct Clause<'e, 'a> {
    operator: Operator,
    key: &'e str,
    wanted: Vec<String>,
    version: Option<Version>,
    context: &'e ContextKeys,
    place: StatementPlace<'a>,
}

/// Whether a request fulfils the conditions of a statement; adds what is not known.
pub(super) fn holds<'a>(
    conditions: &[ConditionBlock],
    version: Option<Version>,
    context: &ContextKeys,
    place: StatementPlace<'a>,
    missing: &mut Vec<Missing<'a>>,
) -> Truth {
    let mut all = Truth::True;
    for block in conditions {
        let Some(operator) = Operator::parse(&block.operator) else {
            missing.push(Missing::Meaning(place));
            all = all.and(Truth::Unknown);
            continue;
        };
        for (key, values) in &block.keys {
            let clause = Clause {
                operator,
                key,
                wanted: texts(values),
                version,
                context,
                place,
            };
            all = all.and(clause.holds(missing));
            if all == Truth::False {
                return all;
            }
        }
    }
    all
}

impl<'a> Clause<'_, 'a> {
    fn holds(&self, missing: &mut Vec<Missing<'a>>) -> Truth {
        let state = self.context.state(self.key);
        if self.operator.test == Test::Null {
            return self.is_null(state, missing);
        }
        match state {
            KeyState::Absent => self.without_value(),
            KeyState::Present(found) if self.is_nothing(found) => self.without_value(),
            KeyState::Present(found) => self.compare_all(found, missing),
            KeyState::ValueUnknown | KeyState::Unknown => {
                missing.push(Missing::Key(self.key.to_owned()));
                Truth::Unknown
            }
        }
    }

    /// "Use a Null condition operator to check if a condition key is absent at the time of authorization."
    fn is_null(&self, state: &KeyState, missing: &mut Vec<Missing<'a>>) -> Truth {
        let is_absent = match state {
            KeyState::Absent => Truth::True,
            KeyState::Present(found) => Truth::from(found.is_empty()),
            KeyState::ValueUnknown => Truth::False,
            KeyState::Unknown => {
                missing.push(Missing::Key(self.key.to_owned()));
                Truth::Unknown
            }
        };
        Truth::any(self.wanted.iter().map(|wanted| match truth_value(wanted) {
            Some(true) => is_absent,
            Some(false) => is_absent.negated(),
            None => {
                missing.push(Missing::Meaning(self.place));
                Truth::Unknown
            }
        }))
    }

    /// Whether the values are "a null data set, such as an empty string", which the set operators take for no value.
    fn is_nothing(&self, found: &[String]) -> bool {
        let is_set = self.operator.quantifier.is_some();
        found.is_empty() || (is_set && found.iter().all(String::is_empty))
    }

    /// "If the key that you specify in a policy condition is not present in the request context, the values do not match and
    /// the condition is false. If the policy condition requires that the key is not matched, such as StringNotLike or
    /// ArnNotLike, and the right key is not present, the condition is true." With `IfExists` it is true, with `ForAllValues`
    /// too; with `ForAnyValue` it is false.
    fn without_value(&self) -> Truth {
        let operator = &self.operator;
        let holds = match operator.quantifier {
            _ if operator.if_exists => true,
            Some(Quantifier::All) => true,
            Some(Quantifier::Any) => false,
            None => operator.is_negated,
        };
        Truth::from(holds)
    }

    fn compare_all(&self, found: &[String], missing: &mut Vec<Missing<'a>>) -> Truth {
        let each = found.iter().map(|value| self.compare_one(value, missing));
        match self.operator.quantifier {
            Some(Quantifier::All) => Truth::all(each),
            Some(Quantifier::Any) => Truth::any(each),
            None if found.len() == 1 => Truth::all(each),
            None => {
                // Several values need a set operator; what else AWS makes of them is not written.
                missing.push(Missing::Meaning(self.place));
                Truth::Unknown
            }
        }
    }

    fn compare_one(&self, found: &str, missing: &mut Vec<Missing<'a>>) -> Truth {
        let is_match = Truth::any(self.wanted.iter().map(|wanted| {
            let comparison = self.operator.test.compare(found, wanted, self.version, self.context);
            match &comparison {
                Comparison::Known(_) => {}
                Comparison::UnknownKey(key) => missing.push(Missing::Key(key.clone())),
                Comparison::Undefined => missing.push(Missing::Meaning(self.place)),
            }
            comparison.truth()
        }));
        if self.operator.is_negated {
            is_match.negated()
        } else {
            is_match
        }
    }
}

fn texts(values: &OneOrMany<ConditionValue>) -> Vec<String> {
    let texts = values.as_slice().iter().map(|value| match value {
        ConditionValue::Text(text) => text.clone(),
        ConditionValue::Number(number) => number.to_string(),
        ConditionValue::Bool(truth) => truth.to_string(),
    });
    texts.collect()
}
