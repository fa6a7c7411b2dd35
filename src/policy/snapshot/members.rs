//! Asking an object for its members, and noting what is wrong with them.

use super::model::Problem;
use super::model::Severity;
use crate::event::parse_event_time;
use crate::iam::json::Json;

/// An object of a snapshot. What is wrong with its members gathers in it.
pub(super) struct Members<'a> {
    members: &'a [(String, Json)],
    place: String,
    problems: Vec<Problem>,
}

impl<'a> Members<'a> {
    /// Notes members that are not known; a value that is no object has none.
    pub(super) fn new(place: impl Into<String>, json: &'a Json, known: &[&str]) -> Self {
        let mut members = Self {
            members: &[],
            place: place.into(),
            problems: Vec::new(),
        };
        match json {
            Json::Object(object) => members.members = object,
            other => members.problem(Severity::Gap, format!("is {}, not an object", other.kind())),
        }
        for (position, (name, _)) in members.members.iter().enumerate() {
            let is_repeated = members.members.iter().take(position).any(|(other, _)| other == name);
            if is_repeated {
                members.problem(Severity::Gap, format!("member `{name}` stands twice"));
            } else if !known.contains(&name.as_str()) {
                members.problem(Severity::Note, format!("member `{name}` is not known and was not used"));
            }
        }
        members
    }

    /// A member that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Json> {
        let found = self.members.iter().find(|(member, _)| member == name);
        found.map(|(_, value)| value).filter(|value| **value != Json::Null)
    }

    /// All members in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a str, &'a Json)> + use<'a> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A text, if there is one.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let json = self.get(name)?;
        let text = json.text().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(name, json, "a text");
        }
        text
    }

    /// A text without which the object makes no sense.
    pub(super) fn needed_text(&mut self, name: &str) -> Option<String> {
        if self.get(name).is_none() {
            self.problem(Severity::Gap, format!("member `{name}` is missing"));
        }
        self.text(name)
    }

    /// A boolean, if there is one.
    pub(super) fn truth(&mut self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Json::Bool(truth) => Some(*truth),
            other => {
                self.wrong_type(name, other, "a boolean");
                None
            }
        }
    }

    /// A whole number that is not negative, if there is one.
    pub(super) fn count(&mut self, name: &str) -> Option<usize> {
        match self.get(name)? {
            Json::Number(number) => number.as_u64().and_then(|count| usize::try_from(count).ok()),
            _ => None,
        }
    }

    /// A moment in microseconds since 1970-01-01T00:00:00Z, if there is one: ISO 8601 with `T` or space, with `Z` or an
    /// offset, or seconds as a number.
    pub(super) fn moment(&mut self, name: &str) -> Option<i64> {
        let json = self.get(name)?;
        let moment = match json {
            Json::Text(text) => parse_event_time(text).map(|time| time.microseconds),
            Json::Number(number) => epoch_seconds(&number.to_string()),
            _ => None,
        };
        if moment.is_none() {
            self.problem(Severity::Note, format!("member `{name}` is no moment in time"));
        }
        moment
    }

    /// A list; empty when it is not there.
    pub(super) fn list(&mut self, name: &str) -> &'a [Json] {
        match self.get(name) {
            None => &[],
            Some(Json::List(elements)) => elements,
            Some(other) => {
                self.wrong_type(name, other, "a list");
                &[]
            }
        }
    }

    /// A list that is always written, if only as an empty one: without it, something was cut out.
    pub(super) fn needed_list(&mut self, name: &str) -> &'a [Json] {
        if self.get(name).is_none() {
            self.problem(Severity::Gap, format!("member `{name}` is missing"));
        }
        self.list(name)
    }

    /// An object below this one.
    pub(super) fn object(&mut self, name: &str, known: &[&str]) -> Option<Members<'a>> {
        let json = self.get(name)?;
        Some(Members::new(format!("{} {name}", self.place), json, known))
    }

    /// An object in a list below this one.
    pub(super) fn element(&self, list: &str, position: usize, json: &'a Json, known: &[&str]) -> Members<'a> {
        Members::new(format!("{} {list}[{position}]", self.place), json, known)
    }

    /// Takes over what is wrong with an object below this one.
    pub(super) fn absorb(&mut self, below: Members<'_>) {
        self.problems.extend(below.problems);
    }

    pub(super) fn problem(&mut self, severity: Severity, message: impl Into<String>) {
        self.problems.push(Problem {
            severity,
            place: self.place.clone(),
            message: message.into(),
        });
    }

    /// What is wrong with it.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    fn wrong_type(&mut self, name: &str, found: &Json, wanted: &str) {
        self.problem(
            Severity::Gap,
            format!("member `{name}` is {}, not {wanted}", found.kind()),
        );
    }
}

/// Seconds as digits with or without a fraction; without floats, whose rounding would move moments.
fn epoch_seconds(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let microseconds: i64 = digits.parse().ok()?;
    let microseconds = if text.starts_with('-') {
        -microseconds
    } else {
        microseconds
    };
    seconds.checked_mul(1_000_000)?.checked_add(microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form() {
        let text = r#"{"a":"2023-03-09T10:41:45Z","b":"2023-03-09 10:41:45+00:00","c":1678358505,"d":1678358505.25,
            "e":"2023-03-09T11:41:45+01:00","f":"soon","g":null}"#;
        let json = Json::parse(text).unwrap();
        let mut members = Members::new("x", &json, &["a", "b", "c", "d", "e", "f", "g"]);
        let wanted = 1_678_358_505_000_000;
        for name in ["a", "b", "c", "e"] {
            assert_eq!(members.moment(name), Some(wanted), "{name}");
        }
        assert_eq!(members.moment("d"), Some(wanted + 250_000));
        assert_eq!(
            (members.moment("f"), members.moment("g"), members.moment("h")),
            (None, None, None)
        );
        assert_eq!(members.into_problems().len(), 1);
    }

    #[test]
    fn unknown_repeated_and_wrong_members_are_told_apart() {
        let json = Json::parse(r#"{"new":1,"a":"x","a":"y","list":{}}"#).unwrap();
        let mut members = Members::new("x", &json, &["a", "list", "needed"]);
        assert!(members.list("list").is_empty());
        assert_eq!(members.needed_text("needed"), None);
        assert!(members.needed_list("also").is_empty());
        let problems = members.into_problems();
        let said: Vec<(Severity, &str)> = problems
            .iter()
            .map(|problem| (problem.severity, problem.message.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (Severity::Note, "member `new` is not known and was not used"),
                (Severity::Gap, "member `a` stands twice"),
                (Severity::Gap, "member `list` is an object, not a list"),
                (Severity::Gap, "member `needed` is missing"),
                (Severity::Gap, "member `also` is missing"),
            ]
        );
    }
}
