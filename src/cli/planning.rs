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
