//! Generate: new policies from what was used, within what is granted today.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::Change;
use super::GenerateOptions;
use super::Place;
use super::Proposal;
use super::ProposedPolicy;
use super::Proposer;
use super::Refusal;
use super::conditions;
use super::conditions::OneOf;
use super::draft;
use super::draft::Drafts;
use super::draft::Ground;
use super::draft::Key;
use super::fit;
use super::fit::Piece;
use super::hints;
use super::passed_roles::PASS_ROLE;
use super::placing::have_other_names;
use super::placing::placed;
use super::reasons::StatementReasons;
use super::reasons::UsedReason;
use super::reasons::kept_for;
use super::reasons::on_purpose;
use super::resources::Generalised;
use crate::iam::ActionId;
use crate::iam::Facts;
use crate::iam::document::Document;
use crate::iam::document::Entry;
use crate::iam::document::Statement;
use crate::policy::diff::PrincipalDiff;
use crate::policy::diff::Reason;
use crate::policy::diff::Row;
use crate::policy::diff::Verdict;
use crate::policy::estate::Member;
use crate::policy::grant::Grant;
use crate::policy::grant::Permissions;
use crate::policy::snapshot::Policy;
use crate::policy::trace::ActionTraces;
use crate::policy::trim::Wording;

const REMEDY: &str =
    "`--keep-unknown=false` leaves out what the logs cannot show, `--mode trim` edits the present policies";
const RESOURCES_STAY: &str = "its resources are those of the present statement: the records do not name all that were \
     touched, or the action takes none";
const OTHERS_STAY: &str = "its resources are those of the present statement: what was touched cannot be told within it";
const HINTS_STAY: &str = "its resources are those of the present statement: some records hold only a name, of which the ARN \
     is not certain";
const INFERRED: &str = "inferred: no call certainly used it, but calls that succeeded may have needed it";

/// What one principal was granted and what it did.
pub(super) struct Case<'c, 's> {
    facts: &'s Facts,
    permissions: &'c Permissions<'s>,
    diff: &'c PrincipalDiff<'s>,
    /// The rows of `diff` by policy, group, statement and action.
    rows: BTreeMap<(&'c str, Option<&'c str>, usize, &'c str), &'c Row<'s>>,
    pub(super) traces: &'c ActionTraces,
    options: GenerateOptions,
}

impl<'s> Proposer<'s> {
    pub(super) fn generate(&mut self, member: &Member<'s>, options: GenerateOptions, proposal: &mut Proposal<'s>) {
        let subject = proposal.subject;
        let principal = subject.key.arn.clone();
        let permissions = self.expander.permissions(self.evidence.estate, member);
        if let Some(gap) = permissions.gaps.first().cloned() {
            proposal.refusals.push(Refusal::Gaps { principal, gap });
            return;
        }
        if let Some(at) = self.evidence.usage.changes.outdating_all(member) {
            let refusal = Refusal::outdated(&principal, "what it may do", at);
            proposal.refusals.push(refusal);
            return;
        }
        if subject.is_replaced {
            return proposal.refusals.push(Refusal::replaced(&principal, &principal, "it"));
        }
        let diff = self.uses.diff(subject);
        let traces = self.evidence.traces.of(&subject.key);
        let case = Case {
            facts: self.expander.facts(),
            permissions: &permissions,
            diff: &diff,
            rows: by_place(&diff.rows),
            traces: &traces,
            options,
        };
        let mut drafts = Drafts::new();
        for (action, evidence) in &subject.deeds.actions {
            let id = case.facts.find(action).filter(|id| permissions.effective.contains(*id));
            let Some(id) = id.filter(|_| evidence.used > 0) else {
                continue;
            };
            match action.as_str() {
                PASS_ROLE => self.add_passed_roles(&case, id, &mut drafts),
                _ => {
                    let conditions = case.conditions(action);
                    let touched = case.touched(id, action);
                    case.add_used(id, touched.ok().as_deref(), &conditions, &mut drafts);
                }
            }
        }
        case.add_unknown(&mut drafts);
        let mut statements = self.statements(&case, &drafts, Wording::Words);
        if !fit::fits(statements.iter().map(|(statement, _)| statement)) {
            statements = self.statements(&case, &drafts, Wording::Letters);
        }
        proposal.notes.extend(case.notes());
        if statements.is_empty() {
            return proposal.tell_that_nothing_is_used();
        }
        statements.extend(draft::denying(member));
        Self::finish(member, statements, proposal);
    }

