//! Operations that were asked for, kept for the calls to come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use super::plan::KnownOperation;

/// Logs may name as many operations as somebody likes, so that not all are kept; AWS has fewer that are in use at one place.
const MOST_OPERATIONS: usize = 4096;

/// What is known of operations, by event source and name.
#[derive(Debug, Default)]
pub(super) struct Operations {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_source: BTreeMap<String, BTreeMap<String, Arc<KnownOperation>>>,
    count: usize,
}

impl Operations {
    /// What is known of an operation, from `ask` if nobody has asked before.
    pub(super) fn get(
        &self,
        event_source: &str,
        event_name: &str,
        ask: impl FnOnce() -> KnownOperation,
    ) -> Arc<KnownOperation> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let names = kept.by_source.get(event_source);
        if let Some(operation) = names.and_then(|names| names.get(event_name)) {
            return Arc::clone(operation);
        }
        drop(kept);
        let operation = Arc::new(ask());
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.count < MOST_OPERATIONS {
            let names = kept.by_source.entry(event_source.to_owned()).or_default();
            let before = names.insert(event_name.to_owned(), Arc::clone(&operation));
            kept.count += usize::from(before.is_none());
        }
        operation
    }
}
