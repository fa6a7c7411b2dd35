//! What can be taken away, rolled up: one finding for what one change mends.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::PrincipalDiff;
use super::Row;
use super::Verdict;
use super::summary::Activity;
use crate::iam::arn::is_service_linked;
use crate::policy::keep::Keep;

/// Something that can be taken away, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// ARN of the user or role.
    pub principal_arn: String,
    /// What kind.
    pub kind: FindingKind,
    /// What of the principal: service prefix, policy id, or credential; empty for the whole principal.
    pub scope: String,
    /// The first of the actions, in order; none where it is no permission.
    pub actions: Vec<String>,
    /// How many actions there are.
    pub action_count: usize,
    /// Kinds of harm that the actions can do.
    pub harms: BTreeSet<&'static str>,
    /// Last use of the same scope, inside of the window or as IAM says.
    pub last_used: Option<i64>,
    /// What is found, as a sentence without the window.
    pub message: String,
    /// Why it is kept on purpose, if it is: then it is no fault.
    pub kept: Option<String>,
}

/// Kinds of findings, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// Unused permissions that can do harm.
    UnusedHighRisk,
    /// A role that nobody used.
    NeverUsedRole,
    /// An active access key that nobody used.
    UnusedAccessKey,
    /// A password that nobody used.
    UnusedPassword,
    /// A policy of which nothing is used.
    UnusedPolicy,
    /// Services of which nothing is used.
    UnusedService,
    /// Unused permissions of a service that is used.
    UnusedPermission,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::UnusedHighRisk,
        Self::NeverUsedRole,
        Self::UnusedAccessKey,
        Self::UnusedPassword,
        Self::UnusedPolicy,
        Self::UnusedService,
        Self::UnusedPermission,
    ];

    /// Name in reports, which never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnusedHighRisk => "unused-high-risk",
            Self::NeverUsedRole => "never-used-role",
            Self::UnusedAccessKey => "unused-access-key",
            Self::UnusedPassword => "unused-password",
            Self::UnusedPolicy => "unused-policy",
            Self::UnusedService => "unused-service",
            Self::UnusedPermission => "unused-permission",
        }
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::UnusedHighRisk => "Permissions that can do harm are granted and were not used",
            Self::NeverUsedRole => "Nobody used the role",
            Self::UnusedAccessKey => "Nobody used the active access key",
            Self::UnusedPassword => "Nobody used the password",
            Self::UnusedPolicy => "Nothing that the policy grants was used",
            Self::UnusedService => "Services are granted of which nothing was used",
            Self::UnusedPermission => "Some of what is granted of a service was not used",
        }
    }
}

/// What is granted of one service.
#[derive(Debug, Default)]
struct Service<'r, 's> {
    removable: Vec<&'r Row<'s>>,
    kept: BTreeMap<usize, (&'s Keep, Vec<&'r Row<'s>>)>,
    is_needed: bool,
    last_used: Option<i64>,
}

/// Services of which nothing is used, and what is granted of them.
#[derive(Debug, Default)]
struct Part<'r, 's> {
    services: Vec<&'s str>,
    rows: Vec<&'r Row<'s>>,
    keep: Option<&'s Keep>,
}

/// Actions that a finding names: who has thousands too many needs another policy, not a list.
const NAMED_ACTIONS: usize = 500;

/// Services that a message names.
const NAMED_SERVICES: usize = 10;

impl<'s> PrincipalDiff<'s> {
    /// Whether it is a role that nobody used, that can be taken away, and that is not kept on purpose.
    pub fn is_removable_role(&self) -> bool {
        let arn = self.subject.key.arn.as_str();
        let is_role = self.subject.member.is_some() && arn.contains(":role/") && !is_service_linked(arn);
        is_role && self.summary.activity == Activity::NeverUsed && self.kept.is_none()
    }

