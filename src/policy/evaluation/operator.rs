//! The operators of conditions, and what each makes of two values.
//!
//! User guide, "IAM JSON policy elements: Condition operators". Where a value is of another type than its operator reads,
//! the guide says nothing, so nothing is said here either.

use std::cmp::Ordering;

use super::keys::ContextKeys;
use super::pattern;
use super::pattern::Filled;
use super::pattern::Token;
use super::truth::Truth;
use super::value;
use super::value::Decimal;
use crate::event::decode_base64;
use crate::iam::document::Version;
use crate::iam::resource_matches;

/// An operator with its set prefix and `IfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) quantifier: Option<Quantifier>,
    /// `…IfExists`.
    pub(super) if_exists: bool,
    pub(super) test: Test,
    /// `…Not…`: no value of the policy may match.
    pub(super) is_negated: bool,
}

/// How several values of a key count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// What is compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Null,
    Text,
    TextIgnoringCase,
    TextLike,
    Number(Relation),
    Moment(Relation),
    Truth,
    Bytes,
    Network,
    Arn,
}

/// How two values that have an order must stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What comparing comes to, and the key whose unknown value is the reason for not knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Comparison {
    Known(bool),
    UnknownKey(String),
    Undefined,
}

/// Plain operators without `Not`; those with it are the same tests, negated.
const TESTS: &[(&str, Test, bool)] = &[
    ("null", Test::Null, false),
    ("stringequals", Test::Text, false),
    ("stringnotequals", Test::Text, true),
    ("stringequalsignorecase", Test::TextIgnoringCase, false),
    ("stringnotequalsignorecase", Test::TextIgnoringCase, true),
    ("stringlike", Test::TextLike, false),
    ("stringnotlike", Test::TextLike, true),
    ("numericequals", Test::Number(Relation::Equal), false),
    ("numericnotequals", Test::Number(Relation::Equal), true),
    ("numericlessthan", Test::Number(Relation::Less), false),
    ("numericlessthanequals", Test::Number(Relation::LessOrEqual), false),
    ("numericgreaterthan", Test::Number(Relation::Greater), false),
    (
        "numericgreaterthanequals",
        Test::Number(Relation::GreaterOrEqual),
        false,
    ),
    ("dateequals", Test::Moment(Relation::Equal), false),
    ("datenotequals", Test::Moment(Relation::Equal), true),
    ("datelessthan", Test::Moment(Relation::Less), false),
    ("datelessthanequals", Test::Moment(Relation::LessOrEqual), false),
    ("dategreaterthan", Test::Moment(Relation::Greater), false),
    ("dategreaterthanequals", Test::Moment(Relation::GreaterOrEqual), false),
    ("bool", Test::Truth, false),
    ("binaryequals", Test::Bytes, false),
    ("ipaddress", Test::Network, false),
    ("notipaddress", Test::Network, true),
    // "ArnEquals and ArnLike behave identically."
    ("arnequals", Test::Arn, false),
    ("arnlike", Test::Arn, false),
    ("arnnotequals", Test::Arn, true),
    ("arnnotlike", Test::Arn, true),
];

impl Operator {
    /// Reads the name of an operator, without regard to case; `None` if IAM has none of that name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (quantifier, plain) = match name.split_once(':') {
            Some(("forallvalues", plain)) => (Some(Quantifier::All), plain),
            Some(("foranyvalue", plain)) => (Some(Quantifier::Any), plain),
            Some(_) => return None,
            None => (None, name.as_str()),
        };
        let (plain, if_exists) = match plain.strip_suffix("ifexists") {
            Some(plain) => (plain, true),
            None => (plain, false),
        };
        let (_, test, is_negated) = TESTS.iter().find(|(name, ..)| *name == plain)?;
        // "You can add IfExists to the end of any condition operator name except the Null condition."
        let is_operator = !(if_exists && *test == Test::Null);
        is_operator.then_some(Self {
            quantifier,
            if_exists,
            test: *test,
            is_negated: *is_negated,
        })
    }
}

