//! `evidence verify`.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::Made;
use super::make;
use super::seal;
use super::signature;
use crate::analysis::AnalysisError;
use crate::cli::args::ConnectionArgs;
use crate::cli::args::EngineArgs;
use crate::cli::args::EvidenceVerifyArgs;
use crate::cli::args::FactsFolderArgs;
use crate::cli::args::StoreLocationArgs;
use crate::cli::bundle::BundleFolder;
use crate::cli::bundle::KeyFile;
use crate::cli::bundle::Plan;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::iam::Facts;
use crate::policy::Window;
use crate::query::Library;
use crate::query::QueryError;
use crate::query::RAW_FUNCTION;
use crate::report::escape;
use crate::report::evidence::BundleRecord;
use crate::report::evidence::ControlMap;
use crate::report::evidence::FORMAT;
use crate::report::evidence::Problem;
use crate::report::evidence::RECORD_FILE;
use crate::report::evidence::Redaction;
use crate::report::evidence::SIGNATURE_FILE;
use crate::report::evidence::STATEMENT_FILE;
use crate::report::evidence::SUMS_FILE;
use crate::report::evidence::check_bundle;
use crate::report::evidence::is_file_name;

/// Checks a bundle.
///
/// # Errors
/// When it cannot be read, or the store not be asked.
pub(super) fn verify(
    args: &EvidenceVerifyArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let folder = match BundleFolder::open(&args.bundle, args.room.temp_dir.as_deref()) {
        // An archive that was changed where no file's hash would tell.
        Err(CliError::Bundle { cause, .. }) => {
            output.print(&format!("{}\n", escape::visible(&cause)))?;
            output.warning(&format!("`{}` is not as it was made", args.bundle.display()));
            return Ok(ExitStatus::Gate);
        }
        opened => opened?,
    };
    let text = |name: &str| Ok::<_, CliError>(String::from_utf8_lossy(&folder.read(name)?).into_owned());
    let mut bound = folder.files().clone();
    bound.remove(SIGNATURE_FILE);
    let mut problems = check_bundle(&bound, &text(SUMS_FILE)?, &text(STATEMENT_FILE)?);
    let signed = signature::check(&folder, args)?;
    problems.extend(signed.problem.clone());
    if !problems.is_empty() {
        tell(&problems, output)?;
        output.warning(&format!("`{}` is not as it was made", args.bundle.display()));
        return Ok(ExitStatus::Gate);
    }
    output.note(&format!(
        "{} as they were bound together; SHA-256 of SHA256SUMS: {}",
        counted(folder.files().len(), "file"),
        seal(&folder)
    ));
    if let Some(note) = &signed.note {
        output.note(note);
    }
    let is_unchecked = signed.tell_foreign(args, output)?;
    let status = match &args.store {
        Some(store) => compare_with_store(store, (args, &folder), settings, output)?,
        None => {
            output.note("that the rows are those of the store, only `--store` can tell");
            ExitStatus::Done
        }
    };
    Ok(match status {
        ExitStatus::Done if is_unchecked => ExitStatus::Incomplete,
        status => status,
    })
}

/// Makes the bundle again from a store, and compares.
fn compare_with_store(
    store: &str,
    (args, folder): (&EvidenceVerifyArgs, &BundleFolder),
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let no_bundle = |cause: String| CliError::Bundle {
        path: args.bundle.clone(),
        cause,
    };
    let record = record(&folder.read(RECORD_FILE)?).map_err(no_bundle)?;
    check_version(&record)?;
    let plan = plan(&record, folder).map_err(|error| no_bundle(error.to_string()))?;
    let reaching = files_that_reach_out(&plan, &record);
    if !reaching.is_empty() {
        tell(&reaching, output)?;
        output.warning("nothing was asked: the questions of a bundle are answered from the store alone");
        return Ok(ExitStatus::Gate);
    }
    check_facts(&record, &args.facts)?;
    let engine = engine(args, store, &record);
    compare((&plan, &engine), (&record, folder), settings, output)
}

/// Refuses to compare where another version of this program would give other files.
fn check_version(record: &BundleRecord) -> Result<(), CliError> {
    let own = env!("CARGO_PKG_VERSION");
    if record.trimtrail_version == own {
        return Ok(());
    }
    let made_by = &record.trimtrail_version;
    Err(CliError::Usage {
        message: format!(
            "the bundle was made by version {made_by} of this program, so that nothing can be compared; this one is {own}"
        ),
        hint: Some(format!(
            "its files are as they were bound together; compare it with the store by version {made_by}"
        )),
    })
}

