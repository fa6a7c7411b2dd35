//! Calls that explain why logs are not there.

use super::model::Gap;
use super::model::GapKind;
use super::model::moment;

/// A call that changed whether a trail records or signs, or which accounts there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) at: i64,
    pub(super) call: String,
    /// Account whose trail recorded the call.
    pub(super) account_id: String,
    /// Name or ARN of the trail.
    pub(super) trail: Option<String>,
    /// `enableLogFileValidation`, as written.
    pub(super) validation: Option<String>,
    /// Account that the call is about.
    pub(super) subject: Option<String>,
}

/// A time without logs or digests, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Absence {
    from: i64,
    until: i64,
    /// Name of the trail; `None` for all of them.
    trail: Option<String>,
    pub(super) gap: Gap,
}

impl Change {
    /// The trail's name, also of one that is given as an ARN.
    fn trail_name(&self) -> Option<&str> {
        let text = self.trail.as_deref()?;
        Some(text.rsplit_once(":trail/").map_or(text, |(_, name)| name))
    }

    fn gap(&self, kind: GapKind) -> Gap {
        let time = moment(self.at);
        let of = self
            .trail_name()
            .map(|name| format!(" of `{name}`"))
            .unwrap_or_default();
        Gap {
            kind,
            detail: format!("`{}`{of} in account {} at {time}", self.call, self.account_id),
        }
    }
}

/// What the changes mean for an account whose digests are of these trails; without digests, the trails of the account itself
/// count.
pub(super) fn absences(changes: &[Change], account_id: &str, trails: &[&str]) -> Vec<Absence> {
    let mut absences: Vec<Absence> = Vec::new();
    for change in changes {
        match change.call.as_str() {
            "CreateAccountResult"
            | "AcceptHandshake"
            | "LeaveOrganization"
            | "RemoveAccountFromOrganization"
            | "CloseAccount" => absences.extend(membership(change, account_id)),
            _ if concerns(change, account_id, trails) => follow(change, &mut absences),
            _ => {}
        }
    }
    absences
}

/// Before an account joins and after it leaves.
fn membership(change: &Change, account_id: &str) -> Option<Absence> {
    let subject = change.subject.as_deref().unwrap_or(&change.account_id);
    let (kind, from, until) = match change.call.as_str() {
        "CreateAccountResult" | "AcceptHandshake" => (GapKind::AccountJoined, i64::MIN, change.at),
        _ => (GapKind::AccountLeft, change.at, i64::MAX),
    };
    (subject == account_id).then(|| Absence {
        from,
        until,
        trail: None,
        gap: change.gap(kind),
    })
}

fn concerns(change: &Change, account_id: &str, trails: &[&str]) -> bool {
    match change.trail_name() {
        Some(name) if !trails.is_empty() => trails.contains(&name),
        _ => change.account_id == account_id,
    }
}

/// Begins or ends an absence of the trail.
fn follow(change: &Change, absences: &mut Vec<Absence>) {
    let kind = match (change.call.as_str(), change.validation.as_deref()) {
        ("StopLogging", _) => Some(GapKind::LoggingStopped),
        ("DeleteTrail", _) => Some(GapKind::TrailDeleted),
        ("UpdateTrail" | "CreateTrail", Some("false")) => Some(GapKind::ValidationOff),
        _ => None,
    };
    let trail = change.trail_name().map(str::to_owned);
    let ends = |known: GapKind| match change.call.as_str() {
        "StartLogging" => known == GapKind::LoggingStopped,
        "CreateTrail" => matches!(known, GapKind::TrailDeleted | GapKind::LoggingStopped),
        "UpdateTrail" => known == GapKind::ValidationOff && change.validation.as_deref() == Some("true"),
        _ => false,
    };
    for absence in absences.iter_mut() {
        if absence.until == i64::MAX && absence.trail == trail && ends(absence.gap.kind) {
            absence.until = change.at;
        }
    }
    absences.extend(kind.map(|kind| Absence {
        from: change.at,
        until: i64::MAX,
        trail,
        gap: change.gap(kind),
    }));
}

impl Absence {
    /// Whether it explains that something of a trail, or of any, is missing in a time.
    pub(super) fn explains(&self, trail: Option<&str>, start: i64, end: i64) -> bool {
        let is_trail = match (&self.trail, trail) {
            (Some(own), Some(trail)) => own == trail,
            _ => true,
        };
        is_trail && self.from < end && start < self.until
    }

    /// When it began, if it did because a trail of this name was deleted.
    pub(super) fn deletion_of(&self, trail: &str) -> Option<i64> {
        let is_deletion = self.gap.kind == GapKind::TrailDeleted && self.trail.as_deref() == Some(trail);
        is_deletion.then_some(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at: i64, call: &str, trail: &str) -> Change {
        Change {
            at,
            call: call.to_owned(),
            account_id: "111122223333".to_owned(),
            trail: Some(trail.to_owned()),
            validation: None,
            subject: None,
        }
    }

    fn kinds(absences: &[Absence], trail: &str, at: i64) -> Vec<GapKind> {
        let explaining = absences.iter().filter(|it| it.explains(Some(trail), at, at + 1));
        explaining.map(|absence| absence.gap.kind).collect()
    }

    #[test]
    fn stopped_trail_is_absent_until_it_is_started_again() {
        let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/org";
        let changes = [change(10, "StopLogging", arn), change(20, "StartLogging", "org")];
        let absences = absences(&changes, "999999999999", &["org"]);
        assert_eq!(kinds(&absences, "org", 9), []);
        assert_eq!(kinds(&absences, "org", 15), [GapKind::LoggingStopped]);
        assert_eq!(kinds(&absences, "org", 20), []);
        assert_eq!(
            absences[0].gap.detail,
            "`StopLogging` of `org` in account 111122223333 at 1970-01-01T00:00:00.00001Z"
        );
    }

    #[test]
    fn other_trail_or_account_explains_nothing() {
        let changes = [change(10, "StopLogging", "mine")];
        assert_eq!(absences(&changes, "111122223333", &["org"]), []);
        assert_eq!(absences(&changes, "999999999999", &[]), []);
        assert_eq!(kinds(&absences(&changes, "111122223333", &[]), "any", 15), []);
        assert_eq!(
            kinds(&absences(&changes, "111122223333", &[]), "mine", 15),
            [GapKind::LoggingStopped]
        );
    }

    #[test]
    fn validation_that_is_switched_off_is_no_end_of_logging() {
        let mut off = change(10, "UpdateTrail", "org");
        off.validation = Some("false".to_owned());
        let absences = absences(&[off], "111122223333", &["org"]);
        assert_eq!(kinds(&absences, "org", 15), [GapKind::ValidationOff]);
    }

    #[test]
    fn account_is_absent_before_it_joins_and_after_it_leaves() {
        let mut joined = change(10, "CreateAccountResult", "");
        joined.subject = Some("777788889999".to_owned());
        let mut left = change(20, "RemoveAccountFromOrganization", "");
        left.subject = Some("777788889999".to_owned());
        let absences = absences(&[joined, left], "777788889999", &[]);
        assert_eq!(kinds(&absences, "org", 5), [GapKind::AccountJoined]);
        assert_eq!(kinds(&absences, "org", 12), []);
        assert_eq!(kinds(&absences, "org", 25), [GapKind::AccountLeft]);
    }
}
