use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::*;

use crate::policy::KeepList;

const ARN: &str = "arn:aws:iam::111122223333:role/ci/deploy";
const HEADER: &str = "principal_arn,principal_id,granted,decision,reviewer,date,reason,expires\n";

fn key(arn: &str, id: Option<&str>) -> PrincipalKey {
    PrincipalKey {
        arn: arn.to_owned(),
        unique_id: id.map(str::to_owned),
    }
}

fn read(text: &str) -> Result<(Vec<Decision>, usize), String> {
    let again = "arn:aws:iam::111122223333:role/again";
    let known = BTreeSet::from([
        key(ARN, Some("AROA1")),
        // The logs know the one that was there before.
        key(ARN, Some("AROA0")),
        key(again, Some("AROA2")),
        key(again, Some("AROA3")),
        key("arn:aws:iam::111122223333:role/*", None),
    ]);
    let present = BTreeMap::from([(ARN.to_owned(), "AROA1".to_owned())]);
    let sheet = DecisionSheet {
        known: &known,
        present: &present,
        now: first_moment_of_day("2026-10-05").unwrap(),
        valid_days: 92,
    };
    sheet.read(text).map_err(|error| error.to_string())
}

#[test]
fn filled_rows_are_decisions_and_empty_ones_are_counted() {
    let rows = format!("{HEADER}{ARN},AROA1,7,Keep,ann,2026-10-02,\"needed, yearly\",\n{ARN},,7,,,,,\n");
    let (decisions, undecided) = read(&rows).unwrap();
    let [decision] = decisions.as_slice() else {
        panic!("{decisions:?}")
    };
    assert_eq!((decision.kind, undecided), (DecisionKind::Keep, 1));
    assert_eq!(
        (decision.expires.as_str(), decision.reason.as_str()),
        ("2027-01-02", "needed, yearly")
    );
    assert_eq!(decision.unique_id.as_deref(), Some("AROA1"));
}

#[test]
fn what_spreadsheets_make_of_the_file_is_read() {
    let rows = format!("\u{feff}{HEADER}{ARN},AROA1,7,trim,ann,2026-10-02,,2026-12-31\r\n,,,,,,,\r\n");
    let (with_commas, _) = read(&rows).unwrap();
    assert_eq!(
        (with_commas[0].kind, with_commas[0].expires.as_str()),
        (DecisionKind::Trim, "2026-12-31")
    );
    assert_eq!(with_commas[0].unique_id.as_deref(), Some("AROA1"));
    assert_eq!(read(&rows.replace(',', ";")).unwrap().0, with_commas);
}

#[test]
fn everything_that_is_wrong_is_named_with_its_line() {
    let row = |cells: &str| format!("{HEADER}{ARN},,7,,,,,\n{ARN},{cells}\n");
    for (text, message) in [
        (row("AROA1,7,maybe,ann,2026-10-02,x,"), "line 3: `maybe` is no decision"),
        (
            row("AROA1,7,trim,,2026-10-02,x,"),
            "line 3: the decision `trim` has no `reviewer`",
        ),
        (row("AROA1,7,trim,ann,,x,"), "line 3: the decision `trim` has no `date`"),
        (
            row("AROA1,7,keep,ann,2026-10-02,,"),
            "line 3: the decision `keep` has no `reason`",
        ),
        (row("AROA1,7,trim,ann,02.10.2026,x,"), "line 3: `02.10.2026` is no day"),
        (
            row("AROA1,7,trim,ann,2026-10-06,x,"),
            "line 3: `2026-10-06` has not come yet",
        ),
        (
            row("AROA1,7,trim,ann,2026-10-02,x,2026-10-01"),
            "line 3: it expires on 2026-10-01, before",
        ),
        (
            row("AROA9,7,trim,ann,2026-10-02,x,"),
            "line 3: `arn:aws:iam::111122223333:role/ci/deploy` does not have the id `AROA9`",
        ),
        (
            row("AROA0,7,keep,ann,2026-10-02,x,"),
            "line 3: `arn:aws:iam::111122223333:role/ci/deploy` does not have the id `AROA0` in the newest IAM snapshot",
        ),
        (row("AROA1,7,,ann,,,"), "line 3: there is a `reviewer` and no decision"),
        (row("AROA1,7,trim,ann"), "line 3: there are 5 cells and 8 columns"),
        (
            format!("{HEADER}arn:aws:iam::111122223333:role/none,,7,trim,ann,2026-10-02,,\n"),
            "line 2: `arn:aws:iam::111122223333:role/none` is no user or role of",
        ),
        (
            format!("{HEADER}arn:aws:iam::111122223333:role/*,,7,trim,ann,2026-10-02,,\n"),
            "line 2: `arn:aws:iam::111122223333:role/*` is no user or role of",
        ),
        (
            format!("{HEADER}arn:aws:iam::111122223333:role/again,,7,trim,ann,2026-10-02,,\n"),
            "line 2: there were several",
        ),
        (
            format!("{HEADER}{ARN},AROA1,7,trim,ann,2026-10-02,,\n{ARN},AROA1,7,keep,bob,2026-10-02,y,\n"),
            "line 3: `arn:aws:iam::111122223333:role/ci/deploy` stands on line 2, too",
        ),
        (
            HEADER.replace("reviewer", "who"),
            "one column `reviewer`, and there are 0",
        ),
        (HEADER.replace("granted", "date"), "one column `date`, and there are 2"),
        (String::new(), "one column `principal_arn`, and there are 0"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.contains(message), "{error}, not {message}");
    }
}

