//! Proposals for many principals, made on several threads.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

use crate::policy::Keep;
use crate::policy::Plan;
use crate::policy::Proposal;
use crate::policy::Proposer;
use crate::policy::Subject;

/// What is proposed for principals.
pub(super) struct Planning<'s, N> {
    /// The policies.
    pub(super) plan: Plan<'s>,
    /// What was noted of each principal, in their order.
    pub(super) notes: Vec<N>,
    /// Entries of the allow-list that were about no permission of any of them.
    pub(super) idle_keeps: Vec<&'s Keep>,
}

/// The principals of one account, with their positions.
type Account<'s> = Vec<(usize, &'s Subject<'s>)>;

/// What one thread made.
struct Part<'s, N> {
    plans: Vec<(Option<&'s str>, Plan<'s>)>,
    notes: Vec<(usize, N)>,
    idle_keeps: Vec<&'s Keep>,
}

/// Makes proposals, account by account: a policy counts inside of its account alone, so that none depends on another account.
///
/// A proposal with its reasons takes much memory, so that only `note` sees it as a whole. Stops early, with what it has by
/// then, once `is_stopped` is raised.
pub(super) fn plan_for<'s, N: Send>(
    subjects: &'s [Subject<'s>],
    threads: NonZeroUsize,
    is_stopped: &AtomicBool,
    proposer: impl Fn() -> Proposer<'s> + Sync,
    note: impl Fn(&Proposal<'s>) -> N + Sync,
) -> Planning<'s, N> {
    let mut accounts: BTreeMap<Option<&str>, Account<'_>> = BTreeMap::new();
    for (position, subject) in subjects.iter().enumerate() {
        let account = accounts.entry(subject.key.account_id()).or_default();
        account.push((position, subject));
    }
    let threads = threads.get().min(accounts.len()).max(1);
    let queue = Mutex::new(accounts.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut proposer = proposer();
        let (mut plans, mut notes) = (Vec::new(), Vec::new());
        while let Some((account, principals)) = next() {
            let mut plan = Plan::default();
            for (position, subject) in principals {
                if is_stopped.load(Ordering::Relaxed) {
                    break;
                }
                let proposal = proposer.propose(subject);
                notes.push((position, note(&proposal)));
                plan.add(proposal);
            }
            plans.push((account, plan));
        }
        Part {
            plans,
            notes,
            idle_keeps: proposer.idle_keeps(),
        }
    };
    let parts = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = others.into_iter().map(|other| match other.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        std::iter::once(own).chain(others).collect::<Vec<_>>()
    });
    joined(parts)
}

