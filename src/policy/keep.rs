//! Permissions that are kept on purpose, although nobody uses them: the allow-list.
//!
//! An entry gives a reason and a day, after which it no longer counts: what is kept for ever without a second look is what
//! least privilege wants to find.

use serde::Deserialize;

use super::decision::Decision;
use super::decision::DecisionEntry;
use super::decision::DecisionKind;
use super::pardon::DayOrText;
use super::pardon::ListError;
use super::pardon::OneOrMany;
use super::pardon::Pardon;
use super::pardon::located;
use super::usage::PrincipalKey;
use crate::iam::action_matches;
use crate::iam::resource_matches;

/// Entries in the order of the file; decisions of access reviews to keep something come last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeepList {
    entries: Vec<Keep>,
    decisions: Vec<Decision>,
}

/// One entry: whose permissions are kept, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Position in the file, from 1.
    pub number: usize,
    /// ARN or name of principals, or patterns over either.
    pub principals: Vec<String>,
    /// Full names of actions, or patterns.
    pub actions: Vec<String>,
    /// Why, and until when.
    pub pardon: Pardon,
    /// The decision of an access review that it stands for.
    pub decision: Option<Decision>,
}

impl KeepList {
    /// Reads TOML with a table `[[keep]]` per entry, and `[[review]]` per decision of an access review.
    ///
    /// # Errors
    /// When an entry has no principal, action, reason or day, or a member that is not known.
    pub fn read(text: &str) -> Result<Self, ListError> {
        let file: KeepFile = toml::from_str(text).map_err(|error| ListError::Unreadable(located(text, &error)))?;
        let entries = (1..).zip(file.keep).map(|(number, entry)| entry.check(number));
        let mut entries: Vec<Keep> = entries.collect::<Result<_, _>>()?;
        let decisions = (1..).zip(file.review).map(|(number, entry)| entry.check(number));
        let decisions: Vec<Decision> = decisions.collect::<Result<_, _>>()?;
        // One that a newer decision took the place of keeps nothing.
        let counts = |decision: &&Decision| newest_on(&decisions, &decision.key()).is_some_and(|it| it == *decision);
        let kept = decisions.iter().filter(counts);
        let kept = kept.filter(|decision| decision.kind == DecisionKind::Keep);
        let numbers = entries.len() + 1..;
        let kept: Vec<Keep> = numbers.zip(kept).map(|(number, it)| Keep::of(number, it)).collect();
        entries.extend(kept);
        Ok(Self { entries, decisions })
    }

    /// Decisions of access reviews, expired ones included.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// The newest decision on a user or role.
    pub fn decision_on(&self, key: &PrincipalKey) -> Option<&Decision> {
        newest_on(&self.decisions, key)
    }

    /// All entries, expired ones included.
    pub fn entries(&self) -> &[Keep] {
        &self.entries
    }
}

fn newest_on<'d>(decisions: &'d [Decision], key: &PrincipalKey) -> Option<&'d Decision> {
    let own = decisions.iter().filter(|decision| decision.concerns(key));
    own.max_by(|left, right| left.date.cmp(&right.date))
}

impl Keep {
    /// What keeps a principal because it was decided.
    fn of(number: usize, decision: &Decision) -> Self {
        Self {
            number,
            principals: vec![decision.principal_arn.clone()],
            actions: vec!["*".to_owned()],
            pardon: decision.pardon(),
            decision: Some(decision.clone()),
        }
    }

    /// Whether it is about a principal.
    pub fn concerns(&self, key: &PrincipalKey) -> bool {
        if let Some(decision) = &self.decision {
            return decision.concerns(key);
        }
        let arn = key.arn.as_str();
        let name = arn.rsplit('/').next().unwrap_or(arn);
        let mut patterns = self.principals.iter();
        patterns.any(|pattern| resource_matches(pattern, arn) || resource_matches(pattern, name))
    }

    /// Whether it is about an action, or about a pattern that the facts do not know.
    pub fn keeps(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| action_matches(pattern, action))
    }

    /// Which entry it is, as people look for it.
    pub fn place(&self) -> String {
        match &self.decision {
            None => format!("entry {} of the allow-list", self.number),
            Some(decision) => format!("the review decision on {}", decision.principal_arn),
        }
    }

    /// Reason, day and owner in one line.
    pub fn note(&self) -> String {
        self.pardon.note()
    }

    /// Whether it keeps a principal as a whole.
    pub fn keeps_everything(&self) -> bool {
        self.actions.iter().any(|pattern| pattern == "*")
    }
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepFile {
    #[serde(default)]
    keep: Vec<KeepEntry>,
    #[serde(default)]
    review: Vec<DecisionEntry>,
}

/// An entry as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepEntry {
    principal: OneOrMany,
    action: OneOrMany,
    reason: String,
    expires: DayOrText,
    owner: Option<String>,
}

