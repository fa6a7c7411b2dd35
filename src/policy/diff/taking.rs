//! Whether the logs would show that someone took a role.

use super::Differ;
use super::judge::Held;
use super::judge::Judge;
use super::reason::Reason;
use super::silence::everything;
use super::silence::statement_on_everything;
use super::subject::Subject;
use crate::iam::document::Statement;
use crate::policy::grant::Grant;
use crate::policy::snapshot::Policy;

/// Federated calls are recorded as this one is.
const TAKING: &str = "sts:AssumeRole";
/// What the users of an identity pool ask for credentials with, which is a data event, and who takes the role for them
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html>).
const TAKING_OF_POOLS: (&str, &str) = (
    "cognito-identity:GetCredentialsForIdentity",
    "cognito-identity.amazonaws.com",
);

impl<'a> Differ<'a> {
    /// Since when someone who took a role by a statement of its trust policy would have been seen, if not since the begin
    /// of the window, or why the lack of such calls proves nothing.
    ///
    /// `subject` is the role, with what is known of those who took it in the place of what it did.
    pub(in crate::policy) fn taking_seen_since(
        &mut self,
        subject: &Subject<'a>,
        trust: &Policy,
        (number, statement): (usize, &Statement),
    ) -> Result<Option<i64>, Reason> {
        let facts = self.expander.facts();
        let id = facts.find(TAKING).ok_or(Reason::UnknownAction)?;
        let judge = self.judge(subject);
        let grant = Grant {
            policy: trust,
            group: None,
            statement_number: number,
            statement,
            actions: facts.no_actions(),
            unknown_patterns: Vec::new(),
        };
        let member = subject.member.as_ref();
        let since = member.and_then(|member| self.usage.changes.of_trust(member, statement));
        let outdating = member.and_then(|member| self.usage.changes.outdating_trust(member));
        let held = Held {
            grant: &grant,
            since: since.filter(|since| *since > self.usage.window.since),
            is_outdated: outdating.is_some(),
        };
        let seen_since = judge.seen_since(self.visibility.of(id), held)?;
        Ok(held.since.max(seen_since))
    }

    /// Why it proves nothing that nobody was seen to take a role; `None` of users, whom nobody takes.
    pub(super) fn taking_doubt(&mut self, judge: &Judge<'_>) -> Option<Reason> {
        if !judge.subject.key.arn.contains(":role/") {
            return None;
        }
        let facts = self.expander.facts();
        let (policy, statement) = (everything(), statement_on_everything());
        let grant = Grant {
            policy: &policy,
            group: None,
            statement_number: 1,
            statement: &statement,
            actions: facts.no_actions(),
            unknown_patterns: Vec::new(),
        };
        let held = Held {
            grant: &grant,
            since: None,
            is_outdated: false,
        };
        let (of_pools, pools) = TAKING_OF_POOLS;
        let trust = judge.subject.member.and_then(|member| member.trust());
        let is_of_pool = trust.is_some_and(|trust| trust.text.contains(pools));
        let calls = [Some(TAKING), is_of_pool.then_some(of_pools)];
        calls.into_iter().flatten().find_map(|call| match facts.find(call) {
            Some(id) => judge.seen_since(self.visibility.of(id), held).err(),
            None => Some(Reason::UnknownAction),
        })
    }
}