impl Test {
    /// Whether a value of the request matches a value of the policy.
    pub(super) fn compare(
        self,
        found: &str,
        wanted: &str,
        version: Option<Version>,
        context: &ContextKeys,
    ) -> Comparison {
        let is_textual = matches!(self, Self::Text | Self::TextIgnoringCase | Self::TextLike | Self::Arn);
        // Variables stand "in string comparisons" and ARN comparisons only.
        if !is_textual || !pattern::has_variables(wanted, version) {
            return Comparison::from_option(self.compare_plain(found, wanted));
        }
        match pattern::fill(wanted, context) {
            Filled::Tokens(tokens) => Comparison::from_option(self.compare_filled(found, &tokens)),
            Filled::Null => Comparison::Known(false),
            Filled::Unknown(key) => Comparison::UnknownKey(key),
        }
    }

    fn compare_plain(self, found: &str, wanted: &str) -> Option<bool> {
        match self {
            Self::Text => Some(found == wanted),
            Self::TextIgnoringCase => Some(found.to_lowercase() == wanted.to_lowercase()),
            Self::TextLike => Some(resource_matches(wanted, found)),
            Self::Number(relation) => {
                let order = Decimal::parse(found)?.compare(&Decimal::parse(wanted)?);
                Some(relation.holds(order))
            }
            Self::Moment(relation) => Some(relation.holds(value::moment(found)?.cmp(&value::moment(wanted)?))),
            Self::Truth => Some(truth_value(found)? == truth_value(wanted)?),
            Self::Bytes => Some(decode_base64(found)? == decode_base64(wanted)?),
            Self::Network => value::is_in_network(found, wanted),
            Self::Arn => arns_match(found, &wanted.chars().map(Token::of).collect::<Vec<_>>()),
            // Looks at the presence of a key, never at values.
            Self::Null => None,
        }
    }

    fn compare_filled(self, found: &str, wanted: &[Token]) -> Option<bool> {
        match self {
            Self::TextLike => {
                let characters: Vec<char> = found.chars().collect();
                Some(pattern::matches(wanted, &characters, |left, right| left == right))
            }
            Self::Arn => arns_match(found, wanted),
            other => other.compare_plain(found, &pattern::plain(wanted)),
        }
    }
}

impl Relation {
    fn holds(self, found_to_wanted: Ordering) -> bool {
        match self {
            Self::Equal => found_to_wanted.is_eq(),
            Self::Less => found_to_wanted.is_lt(),
            Self::LessOrEqual => found_to_wanted.is_le(),
            Self::Greater => found_to_wanted.is_gt(),
            Self::GreaterOrEqual => found_to_wanted.is_ge(),
        }
    }
}

impl Comparison {
    fn from_option(known: Option<bool>) -> Self {
        known.map_or(Self::Undefined, Self::Known)
    }

    /// The result without its reason.
    pub(super) fn truth(&self) -> Truth {
        match self {
            Self::Known(truth) => Truth::from(*truth),
            Self::UnknownKey(_) | Self::Undefined => Truth::Unknown,
        }
    }
}

/// Reads `true` or `false`.
pub(super) fn truth_value(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}

