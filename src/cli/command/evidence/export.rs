//! `evidence export`.

use std::num::NonZeroUsize;
use std::path::Path;

use jiff::Timestamp;

use super::Made;
use super::make;
use super::seal;
use crate::cli::args::EvidenceExportArgs;
use crate::cli::bundle::BundleFolder;
use crate::cli::bundle::KeyFile;
use crate::cli::bundle::Plan;
use crate::cli::bundle::parse_period;
use crate::cli::bundle::period_text;
use crate::cli::command::load_library;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::integrity::SealingKey;
use crate::report::IntegrityResult;
use crate::report::evidence::BundleRecord;
use crate::report::evidence::ControlMap;
use crate::report::evidence::Redaction;

/// Makes a bundle.
///
/// # Errors
/// When the arguments make no sense, the store cannot be read or the bundle not be written.
pub(super) fn export(
    args: &EvidenceExportArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let plan = plan(args, settings)?;
    let is_archive = wants_archive(&args.out)?;
    check_place(&args.out, is_archive)?;
    let threads = args.threads.and_then(|threads| NonZeroUsize::new(usize::from(threads)));
    let settings = Settings {
        threads: threads.unwrap_or(settings.threads),
        ..settings.clone()
    };
    let folder = BundleFolder::beside(&args.out)?;
    let (record, folder) = match make(&plan, &args.engine, &settings, folder)? {
        Made::Whole(record, folder) => (record, folder),
        Made::Stopped(status) => return Ok(status),
    };
    let seal = seal(&folder).to_owned();
    let files = folder.files().len();
    folder.settle(&args.out, is_archive)?;
    tell(&record, files, &args.out, output);
    output.print(&format!("{seal}\n"))?;
    Ok(match record.has_losses() {
        false => ExitStatus::Done,
        true => ExitStatus::Incomplete,
    })
}

fn plan(args: &EvidenceExportArgs, settings: &Settings) -> Result<Plan, CliError> {
    let mut map = ControlMap::embedded().map_err(|cause| CliError::Controls {
        path: "controls.toml".into(),
        cause,
    })?;
    let mut own_controls = None;
    if let Some(path) = &args.controls {
        let text = std::fs::read_to_string(path).map_err(|cause| CliError::Read {
            path: path.clone(),
            cause,
        })?;
        map = map.with_text(&text).map_err(|cause| CliError::Controls {
            path: path.clone(),
            cause,
        })?;
        own_controls = Some(text);
    }
    let mut frameworks: Vec<String> = Vec::new();
    for name in args
        .frameworks
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
    {
        if !map.frameworks().iter().any(|known| known.id == name) {
            let known: Vec<String> = map.frameworks().iter().map(|known| format!("`{}`", known.id)).collect();
            return Err(CliError::Usage {
                message: format!("there is no framework `{name}`"),
                hint: Some(format!("there are {}", known.join(", "))),
            });
        }
        if !frameworks.iter().any(|known| known == name) {
            frameworks.push(name.to_owned());
        }
    }
    let sealing_key = args.sign_key.as_deref().map(sealing_key).transpose()?;
    let outside = || CliError::usage("`--prepared-at` lies outside of the calendar");
    let prepared_at = args
        .prepared_at
        .map(|seconds| Timestamp::from_second(seconds).map_err(|_| outside()));
    let window = parse_period(&args.period, settings.now)?;
    Ok(Plan {
        window,
        period: period_text(&args.period, window),
        frameworks,
        map,
        own_controls,
        library: load_library(args.queries.as_deref())?,
        parameters: args.params.iter().cloned().collect(),
        redaction: match args.no_redaction {
            true => Redaction::Off,
            false => Redaction::Standard,
        },
        prepared_by: args.prepared_by.clone(),
        prepared_at: prepared_at.transpose()?.map(|time| time.to_string()),
        keys: KeyFile::read(&args.keys)?,
        signed_by: sealing_key.as_ref().map(SealingKey::public_key),
        sealing_key,
    })
}

fn sealing_key(path: &Path) -> Result<SealingKey, CliError> {
    let text = std::fs::read(path).map_err(|cause| CliError::Read {
        path: path.to_owned(),
        cause,
    })?;
    let key = SealingKey::read(&text);
    key.map_err(|cause| CliError::usage(format!("`{}` cannot sign: {cause}", path.display())))
}

/// Whether a bundle is to be an archive, by its name: refuses names of what this program does not make.
fn wants_archive(out: &Path) -> Result<bool, CliError> {
    let name = out.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_other = [".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z"];
    if is_other.iter().any(|ending| name.ends_with(ending)) || name == "-" {
        return Err(CliError::Usage {
            message: format!("no bundle of the kind of `{}` is made", out.display()),
            hint: Some("name a folder, or a file that ends in `.tar`, and compress it afterwards".to_owned()),
        });
    }
    Ok(name.ends_with(".tar"))
}

/// Nothing is replaced but an empty folder: a bundle is evidence.
fn check_place(out: &Path, is_archive: bool) -> Result<(), CliError> {
    let is_empty = || std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    match out.symlink_metadata() {
        Ok(_) if is_archive || !is_empty() => Err(CliError::Usage {
            message: format!("`{}` is there already", out.display()),
            hint: Some("choose another name for the bundle".to_owned()),
        }),
        _ => Ok(()),
    }
}

fn tell(record: &BundleRecord, files: usize, out: &Path, output: &mut Output) {
    output.note(&format!(
        "{} of {} written to `{}`; SHA-256 of its SHA256SUMS:",
        counted(files, "file"),
        record.period.text,
        out.display()
    ));
    let coverage = &record.coverage;
    if coverage.hours_incomplete > 0 {
        output.warning(&format!(
            "something is missing in {} hours of accounts in regions; `trimtrail coverage` and the page say what",
            format_count(coverage.hours_incomplete)
        ));
    }
    if coverage.events == 0 {
        output.warning("the store holds no events of the period");
    }
    if let Some(before) = &coverage.expired_before {
        output.warning(&format!(
            "events from before {before} have expired, so that the bundle cannot show what was done before"
        ));
    }
    match record.integrity {
        None => output.note("the digests were not verified, so that no control stands as clear; `--keys` does"),
        Some(IntegrityResult::Valid) if coverage.hours_complete == coverage.hours => {}
        Some(IntegrityResult::Valid) => output.warning(&format!(
            "the digests do not prove that the logs of {} of {} hours are complete; `trimtrail coverage` says why",
            format_count(coverage.hours.saturating_sub(coverage.hours_complete)),
            format_count(coverage.hours)
        )),
        Some(result) => output.warning(&format!(
            "what the digests prove of the period is: {}; `integrity.json` and `trimtrail verify` say why",
            result.name()
        )),
    }
}
