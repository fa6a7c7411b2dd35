use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::*;

use crate::policy::Activity;
use crate::policy::Deed;
use crate::policy::HighRisk;
use crate::policy::PrincipalKey;
use crate::policy::SecretUse;
use crate::policy::ServiceTally;
use crate::policy::SessionName;
use crate::policy::SessionNames;
use crate::policy::Thresholds;
use crate::policy::Window;
use crate::report::DiffFrame;

const HOSTILE: &str = "</summary><script>alert(1)</script>\"'\u{202e}=1+1";

/// An entry in which every text is chosen by an attacker.
fn hostile(owner: Option<&str>, change: ProposedChange) -> ReviewEntry {
    ReviewEntry {
        key: PrincipalKey {
            arn: format!("arn:aws:iam::111122223333:role/{HOSTILE}"),
            unique_id: Some(HOSTILE.to_owned()),
        },
        kind: "role",
        owner: owner.map(|owner| (owner.to_owned(), HOSTILE.to_owned())),
        created_at: Some(0),
        snapshot_time: Some(0),
        coverage: Some(0.5),
        seen: Some((0, 1)),
        activity: Activity::Active,
        counts: ReviewCounts {
            granted: 3,
            used: 1,
            removable: 2,
            ..ReviewCounts::default()
        },
        services: vec![ServiceTally {
            service: HOSTILE.to_owned(),
            used: 1,
            removable: 2,
            ..ServiceTally::default()
        }],
        high_risk: vec![HighRisk {
            action: HOSTILE.to_owned(),
            harms: vec!["PrivEsc"],
            verdict: "unused",
        }],
        deeds: vec![Deed {
            action: HOSTILE.to_owned(),
            uses: 1,
            denied: 1,
            last_seen: Some(1),
            regions: BTreeSet::from([HOSTILE.to_owned()]),
            is_granted: false,
        }],
        regions: BTreeSet::from([HOSTILE.to_owned()]),
        secrets: BTreeMap::from([(HOSTILE.to_owned(), SecretUse { reads: 1, refused: 1 })]),
        weeks: vec![(20_696, 3)],
        callers: BTreeMap::new(),
        sessions: SessionNames {
            newest: vec![SessionName {
                name: HOSTILE.to_owned(),
                calls: 1,
                last_seen: Some(1),
            }],
            count: 1,
        },
        change,
        permissions: 2,
        reasons: vec![HOSTILE.to_owned()],
        decision: None,
        is_decision_expired: false,
    }
}

fn report<'a>(entries: &'a [ReviewEntry], owner_tags: &'a [String]) -> ReviewReport<'a> {
    ReviewReport {
        entries,
        frame: DiffFrame {
            window: Window {
                since: 0,
                until: 86_400_000_000,
            },
            facts_date: "2026-09-01",
            source: None,
        },
        thresholds: Thresholds::DEFAULT,
        owner_tags,
        expired_before: None,
    }
}

#[test]
fn owners_have_sections_and_what_changes_most_comes_first() {
    let entries = [
        hostile(None, ProposedChange::Remove),
        hostile(Some("shop"), ProposedChange::Keep),
        hostile(Some("shop"), ProposedChange::Trim),
        hostile(Some("data"), ProposedChange::Keep),
    ];
    let sections = sections(&entries);
    let titles: Vec<(&str, usize)> = sections
        .iter()
        .map(|it| (it.title.as_str(), it.entries.len()))
        .collect();
    assert_eq!(titles, [("data", 1), ("shop", 2), ("No owner", 1)]);
    let page = review_page(report(&entries, &[])).unwrap();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(place("<h2>data</h2>") < place("<h2>shop</h2>") && place("<h2>shop</h2>") < place("<h2>No owner</h2>"));
    let ownerless = review_page(report(&entries[..1], &[])).unwrap();
    assert!(ownerless.contains("<h2>Users and roles</h2>") && !ownerless.contains("No owner"));
}

#[test]
fn page_says_for_how_many_what_is_proposed() {
    let entries = [
        hostile(None, ProposedChange::Remove),
        hostile(None, ProposedChange::Keep),
    ];
    let page = review_page(report(&entries, &[])).unwrap();
    for text in [
        "What 2 users and roles may do",
        "(1 day)",
        "<b>1</b>to remove, with 2 permissions",
        "shorter than the 30 days",
        "calls per week, 2026-08-31 to 2026-08-31: 6 in all, 6 in the busiest",
        "50\u{a0}% of the hours",
        "once, refused once",
        "not by a policy of its own",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
fn page_says_that_events_of_its_window_have_expired() {
    let entries = [hostile(None, ProposedChange::Keep)];
    let page = |expired_before| {
        let report = ReviewReport {
            expired_before,
            ..report(&entries, &[])
        };
        review_page(report).unwrap()
    };
    let line = "The events from before 1970-01-01T12:00:00Z have expired.";
    assert!(page(Some(43_200_000_000)).contains(line));
    assert!(!page(None).contains("have expired"));
}
