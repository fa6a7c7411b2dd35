//! Every question of the library: it plans with its window, gives the columns that its header declares in a total
//! order, and stands in the generated reference. What they answer stands in `tests/slt`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use tokio::runtime::Handle;
use trimtrail::ingest::Import;
use trimtrail::query::EvidenceQuery;
use trimtrail::query::Library;
use trimtrail::query::ParamText;
use trimtrail::query::QuerySession;
use trimtrail::query::Question;
use trimtrail::source;
use trimtrail::store::Store;

use crate::support::session;
use crate::support::store;
use crate::support::store::TestStore;
use crate::support::text;

/// 2026-10-31T00:00:00Z
const NOW: i64 = 1_793_404_800_000_000;

const EVENTS: &str = include_str!("../data/events/questions.jsonl");

/// Two attempts at once, which would change what other tests count.
const TAMPERING: &str = r#"
{"event_time":"2026-10-11T09:10:00Z","event_id":"e26","event_name":"StopLogging","event_source":"cloudtrail.amazonaws.com","principal_arn":"arn:aws:iam::111111111111:user/ann","principal_type":"user","recipient_account_id":"111111111111","aws_region":"eu-west-1","serving_region":"eu-west-1","event_category":"Management","event_type":"AwsApiCall","credential_kind":"long-term","source_ip_address":"192.0.2.10","user_agent":"aws-cli/2.17","read_only":false,"object_key":"file:///logs/b.json.gz","record_index":0}
{"event_time":"2026-10-11T09:10:00Z","event_id":"e27","event_name":"StopLogging","event_source":"cloudtrail.amazonaws.com","principal_arn":"arn:aws:iam::111111111111:user/ann","principal_type":"user","recipient_account_id":"111111111111","aws_region":"eu-west-1","serving_region":"eu-west-1","event_category":"Management","event_type":"AwsApiCall","credential_kind":"long-term","source_ip_address":"192.0.2.10","user_agent":"aws-cli/2.17","read_only":false,"object_key":"file:///logs/b.json.gz","record_index":1}
"#;

async fn open() -> (TestStore, QuerySession) {
    let test_store = store::with_events(&format!("{EVENTS}{}", TAMPERING.trim_start())).await;
    import(test_store.store.clone()).await;
    let session = QuerySession::new(Some(&test_store.store), &session::options(NOW), None).unwrap();
    (test_store, session)
}

/// Adds what was granted to the principals of the rows.
async fn import(store: Store) {
    let snapshots = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/iam/questions");
    let runtime = Handle::current();
    let imported = tokio::task::spawn_blocking(move || {
        let import = Import {
            store: &store,
            runtime: &runtime,
            run_id: "test".to_owned(),
            now: NOW,
            taken_at: Some(NOW),
        };
        import.run(source::list(&[snapshots.to_owned()]).unwrap()).unwrap()
    });
    assert!(imported.await.unwrap().is_complete());
}

fn library() -> Library {
    Library::embedded().unwrap()
}

fn values(params: &[(&str, &str)]) -> Vec<(String, ParamText)> {
    params
        .iter()
        .map(|(name, text)| ((*name).to_owned(), ParamText::from(*text)))
        .collect()
}

async fn answer(session: &QuerySession, id: &str, params: &[(&str, &str)]) -> Vec<String> {
    let result = session.ask(library().get(id).unwrap(), &values(params)).await.unwrap();
    text::of_stream(result).await.unwrap()
}

fn window_of(question: &Question) -> Vec<(&'static str, &'static str)> {
    let has = |name: &str| question.params.iter().any(|param| param.name == name);
    let window = [("since", "2026-10-02"), ("until", "2026-10-03")];
    window.into_iter().filter(|(name, _)| has(name)).collect()
}

#[tokio::test]
async fn every_question_answers_with_and_without_a_window() {
    let (_store, session) = open().await;
    for question in library().questions() {
        for params in [Vec::new(), window_of(question)] {
            let result = session
                .ask(question, &values(&params))
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", question.id));
            text::of_stream(result)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", question.id));
        }
    }
}

#[tokio::test]
async fn every_question_has_the_columns_of_its_header() {
    let (_store, session) = open().await;
    for question in library().questions() {
        let result = session.ask(question, &[]).await.unwrap();
        let names: Vec<&str> = result
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let declared: Vec<&str> = question.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, declared, "{}", question.id);
        for (field, column) in result.schema.fields().iter().zip(&question.columns) {
            let data_type = field.data_type();
            assert!(
                column.value_type.accepts(data_type),
                "{}: {} is {data_type}",
                question.id,
                column.name
            );
        }
    }
}

