//! The access review of the sample organization: proposals, evidence, and decisions on their way back.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Sample;
use super::sample;
use crate::support::json::text;
use crate::support::process::Ended;

const PROD: &str = "arn:aws:iam::111122223333";

/// The rows of the sheet, by column.
type Row = BTreeMap<String, String>;

fn rows_of(csv: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn sheet(sample: &Sample, arguments: &[&str]) -> (Vec<Row>, Ended) {
    let ended = sample.run_for_two_weeks("review", &[&["--format", "csv"], arguments].concat());
    (rows_of(&ended.stdout), ended)
}

fn row<'r>(rows: &'r [Row], end: &str) -> &'r Row {
    let mut found = rows.iter().filter(|row| row["principal_arn"].ends_with(end));
    let row = found.next().unwrap_or_else(|| panic!("no {end}"));
    assert!(found.next().is_none(), "several {end}");
    row
}

fn number(row: &Row, column: &str) -> i64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column}: {}", row[column]))
}

/// The sheet with some cells of the row of one principal filled in.
fn filled(csv: &str, end: &str, cells: &[(&str, &str)]) -> String {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let is_meant = record[0].ends_with(end);
        let values = header.iter().zip(record.iter()).map(|(name, value)| {
            let cell = cells.iter().find(|(column, _)| is_meant && *column == name);
            cell.map_or(value, |(_, filled)| *filled)
        });
        writer.write_record(values).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn decided(decision: &str) -> [(&'static str, String); 4] {
    [
        ("decision", decision.to_owned()),
        ("reviewer", "ann@example.com".to_owned()),
        ("date", "2026-09-16".to_owned()),
        ("reason", "=yearly \"close\"".to_owned()),
    ]
}

fn decide(csv: &str, end: &str, decision: &str) -> String {
    let cells = decided(decision);
    let cells: Vec<(&str, &str)> = cells.iter().map(|(name, value)| (*name, value.as_str())).collect();
    filled(csv, end, &cells)
}

#[test]
fn what_nobody_used_is_proposed_to_go_and_nothing_else() {
    let sample = sample();
    let (rows, ended) = sheet(&sample, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let mut unused: BTreeSet<String> = BTreeSet::from(["arn:aws:iam::123456789012:user/break-glass-2".to_owned()]);
    for name in ["roles_never_used", "roles_used_before_the_window_only"] {
        let listed = sample.expected["iam"][name].as_array().unwrap().iter();
        unused.extend(listed.map(|arn| arn.as_str().unwrap().to_owned()));
    }
    let proposed = |change: &str| -> BTreeSet<String> {
        let own = rows.iter().filter(|row| row["proposal"] == change);
        own.map(|row| row["principal_arn"].clone()).collect()
    };
    assert_eq!(proposed("remove"), unused);
    for row in &rows {
        let planned = match row["proposal"].as_str() {
            "remove" => number(row, "granted"),
            "trim" => number(row, "removable"),
            _ => 0,
        };
        assert_eq!(number(row, "permissions_to_remove"), planned, "{row:?}");
        let parts = ["used", "denied_attempt", "unknown", "removable", "unused_kept"].map(|name| number(row, name));
        assert_eq!(parts.iter().sum::<i64>(), number(row, "granted"), "{row:?}");
        let filled_in = ["decision", "reviewer", "date", "reason", "expires"];
        assert!(filled_in.iter().all(|column| row[*column].is_empty()));
    }
    let etl = row(&rows, "role/batch/nightly-etl");
    assert!(
        etl["why"].contains("IAM says that it was last used at"),
        "{}",
        etl["why"]
    );
    let linked = row(
        &rows,
        "111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
    );
    assert!(linked["proposal"] == "keep" && linked["why"].contains("belongs to an AWS service"));
}

#[test]
fn nothing_goes_while_the_window_is_too_short() {
    let ended = sample().run(&["review", "--format", "csv"]);
    let rows = rows_of(&ended.stdout);
    assert!(
        rows.len() > 30 && rows.iter().all(|row| row["proposal"] == "keep"),
        "{}",
        ended.stderr
    );
    assert!(rows.iter().all(|row| row["permissions_to_remove"] == "0"));
    let silent = row(&rows, "role/legacy/report-export");
    assert!(
        silent["why"].contains("permissions stay, as nobody knows whether they are used"),
        "{silent:?}"
    );
}

#[test]
fn what_was_done_and_who_came_are_those_of_the_logs() {
    let sample = sample();
    let (rows, _) = sheet(&sample, &[]);
    let counted = sample.counts(
        "select principal_arn as name, count(*) as number from events where principal_type in ('role', 'user') \
         and recipient_account_id = split_part(principal_arn, ':', 5) \
         and (event_category is null or event_category in ('Management', 'Data')) \
         and (event_type is null or event_type <> 'AwsServiceEvent') group by 1",
    );
    for row in &rows {
        let calls = counted.get(&row["principal_arn"]).copied().unwrap_or_default();
        assert_eq!(number(row, "calls"), calls, "{}", row["principal_arn"]);
    }
    for read in sample.expected["secret_reads"].as_array().unwrap() {
        let (principal, secret) = (text(read, "principal"), text(read, "secret"));
        let cell = &row(&rows, &principal)["secrets_read"];
        let name = secret.rsplit('/').next().unwrap();
        assert!(cell.contains(name), "{principal}: {secret} is not in {cell}");
    }
    let task = row(&rows, "role/ecs/payments-task");
    assert!(
        task["actions"].contains("s3:PutObject: 419 times"),
        "{}",
        task["actions"]
    );
    assert!(
        task["who_came"].starts_with("service ecs-tasks.amazonaws.com: 99 times"),
        "{}",
        task["who_came"]
    );
    let admins = row(
        &rows,
        "111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_AdministratorAccess_0123456789abcdef",
    );
    assert!(admins["who_came"].contains("identity-center maria.lopez@example.com: 12 times"));
    assert!(
        admins["session_names"].contains("maria.lopez@example.com"),
        "{}",
        admins["session_names"]
    );
    let emergency = row(&rows, "role/break-glass/break-glass-admin");
    assert!(
        emergency["why"].contains("never came: arn:aws:iam::123456789012:user/break-glass-2"),
        "{}",
        emergency["why"]
    );
}

#[test]
fn same_arguments_give_the_same_bytes_in_all_formats() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str| {
        let path = folder.path().join(name);
        let arguments = ["--principal", "*-task", "--out", path.to_str().unwrap()];
        let ended = sample.run_for_two_weeks("review", &arguments);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        fs::read(path).unwrap()
    };
    for (first, second) in [("a.html", "b.html"), ("a.csv", "b.csv"), ("a.xlsx", "b.xlsx")] {
        let bytes = written(first);
        assert_eq!(bytes, written(second), "{first}");
        assert!(bytes.len() > 1_000);
    }
    assert!(fs::read(folder.path().join("a.xlsx")).unwrap().starts_with(b"PK"));
}

#[test]
fn decisions_come_back_and_later_reports_follow_them() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let few = ["nightly-etl", "report-export", "payments-task"].map(|name| ["--principal", name]);
    let (_, ended) = sheet(&sample, few.as_flattened());
    let csv = decide(&ended.stdout, "role/batch/nightly-etl", "keep");
    let csv = decide(&csv, "role/legacy/report-export", "remove");
    let (path, list) = (folder.path().join("filled.csv"), folder.path().join("allow.toml"));
    fs::write(&path, csv).unwrap();
    fs::write(&list, "# ours\n").unwrap();
    let (path, list) = (path.to_str().unwrap(), list.to_str().unwrap());
    let import = || sample.run(&["review", "import", path, "--out", list, "--valid-for", "36500d"]);
    let ended = import();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("2 decisions: 1 to keep, 0 to trim, 1 to remove; 1 row without one"),
        "{}",
        ended.stderr
    );
    let first = fs::read_to_string(list).unwrap();
    assert!(first.starts_with("# ours\n"));
    assert_eq!((import().code, fs::read_to_string(list).unwrap()), (0, first));

    let (rows, ended) = sheet(&sample, &[few.as_flattened(), &["--allow", list]].concat());
    let kept = row(&rows, "role/batch/nightly-etl");
    assert_eq!((kept["proposal"].as_str(), number(kept, "removable")), ("keep", 0));
    assert!(
        kept["why"].contains("access review of 2026-09-16: =yearly \"close\""),
        "{}",
        kept["why"]
    );
    assert!(kept["earlier_decision"].starts_with("keep by ann@example.com on 2026-09-16: =yearly \"close\""));
    let removed = row(&rows, "role/legacy/report-export");
    assert!(
        removed["earlier_decision"].contains("still to be done"),
        "{}",
        removed["earlier_decision"]
    );
    let open = format!("decided and still to be done: {PROD}:role/legacy/report-export: remove by ann@example.com");
    assert!(ended.stderr.contains(&open), "{}", ended.stderr);

    let permissions = sample.permissions(&["--allow", list, "--principal", "nightly-etl"]);
    let unused: Vec<_> = permissions.iter().filter(|row| row["verdict"] == "unused").collect();
    assert!(
        !unused.is_empty()
            && unused
                .iter()
                .all(|row| text(row, "kept_because").contains("access review"))
    );
    let diff = sample.run_for_two_weeks("diff", &["--allow", list, "--principal", "report-export"]);
    assert!(diff.stderr.contains(&open), "{}", diff.stderr);
    let policy = sample.run_for_two_weeks("policy", &["--allow", list, "--principal", "nightly-etl"]);
    assert!(
        policy.stderr.contains("0 to edit, 0 to create, 0 to remove"),
        "{}",
        policy.stderr
    );
}