/// The parts as if one thread had made them.
fn joined<'s, N>(parts: Vec<Part<'s, N>>) -> Planning<'s, N> {
    let (mut plans, mut notes) = (Vec::new(), Vec::new());
    let mut idle_keeps: Option<Vec<&Keep>> = None;
    for part in parts {
        plans.extend(part.plans);
        notes.extend(part.notes);
        idle_keeps = Some(match idle_keeps {
            None => part.idle_keeps,
            Some(mut idle) => {
                idle.retain(|keep| part.idle_keeps.iter().any(|other| std::ptr::eq(*keep, *other)));
                idle
            }
        });
    }
    plans.sort_by_key(|(account, _)| *account);
    notes.sort_by_key(|(position, _)| *position);
    let mut plan = Plan::default();
    plans.into_iter().for_each(|(_, other)| plan.append(other));
    Planning {
        plan,
        notes: notes.into_iter().map(|(_, note)| note).collect(),
        idle_keeps: idle_keeps.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::iam::Facts;
    use crate::policy::Estate;
    use crate::policy::Evidence;
    use crate::policy::KeepList;
    use crate::policy::Mode;
    use crate::policy::TakenSnapshot;
    use crate::policy::Thresholds;
    use crate::policy::Traces;
    use crate::policy::Usage;
    use crate::policy::Window;
    use crate::policy::snapshot;
    use crate::policy::subjects;

    const ACCOUNTS: [&str; 5] = [
        "111111111111",
        "222222222222",
        "333333333333",
        "444444444444",
        "555555555555",
    ];

    /// Three roles that share a policy.
    fn taken(account: &str) -> TakenSnapshot {
        let shared = format!("arn:aws:iam::{account}:policy/shared");
        let role = |name: &str| -> Value {
            json!({
                "Path": "/", "RoleName": name, "RoleId": format!("AROA{name}{account}"),
                "Arn": format!("arn:aws:iam::{account}:role/{name}"), "CreateDate": "2026-01-01T00:00:00Z",
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
                "RolePolicyList": [], "InstanceProfileList": [],
                "AttachedManagedPolicies": [{"PolicyName": "shared", "PolicyArn": shared}],
            })
        };
        let roles = ["a", "b", "c"].map(role);
        let details = json!({
            "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles,
            "Policies": [{
                "PolicyName": "shared", "PolicyId": format!("ANPA{account}"), "Arn": shared, "Path": "/",
                "DefaultVersionId": "v1", "AttachmentCount": 3, "IsAttachable": true,
                "CreateDate": "2026-01-01T00:00:00Z", "UpdateDate": "2026-01-01T00:00:00Z",
                "PolicyVersionList": [{
                    "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2026-01-01T00:00:00Z",
                    "Document": {"Version": "2012-10-17", "Statement": [
                        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
                    ]},
                }],
            }],
        });
        TakenSnapshot {
            taken_at: 0,
            source_id: account.to_owned(),
            snapshot: snapshot::read(details.to_string().as_bytes()).unwrap(),
        }
    }

    #[test]
    fn any_number_of_threads_proposes_the_same_in_the_same_order_and_nothing_once_stopped() {
        let snapshots = ACCOUNTS.map(taken);
        let usage = Usage::without_uses(Window { since: 0, until: 1 }, BTreeMap::new());
        let estate = Estate::newest(&snapshots);
        let subjects = subjects(&usage, &estate);
        let traces = Traces::default();
        let keeps = KeepList::read(
            "[[keep]]\nprincipal = \"a\"\naction = \"s3:GetObject\"\nreason = \"used\"\nexpires = 2099-01-31\n\
             [[keep]]\nprincipal = \"nobody\"\naction = \"s3:GetObject\"\nreason = \"idle\"\nexpires = 2099-01-31\n",
        )
        .unwrap();
        let evidence = Evidence {
            usage: &usage,
            estate: &estate,
            subjects: &subjects,
            traces: &traces,
            thresholds: Thresholds::DEFAULT,
        };
        let proposer = || Proposer::new(Facts::embedded(), evidence, Mode::Trim).keeping(&keeps, 0);
        let told = |threads: usize| {
            let note = |proposal: &Proposal<'_>| format!("{} {:?}", proposal.subject.key.arn, proposal.notes);
            let threads = NonZeroUsize::new(threads).unwrap();
            let planning = plan_for(&subjects, threads, &AtomicBool::new(false), proposer, note);
            let idle: Vec<usize> = planning.idle_keeps.iter().map(|keep| keep.number).collect();
            format!("{idle:?}\n{:?}\n{}", planning.plan, planning.notes.join("\n"))
        };
        let one = told(1);
        for account in ACCOUNTS {
            assert!(one.contains(&format!("{account}:policy/shared")), "{one}");
        }
        assert_eq!(one.matches("is shared").count(), 2 * ACCOUNTS.len(), "{one}");
        assert!(one.starts_with("[2]"), "{one}");
        assert_eq!(one, told(3));
        assert_eq!(one, told(16));
        let stopped = AtomicBool::new(true);
        assert!(
            plan_for(&subjects, NonZeroUsize::MIN, &stopped, proposer, |_| ())
                .notes
                .is_empty()
        );
    }
}
