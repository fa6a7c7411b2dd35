//! Calls that explain why logs are not there.

use super::model::Gap;
use super::model::GapKind;
use super::model::moment;

/// A call that changed whether a trail records or signs, or which accounts there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Region in which the call was made.
    pub(super) region: Option<String>,
    /// Whether the answer says that the trail is one of an organization.
    pub(super) is_of_organization: bool,
    /// What the handshake that was accepted is for.
    pub(super) handshake: Option<String>,
}

/// A trail of which there are digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DigestTrail<'a> {
    pub(super) name: &'a str,
    pub(super) home_region: &'a str,
    /// Whether its digests lie in the folder of an organization.
    pub(super) is_of_organization: bool,
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

/// What the changes mean for an account whose digests are of these trails, and whose last event is of this moment; without digests,
/// the trails of the account itself count.
pub(super) fn absences(
    changes: &[Change],
    (account_id, last_event): (&str, Option<i64>),
    trails: &[DigestTrail<'_>],
) -> Vec<Absence> {
    let mut absences: Vec<Absence> = Vec::new();
    for change in changes {
        match change.call.as_str() {
            "CreateAccountResult"
            | "AcceptHandshake"
            | "LeaveOrganization"
            | "RemoveAccountFromOrganization"
            | "CloseAccount" => {
                let subject = change.subject.as_deref().unwrap_or(&change.account_id);
                if subject == account_id {
                    membership(change, last_event, &mut absences);
                }
            }
            _ if concerns(change, account_id, trails, changes) => follow(change, &mut absences),
            _ => {}
        }
    }
    absences
}

/// Before an account joins and after it leaves.
///
/// Of handshakes only an invitation makes an account a member
/// (<https://docs.aws.amazon.com/organizations/latest/APIReference/API_Handshake.html>). A closed account makes no calls
/// (<https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-closing.html>): one with later events is not closed.
fn membership(change: &Change, last_event: Option<i64>, absences: &mut Vec<Absence>) {
    let is_join = matches!(change.call.as_str(), "CreateAccountResult" | "AcceptHandshake");
    let is_invitation = change.handshake.as_deref() == Some("INVITE");
    let is_open = change.call == "CloseAccount" && last_event.is_some_and(|last| last > change.at);
    if is_open || change.call == "AcceptHandshake" && !is_invitation {
        return;
    }
    let absence = |kind, from, until| Absence {
        from,
        until,
        trail: None,
        gap: change.gap(kind),
    };
    if !is_join {
        absences.push(absence(GapKind::AccountLeft, change.at, i64::MAX));
        return;
    }
    let mut was_left = false;
    for left in absences.iter_mut().filter(|it| it.gap.kind == GapKind::AccountLeft) {
        was_left |= left.until == i64::MAX;
        left.until = left.until.min(change.at);
    }
    if !was_left {
        let joined = absences.iter().filter(|it| it.gap.kind == GapKind::AccountJoined);
        let from = joined.map(|it| it.until).max().unwrap_or(i64::MIN);
        absences.push(absence(GapKind::AccountJoined, from, change.at));
    }
}

/// Whether a change is one of a trail of which the account has digests.
///
/// A trail is changed in its home region, by its own account. One of an organization is by the management account or a delegated
/// one (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html>): of those that the
/// answers of their calls show as such, if there are any. Any account may have a trail of the same name.
fn concerns(change: &Change, account_id: &str, trails: &[DigestTrail<'_>], changes: &[Change]) -> bool {
    let is_own = change.account_id == account_id;
    let Some(name) = change.trail_name().filter(|_| !trails.is_empty()) else {
        return is_own;
    };
    let is_at_home = |trail: &DigestTrail<'_>| {
        change
            .region
            .as_deref()
            .is_none_or(|region| region == trail.home_region)
    };
    let mut named = trails.iter().filter(|trail| trail.name == name && is_at_home(trail));
    if is_own {
        return named.next().is_some();
    }
    let mut owners = changes
        .iter()
        .filter(|it| it.is_of_organization && it.trail_name() == Some(name))
        .map(|it| &it.account_id)
        .peekable();
    let is_owner = match change.validation {
        // That its digests end is no loss, so that it must be certain.
        Some(_) => change.is_of_organization,
        None => owners.peek().is_none() || owners.any(|owner| *owner == change.account_id),
    };
    is_owner && named.any(|trail| trail.is_of_organization)
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
            ..Change::default()
        }
    }

    fn trail(is_of_organization: bool) -> DigestTrail<'static> {
        DigestTrail {
            name: "org",
            home_region: "us-east-1",
            is_of_organization,
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
        let absences = absences(&changes, ("999999999999", None), &[trail(true)]);
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
        assert_eq!(absences(&changes, ("111122223333", None), &[trail(false)]), []);
        assert_eq!(absences(&changes, ("999999999999", None), &[]), []);
        let own = absences(&changes, ("111122223333", None), &[]);
        assert_eq!(kinds(&own, "any", 15), []);
        assert_eq!(kinds(&own, "mine", 15), [GapKind::LoggingStopped]);
    }

    #[test]
    fn validation_that_is_switched_off_is_no_end_of_logging() {
        let mut off = change(10, "UpdateTrail", "org");
        off.validation = Some("false".to_owned());
        let absences = absences(&[off], ("111122223333", None), &[trail(false)]);
        assert_eq!(kinds(&absences, "org", 15), [GapKind::ValidationOff]);
    }

    #[test]
    fn account_is_absent_before_it_joins_and_after_it_leaves() {
        let mut joined = change(10, "CreateAccountResult", "");
        joined.subject = Some("777788889999".to_owned());
        let mut left = change(20, "RemoveAccountFromOrganization", "");
        left.subject = Some("777788889999".to_owned());
        let absences = absences(&[joined, left], ("777788889999", None), &[]);
        assert_eq!(kinds(&absences, "org", 5), [GapKind::AccountJoined]);
        assert_eq!(kinds(&absences, "org", 12), []);
        assert_eq!(kinds(&absences, "org", 25), [GapKind::AccountLeft]);
    }

    #[test]
    fn call_of_another_account_or_region_on_a_trail_of_the_same_name_explains_nothing() {
        let told = |change: &Change, account: &str, is_of_organization: bool| {
            let absences = absences(
                std::slice::from_ref(change),
                (account, None),
                &[trail(is_of_organization)],
            );
            kinds(&absences, "org", 15)
        };
        let stop = change(10, "StopLogging", "org");
        assert_eq!(told(&stop, "111122223333", false), [GapKind::LoggingStopped]);
        assert_eq!(told(&stop, "999999999999", false), []);
        assert_eq!(told(&stop, "999999999999", true), [GapKind::LoggingStopped]);
        let elsewhere = Change {
            region: Some("eu-west-1".to_owned()),
            ..stop
        };
        assert_eq!(told(&elsewhere, "111122223333", false), []);
        let off = Change {
            validation: Some("false".to_owned()),
            ..change(10, "CreateTrail", "org")
        };
        assert_eq!(told(&off, "999999999999", true), []);
        let of_all = Change {
            is_of_organization: true,
            ..off
        };
        assert_eq!(told(&of_all, "999999999999", true), [GapKind::ValidationOff]);
        // Another account is known to have the organization's trail.
        let foreign = Change {
            account_id: "444455556666".to_owned(),
            ..change(12, "StopLogging", "org")
        };
        let changes = [of_all, foreign];
        let absences = absences(&changes, ("999999999999", None), &[trail(true)]);
        assert_eq!(kinds(&absences, "org", 15), [GapKind::ValidationOff]);
    }

    #[test]
    fn account_that_joins_again_is_absent_between_and_other_handshakes_are_no_joins() {
        let accept = |at: i64, handshake: &str| Change {
            handshake: Some(handshake.to_owned()),
            ..change(at, "AcceptHandshake", "")
        };
        let changes = [
            accept(5, "INVITE"),
            change(10, "LeaveOrganization", ""),
            accept(20, "INVITE"),
            accept(30, "ENABLE_ALL_FEATURES"),
        ];
        let absences = absences(&changes, ("111122223333", None), &[]);
        let told = [2, 7, 15, 25].map(|at| kinds(&absences, "org", at));
        let (joined, left) = (vec![GapKind::AccountJoined], vec![GapKind::AccountLeft]);
        assert_eq!(told, [joined, vec![], left, vec![]]);
    }

    #[test]
    fn account_with_later_events_is_not_closed() {
        let close = Change {
            subject: Some("111122223333".to_owned()),
            account_id: "999999999999".to_owned(),
            ..change(10, "CloseAccount", "")
        };
        let told = |last_event| {
            let absences = absences(std::slice::from_ref(&close), ("111122223333", last_event), &[]);
            kinds(&absences, "org", 15)
        };
        assert_eq!(told(Some(12)), []);
        assert_eq!(told(Some(9)), [GapKind::AccountLeft]);
    }
}