impl KeepEntry {
    fn check(self, number: usize) -> Result<Keep, ListError> {
        let empty = |member| ListError::Empty { number, member };
        let (principals, actions) = (self.principal.texts(), self.action.texts());
        if principals.is_empty() || principals.iter().any(|pattern| pattern.trim().is_empty()) {
            return Err(empty("principal"));
        }
        if actions.is_empty() {
            return Err(empty("action"));
        }
        if let Some(pattern) = actions.iter().find(|pattern| *pattern != "*" && !pattern.contains(':')) {
            let pattern = pattern.clone();
            return Err(ListError::NoAction { number, pattern });
        }
        let pardon = Pardon::new(number, &self.reason, self.expires, self.owner)?;
        Ok(Keep {
            number,
            principals,
            actions,
            pardon,
            decision: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::event::parse_event_time;

    const ENTRY: &str = "[[keep]]\nprincipal = 'arn:aws:iam::*:role/break-glass/*'\naction = '*'\n\
                         reason = 'break-glass'\nexpires = 2027-03-31\n";

    fn moment(text: &str) -> i64 {
        parse_event_time(text).unwrap().microseconds
    }

    fn key(arn: &str, unique_id: Option<&str>) -> PrincipalKey {
        PrincipalKey {
            arn: arn.to_owned(),
            unique_id: unique_id.map(str::to_owned),
        }
    }

    #[test]
    fn decision_to_keep_is_an_entry_for_this_principal_and_no_other_of_its_name() {
        let review = |decision: &str| {
            format!(
                "[[review]]\nprincipal = 'arn:aws:iam::111122223333:role/a'\nid = 'AROA1'\ndecision = '{decision}'\n\
                 reviewer = 'ann'\ndate = 2026-10-02\nreason = 'yearly'\nexpires = 2027-01-02\n"
            )
        };
        let list = KeepList::read(&(ENTRY.to_owned() + &review("keep"))).unwrap();
        let [_, kept] = list.entries() else { panic!("{list:?}") };
        assert!(kept.keeps_everything() && kept.number == 2);
        let arn = "arn:aws:iam::111122223333:role/a";
        let concerns = |arn: &str, id: Option<&str>| kept.concerns(&key(arn, id));
        assert!(concerns(arn, Some("AROA1")) && concerns(arn, None));
        assert!(!concerns(arn, Some("AROA2")) && !concerns("arn:aws:iam::111122223333:role/x/a", None));
        assert_eq!(
            kept.note(),
            "access review of 2026-10-02: yearly (until 2027-01-02, ann)"
        );
        assert_eq!(kept.place(), format!("the review decision on {arn}"));
        let removed = KeepList::read(&review("remove")).unwrap();
        assert!(removed.entries().is_empty());
        let decision = removed.decision_on(&key(arn, None)).unwrap();
        assert_eq!(decision.note(), "remove by ann on 2026-10-02: yearly");
        assert!(
            decision.is_expired(moment("2027-01-03T00:00:00Z")) && !decision.is_expired(moment("2027-01-02T23:00:00Z"))
        );
    }

    #[test]
    fn newer_decision_takes_the_place_of_one_to_keep() {
        let review = |decision: &str, date: &str| {
            format!(
                "[[review]]\nprincipal = 'arn:aws:iam::111122223333:role/a'\ndecision = '{decision}'\nreviewer = 'ann'\n\
                 date = {date}\nreason = 'yearly'\nexpires = 2027-01-02\n"
            )
        };
        let entries = |second: &str| {
            let list = KeepList::read(&(review("keep", "2026-09-02") + second)).unwrap();
            list.entries().len()
        };
        assert_eq!(entries(&review("remove", "2026-10-02")), 0);
        assert_eq!(entries(&review("remove", "2026-08-02")), 1);
        assert_eq!(entries(&review("keep", "2026-10-02")), 1);
    }

    #[test]
    fn entry_counts_to_the_end_of_its_last_day() {
        let list = KeepList::read(ENTRY).unwrap();
        let [entry] = list.entries() else { panic!("{list:?}") };
        assert!(!entry.pardon.is_expired(moment("2027-03-31T23:59:59Z")));
        assert!(entry.pardon.is_expired(moment("2027-04-01T00:00:00Z")));
        assert_eq!(entry.pardon.note(), "break-glass (until 2027-03-31)");
    }

    #[test]
    fn lists_texts_for_days_and_owners_are_read() {
        let text = "[[keep]]\nprincipal = ['etl', 'arn:aws:iam::111122223333:role/x']\naction = ['s3:Get*', 'sqs:SendMessage']\n\
                    reason = 'runs each January'\nexpires = '2027-01-31'\nowner = 'data'\n";
        let list = KeepList::read(text).unwrap();
        let entry = &list.entries()[0];
        let concerns = |arn: &str| entry.concerns(&key(arn, None));
        assert!(concerns("arn:aws:iam::444455556666:role/batch/etl"));
        assert!(concerns("arn:aws:iam::111122223333:role/x") && !concerns("arn:aws:iam::444455556666:role/y"));
        assert!(entry.keeps("s3:GetObject") && entry.keeps("SQS:sendmessage") && !entry.keeps("s3:PutObject"));
        assert!(!entry.keeps_everything());
        assert_eq!(entry.pardon.note(), "runs each January (until 2027-01-31, data)");
    }

    #[test]
    fn empty_file_keeps_nothing() {
        assert!(KeepList::read("# nothing yet\n").unwrap().entries().is_empty());
    }

    #[test]
    fn entry_without_what_it_needs_is_refused_with_its_place() {
        for (present, other, message) in [
            ("reason = 'break-glass'\n", "", "line 1: missing field `reason`"),
            ("expires = 2027-03-31\n", "", "line 1: missing field `expires`"),
            ("reason = 'break-glass'", "reason = ' '", "entry 1: `reason` is empty"),
            ("2027-03-31", "'soon'", "entry 1: `expires` is `soon`"),
            ("2027-03-31", "2027-02-30", "line 5: "),
            ("2027-03-31", "2027-03-31T00:00:00Z", "not a day like"),
            ("action = '*'", "action = 'Get*'", "entry 1: `Get*` is no action"),
            ("action = '*'", "action = []", "entry 1: `action` is empty"),
            ("'arn:aws:iam::*:role/break-glass/*'", "''", "`principal` is empty"),
            ("reason", "raison", "line 4: unknown field `raison`"),
            ("[[keep]]", "[[allow]]", "unknown field `allow`"),
        ] {
            let text = ENTRY.replace(present, other);
            let error = KeepList::read(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}, not {message}");
        }
    }
}
