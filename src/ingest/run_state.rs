//! What a run knows beside its balance.

use std::sync::Mutex;

use super::balance::Balance;
use super::batch::lock;
use super::refusals::Refusals;
use super::undealt::Undealt;
use crate::source::Lister;

/// What a run carries from part to part.
#[derive(Debug)]
pub(super) struct RunState<'b> {
    pub(super) balance: &'b mut Balance,
    /// Objects of other shards.
    pub(super) undealt: Undealt,
    /// Whether a batch was left to another process to commit.
    pub(super) has_deposited: bool,
    pub(super) refusals: Mutex<Refusals>,
}

impl<'b> RunState<'b> {
    pub(super) fn new(balance: &'b mut Balance) -> Self {
        Self {
            balance,
            undealt: Undealt::default(),
            has_deposited: false,
            refusals: Mutex::default(),
        }
    }

    /// Lists no more of a bucket of which nothing can be read.
    pub(super) fn end_hopeless(&mut self, lister: &mut Lister) {
        let refusals = lock(&self.refusals);
        if let Some((bucket, reason)) = refusals.hopeless_bucket() {
            let ended = lister.end_hopeless(bucket, |folder| refusals.is_refused(folder));
            self.balance.unlisted.extend(ended.map(|uri| (uri, reason)));
        }
    }

    /// Tells of the folders that were passed over.
    pub(super) fn tell_of_refusals(&mut self) {
        let told = lock(&self.refusals).told();
        self.balance.unlisted.extend(told);
    }
}