    /// The drafts as statements, each once, with their reasons.
    fn statements(
        &mut self,
        case: &Case<'_, '_>,
        drafts: &Drafts,
        wording: Wording,
    ) -> Vec<(Statement, StatementReasons)> {
        let mut statements: Vec<(Statement, StatementReasons)> = Vec::new();
        for (key, actions) in drafts {
            let Some(grant) = case.permissions.grants.get(key.grant) else {
                continue;
            };
            let number = statements.len() + 1;
            let made = draft::statement(key, (grant, number), actions, wording, &mut self.expander);
            if let Some(statement) = made.filter(|new| !statements.iter().any(|(known, _)| draft::is_same(known, new)))
            {
                statements.push((statement, case.reasons(key, grant, actions)));
            }
        }
        statements
    }

    /// Splits the statements into managed policies that fit.
    fn finish(member: &Member<'s>, statements: Vec<(Statement, StatementReasons)>, proposal: &mut Proposal<'s>) {
        let principal = member.principal;
        let present: Vec<&'s Policy> = member.policies().iter().map(|used| used.policy).collect();
        let (statements, reasons): (Vec<Statement>, Vec<StatementReasons>) = statements.into_iter().unzip();
        let pieces = statements.into_iter().enumerate().map(|(origin, statement)| Piece {
            entry: Entry::Readable(statement),
            origin,
        });
        let empty = Document::of(Vec::new());
        let policy = fit::policy_name(&[&principal.name, "generated"], 1);
        let parts = match fit::split(&empty, pieces.collect(), fit::MANAGED) {
            Ok(parts) => parts,
            Err(characters) => {
                proposal.refusals.push(Refusal::TooLong {
                    policy,
                    what: "one statement of it",
                    characters,
                    limit: fit::MANAGED,
                    remedy: REMEDY,
                });
                return;
            }
        };
        if parts.len() > fit::ATTACHED {
            proposal.refusals.push(Refusal::TooMany {
                policy,
                target: principal.arn.clone(),
                count: parts.len(),
                limit: fit::ATTACHED,
                remedy: REMEDY,
            });
            return;
        }
        let groups: BTreeSet<&str> = member.policies().iter().filter_map(|used| used.group).collect();
        for group in groups {
            proposal.notes.push(format!(
                "take it out of the group `{group}`, whose policies are among those replaced"
            ));
        }
        for (number, part) in (1..).zip(&parts) {
            let of_part = part.iter().filter_map(|piece| reasons.get(piece.origin).cloned());
            proposal.policies.push(ProposedPolicy {
                name: fit::policy_name(&[&principal.name, "generated"], number),
                place: Place::NewManaged(vec![principal.arn.clone()]),
                change: Change::Create,
                // The first stands in place of all present ones, the others of none.
                present: if number == 1 { present.clone() } else { Vec::new() },
                present_document: (number == 1).then(|| draft::merged(&present)),
                document: fit::with_statements(&empty, part),
                reasons: of_part.collect(),
                gone: Vec::new(),
                holders: vec![principal.arn.clone()],
                notes: Vec::new(),
            });
        }
    }
}

fn by_place<'c, 's>(rows: &'c [Row<'s>]) -> BTreeMap<(&'c str, Option<&'c str>, usize, &'c str), &'c Row<'s>> {
    let granted = rows.iter().filter_map(|row| {
        let (policy, number) = row.policy.zip(row.statement_number)?;
        Some(((policy.id.as_str(), row.group, number, row.action), row))
    });
    granted.collect()
}