#[test]
fn sheet_with_an_error_is_refused_with_its_line_and_nothing_is_written() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let (_, ended) = sheet(&sample, &["--principal", "payments-*"]);
    let list = folder.path().join("allow.toml");
    let refuse = |csv: &str, message: &str| {
        let path = folder.path().join("filled.csv");
        fs::write(&path, csv).unwrap();
        let ended = sample.run(&[
            "review",
            "import",
            path.to_str().unwrap(),
            "--out",
            list.to_str().unwrap(),
        ]);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(
            ended.stderr.contains(message) && ended.stderr.contains("nothing was written"),
            "{}",
            ended.stderr
        );
        assert!(!Path::new(&list).exists());
    };
    let csv = &ended.stdout;
    refuse(
        &decide(csv, "role/ecs/payments-task", "perhaps"),
        "line 3: `perhaps` is no decision",
    );
    let nameless = filled(
        &decide(csv, "payments-task", "trim"),
        "payments-task",
        &[("reviewer", "")],
    );
    refuse(&nameless, "line 3: the decision `trim` has no `reviewer`");
    let stranger = decide(csv, "payments-task", "trim").replace("payments-task", "payments-fast");
    refuse(&stranger, "payments-fast` is no user or role");
    let again = filled(
        &decide(csv, "payments-task", "trim"),
        "payments-task",
        &[("principal_id", "AROAOTHER")],
    );
    refuse(&again, "does not have the id `AROAOTHER`");
}

