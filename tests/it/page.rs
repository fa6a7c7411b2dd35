//! The page about granted and used: hostile names stay text, and it says what it rests on.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use trimtrail::iam::Facts;
use trimtrail::policy::AccountLog;
use trimtrail::policy::ActionUse;
use trimtrail::policy::Differ;
use trimtrail::policy::Estate;
use trimtrail::policy::GrantChanges;
use trimtrail::policy::KeepList;
use trimtrail::policy::PrincipalKey;
use trimtrail::policy::PrincipalUse;
use trimtrail::policy::Thresholds;
use trimtrail::policy::Totals;
use trimtrail::policy::Trails;
use trimtrail::policy::Usage;
use trimtrail::policy::Window;
use trimtrail::policy::subjects;
use trimtrail::report::DiffFrame;
use trimtrail::report::Page;
use trimtrail::report::PageFrame;

use crate::support::page::assert_loads_nothing;

const HOSTILE: &str = "</summary><script>alert(1)</script>\"'\u{202e}x";

/// A page about one principal that did something in an account without a snapshot.
fn page(keeps: &str) -> String {
    let action_use = ActionUse {
        used: 3,
        ..ActionUse::default()
    };
    let deeds = PrincipalUse {
        first_seen: Some(1),
        last_seen: Some(2),
        actions: BTreeMap::from([(HOSTILE.to_owned(), action_use)]),
        ..PrincipalUse::default()
    };
    let key = PrincipalKey {
        arn: format!("arn:aws:iam::111122223333:role/{HOSTILE}"),
        unique_id: None,
    };
    let log = AccountLog {
        days: BTreeSet::from([0]),
        ..AccountLog::default()
    };
    let usage = Usage {
        logs_until: 86_400_000_000,
        window: Window {
            since: 0,
            until: 86_400_000_000,
        },
        principals: BTreeMap::from([(key, deeds)]),
        accounts: BTreeMap::from([("111122223333".to_owned(), log)]),
        trails: Trails::default(),
        changes: GrantChanges::default(),
    };
    let thresholds = Thresholds {
        min_coverage: 0.95,
        min_window_days: 30,
    };
    let estate = Estate::newest(&[]);
    let subjects = subjects(&usage, &estate);
    let mut differ = Differ::new(Facts::embedded(), &usage, &estate, thresholds);
    let keeps = KeepList::read(keeps).unwrap();
    let mut page = Page::new(PageFrame {
        frame: DiffFrame {
            window: usage.window,
            facts_date: "2026-09-01",
            source: None,
        },
        thresholds,
        keeps: &keeps,
        now: 86_400_000_000,
    });
    let mut totals = Totals::default();
    for subject in &subjects {
        let diff = differ.diff(subject);
        totals.add(&diff);
        page.add(&diff);
    }
    assert_eq!(totals.principals, 1);
    page.render(&totals).unwrap()
}

#[test]
fn hostile_names_are_text_and_the_page_may_load_and_run_nothing() {
    let page = page("");
    assert_loads_nothing(&page, 0);
    assert_eq!(page.matches("</summary>").count(), 1);
    assert!(page.contains("&lt;&#x2f;summary&gt;&lt;script&gt;alert(1)") && page.contains("\\u{202e}x"));
}

#[test]
fn page_says_what_it_rests_on() {
    let page = page("");
    for text in [
        "from <b>1970-01-01T00:00:00Z</b> to <b>1970-01-02T00:00:00Z</b> (1 days)",
        "shorter than the 30 days",
        "Facts about AWS of 2026-09-01",
        "cover 95\u{a0}%",
        "there is no IAM snapshot of the account",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Kept on purpose"));
}

#[test]
fn entries_of_the_allow_list_are_shown_with_their_state() {
    let entry = |reason: &str, expires: &str| {
        format!(
            "[[keep]]\nprincipal = '*'\naction = 's3:*'\nreason = '{reason}'\nexpires = {expires}\nowner = 'data'\n"
        )
    };
    let page = page(&(entry("<b>yearly</b>", "2027-01-31") + &entry("old", "1970-01-01")));
    assert!(
        page.contains("&lt;b&gt;yearly&lt;&#x2f;b&gt;</td><td>data</td><td>2027-01-31</td><td></td>"),
        "{page}"
    );
    assert!(page.contains("<td class=\"harm\">expired: does not count</td>"));
}
