//! `facts`: what is known about AWS, and bringing it up to date.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::UInt64Array;

use crate::cli::args::FactsArgs;
use crate::cli::args::FactsCommand;
use crate::cli::args::FactsImportArgs;
use crate::cli::args::FactsInfoArgs;
use crate::cli::args::OutputArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::settings::Settings;
use crate::cli::target::Target;
use crate::cli::target::keep_out_of_stores;
use crate::iam;
use crate::iam::Facts;
use crate::iam::ImportedFacts;
use crate::iam::ImportedFile;
use crate::report::Arrangement;
use crate::report::ReportError;

/// Shows the facts, or brings them up to date.
///
/// # Errors
/// When the facts or the files cannot be read, or the new facts cannot be written.
pub fn facts(args: &FactsArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    match &args.command {
        FactsCommand::Info(args) => info(args, settings, output),
        FactsCommand::Import(args) => import(args, settings, output),
    }
}

fn info(args: &FactsInfoArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let facts = facts::named(&args.folder)?.unwrap_or_else(Facts::embedded);
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: &str| lines.push((name.to_owned(), value.to_owned()));
    facts.about().iter().for_each(|(name, value)| line(name, value));
    let current = facts.actions().filter(|(_, action)| action.is_current).count();
    let all = facts.actions().count();
    for (name, count) in [
        ("services", facts.services().len()),
        ("actions", current),
        ("retired actions", all - current),
        ("resource types of data events", facts.data_resource_types().len()),
        ("AWS managed policies", iam::managed_policies().len()),
    ] {
        line(name, &count.to_string());
    }
    let column = |texts: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(texts)) };
    let columns = [
        ("name", column(lines.iter().map(|(name, _)| name.as_str()).collect())),
        ("value", column(lines.iter().map(|(_, value)| value.as_str()).collect())),
    ];
    show(&columns, &args.output, settings, output)?;
    Ok(ExitStatus::Done)
}

fn import(args: &FactsImportArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let mut paths = Vec::new();
    collect(&args.source, &mut paths)?;
    paths.sort();
    let files = paths.iter().map(|path| {
        let bytes = fs::read(path).map_err(|cause| CliError::Read {
            path: path.clone(),
            cause,
        })?;
        let name = path.display().to_string();
        Ok(ImportedFile { name, bytes })
    });
    let files = files.collect::<Result<Vec<_>, CliError>>()?;
    let earlier = earlier(&args.facts)?;
    let day = settings.now.strftime("%Y-%m-%d").to_string();
    let imported = iam::import_facts(Facts::embedded_pack(), &files, &day).map_err(|cause| CliError::Facts {
        path: match cause {
            iam::FactsError::NothingToImport => args.source.clone(),
            _ => facts::pack_path(&args.facts),
        },
        cause,
    })?;
    write_pack(&imported.pack, &args.facts, output)?;
    show(&service_rows(&imported), &args.output, settings, output)?;
    let folder = args.facts.display();
    output.note(&format!(
        "facts written to `{folder}`; other commands use them with `--facts {folder}`"
    ));
    for file in &imported.ignored {
        output.note(&format!("left out `{}`: {}", file.name, file.reason));
    }
    let services: BTreeSet<&str> = imported.services.iter().map(|it| it.prefix.as_str()).collect();
    let replaced: Vec<&str> = earlier.into_iter().filter(|it| !services.contains(it)).collect();
    if !replaced.is_empty() {
        output.note(&format!(
            "the built-in facts hold again for what an earlier import brought and no file names now: {}",
            replaced.join(", ")
        ));
    }
    let is_complete = !imported.ignored.iter().any(|file| file.is_damaged);
    Ok(match is_complete {
        true => ExitStatus::Done,
        false => ExitStatus::Incomplete,
    })
}

/// Services that an earlier import brought; none if its facts cannot be read, as they are written anew.
fn earlier(folder: &Path) -> Result<Vec<&'static str>, CliError> {
    let known = facts::read_pack(folder)?.and_then(|pack| Facts::from_pack(&pack).ok());
    Ok(known.map_or_else(Vec::new, |known| known.imported_services().collect()))
}

/// The `.json` files below a folder, or the file itself.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let failed = |cause| CliError::Read {
        path: path.to_owned(),
        cause,
    };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let is_json = entry.path().extension().is_some_and(|extension| extension == "json");
        // A link to a folder is not followed: it may lead around in a circle.
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if is_json && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn write_pack(pack: &[u8], folder: &Path, output: &mut Output) -> Result<(), CliError> {
    let path = facts::pack_path(folder);
    let failed = |cause| CliError::Write {
        path: path.clone(),
        cause,
    };
    keep_out_of_stores(folder)?;
    fs::create_dir_all(folder).map_err(failed)?;
    let mut target = Target::open(Some(&path))?;
    target.writer(output).write_all(pack).map_err(failed)?;
    target.complete(output)
}

