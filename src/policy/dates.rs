//! For which time the conditions of a statement on the date let it be used.

use super::evaluation::moment;
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
        let operator = plain(&block.operator);
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

/// An operator without its set prefix and `IfExists`, in lower case: the moment of a call is always there.
fn plain(operator: &str) -> String {
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
    let nanoseconds = match value {
        ConditionValue::Text(text) => moment(text)?,
        ConditionValue::Number(number) => moment(&number.to_string())?,
        ConditionValue::Bool(_) => return None,
    };
    i64::try_from(nanoseconds.div_euclid(1_000)).ok()
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
    fn conditions_on_other_things_and_what_cannot_be_read_bound_nothing() {
        let others = json!({"NumericLessThan": {"s3:max-keys": "10"}, "Bool": {"aws:SecureTransport": "true"},
            "DateNotEquals": {"aws:CurrentTime": "1970-01-11T00:00:00Z"},
            "DateGreaterThan": {"aws:CurrentTime": "${aws:PrincipalTag/from}"}});
        assert_eq!(days(&others), (None, None));
    }
}
