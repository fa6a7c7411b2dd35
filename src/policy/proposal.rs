//! Policies to put in place of the present ones, ready for review.
//!
//! *Trim* edits the present documents and takes out what is certainly unused. *Generate* starts from what was used and
//! stays within the present grants: every statement of it repeats the conditions of a present one, its actions are among
//! that one's, and its resources are that one's or narrower. Statements that deny are kept as they are.
//!
//! A document that several principals share loses only what is unused by all of them. Nothing is proposed for boundaries,
//! control policies and roles that belong to AWS services.

mod attached;
mod conditions;
mod draft;
mod fit;
mod functions;
mod generate;
mod hints;
mod holders;
mod passed_roles;
mod placing;
mod reasons;
mod resources;
mod trimmed;

use std::collections::BTreeSet;

pub use conditions::EvidenceConditions;
pub use holders::Holders;
pub use reasons::Kept;
pub use reasons::StatementReasons;
pub use reasons::UsedReason;

use super::account_log::Coverage;
use super::diff::Differ;
use super::diff::Subject;
use super::diff::Thresholds;
use super::estate::Estate;
use super::grant::Expander;
use super::keep::Keep;
use super::keep::KeepList;
use super::snapshot::Policy;
use super::trace::Traces;
use super::usage::Usage;
use crate::event::format_canonical;
use crate::iam::Facts;
use crate::iam::arn::is_of_permission_set;
use crate::iam::arn::is_service_linked;
use crate::iam::document::Document;
use holders::Uses;

/// How policies are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The present documents without what is unused.
    Trim,
    /// New documents from what was used.
    Generate(GenerateOptions),
}

/// What goes into a generated policy beside what was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateOptions {
    /// Whether to keep what is granted and of which nothing can be said.
    pub keep_unknown: bool,
    /// Which conditions to add.
    pub conditions: EvidenceConditions,
}

/// What the proposals rest on.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'s> {
    /// What the logs show.
    pub usage: &'s Usage,
    /// Who may do what.
    pub estate: &'s Estate<'s>,
    /// All users and roles.
    pub subjects: &'s [Subject<'s>],
    /// What stands behind their uses.
    pub traces: &'s Traces,
    /// What it takes to say "unused".
    pub thresholds: Thresholds,
}

/// What is proposed for one principal.
#[derive(Debug)]
pub struct Proposal<'s> {
    /// Who.
    pub subject: &'s Subject<'s>,
    /// How much of the window the logs of its account cover; `None` if they hold nothing of it.
    pub coverage: Option<Coverage>,
    /// In the order of the present policies.
    pub policies: Vec<ProposedPolicy<'s>>,
    /// What was left alone, and why; what a reviewer should know.
    pub notes: Vec<String>,
    /// What was asked for and cannot be done.
    pub refusals: Vec<Refusal>,
}

/// Why something cannot be proposed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is known of what the principal may do.
    #[error("`{principal}`: no IAM snapshot shows what it may do; import one with `trimtrail iam import`")]
    NoGrants {
        /// ARN.
        principal: String,
    },
    /// Not all is known of what the principal may do.
    #[error(
        "`{principal}`: the IAM snapshot does not show all that it may do, so that nothing can be generated: {gap}"
    )]
    Gaps {
        /// ARN.
        principal: String,
        /// The first gap.
        gap: String,
    },
    /// The policy of the snapshot is no longer in force.
    #[error(
        "`{principal}`: {policy} changed at {at}, after the IAM snapshot was taken, so that nothing is proposed for it; \
         import a new one with `trimtrail iam import`"
    )]
    Outdated {
        /// ARN.
        principal: String,
        /// What changed.
        policy: String,
        /// When.
        at: String,
    },
    /// The principal of the snapshot is no more, and the one of its name may have other policies and other uses.
    #[error(
        "`{principal}`: the logs show a later `{holder}` than the IAM snapshot has, so that nothing is proposed for {policy}; \
         import a new one with `trimtrail iam import`"
    )]
    Replaced {
        /// ARN.
        principal: String,
        /// ARN of the one that was made again.
        holder: String,
        /// What it holds.
        policy: String,
    },
    /// All that was called is unknown, so that it is unknown, too, what was used.
    #[error(
        "`{principal}`: no use of what is granted is seen in the window, so that no policy is generated, but calls are whose \
         actions are not known, as `{call}`: what needs them would fail"
    )]
    OnlyUnmappedCalls {
        /// ARN.
        principal: String,
        /// One of the calls.
        call: String,
    },
    /// Others have the policy, too, or are bounded by it, of whom nothing is known.
    #[error(
        "`{principal}`: `{policy}` is held by principals that the IAM snapshot does not have, or bounds such, so that nothing \
         is proposed for it; import one of all users, groups and roles with `trimtrail iam import`"
    )]
    HeldByOthers {
        /// ARN.
        principal: String,
        /// The policy.
        policy: String,
    },
    /// The document of a policy of AWS may be older than the one in force.
    #[error(
        "`{policy}`: the IAM snapshot has no document of it, and {version} of the facts does not allow `{action}`, which \
         `{holder}` used: AWS may have added it since, so that no copy is proposed; import a snapshot that has the document \
         with `trimtrail iam import`"
    )]
    PerhapsOlder {
        /// The policy.
        policy: String,
        /// Its version in the facts.
        version: String,
        /// An action that a holder used and no statement allows.
        action: String,
        /// ARN of that holder.
        holder: String,
    },
    /// A policy would be longer than IAM allows.
    #[error(
        "`{policy}`: {what} would have {characters} characters and IAM takes {limit}; the present policy stays. {remedy}"
    )]
    TooLong {
        /// The policy.
        policy: String,
        /// What is too long.
        what: &'static str,
        /// Its length without white space.
        characters: usize,
        /// The limit.
        limit: usize,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The policies would be more than IAM attaches.
    #[error(
        "`{policy}`: `{target}` would have {count} managed policies and IAM attaches {limit}; the present policy stays. {remedy}"
    )]
    TooMany {
        /// The policy.
        policy: String,
        /// Who would have them.
        target: String,
        /// How many.
        count: usize,
        /// The limit.
        limit: usize,
        /// What the user can do.
        remedy: &'static str,
    },
}

