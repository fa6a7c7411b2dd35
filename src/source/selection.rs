//! Which of the listed objects are wanted.

use jiff::ToSpan;
use jiff::civil::Date;

use super::LogKey;

/// A choice by what keys say; empty fields choose everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// First day of events, UTC.
    pub first_day: Option<Date>,
    /// Last day of events, UTC, inclusive.
    pub last_day: Option<Date>,
    /// Account ids.
    pub accounts: Vec<String>,
    /// Regions of delivery.
    pub regions: Vec<String>,
}

impl Selection {
    /// Whether an object can hold wanted events.
    ///
    /// Keys name the day of delivery, which may differ from the day of the events, so a day on either side belongs to the
    /// window. An object whose name follows no grammar belongs to every window, and to no choice of accounts or regions.
    pub fn includes(&self, key: Option<&LogKey>) -> bool {
        let Some(key) = key else {
            return !self.needs_names();
        };
        let day_before = |day: Date| day.checked_sub(1.day()).unwrap_or(day);
        let day_after = |day: Date| day.checked_add(1.day()).unwrap_or(day);
        let in_time = self.first_day.is_none_or(|first| key.day >= day_before(first))
            && self.last_day.is_none_or(|last| key.day <= day_after(last));
        let in_accounts = self.accounts.is_empty() || self.accounts.iter().any(|account| **account == *key.account_id);
        let in_regions = self.regions.is_empty() || self.regions.iter().any(|region| **region == *key.region);
        in_time && in_accounts && in_regions
    }

    /// The same choice of accounts and regions on any day.
    #[must_use]
    pub fn of_any_day(&self) -> Self {
        Self {
            first_day: None,
            last_day: None,
            ..self.clone()
        }
    }

    /// The last day of delivery of which objects are read: what is delivered later than a day after its event is not.
    pub fn last_delivery_day(&self) -> Option<Date> {
        self.last_day.map(|day| day.checked_add(1.day()).unwrap_or(day))
    }

    /// Whether the names of objects must say where they are from.
    pub fn needs_names(&self) -> bool {
        !(self.accounts.is_empty() && self.regions.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_is_a_day_wider_than_asked_on_both_sides() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let selection = Selection {
            first_day: Some(day("2026-09-02")),
            last_day: Some(day("2026-09-03")),
            ..Selection::default()
        };
        let key = |day| LogKey {
            account_id: "111122223333".into(),
            region: "eu-west-1".into(),
            day,
            time: None,
        };
        let included: Vec<bool> = (31..=31)
            .map(|d| key(jiff::civil::date(2026, 8, d)))
            .chain((1..=5).map(|d| key(jiff::civil::date(2026, 9, d))))
            .map(|key| selection.includes(Some(&key)))
            .collect();
        assert_eq!(included, [false, true, true, true, true, false]);
        assert!(selection.includes(None));
    }

    #[test]
    fn object_whose_name_says_nothing_is_in_no_choice_of_accounts_and_regions() {
        let of_region = Selection {
            regions: vec!["eu-west-1".to_owned()],
            ..Selection::default()
        };
        let of_account = Selection {
            accounts: vec!["111122223333".to_owned()],
            ..Selection::default()
        };
        assert!(!of_region.includes(None) && !of_account.includes(None));
    }
}
