//! For which time the conditions of a statement on the date let it be used.

use super::evaluation::moment;
use super::window::MICROS_PER_DAY;
use super::window::Window;
use crate::iam::document::ConditionBlock;
use crate::iam::document::ConditionValue;
use crate::iam::document::Statement;

/// Keys whose values are the moment of the call.
const NOW: [&str; 2] = ["aws:currenttime", "aws:epochtime"];
/// The key whose value is the moment at which temporary credentials were issued; they may be used long after it.
const ISSUED: &str = "aws:tokenissuetime";

/// The time in which a statement may be used: all, where nothing of the kind can be read.
pub(super) fn usable_window(statement: &Statement) -> Window {
    let mut usable = Window {
        since: i64::MIN,
        until: i64::MAX,
    };
    for block in &statement.conditions {
        let operator = plain_operator(&block.operator);
        if ["stringlike", "stringequals", "stringequalsignorecase"].contains(&operator.as_str()) {
            narrow_to_texts(block, &mut usable);
            continue;
        }
        let Some(relation) = ["date", "numeric"].iter().find_map(|kind| operator.strip_prefix(kind)) else {
            continue;
        };
        let (is_after, is_before) = match relation {
            "greaterthan" | "greaterthanequals" => (true, false),
            "lessthan" | "lessthanequals" => (false, true),
            "equals" => (true, true),
            _ => continue,
        };
        for (key, moments) in moments(block) {
            // One of several values is enough.
            if let (true, Some(first)) = (is_after, moments.iter().min()) {
                usable.since = usable.since.max(*first);
            }
            if let (true, Some(last)) = (is_before && key != ISSUED, moments.iter().max()) {
                usable.until = usable.until.min(*last);
            }
        }
    }
    usable
}

/// Narrows a time to that of patterns for the moment of the call, as far as they begin with the same date.
fn narrow_to_texts(block: &ConditionBlock, usable: &mut Window) {
    let keys = block.keys.iter().filter(|(key, _)| key.eq_ignore_ascii_case(NOW[0]));
    for (_, values) in keys {
        let texts = values.as_slice().iter().filter_map(|value| match value {
            ConditionValue::Text(text) => Some(text.as_str()),
            ConditionValue::Number(_) | ConditionValue::Bool(_) => None,
        });
        let windows: Vec<Window> = texts.map(dated_window).collect();
        // One of several values is enough.
        if let (Some(since), Some(until)) = (
            windows.iter().map(|window| window.since).min(),
            windows.iter().map(|window| window.until).max(),
        ) {
            usable.since = usable.since.max(since);
            usable.until = usable.until.min(until);
        }
    }
}

/// The days whose dates begin like a pattern: all, where it names no year.
fn dated_window(pattern: &str) -> Window {
    let literal = pattern.split(['*', '?', '$', 'T', 't']).next().unwrap_or_default();
    let mut digits = literal.split('-');
    let part = |text: Option<&str>, length: usize| -> Option<(u32, u32)> {
        let text = text.unwrap_or_default();
        let is_number = text.len() <= length && text.bytes().all(|byte| byte.is_ascii_digit());
        let padded = |digit: &str| format!("{text}{}", digit.repeat(length - text.len())).parse().ok();
        is_number.then(|| Some((padded("0")?, padded("9")?))).flatten()
    };
    let everything = Window {
        since: i64::MIN,
        until: i64::MAX,
    };
    let parts = (part(digits.next(), 4), part(digits.next(), 2), part(digits.next(), 2));
    let (Some((year, last_year)), Some(months), Some(days)) = parts else {
        return everything;
    };
    if year != last_year {
        return everything;
    }
    // A day that a month does not have is the first of the next, which is late enough for an end.
    let start = format!("{year:04}-{:02}-{:02}", months.0.max(1), days.0.max(1));
    let last_month = format!("{year:04}-{:02}", months.1.min(12));
    let last = (1..=days.1.min(31))
        .rev()
        .find_map(|day| microseconds_of(&format!("{last_month}-{day:02}")));
    match (microseconds_of(&start), last) {
        (Some(since), Some(last)) => Window {
            since,
            until: last.saturating_add(MICROS_PER_DAY),
        },
        // There is no such date.
        _ => Window { since: 0, until: 0 },
    }
}

