//! A source or a store in a bucket: who asks, whether the bucket answers, and what a source holds.

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::Date;

use super::check::Check;
use super::folder::layout;
use crate::cli::error::CliError;
use crate::source::BucketExam;
use crate::source::CredentialSummary;
use crate::source::Fault;
use crate::source::FaultKind;
use crate::source::OwnKeys;
use crate::source::Reached;
use crate::source::ReadObject;
use crate::source::S3Options;
use crate::source::Selection;

/// The service refuses requests whose time is wrong by more than a quarter of an hour.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(5);
const SOME_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What a bucket is for: names of the checks, and the options that reach it.
struct Purpose {
    credentials: &'static str,
    identity: &'static str,
    clock: &'static str,
    bucket: &'static str,
    list: &'static str,
    /// A fault in the words of these options.
    told: fn(Fault) -> Fault,
}

const LOGS: Purpose = Purpose {
    credentials: "credentials",
    identity: "identity",
    clock: "clock",
    bucket: "bucket",
    list: "list",
    told: |fault| fault,
};

const STORE: Purpose = Purpose {
    credentials: "store credentials",
    identity: "store identity",
    clock: "store clock",
    bucket: "store bucket",
    list: "store list",
    told: Fault::of_store,
};

/// Looks at one source, without the keys of the store in it; what depends on something that failed is left out.
pub(super) async fn checks(
    source: &str,
    options: &S3Options,
    own_keys: &OwnKeys,
    today: Date,
) -> Result<Vec<Check>, CliError> {
    let exam = BucketExam::open(source, options).await?;
    let (mut checks, is_reached) = reach(&LOGS, &exam, source, options).await;
    if !is_reached {
        return Ok(checks);
    }
    match exam.summary(&Selection::default(), own_keys).await {
        Ok((summary, object)) => {
            checks.push(layout(source, &summary, (object.is_some(), today)));
            if let Some(object) = object {
                checks.push(match exam.read_byte(&object).await {
                    Ok(read) => read_check(source, &read),
                    Err(fault) => Check::fault("read", &object.uri, &fault),
                });
            }
        }
        Err(fault) => checks.push(Check::fault("layout", source, &fault)),
    }
    Ok(checks)
}

/// Looks at the bucket of a store, and says whether the store itself can be looked at.
pub(super) async fn store_checks(place: &str, options: &S3Options) -> Result<(Vec<Check>, bool), CliError> {
    let exam = BucketExam::open(place, options).await?;
    Ok(reach(&STORE, &exam, place, options).await)
}

/// Asks who the caller is and whether the bucket answers.
async fn reach(purpose: &Purpose, exam: &BucketExam, place: &str, options: &S3Options) -> (Vec<Check>, bool) {
    let mut checks = Vec::new();
    match exam.credentials().await {
        Ok(credentials) => checks.push(credential_check(
            (purpose.credentials, place),
            (credentials, options.role_arn.is_some()),
            Timestamp::now(),
        )),
        Err(fault) => {
            checks.push(Check::fault(purpose.credentials, place, &(purpose.told)(fault)));
            return (checks, false);
        }
    }
    checks.push(match exam.identity().await {
        Ok(arn) => Check::ok(purpose.identity, place, arn),
        Err(_) if options.endpoint_url.is_some() => {
            Check::ok(purpose.identity, place, "the endpoint does not say who the caller is")
        }
        Err(fault) => Check::warning(
            purpose.identity,
            place,
            fault.found_and_remedy().0,
            "allow `sts:GetCallerIdentity`, or let the network reach AWS STS; `ingest` does without",
        ),
    });
    let (reached, listed) = exam.reach().await;
    checks.extend(clock_check((purpose.clock, place), &reached, Timestamp::now()));
    if let Err(fault) = listed {
        let name = match fault.kind {
            FaultKind::Denied if reached.is_listed => purpose.list,
            _ => purpose.bucket,
        };
        checks.push(Check::fault(name, place, &(purpose.told)(fault)));
        return (checks, false);
    }
    let region = reached
        .region
        .map_or_else(String::new, |region| format!(", lies in {region}"));
    let found = match reached.is_listed {
        true => format!("answers and can be listed{region}"),
        false => format!("answers{region}"),
    };
    checks.push(Check::ok(purpose.bucket, place, found));
    (checks, true)
}

