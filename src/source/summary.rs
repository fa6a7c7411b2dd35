//! What the keys below a source say about the trail that wrote them.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Listing;

/// Organizations, accounts, regions and days of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSummary {
    /// Ids of organizations.
    pub organizations: BTreeSet<String>,
    /// Ids of accounts.
    pub accounts: BTreeSet<String>,
    /// Regions.
    pub regions: BTreeSet<String>,
    /// First day of delivery that was seen.
    pub first_day: Option<Date>,
    /// Last day of delivery that was seen.
    pub last_day: Option<Date>,
    /// Folders of one account, kind and region each, in a bucket.
    pub folders: usize,
    /// Of these, the ones whose days were looked at.
    pub folders_looked_at: usize,
    /// Folders of others.
    pub passed_over: Vec<String>,
    /// What could not be listed or searched in a bucket, and why.
    pub unlisted: Vec<(String, String)>,
}

impl SourceSummary {
    /// The summary of what a folder holds.
    pub fn of_listing(listing: &Listing) -> Self {
        let mut summary = Self::default();
        for object in &listing.objects {
            summary.add_path(&object.uri);
            if let Some(key) = &object.key {
                summary.accounts.insert(key.account_id.to_string());
                summary.regions.insert(key.region.to_string());
                summary.add_day(key.day);
            }
        }
        summary
    }

    /// Takes in the folders of one key.
    pub(super) fn add_path(&mut self, path: &str) {
        let mut parts = path.split('/').skip_while(|part| *part != "AWSLogs").skip(1);
        let organization = parts.next().filter(|part| part.starts_with("o-"));
        self.organizations.extend(organization.map(str::to_owned));
    }

    pub(super) fn add_day(&mut self, day: Date) {
        self.first_day = Some(self.first_day.map_or(day, |first| first.min(day)));
        self.last_day = Some(self.last_day.map_or(day, |last| last.max(day)));
    }
}