/// Files with questions that read more than the store: they could reach whatever the one who checks a bundle may read.
fn files_that_reach_out(plan: &Plan, record: &BundleRecord) -> Vec<Problem> {
    let questions = record.exhibits.iter().filter_map(|exhibit| exhibit.question.as_ref());
    let questions = questions.filter_map(|id| plan.library.get(id));
    let reaching = questions.filter(|question| question.sql.to_lowercase().contains(RAW_FUNCTION));
    let mut problems: Vec<Problem> = reaching
        .map(|question| Problem::ReachesOut(format!("queries/{}.sql", question.id)))
        .collect();
    problems.sort();
    problems.dedup();
    problems
}

/// What the bundle says of itself, if it is of the layout that this program knows.
fn record(text: &[u8]) -> Result<BundleRecord, String> {
    let any: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match any.get("format").and_then(Value::as_u64) {
        Some(layout) if layout != u64::from(FORMAT) => {
            Err(format!("its layout is {layout}, and this program knows {FORMAT}"))
        }
        _ => serde_json::from_value(any).map_err(|error| error.to_string()),
    }
}

/// Refuses to compare where other facts would give other rows.
fn check_facts(record: &BundleRecord, args: &FactsFolderArgs) -> Result<(), CliError> {
    let facts = facts::named(args)?.unwrap_or_else(Facts::embedded);
    let found: BTreeMap<&str, &str> = facts.about().iter().copied().collect();
    let wanted: BTreeMap<&str, &str> = record
        .facts
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    if found == wanted {
        return Ok(());
    }
    let told = |facts: &BTreeMap<&str, &str>| {
        let pairs = facts.iter().map(|(name, value)| format!("{name} {value}"));
        pairs.collect::<Vec<_>>().join(", ")
    };
    Err(CliError::Usage {
        message: format!(
            "the bundle was made with other facts, so that nothing can be compared: {}; those at hand: {}",
            told(&wanted),
            told(&found)
        ),
        hint: Some(format!(
            "name the folder of its facts with `--facts`; without it, they were those of version {} of this program",
            record.trimtrail_version
        )),
    })
}

/// How the store is read again.
fn engine(args: &EvidenceVerifyArgs, store: &str, record: &BundleRecord) -> EngineArgs {
    EngineArgs {
        location: StoreLocationArgs {
            store: store.to_owned(),
            bucket: args.bucket.clone(),
        },
        facts: args.facts.clone(),
        at_version: Some(record.store.version),
        room: args.room.clone(),
        connection: ConnectionArgs::default(),
    }
}

/// Makes the bundle again, and names the files that come out otherwise.
fn compare(
    (plan, engine): (&Plan, &EngineArgs),
    (record, folder): (&BundleRecord, &BundleFolder),
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let again = match make(
        plan,
        engine,
        settings,
        BundleFolder::apart(engine.room.temp_dir.as_deref())?,
    ) {
        Ok(Made::Whole(_, again)) => again,
        Ok(Made::Stopped(status)) => return Ok(status),
        Err(error) => return heed_damage(error, engine, settings, output),
    };
    let names = again.files().keys().chain(folder.files().keys());
    // The key that signed is not here; the signature was checked.
    let names = names.filter(|name| *name != SIGNATURE_FILE);
    let other = names.filter(|name| again.files().get(*name) != folder.files().get(*name));
    let mut problems: Vec<Problem> = other.map(|name| Problem::Differs(name.clone())).collect();
    problems.sort();
    problems.dedup();
    if problems.is_empty() {
        output.note(&format!(
            "version {} of the store gives the same bytes",
            record.store.version
        ));
        return Ok(ExitStatus::Done);
    }
    tell(&problems, output)?;
    output.warning(&format!(
        "version {} of the store does not give these files",
        record.store.version
    ));
    Ok(ExitStatus::Gate)
}

/// A store in which a file was changed, so that it cannot be read, is not as it was either.
fn heed_damage(
    error: CliError,
    engine: &EngineArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    if !may_be_damage(&error) {
        return Err(error);
    }
    // Every file may be read, which takes long.
    let stop = StopFlag::on_signal()?;
    let found = Runtime::start(settings.threads)?.run(async {
        let engine = Engine::open(engine, settings).await?;
        Ok(engine.damage(true, stop.raised()).await)
    });
    if let Some(status) = stop.status() {
        return Ok(status);
    }
    let damage = match (found, &error) {
        (Ok(Some(damage)), _) => damage.to_string(),
        (_, CliError::Store(damage)) if damage.is_of_data_file() => damage.to_string(),
        _ => return Err(error),
    };
    output.print(&format!("{}\n", escape::visible(&damage)))?;
    output.warning("the store is not as it was; `trimtrail doctor` says what can be done");
    Ok(ExitStatus::Gate)
}

