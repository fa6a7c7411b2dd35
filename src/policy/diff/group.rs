//! Principals that are one thing to those who manage them: a permission set in many accounts, a service account, an account.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::PrincipalDiff;
use super::Row;
use super::Verdict;
use super::reason::Reason;
use super::subject::Absence;
use super::summary::Activity;
use super::summary::rank;
use super::totals::Totals;
use crate::iam::document::ConditionValue;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::policy::keep::Keep;

/// What begins the name of a role that Identity Center made for a permission set.
const PERMISSION_SET_ROLE: &str = "AWSReservedSSO_";

/// Length of what ends it.
const SUFFIX_LENGTH: usize = 16;

/// What begins the subject of a Kubernetes service account's token.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// By what principals are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// By account; counts are sums over its principals.
    Account,
    /// By permission set of Identity Center, across accounts.
    PermissionSet,
    /// By Kubernetes service account that the trust policy names or that took the role, across accounts and clusters.
    ServiceAccount,
}

/// Groups by name.
#[derive(Debug)]
pub struct Groups<'s> {
    by: Grouping,
    groups: BTreeMap<String, Group<'s>>,
    ungrouped: usize,
}

/// Principals that belong together.
#[derive(Debug, Default)]
pub struct Group<'s> {
    /// ARNs of the principals.
    pub principals: BTreeSet<String>,
    /// Their accounts.
    pub accounts: BTreeSet<String>,
    /// Sums over the principals.
    pub totals: Totals,
    /// Actions granted to any of them, not for accounts; until the groups are ended, what was done without a grant, too.
    pub actions: BTreeMap<&'s str, GroupedAction<'s>>,
    /// Why the grants of one of the principals are not known.
    absence: Option<Absence>,
}

/// What the logs prove of an action over a whole group: what keeps it anywhere keeps it everywhere.
#[derive(Debug, Clone)]
pub struct GroupedAction<'s> {
    /// The verdict.
    pub verdict: Verdict,
    /// Kinds of harm that it can do.
    pub harms: Vec<&'static str>,
    /// Calls that succeeded.
    pub uses: u64,
    /// Last use.
    pub last_used: Option<i64>,
    /// Principals to whom it is granted.
    pub granted_to: usize,
    /// Principals that used it.
    pub used_by: usize,
    /// The entry of the allow-list that keeps it for one of them.
    pub kept: Option<&'s Keep>,
}

impl<'s> Groups<'s> {
    /// No groups yet.
    pub fn new(by: Grouping) -> Self {
        Self {
            by,
            groups: BTreeMap::new(),
            ungrouped: 0,
        }
    }

    /// Adds a principal to its groups: several, if several service accounts may take the role.
    pub fn add(&mut self, diff: &PrincipalDiff<'s>) {
        let names = names(self.by, diff);
        self.ungrouped += usize::from(names.is_empty());
        for name in names {
            self.groups.entry(name).or_default().add(diff, self.by);
        }
    }

    /// The groups in the order of their names.
    pub fn all(&self) -> &BTreeMap<String, Group<'s>> {
        &self.groups
    }

    /// Principals that belong to none.
    pub fn ungrouped(&self) -> usize {
        self.ungrouped
    }

    /// Ends the groups: without the grants of one principal nothing of its group is proven unused.
    pub fn finish(&mut self) {
        for group in self.groups.values_mut() {
            group.actions.retain(|_, action| action.granted_to > 0);
            let Some(absence) = group.absence else { continue };
            let reason = match absence {
                Absence::NoSnapshot => Reason::NoSnapshot,
                Absence::NotInSnapshot | Absence::LacksPages | Absence::OtherPrincipal | Absence::EarlierPrincipal => {
                    Reason::SnapshotGaps("it does not show what one of the group may do".to_owned())
                }
            };
            let actions = group.actions.values_mut();
            let unused = actions.filter(|action| action.verdict == Verdict::Unused);
            unused.for_each(|action| action.verdict = Verdict::Unknown(reason.clone()));
        }
        if self.by != Grouping::Account {
            self.groups.values_mut().for_each(Group::count);
        }
    }
}

impl<'s> Group<'s> {
    fn add(&mut self, diff: &PrincipalDiff<'s>, by: Grouping) {
        self.principals.insert(diff.subject.key.arn.clone());
        self.accounts.extend(diff.subject.key.account_id().map(str::to_owned));
        self.totals.add(diff);
        self.absence = self.absence.or(diff.subject.absence);
        if by != Grouping::Account {
            for (action, row) in diff.by_action() {
                let own = GroupedAction::of(row);
                match self.actions.get_mut(action) {
                    Some(grouped) => grouped.add(own),
                    None => {
                        self.actions.insert(action, own);
                    }
                }
            }
        }
    }

    /// Sums over actions, each counted once.
    fn count(&mut self) {
        let whole = std::mem::take(&mut self.totals);
        let mut totals = Totals {
            principals: whole.principals,
            active: whole.active,
            never_used: whole.never_used,
            removable_roles: whole.removable_roles,
            granted: self.actions.len(),
            used_not_granted: whole.used_not_granted,
            unused_policies: whole.unused_policies,
            ..Totals::default()
        };
        for action in self.actions.values() {
            match (&action.verdict, action.kept) {
                (Verdict::Used | Verdict::UsedNotGranted(_), _) => totals.used += 1,
                (Verdict::DeniedAttempt, _) => totals.denied += 1,
                (Verdict::Unknown(_), _) => totals.unknown += 1,
                (Verdict::Unused, Some(_)) => {
                    totals.unused += 1;
                    totals.kept += 1;
                }
                (Verdict::Unused, None) => {
                    totals.unused += 1;
                    totals.removable += 1;
                    totals.high_risk_removable += usize::from(!action.harms.is_empty());
                }
            }
        }
        self.totals = totals;
    }