/// An operator without its set prefix and `IfExists`, in lower case: the moment of a call is always there.
pub(super) fn plain_operator(operator: &str) -> String {
    let operator = operator.to_ascii_lowercase();
    let without_set = operator.split_once(':').map_or(operator.as_str(), |(_, plain)| plain);
    without_set.strip_suffix("ifexists").unwrap_or(without_set).to_owned()
}

/// The keys of a block that are about time, with their values in microseconds.
fn moments(block: &ConditionBlock) -> impl Iterator<Item = (String, Vec<i64>)> {
    let keys = block
        .keys
        .iter()
        .map(|(key, values)| (key.to_ascii_lowercase(), values));
    let keys = keys.filter(|(key, _)| key == ISSUED || NOW.contains(&key.as_str()));
    keys.map(|(key, values)| (key, values.as_slice().iter().filter_map(microseconds).collect()))
}

fn microseconds(value: &ConditionValue) -> Option<i64> {
    match value {
        ConditionValue::Text(text) => microseconds_of(text),
        ConditionValue::Number(number) => microseconds_of(&number.to_string()),
        ConditionValue::Bool(_) => None,
    }
}

fn microseconds_of(text: &str) -> Option<i64> {
    i64::try_from(moment(text)?.div_euclid(1_000)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    use crate::iam::document::Document;

    const DAY: i64 = 86_400_000_000;

    /// Begin and end in days since 1970 of a statement with such conditions.
    fn days(conditions: &Value) -> (Option<i64>, Option<i64>) {
        let text = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": conditions}]});
        let document = Document::parse(&text.to_string()).unwrap();
        let usable = usable_window(document.readable().next().unwrap().1);
        let since = (usable.since > i64::MIN).then_some(usable.since / DAY);
        (since, (usable.until < i64::MAX).then_some(usable.until / DAY))
    }

    #[test]
    fn conditions_on_the_date_bound_the_time_in_which_a_statement_may_be_used() {
        let from_to = json!({"DateGreaterThan": {"aws:CurrentTime": "1970-01-11T00:00:00Z"},
            "DateLessThanEqualsIfExists": {"AWS:currentTime": ["1970-01-21", "1970-01-31T00:00:00Z"]}});
        assert_eq!(days(&from_to), (Some(10), Some(30)));
        let epoch = json!({"NumericGreaterThanEquals": {"aws:EpochTime": 864_000}});
        assert_eq!(days(&epoch), (Some(10), None));
        let issued = json!({"DateLessThan": {"aws:TokenIssueTime": "1970-01-11T00:00:00Z"}});
        assert_eq!(days(&issued), (None, None));
        let issued = json!({"DateGreaterThan": {"aws:TokenIssueTime": "1970-01-11T00:00:00Z"}});
        assert_eq!(days(&issued), (Some(10), None));
    }

    #[test]
    fn patterns_over_the_date_bound_the_time_as_far_as_they_name_it() {
        let like = |pattern: &str| days(&json!({"StringLike": {"aws:CurrentTime": pattern}}));
        assert_eq!(like("1970-02-*"), (Some(31), Some(59)));
        assert_eq!(like("1970-01-1?T*"), (Some(9), Some(19)));
        assert_eq!(like("1970-01-11T09:*"), (Some(10), Some(11)));
        assert_eq!(like("1970-*"), (Some(0), Some(365)));
        assert_eq!(like("1970-1*"), (Some(273), Some(365)));
        assert_eq!(like("1970-13-*"), (Some(0), Some(0)));
        for open in ["*T09:*", "19*", "${aws:PrincipalTag/now}", "soon"] {
            assert_eq!(like(open), (None, None), "{open}");
        }
        let either = json!({"StringLike": {"aws:CurrentTime": ["1970-01-11*", "1970-01-21*"]}});
        assert_eq!(days(&either), (Some(10), Some(21)));
        assert_eq!(
            days(&json!({"StringLike": {"aws:username": "1970-01-11*"}})),
            (None, None)
        );
    }

    #[test]
    fn conditions_on_other_things_and_what_cannot_be_read_bound_nothing() {
        let others = json!({"NumericLessThan": {"s3:max-keys": "10"}, "Bool": {"aws:SecureTransport": "true"},
            "DateNotEquals": {"aws:CurrentTime": "1970-01-11T00:00:00Z"},
            "DateGreaterThan": {"aws:CurrentTime": "${aws:PrincipalTag/from}"}});
        assert_eq!(days(&others), (None, None));
    }
}