/// Whether an error may come from what is in a data file.
fn may_be_damage(error: &CliError) -> bool {
    match error {
        CliError::Store(error)
        | CliError::Query(QueryError::Store(error))
        | CliError::Analysis(AnalysisError::Query(QueryError::Store(error))) => error.is_of_data_file(),
        CliError::Query(error) | CliError::Analysis(AnalysisError::Query(error)) => {
            matches!(error, QueryError::Execution { .. })
        }
        CliError::Analysis(error) => matches!(error, AnalysisError::Unreadable(_) | AnalysisError::Snapshot { .. }),
        _ => false,
    }
}

fn tell(problems: &[Problem], output: &mut Output) -> Result<(), CliError> {
    for problem in problems {
        output.print(&format!("{}\n", escape::visible(&problem.to_string())))?;
    }
    Ok(())
}

/// The plan that a bundle was made by.
fn plan(record: &BundleRecord, folder: &BundleFolder) -> Result<Plan, CliError> {
    let map = ControlMap::embedded();
    let mut map = map.map_err(|error| CliError::usage(error.to_string()))?;
    let mut own_controls = None;
    if record.has_own_controls {
        let text = String::from_utf8_lossy(&folder.read("controls.toml")?).into_owned();
        map = map
            .with_text(&text)
            .map_err(|error| CliError::usage(error.to_string()))?;
        own_controls = Some(text);
    }
    let time = |text: &str| -> Result<i64, CliError> {
        let time: Result<Timestamp, _> = text.parse();
        let time = time.map_err(|_| CliError::usage(format!("`{text}` is no time")))?;
        Ok(time.as_microsecond())
    };
    let redaction = Redaction::of_name(&record.redaction);
    let mut keys = Vec::new();
    for file in &record.public_keys {
        keys.push(KeyFile {
            name: file.file.clone(),
            region: file.region.clone(),
            content: folder.read(&file.file)?,
        });
    }
    if let Some(file) = keys.iter().find(|file| !is_file_name(&file.name)) {
        return Err(CliError::usage(format!("`{}` is no name of a file", file.name)));
    }
    Ok(Plan {
        period: record.period.text.clone(),
        window: Window {
            since: time(&record.period.since)?,
            until: time(&record.period.until)?,
        },
        frameworks: record.frameworks.iter().map(|framework| framework.id.clone()).collect(),
        map,
        own_controls,
        library: library(record, folder)?,
        parameters: record.parameters.clone(),
        redaction: redaction.ok_or_else(|| CliError::usage("its rules of redaction are not known"))?,
        prepared_by: record.prepared_by.clone(),
        prepared_at: record.prepared_at.clone(),
        keys,
        sealing_key: None,
        signed_by: record.signed_by.clone(),
    })
}

/// The questions of this program, and those of the bundle that are not among them.
fn library(record: &BundleRecord, folder: &BundleFolder) -> Result<Library, CliError> {
    let library = Library::embedded()?;
    let questions = record.exhibits.iter().filter_map(|exhibit| exhibit.question.as_ref());
    let own = questions.filter(|id| library.get(id).is_none());
    let mut files = BTreeMap::new();
    for id in own {
        let name = format!("queries/{id}.sql");
        files.insert(format!("{id}.sql"), folder.read(&name)?);
    }
    if files.is_empty() {
        return Ok(library);
    }
    let questions = tempfile::tempdir().map_err(CliError::Start)?;
    for (name, text) in files
        .iter()
        .filter(|(name, _)| is_file_name(name) && !name.contains('/'))
    {
        let path = questions.path().join(name);
        std::fs::write(&path, text).map_err(|cause| CliError::Write { path, cause })?;
    }
    Ok(library.with_folder(Path::new(questions.path()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn damage_is_looked_for_only_where_what_is_in_a_data_file_may_have_failed() {
        let failed = || QueryError::Execution {
            message: "Parquet error".to_owned(),
        };
        let damaged = || StoreError::DamagedFile {
            path: "x.parquet".to_owned(),
            reason: "is empty".to_owned(),
        };
        for error in [
            CliError::Query(failed()),
            CliError::Analysis(AnalysisError::Query(failed())),
            CliError::Store(damaged()),
            CliError::Query(QueryError::Store(damaged())),
        ] {
            assert!(may_be_damage(&error), "{error}");
        }
        for error in [
            CliError::NoEvents,
            CliError::usage("no"),
            CliError::Query(QueryError::NoSpace),
            CliError::Store(StoreError::NotAStore { path: "x".to_owned() }),
        ] {
            assert!(!may_be_damage(&error), "{error}");
        }
    }
}
