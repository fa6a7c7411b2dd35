//! Accounts and regions that a run is to read, and that nothing was met of.

use std::collections::BTreeSet;

use super::Listing;
use super::LogKey;
use super::Selection;

const NO_OBJECT: &str = "matches no object; check it, or leave it out";

/// Chosen accounts and regions of which no object and no folder was met yet: more likely a slip than a wish.
#[derive(Debug, Default)]
pub(super) struct Unmet {
    accounts: BTreeSet<String>,
    regions: BTreeSet<String>,
}

impl Unmet {
    /// All that is chosen.
    pub(super) fn of(selection: &Selection) -> Self {
        Self {
            accounts: selection.accounts.iter().cloned().collect(),
            regions: selection.regions.iter().cloned().collect(),
        }
    }

    /// Takes note of an object, wanted or not.
    pub(super) fn meet(&mut self, key: Option<&LogKey>) {
        if let Some(key) = key.filter(|_| !self.is_empty()) {
            self.accounts.remove(&*key.account_id);
            self.regions.remove(&*key.region);
        }
    }

    /// Takes note of the objects of a listing.
    pub(super) fn meet_all(&mut self, listing: &Listing) {
        if !self.is_empty() {
            listing.objects.iter().for_each(|object| self.meet(object.key.as_ref()));
        }
    }

    /// Takes note of folders of accounts and regions.
    pub(super) fn meet_folders(&mut self, names: &BTreeSet<String>) {
        self.accounts.retain(|account| !names.contains(account));
        self.regions.retain(|region| !names.contains(region));
    }

    /// Names what is left, once; `None` when nothing is.
    pub(super) fn take(&mut self) -> Option<Listing> {
        let of = |option: &'static str| move |value: String| (format!("{option} {value}"), NO_OBJECT.to_owned());
        let accounts = std::mem::take(&mut self.accounts).into_iter().map(of("--account"));
        let regions = std::mem::take(&mut self.regions).into_iter().map(of("--region"));
        let unlisted: Vec<(String, String)> = accounts.chain(regions).collect();
        (!unlisted.is_empty()).then(|| Listing {
            unlisted,
            ..Listing::default()
        })
    }

    fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.regions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_neither_an_object_nor_a_folder_is_of_is_named_once() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let mut unmet = Unmet::of(&Selection {
            accounts: texts(&["111122223333", "444455556666", "777788889999"]),
            regions: texts(&["eu-west-1", "us-east-1"]),
            ..Selection::default()
        });
        let name = "111122223333_CloudTrail_eu-west-1_20260901T1000Z_0123456789abcdef.json";
        unmet.meet(LogKey::parse(name).as_ref());
        unmet.meet_folders(&BTreeSet::from(["444455556666".to_owned(), "CloudTrail".to_owned()]));
        let unlisted = unmet.take().unwrap().unlisted;
        let named: Vec<&str> = unlisted.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(named, ["--account 777788889999", "--region us-east-1"]);
        assert!(unmet.take().is_none());
    }
}
