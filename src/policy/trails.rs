//! What trails are told to record: event selectors, instead of what the logs let one guess.
//!
//! Only what a trail records for certain makes the lack of an event a proof. A selector that asks for more than this
//! program understands therefore proves nothing.

mod covered;
mod read;
mod selector;

pub use read::TrailsError;
pub use selector::Selector;

use covered::Covered;

use crate::iam::document::Scope;
use crate::iam::document::Statement;

/// The trails that the user told of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trails {
    trails: Vec<Trail>,
}

/// One trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// Its ARN.
    pub arn: String,
    /// The account that owns it.
    pub account_id: String,
    /// Its home region.
    pub region: String,
    /// Whether it records every account of the organization; `None` if not told.
    pub is_organization: Option<bool>,
    /// Whether it records every region; `None` if not told.
    pub is_multi_region: Option<bool>,
    /// What it records.
    pub selectors: Vec<Selector>,
}

/// What trails say about a kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// No trail for the account and region is told of.
    Nothing,
    /// They record every such event.
    Recorded,
    /// They record every such event, if they are about this account and region, which is not told.
    PerhapsRecorded,
    /// They do not, or not every one.
    NotRecorded,
}

/// A call that would leave an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    /// Account whose trail it is.
    pub(super) account_id: &'w str,
    /// Whether the event only reads.
    pub(super) is_read: bool,
}

impl Trails {
    /// Whether no trail is told of.
    pub fn is_empty(&self) -> bool {
        self.trails.is_empty()
    }

    /// The trails in the order of their ARNs.
    pub fn all(&self) -> &[Trail] {
        &self.trails
    }

    /// Whether a trail is known to record every region of an account.
    pub(super) fn records_all_regions(&self, account_id: &str) -> bool {
        self.trails.iter().any(|trail| {
            let is_of_account = trail.account_id == account_id || trail.is_organization == Some(true);
            is_of_account && trail.is_multi_region == Some(true)
        })
    }

    /// Whether every management event of a source is recorded in a region.
    pub(super) fn management(&self, wanted: Wanted<'_>, region: &str, source: Option<&str>) -> Told {
        self.told(wanted.account_id, region, |selector| {
            selector.records_management(wanted.is_read, source)
        })
    }

    /// Whether every data event of these types is recorded in a region, for the resources of a statement. A use may be
    /// recorded under any of the types.
    pub(super) fn data(
        &self,
        wanted: Wanted<'_>,
        region: &str,
        resource_types: &[&str],
        statement: &Statement,
    ) -> Told {
        // Each resource, and each type, may be recorded by another selector.
        let patterns: Vec<Option<&str>> = match &statement.resources {
            Some(Scope::Only(patterns)) => patterns.texts().map(Some).collect(),
            _ => vec![None],
        };
        let pairs = patterns
            .iter()
            .flat_map(|pattern| resource_types.iter().map(move |name| (*pattern, *name)));
        let told = pairs.map(|(pattern, name)| {
            self.told(wanted.account_id, region, |selector| {
                selector.records_data(wanted.is_read, name, Covered::of(pattern))
            })
        });
        told.max_by_key(|told| told.weakness()).unwrap_or(Told::NotRecorded)
    }

    fn told(&self, account_id: &str, region: &str, records: impl Fn(&Selector) -> bool) -> Told {
        let (mut sure, mut perhaps) = (Vec::new(), Vec::new());
        for trail in &self.trails {
            match trail.is_about(account_id, region) {
                Some(true) => sure.push(trail),
                None => perhaps.push(trail),
                Some(false) => {}
            }
        }
        let one_records = |trails: &[&Trail]| trails.iter().any(|trail| trail.selectors.iter().any(&records));
        match (sure.is_empty(), perhaps.is_empty()) {
            (true, true) => Told::Nothing,
            (false, _) if one_records(&sure) => Told::Recorded,
            (_, false) if one_records(&perhaps) => Told::PerhapsRecorded,
            _ => Told::NotRecorded,
        }
    }
}

impl Told {
    /// The weakest of several answers counts.
    fn weakness(self) -> u8 {
        match self {
            Self::Recorded => 0,
            Self::PerhapsRecorded => 1,
            Self::Nothing => 2,
            Self::NotRecorded => 3,
        }
    }
}

impl Trail {
    /// Whether it records an account in a region; `None` if not told.
    fn is_about(&self, account_id: &str, region: &str) -> Option<bool> {
        let of_account = match self.account_id == account_id {
            true => Some(true),
            false => self.is_organization,
        };
        let of_region = match self.region == region {
            true => Some(true),
            false => self.is_multi_region,
        };
        match (of_account, of_region) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