#[tokio::test]
async fn a_window_opens_only_the_files_of_its_days() {
    let (_store, session) = open().await;
    for question in library().questions() {
        let window = window_of(question);
        let explained = Question {
            sql: format!("explain {}", question.sql),
            ..question.clone()
        };
        let result = session.ask(&explained, &values(&window)).await.unwrap();
        let plan = text::of_stream(result).await.unwrap().join("\n");
        // What only calls table functions gives them the window; see below.
        if window.is_empty() || !plan.contains("/events/event_date=") {
            continue;
        }
        let is_bounded = match LOOKING_BACK.contains(&question.id.as_str()) {
            true => days_of(&plan).iter().all(|day| day.as_str() <= "2026-10-03"),
            false => is_of_the_window(&plan),
        };
        assert!(is_bounded, "{}: {plan}", question.id);
    }
}

#[tokio::test]
async fn evidence_of_a_window_opens_only_the_files_of_its_days() {
    let (_store, session) = open().await;
    let window = [("since", "2026-10-02"), ("until", "2026-10-03")];
    let [with, without] = ["true", "false"].map(|told| [window.as_slice(), &[("has_excerpts", told)]].concat());
    for (query, window, joins) in [
        (EvidenceQuery::Uses, window.to_vec(), false),
        (EvidenceQuery::Coverage, with, true),
        // A store without excerpts does not pay for telling them apart.
        (EvidenceQuery::Coverage, without, false),
    ] {
        let explained = format!("explain {}", query.sql());
        let result = session.sql(&explained, &values(&window)).await.unwrap();
        let plan = text::of_stream(result).await.unwrap().join("\n");
        assert!(is_of_the_window(&plan), "{query:?}: {plan}");
        assert_eq!(plan.contains("HashJoinExec"), joins, "{query:?}: {plan}");
    }
}

#[tokio::test]
async fn the_window_of_a_question_is_that_of_its_verdicts() {
    let (_store, session) = open().await;
    let mut judging = 0;
    for question in library().questions() {
        let has = |name: &str| question.columns.iter().any(|column| column.name == name);
        if !has("since") || !has("verdict") {
            continue;
        }
        let sql = format!("select min(since) as since from ({}) as e", question.sql);
        let distinct = Question {
            sql,
            ..question.clone()
        };
        let result = session.ask(&distinct, &values(&window_of(question))).await.unwrap();
        let since = text::of_stream(result).await.unwrap();
        // A policy was put in the window: what it grants has the window from then on.
        let begins = ["2026-10-02T00:00:00Z", "2026-10-02T11:05:00Z"];
        assert!(!since.is_empty(), "{}", question.id);
        assert!(
            since.iter().all(|since| begins.contains(&since.as_str())),
            "{}: {since:?}",
            question.id
        );
        judging += 1;
    }
    assert!(judging > 3, "{judging}");
}

/// Questions that ask what was before the window, too: when keys were made, and which regions were usual.
const LOOKING_BACK: [&str; 2] = ["key-age", "unexpected-regions"];

/// Whether a plan opens the files of the window's days, and no others.
fn is_of_the_window(plan: &str) -> bool {
    let days = days_of(plan);
    !days.is_empty()
        && days
            .iter()
            .all(|day| ["2026-10-02", "2026-10-03"].contains(&day.as_str()))
}

/// The days whose files a plan opens.
fn days_of(plan: &str) -> BTreeSet<String> {
    let days = plan.split("/events/event_date=").skip(1);
    days.filter_map(|path| Some(path.split('/').next()?.to_owned()))
        .collect()
}

#[tokio::test]
async fn the_order_of_every_question_is_total() {
    let (_store, session) = open().await;
    for question in library().questions() {
        let Some((_, keys)) = question.sql.trim_end().rsplit_once("\norder by ") else {
            panic!("{}: the statement does not end with `order by`", question.id)
        };
        let keys: Vec<String> = keys
            .split(", ")
            .map(|key| key.trim_end_matches(" desc").to_owned())
            .collect();
        let select = question.sql.trim_end().rsplit_once("\norder by ").unwrap().0;
        let body = select
            .lines()
            .filter(|line| !line.starts_with("-- @"))
            .collect::<Vec<_>>()
            .join("\n");
        let counted = Question {
            sql: format!(
                "select count(*) as all_rows, count(distinct ({})) as keys from ({body}) as e",
                tuple(&keys)
            ),
            ..question.clone()
        };
        let result = session
            .ask(&counted, &[])
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", question.id));
        let lines = text::of_stream(result).await.unwrap();
        let (rows, distinct_keys) = lines[0].split_once('|').unwrap();
        assert_ne!(
            rows, "0",
            "{}: the test rows give no answer, so this proves nothing",
            question.id
        );
        assert_eq!(rows, distinct_keys, "{}", question.id);
    }
}