#[test]
fn list_that_is_written_anew_keeps_its_mode_and_link_and_what_people_wrote() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let (_, ended) = sheet(&sample, &["--principal", "payments-task"]);
    let csv = decide(&ended.stdout, "payments-task", "trim");
    let (path, list, link) = (
        folder.path().join("filled.csv"),
        folder.path().join("allow.toml"),
        folder.path().join("link.toml"),
    );
    let import = |csv: &[u8]| {
        fs::write(&path, csv).unwrap();
        let out = link.to_str().unwrap();
        sample.run(&["review", "import", path.to_str().unwrap(), "--out", out])
    };
    fs::write(&list, "# ours\n").unwrap();
    fs::set_permissions(&list, fs::Permissions::from_mode(0o664)).unwrap();
    std::os::unix::fs::symlink(&list, &link).unwrap();
    let ended = import(csv.as_bytes());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let written = fs::read_to_string(&list).unwrap();
    assert!(
        written.starts_with("# ours\n") && written.contains("payments-task"),
        "{written}"
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&list).unwrap().permissions().mode() & 0o777, 0o664);
    let keep = "\n[[keep]]\nprincipal = 'x'\naction = '*'\nreason = 'y'\nexpires = 2027-01-31\n";
    fs::write(&list, written + keep).unwrap();
    let ended = import(csv.as_bytes());
    assert!(
        ended.code == 2 && ended.stderr.contains("move each `[[keep]]` above the line"),
        "{}",
        ended.stderr
    );
    assert!(fs::read_to_string(&list).unwrap().ends_with(keep));
    let ended = import(b"principal_arn,decision,reviewer,date,reason\n\xe4\n");
    assert!(
        ended.code == 2 && ended.stderr.contains("save the sheet `Review` as `CSV UTF-8`"),
        "{}",
        ended.stderr
    );
    let expired = filled(&csv, "payments-task", &[("expires", "2026-09-17")]);
    fs::write(&list, "").unwrap();
    let ended = import(expired.as_bytes());
    assert!(
        ended.code == 0
            && ended
                .stderr
                .contains("does not count any more: it expired on 2026-09-17"),
        "{}",
        ended.stderr
    );
}

#[test]
fn page_of_the_sample_runs_nothing_and_has_its_charts() {
    let ended = sample().run_for_two_weeks("review", &["--format", "html"]);
    let page = &ended.stdout;
    assert!(!page.contains("<script") && !page.contains(" src=") && page.contains("default-src 'none'"));
    assert_eq!(page.matches("<details id=").count(), 39);
    assert!(page.matches("<svg class=\"weeks\"").count() > 70 && page.matches("<svg class=\"bar\"").count() > 200);
    assert!(page.contains("<title>week of 2026-08-31: "));
}

#[test]
fn wrong_usage_of_review_is_refused() {
    sample().assert_wrong_usage(
        "review",
        &[
            (&[], "neither `--format` nor the name of a file says what to write"),
            (
                &["--format", "html", "--principal", "no-such-role"],
                "no user or role of the snapshots and logs matches",
            ),
            (&["--format", "pdf"], "invalid value 'pdf'"),
        ],
    );
}
