//! What the store knows of users and roles for a review, beside the use of their permissions.

use arrow::array::RecordBatch;
use futures::StreamExt;

use super::columns::Columns;
use super::columns::Unreadable;
use super::evidence::AnalysisError;
use super::evidence::each_batch;
use super::moment;
use crate::iam::json::Json;
use crate::policy::PrincipalKey;
use crate::policy::ReviewLog;
use crate::policy::SecretUse;
use crate::policy::SessionName;
use crate::policy::Window;
use crate::query::EvidenceQuery;
use crate::query::ParamText;
use crate::query::QuerySession;
use crate::query::Question;

/// Bytes that AWS adds to the name of a secret in its ARN.
const RANDOM_ENDING: usize = 7;

/// What the logs show in a window; `secret_reads` is the question of that name.
pub async fn review_log(
    session: &QuerySession,
    window: Window,
    secret_reads: Option<&Question>,
) -> Result<ReviewLog, AnalysisError> {
    let mut log = ReviewLog::default();
    let bounds = [("since", window.since), ("until", window.until)];
    each_batch(session, EvidenceQuery::Activity, &bounds, |batch| {
        Ok(read_days(batch, &mut log)?)
    })
    .await?;
    each_batch(session, EvidenceQuery::SessionNames, &bounds, |batch| {
        Ok(read_sessions(batch, &mut log)?)
    })
    .await?;
    if let Some(question) = secret_reads {
        let values = bounds.map(|(name, time)| (name.to_owned(), ParamText::Text(moment(time))));
        let mut answer = session.ask(question, &values).await?;
        while let Some(batch) = answer.stream.next().await {
            read_secrets(&batch?, &mut log)?;
        }
    }
    Ok(log)
}

fn read_days(batch: &RecordBatch, log: &mut ReviewLog) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (arns, ids) = (columns.texts("principal_arn")?, columns.texts("principal_id")?);
    let (days, calls) = (columns.integers("day")?, columns.integers("calls")?);
    for row in 0..batch.num_rows() {
        let own = log.days.entry(key(arns.text(row), ids.text(row))).or_default();
        *own.entry(days.integer(row).unwrap_or_default()).or_default() += calls.count(row);
    }
    Ok(())
}

fn read_sessions(batch: &RecordBatch, log: &mut ReviewLog) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (arns, ids) = (columns.texts("principal_arn")?, columns.texts("principal_id")?);
    let (names, last_seen) = (columns.texts("session_name")?, columns.times("last_seen")?);
    let (calls, counts) = (columns.integers("calls")?, columns.integers("names")?);
    for row in 0..batch.num_rows() {
        let own = log.sessions.entry(key(arns.text(row), ids.text(row))).or_default();
        own.count = counts.count(row);
        own.newest.push(SessionName {
            name: names.text(row).unwrap_or_default().to_owned(),
            calls: calls.count(row),
            last_seen: last_seen.time(row),
        });
    }
    Ok(())
}

fn read_secrets(batch: &RecordBatch, log: &mut ReviewLog) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let (outcomes, arns) = (columns.texts("outcome")?, columns.texts("principal_arn")?);
    let (secrets, decrypted) = (columns.texts("secret")?, columns.texts("decrypted")?);
    for row in 0..batch.num_rows() {
        let Some(arn) = arns.text(row) else { continue };
        let own = log.secrets.entry(arn.to_owned()).or_default();
        for secret in named_secrets(secrets.text(row), decrypted.text(row)) {
            let secret_use: &mut SecretUse = own.entry(secret).or_default();
            match outcomes.text(row) {
                Some("read") => secret_use.reads += 1,
                _ => secret_use.refused += 1,
            }
        }
    }
    Ok(())
}

/// The secrets of one call: those whose ARNs its decryptions name, as requests may use any short form, and those of a list
/// that no decryption is known of.
fn named_secrets(asked: Option<&str>, decrypted: Option<&str>) -> Vec<String> {
    let arns = decrypted.unwrap_or_default().split(',').filter(|arn| !arn.is_empty());
    let arns: Vec<&str> = arns.collect();
    let mut named: Vec<String> = arns.iter().map(|arn| (*arn).to_owned()).collect();
    let listed = match asked.map(Json::parse) {
        Some(Ok(Json::List(elements))) => elements,
        _ if named.is_empty() => return vec![asked.unwrap_or("(not named)").to_owned()],
        _ => return named,
    };
    for element in listed {
        let Json::Text(name) = element else { continue };
        if !arns.iter().any(|arn| is_arn_of(arn, name.trim_start_matches('/'))) {
            named.push(name);
        }
    }
    named
}

/// Whether an ARN is that of a secret or parameter; that of a secret ends with a hyphen and six characters.
fn is_arn_of(arn: &str, name: &str) -> bool {
    if let Some((_, own)) = arn.split_once(":parameter/") {
        return arn == name || own == name;
    }
    let own = arn
        .split_once(":secret:")
        .map_or(arn, |(_, own)| own.trim_start_matches('/'));
    let is_meant = |whole: &str| {
        let short = whole.len().checked_sub(RANDOM_ENDING).and_then(|end| whole.get(..end));
        whole == name || short == Some(name)
    };
    is_meant(arn) || is_meant(own)
}

fn key(arn: Option<&str>, id: Option<&str>) -> PrincipalKey {
    PrincipalKey {
        arn: arn.unwrap_or_default().to_owned(),
        unique_id: id.filter(|id| !id.is_empty()).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_call_are_named_once_each() {
        let arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/prod/a";
        let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/db-a1B2c3";
        let cases: [(Option<&str>, Option<&str>, &[&str]); 8] = [
            (Some("prod/db"), None, &["prod/db"]),
            (Some("/prod/a"), Some(arn), &[arn]),
            (Some(r#"["/prod/a","/prod/b"]"#), Some(arn), &[arn, "/prod/b"]),
            // The end of another name is no name.
            (Some(r#"["a","/a"]"#), Some(arn), &[arn, "a", "/a"]),
            (Some(r#"["db","app/db"]"#), Some(secret), &[secret, "db"]),
            (Some(r#"["prod/x","prod/y"]"#), None, &["prod/x", "prod/y"]),
            (Some("/prod/"), Some("arn:1,arn:2"), &["arn:1", "arn:2"]),
            (None, None, &["(not named)"]),
        ];
        for (asked, decrypted, expected) in cases {
            assert_eq!(named_secrets(asked, decrypted), expected, "{asked:?}");
        }
    }
}