/// "Each of the six colon-delimited components of the ARN is checked separately and each can include multi-character match
/// wildcards (*) or single-character match wildcards (?)."
fn arns_match(found: &str, wanted: &[Token]) -> Option<bool> {
    const PARTS: usize = 6;
    let found: Vec<&str> = found.splitn(PARTS, ':').collect();
    let wanted: Vec<&[Token]> = wanted.splitn(PARTS, |token| *token == Token::Literal(':')).collect();
    if found.len() < PARTS || wanted.len() < PARTS {
        return None;
    }
    let mut pairs = found.iter().zip(wanted);
    Some(pairs.all(|(found, wanted)| {
        let characters: Vec<char> = found.chars().collect();
        pattern::matches(wanted, &characters, |left, right| left == right)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(operator: &str, found: &str, wanted: &str) -> Comparison {
        let operator = Operator::parse(operator).unwrap();
        let mut context = ContextKeys::complete();
        context.set_value("aws:username", "Ann");
        context.set_value("aws:PrincipalArn", "arn:aws:iam::111122223333:role/x");
        context.set("aws:SourceVpc", super::super::keys::KeyState::Unknown);
        operator.test.compare(found, wanted, Some(Version::Of2012), &context)
    }

    #[test]
    fn names_are_read_with_prefix_and_suffix_in_any_case() {
        let operator = Operator::parse("foranyvalue:stringNOTlikeIFEXISTS").unwrap();
        let wanted = Operator {
            quantifier: Some(Quantifier::Any),
            if_exists: true,
            test: Test::TextLike,
            is_negated: true,
        };
        assert_eq!(operator, wanted);
        for name in [
            "",
            "StringLikes",
            "ForSome:StringLike",
            "NullIfExists",
            "IfExists",
            "StringEqualsIfExistsIfExists",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }

    #[test]
    fn operators_compare_by_their_types() {
        for (operator, found, wanted, result) in [
            ("StringEquals", "a*", "a*", true),
            ("StringEquals", "abc", "a*", false),
            ("StringEquals", "Ann", "${aws:username}", true),
            ("StringEquals", "A*", "A${*}", true),
            ("StringEquals", "ann", "Ann", false),
            ("StringEqualsIgnoreCase", "ann", "${aws:username}", true),
            ("StringLike", "home/Ann/x", "home/${aws:username}/*", true),
            ("StringLike", "ABC", "a?c", false),
            ("StringEquals", "", "${aws:PrincipalTag/none}", false),
            ("NumericLessThan", "9", "10", true),
            ("NumericGreaterThanEquals", "10", "10.0", true),
            ("DateGreaterThan", "2020-03-01T00:00:01Z", "1583020800", true),
            ("DateLessThanEquals", "2020-03-01", "2020-03-01T00:00:00+00:00", true),
            ("Bool", "true", "True", true),
            ("Bool", "true", "false", false),
            ("BinaryEquals", "Zm8=", "Zm8", true),
            ("IpAddress", "10.1.2.3", "10.0.0.0/8", true),
            (
                "ArnLike",
                "arn:aws:sns:eu-west-1:111122223333:a:b",
                "arn:aws:sns:*:111122223333:a*",
                true,
            ),
            (
                "ArnEquals",
                "arn:aws:sns:eu-west-1:111122223333:a",
                "arn:aws:s*:111122223333:a",
                false,
            ),
            (
                "ArnEquals",
                "arn:aws:iam::111122223333:role/x",
                "${aws:PrincipalArn}",
                true,
            ),
        ] {
            let compared = compare(operator, found, wanted);
            let is_undefined = operator == "ArnEquals" && wanted.starts_with("arn:aws:s*:1");
            let expected = if is_undefined {
                Comparison::Undefined
            } else {
                Comparison::Known(result)
            };
            assert_eq!(compared, expected, "{operator} {found} {wanted}");
        }
    }

    #[test]
    fn values_of_other_types_have_no_result() {
        for (operator, found, wanted) in [
            ("NumericEquals", "ten", "10"),
            ("DateEquals", "2020-01-01", "2020"),
            ("Bool", "yes", "true"),
            ("BinaryEquals", "?", "Zm8="),
            ("IpAddress", "AWS Internal", "10.0.0.0/8"),
            ("ArnLike", "arn:aws:s3:::b", "*"),
            ("ArnLike", "b", "arn:aws:s3:::b"),
        ] {
            assert_eq!(compare(operator, found, wanted), Comparison::Undefined, "{operator}");
        }
        let unknown = Comparison::UnknownKey("aws:SourceVpc".to_owned());
        assert_eq!(compare("StringLike", "x", "${aws:SourceVpc}*"), unknown);
    }
}