/// Credentials of which it is told when they end come from a program, a login, a token or a metadata service, which is asked again
/// then; those of a role that the program itself takes are renewed by it.
fn credential_check(
    (name, place): (&'static str, &str),
    (credentials, is_renewed): (CredentialSummary, bool),
    now: Timestamp,
) -> Check {
    let ends = credentials
        .expires_at
        .and_then(|time| Timestamp::from_microsecond(time).ok());
    match ends {
        Some(ends) if is_renewed => Check::ok(name, place, format!("temporary, until {ends:.0}, and renewed")),
        Some(ends) if ends < now => Check::warning(
            name,
            place,
            format!("temporary, and they ended at {ends:.0}"),
            "log in again, or look at what gives the credentials",
        ),
        Some(ends) => Check::ok(
            name,
            place,
            format!("temporary, until {ends:.0}, when new ones are asked for"),
        ),
        None if credentials.is_temporary => Check::ok(name, place, "temporary"),
        None => Check::ok(name, place, "long-lived access key"),
    }
}

/// Compares clocks; nothing when the server does not tell its time.
fn clock_check((name, place): (&'static str, &str), reached: &Reached, now: Timestamp) -> Option<Check> {
    let server = Timestamp::from_microsecond(reached.server_time?).ok()?;
    let skew = now.duration_since(server);
    let found = format!("{} s between this clock and the server's", skew.abs().as_secs());
    let remedy = "set the clock of this machine, for example with NTP; requests with a wrong time are refused";
    Some(match skew.abs() {
        skew if skew > MOST_SKEW => Check::failure(name, place, found, remedy),
        skew if skew > SOME_SKEW => Check::warning(name, place, found, remedy),
        _ => Check::ok(name, place, found),
    })
}

fn read_check(source: &str, read: &ReadObject) -> Check {
    let key = read
        .kms_key
        .as_ref()
        .map_or_else(String::new, |key| format!(", encrypted with `{key}`"));
    Check::ok("read", source, format!("`{}` can be read{key}", read.uri))
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;

    #[test]
    fn clock_that_is_wrong_by_minutes_is_told_before_requests_are_refused() {
        let now: Timestamp = "2026-09-01T10:00:00Z".parse().unwrap();
        let status = |seconds: i64| {
            let reached = Reached {
                server_time: Some(now.as_microsecond() - seconds * 1_000_000),
                ..Reached::default()
            };
            clock_check(("clock", "s3://logs"), &reached, now).unwrap().status
        };
        assert_eq!([0, -30, 59].map(status), [Status::Ok; 3]);
        assert_eq!([61, -90, 300].map(status), [Status::Warning; 3]);
        assert_eq!([301, -86_400].map(status), [Status::Failure; 2]);
        assert_eq!(clock_check(("clock", "s3://logs"), &Reached::default(), now), None);
    }

    #[test]
    fn credentials_that_have_ended_are_a_warning_and_others_are_asked_for_again() {
        let now: Timestamp = "2026-09-01T10:00:00Z".parse().unwrap();
        let status = |minutes: i64, is_renewed: bool| {
            let credentials = CredentialSummary {
                is_temporary: true,
                expires_at: Some(now.as_microsecond() + minutes * 60_000_000),
            };
            credential_check(("credentials", "s3://logs"), (credentials, is_renewed), now).status
        };
        let of_others = [-5, 10, 60].map(|minutes| status(minutes, false));
        assert_eq!(of_others, [Status::Warning, Status::Ok, Status::Ok]);
        assert_eq!(status(10, true), Status::Ok);
    }
}