    /// Whether all, some or none of the principals did anything.
    pub fn activity(&self) -> &'static str {
        match (self.totals.active, self.totals.never_used) {
            (0, never) if never == self.totals.principals => Activity::NeverUsed.name(),
            (0, _) => "unknown",
            _ => Activity::Active.name(),
        }
    }
}

impl<'s> GroupedAction<'s> {
    fn of(row: &Row<'s>) -> Self {
        let evidence = row.evidence.filter(|evidence| evidence.used > 0);
        Self {
            verdict: row.verdict.clone(),
            harms: row.harms.clone(),
            uses: evidence.map_or(0, |evidence| evidence.used),
            last_used: evidence.and_then(|evidence| evidence.last_used),
            granted_to: usize::from(row.policy.is_some()),
            used_by: usize::from(matches!(row.verdict, Verdict::Used | Verdict::UsedNotGranted(_))),
            kept: row.kept,
        }
    }

    fn add(&mut self, other: Self) {
        let is_granted_use = other.verdict == Verdict::Used;
        if is_granted_use || rank(&other.verdict) < rank(&self.verdict) {
            self.verdict = other.verdict;
        }
        self.uses += other.uses;
        self.last_used = self.last_used.max(other.last_used);
        self.granted_to += other.granted_to;
        self.used_by += other.used_by;
        self.kept = self.kept.or(other.kept);
    }
}

fn names(by: Grouping, diff: &PrincipalDiff<'_>) -> BTreeSet<String> {
    let arn = diff.subject.key.arn.as_str();
    match by {
        Grouping::Account => diff.subject.key.account_id().map(str::to_owned).into_iter().collect(),
        Grouping::PermissionSet => permission_set(arn).map(str::to_owned).into_iter().collect(),
        Grouping::ServiceAccount => {
            let documents = diff.subject.member.iter().filter_map(|member| member.trust());
            let documents = documents.filter_map(|policy| policy.document.as_ref().ok());
            let used = diff.subject.deeds.service_accounts.iter();
            let used = used.filter_map(|subject| subject.strip_prefix(SERVICE_ACCOUNT).map(str::to_owned));
            documents.flat_map(service_accounts).chain(used).collect()
        }
    }
}

/// The permission set that Identity Center made a role for: `AWSReservedSSO_<name>_<16 hexadecimal digits>`.
pub(in crate::policy) fn permission_set(arn: &str) -> Option<&str> {
    let (_, name) = arn.split_once(":role/")?;
    let name = name.rsplit('/').next()?.strip_prefix(PERMISSION_SET_ROLE)?;
    let (set, suffix) = name.rsplit_once('_')?;
    let is_suffix = suffix.len() == SUFFIX_LENGTH && suffix.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_suffix && !set.is_empty()).then_some(set)
}

/// Subjects of service accounts that a trust policy lets in: values of a condition on `…:sub`, patterns included.
fn service_accounts(document: &Document) -> Vec<String> {
    let statements = document.readable().map(|(_, statement)| statement);
    let allowing = statements.filter(|statement| statement.effect == Effect::Allow);
    let blocks = allowing.flat_map(|statement| &statement.conditions);
    let positive = blocks.filter(|block| !block.operator.contains("Not"));
    let keys = positive.flat_map(|block| &block.keys);
    let subjects = keys.filter(|(key, _)| key.to_ascii_lowercase().ends_with(":sub"));
    let values = subjects.flat_map(|(_, values)| values.as_slice());
    let names = values.filter_map(|value| match value {
        ConditionValue::Text(text) => text.strip_prefix(SERVICE_ACCOUNT).map(str::to_owned),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_set_is_read_from_the_name_of_its_role() {
        let arn =
            |name: &str| format!("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/{name}");
        for (name, set) in [
            ("AWSReservedSSO_ReadOnly_0123456789abcdef", Some("ReadOnly")),
            ("AWSReservedSSO_My_Set_0123456789abcdef", Some("My_Set")),
            ("AWSReservedSSO_ReadOnly_0123456789abcdeg", None),
            ("AWSReservedSSO_ReadOnly_0123", None),
            ("AWSReservedSSO__0123456789abcdef", None),
            ("ReadOnly_0123456789abcdef", None),
        ] {
            assert_eq!(permission_set(&arn(name)), set, "{name}");
        }
    }

    #[test]
    fn service_accounts_are_the_subjects_that_the_trust_policy_allows() {
        let statement = |effect: &str, operator: &str, subject: &str| {
            format!(
                r#"{{"Effect":"{effect}","Principal":{{"Federated":"p"}},"Action":"sts:AssumeRoleWithWebIdentity",
                "Condition":{{"{operator}":{{"oidc.eks.eu-west-1.amazonaws.com/id/X:sub":{subject}}}}}}}"#
            )
        };
        let document = format!(
            r#"{{"Statement":[{},{},{},{}]}}"#,
            statement(
                "Allow",
                "StringEquals",
                r#"["system:serviceaccount:shop:api","repo:x/*"]"#
            ),
            statement("Allow", "StringLike", r#""system:serviceaccount:shop:*""#),
            statement("Allow", "StringNotEquals", r#""system:serviceaccount:shop:no""#),
            statement("Deny", "StringEquals", r#""system:serviceaccount:shop:denied""#),
        );
        let document = Document::parse(&document).unwrap();
        assert_eq!(service_accounts(&document), ["shop:api", "shop:*"]);
    }
}