/// The sort keys as one text, without their table names; keys that are no result column are constant or left out.
fn tuple(keys: &[String]) -> String {
    let bare = keys
        .iter()
        .map(|key| key.rsplit('.').next().unwrap_or(key))
        .filter(|key| *key != "is_total");
    let parts: Vec<String> = bare
        .map(|key| format!("coalesce(cast({key} as varchar), '-')"))
        .collect();
    parts.join(" || '|' || ")
}

#[tokio::test]
async fn use_that_no_policy_grants_is_found() {
    let (_store, session) = open().await;
    let rows = answer(&session, "used-not-granted", &[]).await;
    let is_found = |row: &&String| row.contains(":role/app|") && row.contains("|kms:Decrypt|");
    let found: Vec<&String> = rows.iter().filter(is_found).collect();
    assert!(found.len() == 1 && found[0].contains("|used-not-granted|"), "{rows:?}");
    assert!(!rows.iter().any(|row| row.contains("|s3:GetObject|")), "{rows:?}");
}

#[tokio::test]
async fn credential_is_unused_only_where_report_and_logs_both_say_so() {
    let (_store, session) = open().await;
    let question = library().get("unused-keys").unwrap().clone();
    let sql = format!(
        "select principal_arn, credential, verdict, reason from ({}) as e",
        question.sql
    );
    let selection = Question { sql, ..question };
    let params = values(&[("min_window_days", "1"), ("min_coverage", "0")]);
    let result = session.ask(&selection, &params).await.unwrap();
    let mut rows = text::of_stream(result).await.unwrap();
    rows.sort();
    let one_of_two = "unknown|the logs show calls with one of the keys of the user";
    assert_eq!(
        rows,
        [
            format!("arn:aws:iam::111111111111:user/ann|access-key-1|{one_of_two}"),
            format!("arn:aws:iam::111111111111:user/ann|access-key-2|{one_of_two}"),
            "arn:aws:iam::111111111111:user/ben|access-key-1|unknown|it was made inside the window".to_owned(),
            "arn:aws:iam::111111111111:user/ben|certificate-1|unknown|reports do not tell when a certificate was used"
                .to_owned(),
            "arn:aws:iam::111111111111:user/ben|password|unused|-".to_owned(),
            "arn:aws:iam::222222222222:user/cid|access-key-1|unknown|\
             the logs hold nothing of the account in the window"
                .to_owned(),
        ]
    );
    for row in answer(&session, "unused-keys", &[]).await {
        assert!(row.contains("|unknown|"), "{row}");
    }
}

#[tokio::test]
async fn the_same_question_twice_gives_the_same_rows() {
    let (_store, session) = open().await;
    for question in library().questions() {
        let once = answer(&session, &question.id, &[]).await;
        assert_eq!(once, answer(&session, &question.id, &[]).await, "{}", question.id);
    }
}

#[test]
fn no_question_depends_on_the_clock_or_on_chance() {
    for question in library().questions() {
        for word in ["now(", "current_", "random(", "uuid(", "limit ", "select *"] {
            assert!(!question.sql.to_lowercase().contains(word), "{}: `{word}`", question.id);
        }
    }
}

#[test]
fn the_reference_page_is_fresh() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/queries.md");
    let written = fs::read_to_string(&path).unwrap_or_default();
    let wanted = trimtrail::query::reference(&library());
    if written != wanted {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
        panic!("docs/queries.md was out of date and has been written anew; commit it");
    }
}

#[tokio::test]
async fn standards_that_are_disabled_weaken_what_is_found() {
    let call = |name: &str, number: u8| {
        TAMPERING
            .trim_start()
            .lines()
            .next()
            .unwrap()
            .replace("StopLogging", name)
            .replace("cloudtrail.amazonaws.com", "securityhub.amazonaws.com")
            .replace("\"e26\"", &format!("\"e4{number}\""))
    };
    let events = [call("BatchDisableStandards", 1), call("EnableSecurityHub", 2)].join("\n");
    let test_store = store::with_events(&(events + "\n")).await;
    let session = QuerySession::new(Some(&test_store.store), &session::options(NOW), None).unwrap();
    let rows = answer(&session, "logging-changes", &[]).await;
    let effects: Vec<bool> = rows.iter().map(|row| row.contains("weakens")).collect();
    assert_eq!(effects.iter().filter(|weakens| **weakens).count(), 1, "{rows:?}");
}