impl<'s> Case<'_, 's> {
    fn row(&self, grant: &Grant<'_>, action: &str) -> Option<&Row<'s>> {
        let place = (grant.policy.id.as_str(), grant.group, grant.statement_number, action);
        self.rows.get(&place).copied()
    }

    fn conditions(&self, action: &str) -> Vec<OneOf> {
        let trace = self.traces.get(action);
        trace.map_or_else(Vec::new, |trace| conditions::of(self.options.conditions, action, trace))
    }

    /// What covers the resources that were touched, or why nothing does.
    fn touched(&self, id: ActionId, action: &str) -> Result<Vec<Generalised>, &'static str> {
        let trace = self.traces.get(action).ok_or(RESOURCES_STAY)?;
        let types = self.facts.resource_uses(id);
        let is_named = types
            .iter()
            .filter(|used| used.is_required)
            .all(|used| trace.resources.iter().any(|arn| used.fits(arn)));
        let is_whole =
            hints::names_all(action) && trace.names_all_resources() && !trace.resources.is_empty() && !types.is_empty();
        if !is_named || !is_whole {
            return Err(RESOURCES_STAY);
        }
        hints::covering(&trace.resources, &trace.hints).map_err(|_| HINTS_STAY)
    }

    /// Adds an action that was used to the statements that it was used through.
    pub(super) fn add_used(
        &self,
        id: ActionId,
        touched: Option<&[Generalised]>,
        conditions: &[OneOf],
        drafts: &mut Drafts,
    ) {
        let name = self.facts.name(id);
        let is_candidate = |grant: &Grant<'_>| {
            let row = self.row(grant, name);
            grant.actions.contains(id) && row.is_some_and(|row| row.verdict != Verdict::Unused)
        };
        let grants = (0..).zip(&self.permissions.grants);
        let candidates: Vec<(usize, &Grant<'s>)> = grants.filter(|(_, grant)| is_candidate(grant)).collect();
        let mut placed = touched.and_then(|touched| placed(&candidates, touched));
        if let Some(placed) = placed
            .as_mut()
            .filter(|_| have_other_names(name, self.traces.get(name)))
        {
            // They are placed by the names in the records.
            let is_used = |grant: &Grant<'_>| self.row(grant, name).is_some_and(|row| row.verdict == Verdict::Used);
            for (position, _) in candidates.iter().filter(|(_, grant)| is_used(grant)) {
                placed.entry(*position).or_insert(None);
            }
        }
        let as_present = || candidates.iter().map(|(position, _)| (*position, None)).collect();
        for (grant, resources) in placed.unwrap_or_else(as_present) {
            let key = Key {
                ground: Ground::Used,
                grant,
                resources,
                conditions: conditions.to_vec(),
            };
            drafts.entry(key).or_default().insert(id);
        }
    }

    /// Adds what calls may have needed, what nothing can be said about, and what is kept on purpose.
    fn add_unknown(&self, drafts: &mut Drafts) {
        for (position, grant) in (0..).zip(&self.permissions.grants) {
            let rows = self.diff.rows.iter().filter(|row| {
                row.statement_number == Some(grant.statement_number)
                    && row.group == grant.group
                    && row.policy.is_some_and(|policy| policy.id == grant.policy.id)
            });
            for row in rows {
                let is_used = row.evidence.is_some_and(|evidence| evidence.used > 0);
                let ground = match &row.verdict {
                    _ if row.kept.is_some() => Ground::Kept,
                    Verdict::Unknown(Reason::UncertainUse(_)) => Ground::Inferred,
                    Verdict::Unknown(_) if self.options.keep_unknown && !is_used => Ground::Unknown,
                    _ => continue,
                };
                let key = Key {
                    ground,
                    grant: position,
                    resources: None,
                    conditions: Vec::new(),
                };
                let actions = drafts.entry(key).or_default();
                actions.extend(self.facts.find(row.action));
            }
        }
    }

    fn reasons(&self, key: &Key, grant: &Grant<'_>, actions: &BTreeSet<ActionId>) -> StatementReasons {
        let mut reasons = StatementReasons {
            present_number: Some(grant.statement_number),
            present_policy: Some(grant.policy.id.clone()),
            sid: grant.statement.sid.clone(),
            ..StatementReasons::default()
        };
        let mut kept: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let unknown = grant
            .unknown_patterns
            .iter()
            .copied()
            .filter(|_| matches!(key.ground, Ground::Unknown | Ground::Kept));
        let names = actions.iter().map(|id| self.facts.name(*id)).chain(unknown);
        for row in names.filter_map(|name| self.row(grant, name)) {
            if key.ground == Ground::Used {
                let principal = &self.diff.subject.key.arn;
                reasons.used.push(UsedReason::of(row, principal, self.traces));
            } else if let Some(keep) = row.kept.filter(|_| key.ground == Ground::Kept) {
                kept.entry(on_purpose(keep)).or_default().push(row.action.to_owned());
            } else if let Verdict::Unknown(reason) = &row.verdict {
                let calls = self.traces.get(row.action).filter(|_| key.ground == Ground::Inferred);
                let calls: Vec<&str> = calls
                    .into_iter()
                    .flat_map(|trace| trace.uncertain_calls.iter().map(String::as_str))
                    .collect();
                let text = match calls.is_empty() {
                    true => reason.to_string(),
                    false => format!("{reason} ({})", calls.join(", ")),
                };
                let actions = kept.entry((reason.name().to_owned(), text)).or_default();
                actions.push(row.action.to_owned());
            }
        }
        let kept = kept
            .iter()
            .map(|((reason, text), actions)| kept_for(reason, text, actions.iter().cloned()));
        reasons.kept = kept.collect();
        let remarks = match key.ground {
            Ground::Used if key.resources.is_none() => self.why_resources_stay(actions),
            Ground::Inferred => BTreeSet::from([INFERRED]),
            Ground::Used | Ground::Unknown | Ground::Kept => BTreeSet::new(),
        };
        reasons.remarks.extend(remarks.into_iter().map(str::to_owned));
        reasons
    }

    fn why_resources_stay(&self, actions: &BTreeSet<ActionId>) -> BTreeSet<&'static str> {
        let of_action = |id: &ActionId| match self.touched(*id, self.facts.name(*id)) {
            Err(reason) => reason,
            Ok(_) => OTHERS_STAY,
        };
        actions.iter().map(of_action).collect()
    }

    /// What a reviewer should know of what is left out.
    fn notes(&self) -> Vec<String> {
        let count = |is_meant: &dyn Fn(&Row<'_>) -> bool| {
            let names: BTreeSet<&str> = self
                .diff
                .rows
                .iter()
                .filter(|row| is_meant(row))
                .map(|row| row.action)
                .collect();
            names.len()
        };
        let is_unknown = |row: &Row<'_>| {
            row.policy.is_some()
                && row.kept.is_none()
                && matches!(&row.verdict, Verdict::Unknown(reason) if !matches!(reason, Reason::UncertainUse(_) | Reason::ResourcesUnclear))
        };
        let left_out = match self.options.keep_unknown {
            true => 0,
            false => count(&is_unknown),
        };
        let denied = count(&|row| row.policy.is_some() && row.kept.is_none() && row.verdict == Verdict::DeniedAttempt);
        let not_granted = count(&|row| matches!(row.verdict, Verdict::UsedNotGranted(_)));
        let mut notes = Vec::new();
        if left_out > 0 {
            notes.push(format!(
                "{left_out} granted actions are left out although the logs cannot show their use: what needs them will fail"
            ));
        }
        if denied > 0 {
            notes.push(format!(
                "{denied} granted actions are left out that were tried and always denied: an attempt is no use"
            ));
        }
        if not_granted > 0 {
            notes.push(format!(
                "{not_granted} actions were used and are not granted by its policies: they are left out"
            ));
        }
        notes
    }
}