fn service_rows(imported: &ImportedFacts) -> [(&'static str, ArrayRef); 4] {
    let services = || imported.services.iter();
    let count = |actions: &Vec<String>| u64::try_from(actions.len()).unwrap_or(u64::MAX);
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(services().map(|service| &service.prefix)));
    let versions: ArrayRef = Arc::new(StringArray::from_iter_values(
        services().map(|service| &service.version),
    ));
    let added: ArrayRef = Arc::new(UInt64Array::from_iter_values(
        services().map(|service| count(&service.added)),
    ));
    let retired: ArrayRef = Arc::new(UInt64Array::from_iter_values(
        services().map(|service| count(&service.retired)),
    ));
    [
        ("service", names),
        ("version", versions),
        ("new_actions", added),
        ("retired_actions", retired),
    ]
}

fn show(
    columns: &[(&'static str, ArrayRef)],
    args: &OutputArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<(), CliError> {
    let columns = columns.iter().map(|(name, array)| (*name, Arc::clone(array)));
    let rows = RecordBatch::try_from_iter(columns).map_err(ReportError::from)?;
    rows::show(&rows, Arrangement::default(), args, settings, output)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::args::FactsFolderArgs;
    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::cli::settings::tests::headless;

    const REFERENCE: &str = r#"{"Name":"moon","Version":"v1.4","Actions":[{"Name":"LaunchRocket"}],"Resources":[]}"#;

    fn run(command: FactsCommand) -> (Result<ExitStatus, CliError>, String, String) {
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let status = facts(&FactsArgs { command }, &headless(), &mut output);
        (status, data.text(), messages.text())
    }

    fn import_args(source: &Path, facts: &Path) -> FactsCommand {
        FactsCommand::Import(FactsImportArgs {
            source: source.to_owned(),
            facts: facts.to_owned(),
            output: OutputArgs::default(),
        })
    }

    fn info_args(facts: Option<&Path>) -> FactsCommand {
        FactsCommand::Info(FactsInfoArgs {
            folder: FactsFolderArgs {
                facts: facts.map(Path::to_owned),
            },
            output: OutputArgs::default(),
        })
    }

    #[test]
    fn built_in_facts_name_their_sources_and_sizes() {
        let (status, data, _) = run(info_args(None));
        assert_eq!(status.unwrap(), ExitStatus::Done);
        for text in ["catalogue", "2026-10-27", "source botocore", "22321"] {
            assert!(data.contains(text), "{text}: {data}");
        }
    }

    #[test]
    fn imported_facts_are_used_from_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("reference"), folder.path().join("facts"));
        fs::create_dir_all(source.join("moon")).unwrap();
        fs::write(source.join("moon/moon.json"), REFERENCE).unwrap();
        fs::write(source.join("mapping.json"), "{}").unwrap();
        let (status, data, messages) = run(import_args(&source, &target));
        assert_eq!(status.unwrap(), ExitStatus::Done, "{messages}");
        assert!(
            data.contains("moon") && messages.contains("mapping.json"),
            "{data}{messages}"
        );
        let (_, data, _) = run(info_args(Some(&target)));
        assert!(data.contains("imported moon") && data.contains("22322"), "{data}");
        let before = fs::read(facts::pack_path(&target)).unwrap();
        run(import_args(&source, &target)).0.unwrap();
        assert_eq!(fs::read(facts::pack_path(&target)).unwrap(), before);
    }

    #[test]
    fn file_that_is_no_json_makes_the_import_incomplete() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("moon.json"), REFERENCE).unwrap();
        fs::write(folder.path().join("mars.json"), "{\"Name\":").unwrap();
        let (status, _, messages) = run(import_args(folder.path(), &folder.path().join("facts")));
        assert_eq!(status.unwrap(), ExitStatus::Incomplete);
        assert!(messages.contains("mars.json"), "{messages}");
    }

    #[test]
    fn folder_without_a_reference_or_without_facts_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (status, ..) = run(import_args(folder.path(), &folder.path().join("facts")));
        let error = status.unwrap_err();
        assert!(error.to_string().contains("no AWS Service Reference"), "{error}");
        assert!(!folder.path().join("facts").exists());
        let error = run(info_args(Some(folder.path()))).0.unwrap_err();
        assert_eq!(error.exit_status(), ExitStatus::Usage);
        fs::write(facts::pack_path(folder.path()), "no pack").unwrap();
        let error = run(info_args(Some(folder.path()))).0.unwrap_err();
        assert!(error.to_string().contains("facts.gz"), "{error}");
    }
}
