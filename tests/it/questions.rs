//! Every question of the library: it plans with its window, gives the columns that its header declares in a total
//! order, and stands in the generated reference.

use std::fs;
use std::path::PathBuf;

use trimtrail::query::Library;
use trimtrail::query::ParamText;
use trimtrail::query::QuerySession;
use trimtrail::query::Question;
use trimtrail::query::SessionOptions;

use crate::support::store;
use crate::support::store::TestStore;
use crate::support::text;

/// 2026-10-31T00:00:00Z
const NOW: i64 = 1_793_404_800_000_000;

const EVENTS: &str = include_str!("../data/events/questions.jsonl");

async fn open() -> (TestStore, QuerySession) {
    let test_store = store::with_events(EVENTS).await;
    let session = QuerySession::new(Some(&test_store.store), &SessionOptions::new(2, NOW), None).unwrap();
    (test_store, session)
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
        if window.is_empty() {
            continue;
        }
        let filtered = plan.contains("event_date >= Date32(\"2026-10-02\")")
            || plan.contains("event_date <= Date32(\"2026-10-03\")");
        assert!(filtered, "{}: {plan}", question.id);
    }
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
async fn used_actions_counts_outcomes_regions_and_resources() {
    let (_store, session) = open().await;
    let app = ("principal", "arn:aws:iam::111111111111:role/app");
    let lines = answer(&session, "used-actions", &[app]).await;
    let reads = lines.iter().find(|line| line.contains("|GetObject|")).unwrap();
    assert_eq!(
        reads,
        "arn:aws:iam::111111111111:role/app|role|s3:GetObject|Read|s3.amazonaws.com|GetObject|2|1|1|call|ambiguous,curated|-|\
         eu-central-1,eu-west-1|2026-10-01T08:00:00Z|2026-10-03T08:00:00Z|3|\
         arn:aws:s3:::b/x,arn:aws:s3:::b/y,arn:aws:s3:::b/z"
    );
    assert!(
        lines.iter().all(|line| !line.contains("sa-east-1")),
        "insights and network activity are no use: {lines:?}"
    );
    let all = answer(&session, "used-actions", &[]).await;
    assert!(all.iter().all(|line| !line.contains("|service|")), "{all:?}");
}

#[tokio::test]
async fn regions_outside_the_allowed_list_are_unexpected() {
    let (_store, session) = open().await;
    let allowed = ("allowed", "eu-west-1, eu-central-1,us-west-2");
    assert_eq!(
        answer(&session, "unexpected-regions", &[allowed]).await,
        [
            "111111111111|ap-south-1|arn:aws:iam::111111111111:role/ci/deploy|ec2.amazonaws.com|1|1|0|\
             2026-10-02T10:00:00Z|2026-10-02T10:00:00Z|not allowed"
        ]
    );
}

#[tokio::test]
async fn regions_that_an_account_had_not_used_before_are_unexpected() {
    let (_store, session) = open().await;
    let lines = answer(&session, "unexpected-regions", &[("since", "2026-10-02")]).await;
    let regions: Vec<&str> = lines.iter().map(|line| line.split('|').nth(1).unwrap()).collect();
    // Day 1 saw eu-west-1 succeed and eu-central-1 only fail; STS counts where it was served.
    assert_eq!(regions, ["ap-south-1", "us-west-2"]);
}

#[tokio::test]
async fn secret_reads_join_the_decryption_and_name_the_secret() {
    let (_store, session) = open().await;
    let lines = answer(&session, "secret-reads", &[]).await;
    let short: Vec<String> = lines
        .iter()
        .map(|line| {
            let values: Vec<&str> = line.split('|').collect();
            [values[0], values[6], values[7], values[8]].join(" ")
        })
        .collect();
    assert_eq!(
        short,
        [
            "read GetSecretValue db-prod arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-prod-AbCdEf",
            "read GetParameters [\"/app/token\",\"/app/name\"] arn:aws:ssm:eu-west-1:111111111111:parameter/app/token",
            "read Decrypt arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-prod-AbCdEf \
             arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-prod-AbCdEf",
            "denied GetSecretValue db-prod -",
        ]
    );
}

#[tokio::test]
async fn role_sessions_say_who_how_and_with_which_safeguards() {
    let (_store, session) = open().await;
    assert_eq!(
        answer(&session, "role-sessions", &[]).await,
        [
            "arn:aws:iam::111111111111:role/app|arn:aws:iam::111111111111:user/ann|user|AssumeRole|-|111111111111|\
             1|1|2|1|1|0|2026-10-02T08:05:00Z|2026-10-02T08:06:00Z",
            "arn:aws:iam::111111111111:role/ci/deploy|repo:o/r:ref:refs/heads/main|federated|AssumeRoleWithWebIdentity|\
             token.actions.githubusercontent.com|111111111111|1|0|1|0|0|0|2026-10-02T08:00:00Z|2026-10-02T08:00:00Z",
        ]
    );
}

#[tokio::test]
async fn a_service_acting_for_root_is_no_use_of_root() {
    let (_store, session) = open().await;
    let lines = answer(&session, "root-use", &[]).await;
    let names: Vec<&str> = lines.iter().map(|line| line.split('|').nth(5).unwrap()).collect();
    assert_eq!(names, ["ConsoleLogin", "CreateUser"]);
}

#[tokio::test]
async fn console_logins_show_mfa_and_failures() {
    let (_store, session) = open().await;
    let lines = answer(&session, "console-logins", &[]).await;
    assert!(lines[0].contains("|Root|-|Success|false|true|"), "{}", lines[0]);
    assert!(lines[1].contains("|IAMUser|-|Failure|true|true|"), "{}", lines[1]);
}

#[tokio::test]
async fn key_age_counts_from_the_creation_of_the_key() {
    let (_store, session) = open().await;
    let row = "AKIAEXAMPLE1|arn:aws:iam::111111111111:user/ann|111111111111|2026-10-01T09:00:00Z|\
               2026-10-02T08:05:00Z|2026-10-11T09:00:00Z|10|3|1|2";
    assert_eq!(answer(&session, "key-age", &[]).await, [row]);
    assert_eq!(answer(&session, "key-age", &[("min_age_days", "10")]).await, [row]);
    assert!(answer(&session, "key-age", &[("min_age_days", "11")]).await.is_empty());
}