fn decision(arn: &str, kind: DecisionKind, reason: &str) -> Decision {
    Decision {
        principal_arn: arn.to_owned(),
        unique_id: None,
        kind,
        reviewer: "ann@example.com".to_owned(),
        date: "2026-10-02".to_owned(),
        reason: reason.to_owned(),
        expires: "2027-01-02".to_owned(),
        expires_at: first_moment_of_day("2027-01-03").unwrap(),
    }
}

#[test]
fn list_keeps_what_people_wrote_and_has_one_decision_for_each_principal() {
    let own = "# by hand\n[[keep]]\nprincipal = 'x'   # yearly\naction = '*'\nreason = 'y'\nexpires = 2027-01-31\n";
    let first = [
        decision("arn:b", DecisionKind::Remove, ""),
        decision("arn:a", DecisionKind::Keep, "yearly"),
    ];
    let text = with_decisions(own, &[], &first);
    assert!(text.starts_with(own) && misplaced(&text) == Ok(None), "{text}");
    let list = KeepList::read(&text).unwrap();
    assert_eq!(list.decisions(), [first[1].clone(), first[0].clone()]);
    let second = [decision("arn:a", DecisionKind::Trim, "no longer")];
    let text = with_decisions(&text, list.decisions(), &second);
    let list = KeepList::read(&text).unwrap();
    assert_eq!(list.decisions(), [second[0].clone(), first[0].clone()]);
    assert_eq!(with_decisions(&text, list.decisions(), &[]), text);
}

#[test]
fn what_an_import_would_double_or_drop_is_found_however_it_is_written() {
    let keep = "[[keep]]\nprincipal = 'x'\naction = '*'\nreason = 'y'\nexpires = 2027-01-31\n";
    let inline = "principal = 'x', decision = 'trim', reviewer = 'ann', date = 2026-10-02, expires = 2027-01-02";
    let table = inline.replace(", ", "\n");
    for own in [
        format!("[[review]]\n{table}\n"),
        format!("[[ review ]]\n{table}\n"),
        format!("review = [{{ {inline} }}]\n"),
    ] {
        assert_eq!(misplaced(&own), Ok(Some(Misplaced::DecisionAbove)), "{own}");
        assert_eq!(misplaced(&format!("{MARK}\n{own}")), Ok(None), "{own}");
    }
    let written = with_decisions(keep, &[], &[decision("arn:a", DecisionKind::Keep, "yearly")]);
    assert_eq!(misplaced(&written), Ok(None));
    assert_eq!(misplaced(&(written + keep)), Ok(Some(Misplaced::EntryBelow)));
    // The line counts where it begins one, and not within a text.
    let quoted = keep.replace("'y'", &format!("'about {MARK}'"));
    assert_eq!(misplaced(&quoted), Ok(None));
    assert!(with_decisions(&quoted, &[], &[]).starts_with(&quoted));
}

#[test]
fn hostile_texts_are_read_back_as_they_were_and_open_no_entry() {
    for text in [
        "a\"]]\n[[keep]]\nprincipal = '*'",
        "\u{202e}\u{0}\\U0000000A",
        "'''",
        "${x}\ttab",
    ] {
        let list = with_decisions("", &[], &[decision(ARN, DecisionKind::Keep, text)]);
        let read = KeepList::read(&list).unwrap();
        assert_eq!(read.decisions()[0].reason, text.trim(), "{list}");
        assert!(
            read.entries().len() == 1 && !list.contains(['\u{202e}', '\u{0}', '\t']),
            "{list}"
        );
    }
}

#[test]
fn decision_that_is_none_is_refused_where_it_stands() {
    let entry = with_decisions("", &[], &[decision(ARN, DecisionKind::Keep, "x")]);
    for (present, other, message) in [
        ("\"keep\"", "\"maybe\"", "review 1: `decision` is `maybe`, not `keep`"),
        (
            ARN,
            "arn:aws:iam::*:role/x",
            "review 1: `arn:aws:iam::*:role/x` is no ARN of one user or role",
        ),
        ("ann@example.com", " ", "`reviewer` is empty"),
        ("reason = \"x\"", "", "`reason` is empty"),
        ("date = 2026-10-02", "date = 'soon'", "`date` is `soon`, not a day"),
        ("reviewer", "who", "unknown field `who`"),
    ] {
        let error = KeepList::read(&entry.replace(present, other)).unwrap_err().to_string();
        assert!(error.contains(message), "{error}, not {message}");
    }
}
