//! The page of an access review: whoever chose the names in it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use trimtrail::policy::Activity;
use trimtrail::policy::Caller;
use trimtrail::policy::CallerKind;
use trimtrail::policy::CallerUse;
use trimtrail::policy::Deed;
use trimtrail::policy::HighRisk;
use trimtrail::policy::KeepList;
use trimtrail::policy::PrincipalKey;
use trimtrail::policy::ProposedChange;
use trimtrail::policy::ReviewCounts;
use trimtrail::policy::ReviewEntry;
use trimtrail::policy::SecretUse;
use trimtrail::policy::ServiceTally;
use trimtrail::policy::SessionName;
use trimtrail::policy::SessionNames;
use trimtrail::policy::Thresholds;
use trimtrail::policy::Window;
use trimtrail::report::DiffFrame;
use trimtrail::report::ReviewReport;
use trimtrail::report::review_page;

use crate::support::page::assert_loads_nothing;

const HOSTILE: &str = "</summary><script>alert(1)</script><img/src=x/onerror=alert(2)>\"'\u{202e}x";

/// Those who came, one of each kind that has a name of its own.
fn callers() -> BTreeMap<Caller, CallerUse> {
    let kinds = [CallerKind::Role, CallerKind::GithubActions, CallerKind::IdentityCenter];
    let callers = kinds.map(|kind| {
        let caller = Caller {
            kind,
            name: HOSTILE.to_owned(),
            provider: Some(HOSTILE.to_owned()),
            account_id: Some(HOSTILE.to_owned()),
        };
        (caller, CallerUse::default())
    });
    callers.into()
}

/// An entry in which every text is chosen by an attacker, also what was decided.
fn hostile() -> ReviewEntry {
    let text = || HOSTILE.to_owned();
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let list = format!(
        "[[review]]\nprincipal = \"arn:aws:iam::111122223333:role/r\"\ndecision = \"trim\"\nreviewer = {quoted}\n\
         date = 2026-09-01\nreason = {quoted}\nexpires = 2999-01-01\n"
    );
    let decision = KeepList::read(&list).unwrap().decisions()[0].clone();
    ReviewEntry {
        key: PrincipalKey {
            arn: format!("arn:aws:iam::111122223333:role/{HOSTILE}"),
            unique_id: Some(text()),
        },
        kind: "role",
        owner: Some((text(), text())),
        created_at: Some(0),
        snapshot_time: Some(0),
        coverage: Some(0.5),
        seen: Some((0, 1)),
        activity: Activity::Active,
        counts: ReviewCounts {
            granted: 3,
            removable: 2,
            ..ReviewCounts::default()
        },
        services: vec![ServiceTally {
            service: text(),
            removable: 2,
            ..ServiceTally::default()
        }],
        high_risk: vec![HighRisk {
            action: text(),
            harms: vec!["PrivEsc"],
            verdict: "unused",
        }],
        deeds: vec![Deed {
            action: text(),
            uses: 1,
            denied: 1,
            last_seen: Some(1),
            regions: BTreeSet::from([text()]),
            is_granted: false,
        }],
        regions: BTreeSet::from([text()]),
        secrets: BTreeMap::from([(text(), SecretUse { reads: 1, refused: 1 })]),
        weeks: vec![(20_696, 3)],
        callers: callers(),
        sessions: SessionNames {
            newest: vec![SessionName {
                name: text(),
                calls: 1,
                last_seen: Some(1),
            }],
            count: 1,
        },
        change: ProposedChange::Trim,
        permissions: 2,
        reasons: vec![text()],
        decision: Some(decision),
        is_decision_expired: false,
    }
}

#[test]
fn hostile_names_are_text_and_the_page_may_load_and_run_nothing() {
    let (entries, tags) = ([hostile()], [HOSTILE.to_owned()]);
    let page = review_page(ReviewReport {
        entries: &entries,
        frame: DiffFrame {
            window: Window {
                since: 0,
                until: 86_400_000_000,
            },
            facts_date: HOSTILE,
            source: None,
        },
        thresholds: Thresholds::DEFAULT,
        owner_tags: &tags,
        expired_before: Some(1),
    })
    .unwrap();
    let shown = page.matches("&lt;&#x2f;summary&gt;&lt;script&gt;alert(1)").count();
    // Name, owner and tag, ids, service, actions, regions, secret, three callers, session, reason and decision.
    assert!(shown >= 14, "{shown}: {page}");
    assert!(page.contains("Who came") && page.contains("<b>Decided:</b>"), "{page}");
    assert_eq!(page.matches("</summary>").count(), 1);
    assert_loads_nothing(&page, 0);
    assert!(page.contains("\\u{202e}x"));
}
