//! What the ledger must not claim, because other workers have their objects still before them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::source::ObjectRef;

/// First day of every region folder with an object of another share that no run has dealt with.
///
/// `listed_from` in the ledger says that everything in a folder up to the object's day has been dealt with. A worker that
/// takes only its share of the objects cannot say so of the others, except for those that the ledger has already. Shares
/// come out even a run later: then the ledger has what the others have done meanwhile.
#[derive(Debug, Default)]
pub(super) struct Undealt {
    first_days: BTreeMap<String, Date>,
}

impl Undealt {
    /// Takes note of an object that is left to others.
    pub(super) fn add(&mut self, object: &ObjectRef) {
        let Some((folder, day)) = object.region_folder() else {
            return;
        };
        match self.first_days.get_mut(folder) {
            Some(first) => *first = day.min(*first),
            None => drop(self.first_days.insert(folder.to_owned(), day)),
        }
    }

    /// Takes back what the listing says of the days before an object, where it is not proven.
    ///
    /// The day itself need not be complete: the next run lists it again.
    pub(super) fn limit(&self, object: &mut ObjectRef) {
        let is_unproven = object
            .region_folder()
            .is_some_and(|(folder, day)| self.first_days.get(folder).is_some_and(|first| *first < day));
        if is_unproven {
            object.listed_from = None;
        }
    }
}