/// One document.
#[derive(Debug)]
pub struct ProposedPolicy<'s> {
    /// Name without the path.
    pub name: String,
    /// Where it counts.
    pub place: Place,
    /// What is to be done.
    pub change: Change,
    /// The policies in whose place it comes.
    pub present: Vec<&'s Policy>,
    /// What they say, as one document.
    pub present_document: Option<Document>,
    /// What is proposed; empty when nothing is left.
    pub document: Document,
    /// Reasons, in the order of the statements.
    pub reasons: Vec<StatementReasons>,
    /// Statements of which nothing is left.
    pub gone: Vec<StatementReasons>,
    /// The users and roles that have it, by ARN.
    pub holders: Vec<String>,
    /// What a reviewer should know.
    pub notes: Vec<String>,
}

/// Where a policy counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Inline in the user, group or role of this ARN.
    Inline(String),
    /// A managed policy of the account that exists; its ARN.
    Managed(String),
    /// A managed policy to be made and attached to these users, groups and roles.
    NewManaged(Vec<String>),
}

/// What is to be done with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing: nothing of it is certainly unused.
    Keep,
    /// Its document is to be replaced.
    Edit,
    /// It is to be deleted or detached: nothing of it is left.
    Remove,
    /// It is to be made.
    Create,
}

/// Makes proposals, one principal after the other.
#[derive(Debug)]
pub struct Proposer<'s> {
    evidence: Evidence<'s>,
    mode: Mode,
    holders: Holders<'s>,
    expander: Expander<'s>,
    uses: Uses<'s>,
    /// Shared policies for which there is a proposal already.
    done: BTreeSet<String>,
}

impl<'s> Proposer<'s> {
    /// A proposer over the principals of an estate.
    pub fn new(facts: &'s Facts, evidence: Evidence<'s>, mode: Mode) -> Self {
        let differ = Differ::new(facts, evidence.usage, evidence.estate, evidence.thresholds);
        Self {
            evidence,
            mode,
            holders: Holders::of(evidence.subjects),
            expander: Expander::new(facts),
            uses: Uses::new(facts, differ, evidence.traces),
            done: BTreeSet::new(),
        }
    }

    /// Leaves what the entries of an allow-list keep that have not expired.
    pub fn keeping(mut self, list: &'s KeepList, now: i64) -> Self {
        self.uses = self.uses.keeping(list, now);
        self
    }

    /// Entries of the allow-list that were about no permission of the principals looked at so far.
    pub fn idle_keeps(&self) -> Vec<&'s Keep> {
        self.uses.idle_keeps()
    }

    /// What is proposed for one of the principals.
    pub fn propose(&mut self, subject: &'s Subject<'s>) -> Proposal<'s> {
        let (usage, account) = (self.evidence.usage, subject.key.account_id());
        let log = account.and_then(|account| usage.accounts.get(account));
        let mut proposal = Proposal {
            subject,
            coverage: log.map(|log| log.coverage(usage.window)),
            policies: Vec::new(),
            notes: Vec::new(),
            refusals: Vec::new(),
        };
        let principal = subject.key.arn.clone();
        if is_service_linked(&principal) {
            let note = "the role belongs to an AWS service, and only that service can change its policies";
            proposal.notes.push(note.to_owned());
            return proposal;
        }
        let Some(member) = subject.member else {
            proposal.refusals.push(Refusal::NoGrants { principal });
            return proposal;
        };
        if is_of_permission_set(&principal) {
            let note = "the role is made of a permission set of IAM Identity Center: change that, not the role";
            proposal.notes.push(note.to_owned());
            let others = self.holders.in_set_of(subject).map_or(0, |(_, roles)| roles.len() - 1);
            if others > 0 && matches!(self.mode, Mode::Generate(_)) {
                proposal.notes.push(format!(
                    "the policy is made of what this role used alone, and others of its permission set ({others}) may use more: it is \
                     none for the permission set"
                ));
            }
        }
        match self.mode {
            Mode::Trim => self.trim(&member, &mut proposal),
            Mode::Generate(options) => self.generate(&member, options, &mut proposal),
        }
        proposal
    }
}

impl Proposal<'_> {
    /// Says why nothing is generated of someone of whom no use is seen.
    fn tell_that_nothing_is_used(&mut self) {
        let principal = self.subject.key.arn.clone();
        match self.subject.deeds.unmapped.first() {
            Some(call) => self.refusals.push(Refusal::OnlyUnmappedCalls { principal, call }),
            None => {
                let note = "no use of what is granted is seen in the window, so that no policy is generated";
                self.notes.push(note.to_owned());
            }
        }
    }
}

impl Refusal {
    fn replaced(principal: &str, holder: &str, policy: &str) -> Self {
        Self::Replaced {
            principal: principal.to_owned(),
            holder: holder.to_owned(),
            policy: policy.to_owned(),
        }
    }

    fn outdated(principal: &str, policy: &str, at: i64) -> Self {
        let at = format_canonical(at).unwrap_or_else(|| at.to_string());
        Self::Outdated {
            principal: principal.to_owned(),
            policy: policy.to_owned(),
            at,
        }
    }
}

impl Change {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Edit => "edit",
            Self::Remove => "remove",
            Self::Create => "create",
        }
    }
}

#[cfg(test)]
mod tests;