    /// What can be taken away from the principal: the role as a whole, or what it does not use, by service and policy.
    pub fn findings(&self) -> Vec<Finding> {
        let arn = self.subject.key.arn.as_str();
        let Some(member) = self.subject.member.as_ref().filter(|_| !is_service_linked(arn)) else {
            return Vec::new();
        };
        let is_unused_role = self.summary.activity == Activity::NeverUsed && arn.contains(":role/");
        if is_unused_role {
            return vec![Finding {
                last_used: member.principal.last_used_at,
                kept: self.kept.map(Keep::note),
                ..self.finding(FindingKind::NeverUsedRole, "", &[], "the role was not used".to_owned())
            }];
        }
        let policies = self.summary.unused_policies.iter().map(|policy| {
            let message = format!("nothing that policy `{policy}` grants was used");
            self.finding(FindingKind::UnusedPolicy, policy, &[], message)
        });
        let mut findings: Vec<Finding> = policies.collect();
        let mut whole: BTreeMap<Option<usize>, Part<'_, 's>> = BTreeMap::new();
        for (service, granted) in self.services() {
            let kept = granted.kept.values().map(|(keep, rows)| (Some(*keep), rows));
            for (keep, rows) in kept.chain([(None, &granted.removable)]) {
                let (harmful, other): (Vec<&Row<'s>>, Vec<&Row<'s>>) =
                    rows.iter().partition(|row| !row.harms.is_empty());
                if !granted.is_needed && !other.is_empty() {
                    let part = whole.entry(keep.map(|keep| keep.number)).or_default();
                    part.keep = keep;
                    part.services.push(service);
                    part.rows.extend(other);
                    findings.extend(self.of_service(FindingKind::UnusedHighRisk, (service, &granted), &harmful, keep));
                    continue;
                }
                for (kind, rows) in [
                    (FindingKind::UnusedHighRisk, harmful),
                    (FindingKind::UnusedPermission, other),
                ] {
                    findings.extend(self.of_service(kind, (service, &granted), &rows, keep));
                }
            }
        }
        findings.extend(whole.into_values().map(|part| Finding {
            kept: part.keep.map(Keep::note),
            ..self.finding(FindingKind::UnusedService, "", &part.rows, part.message())
        }));
        findings.sort();
        findings
    }

    /// A finding about rows of one service; `None` without rows.
    fn of_service(
        &self,
        kind: FindingKind,
        (service, granted): (&str, &Service<'_, '_>),
        rows: &[&Row<'_>],
        keep: Option<&Keep>,
    ) -> Option<Finding> {
        (!rows.is_empty()).then(|| Finding {
            last_used: granted.last_used,
            kept: keep.map(Keep::note),
            ..self.finding(kind, service, rows, message(kind, service, rows, granted.is_needed))
        })
    }

    /// What is granted, by service; each action by the row that keeps it most.
    fn services(&self) -> BTreeMap<&'s str, Service<'_, 's>> {
        let mut services: BTreeMap<&'s str, Service<'_, 's>> = BTreeMap::new();
        for (action, row) in self.granted() {
            let service = action.split(':').next().unwrap_or(action);
            let granted = services.entry(service).or_default();
            granted.last_used = granted
                .last_used
                .max(row.evidence.and_then(|evidence| evidence.last_used));
            match (&row.verdict, row.kept) {
                (Verdict::Unused, None) => granted.removable.push(row),
                (Verdict::Unused, Some(keep)) => {
                    granted
                        .kept
                        .entry(keep.number)
                        .or_insert((keep, Vec::new()))
                        .1
                        .push(row);
                }
                _ => granted.is_needed = true,
            }
        }
        services
    }

    fn finding(&self, kind: FindingKind, scope: &str, rows: &[&Row<'_>], message: String) -> Finding {
        Finding {
            principal_arn: self.subject.key.arn.clone(),
            kind,
            scope: scope.to_owned(),
            actions: rows
                .iter()
                .take(NAMED_ACTIONS)
                .map(|row| row.action.to_owned())
                .collect(),
            action_count: rows.len(),
            harms: rows.iter().flat_map(|row| row.harms.iter().copied()).collect(),
            last_used: None,
            message,
            kept: None,
        }
    }
}

impl Part<'_, '_> {
    fn message(&self) -> String {
        let named: Vec<&str> = self.services.iter().copied().take(NAMED_SERVICES).collect();
        let more = match self.services.len().saturating_sub(NAMED_SERVICES) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let (actions, noun) = counted(self.rows.len());
        format!("nothing was used of {}{more}: {actions} {noun}", named.join(", "))
    }
}

fn message(kind: FindingKind, service: &str, rows: &[&Row<'_>], is_needed: bool) -> String {
    let (count, actions) = counted(rows.len());
    match (kind, is_needed) {
        (FindingKind::UnusedHighRisk, true) => format!("{count} {actions} of `{service}` that can do harm: not used"),
        (FindingKind::UnusedHighRisk, false) => {
            format!("{count} {actions} of `{service}` that can do harm: not used, nor anything else of the service")
        }
        _ => format!("{count} {actions} of `{service}`: not used"),
    }
}

fn counted(count: usize) -> (usize, &'static str) {
    (count, if count == 1 { "action" } else { "actions" })
}
