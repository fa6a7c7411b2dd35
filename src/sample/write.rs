//! Writes a whole estate: logs, snapshots, expected answers and their description.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::EstateConfig;
use super::SampleError;
use super::Tally;
use super::background;
use super::estate::ACCOUNTS;
use super::moment::Moment;
use super::organization;
use super::planted;
use super::random::Random;
use super::readme;
use super::recorder::Recorder;
use super::snapshot;
use super::stage::Stage;

/// Writes an estate into `out_dir` and returns what it contains.
///
/// Memory does not grow with the number of events: one object per account and region is open at a time. The folder gets
/// `AWSLogs/`, `iam/`, `public-keys.json`, `expected.json` and `README.md`.
///
/// # Errors
/// Fails when `out_dir` holds files already, or when something cannot be written.
pub fn write_estate(config: &EstateConfig, out_dir: &Path) -> Result<Tally, SampleError> {
    check_empty(out_dir)?;
    let mut recorder = Recorder::create(config, out_dir)?;
    let mut stage = Stage {
        full_tokens: config.full_tokens,
        random: Random::named(config.seed, "events"),
        recorder: &mut recorder,
    };
    let scenes = planted::scenes(Moment::start_of(config.first_day), config.days);
    background::play(config, &mut stage, &scenes)?;
    recorder.finish()?;
    write_descriptions(&recorder)?;
    Ok(recorder.tally)
}

fn write_descriptions(recorder: &Recorder) -> Result<(), SampleError> {
    let (objects, tally) = (&recorder.objects, &recorder.tally);
    for account in ACCOUNTS {
        let details = snapshot::authorization_details(account, tally);
        objects.write_file(
            &format!("iam/{}/authorization-details.json", account.id),
            &pretty(&details),
        )?;
        if let Some(report) = snapshot::credential_report(account, tally) {
            objects.write_file(&format!("iam/{}/credential-report.csv", account.id), report.as_bytes())?;
        }
    }
    let policies = organization::service_control_policies();
    objects.write_file("iam/organization/service-control-policies.json", &pretty(&policies))?;
    let mut expected = tally.to_json();
    let iam = snapshot::expected(tally);
    let readme = readme::text(tally, &iam);
    if let Value::Object(members) = &mut expected {
        members.insert("iam".to_owned(), iam);
    }
    objects.write_file("expected.json", &pretty(&expected))?;
    objects.write_file("README.md", readme.as_bytes())
}

fn check_empty(folder: &Path) -> Result<(), SampleError> {
    let first = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => return Err(SampleError::write(folder, source)),
    };
    match first {
        Some(_) => Err(SampleError::NotEmpty {
            path: folder.to_owned(),
        }),
        None => Ok(()),
    }
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

#[cfg(test)]
mod tests;
