//! `iam`: who was there and what they were granted.

use uuid::Uuid;

use crate::cli::args::IamArgs;
use crate::cli::args::IamCommand;
use crate::cli::args::IamImportArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::cli::time::parse_time_option;
use crate::ingest::Import;
use crate::ingest::ImportBalance;
use crate::ingest::SourceProblem;
use crate::policy::snapshot::PrincipalKind;
use crate::policy::snapshot::Severity;
use crate::source::History;
use crate::source::Lister;
use crate::source::Listing;
use crate::source::Request;
use crate::store::Store;

/// Problems that are told one by one.
const TOLD_PROBLEMS: usize = 10;

const PROBLEMS_QUERY: &str = "select source, problems from iam_sources where problems <> '[]' order by 1";

/// Imports IAM snapshots.
///
/// # Errors
/// When a source or the store cannot be used. A file that cannot be read is no error: the counts name it, and the status
/// is [`ExitStatus::Incomplete`].
pub fn iam(args: &IamArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    match &args.command {
        IamCommand::Import(args) => import(args, settings, output),
    }
}

fn import(args: &IamImportArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let location = args.location.location()?;
    let taken_at = args
        .taken_at
        .as_deref()
        .map(|text| parse_time_option("--taken-at", text, settings.now))
        .transpose()?;
    let runtime = Runtime::start(settings.threads)?;
    let listing = runtime.run(Box::pin(list(args)))?;
    let now = settings.now.as_microsecond();
    let store = runtime.run(async { Ok(Store::create_or_open(&location, now).await?) })?;
    let import = Import {
        store: &store,
        runtime: runtime.handle(),
        run_id: Uuid::new_v4().to_string(),
        now,
        taken_at: taken_at.map(|time| time.as_microsecond()),
    };
    let balance = import.run(listing)?;
    output.print(&render(&balance))?;
    if balance.further_pages > 0 {
        let files = counted(balance.further_pages, "file");
        output.note(&format!(
            "pages of one answer were put together: {files} added to the first of its pages"
        ));
    }
    tell_problems(&balance, output);
    output.note(&format!("store: {}", location.display()));
    Ok(match balance.is_complete() {
        true => ExitStatus::Done,
        false => ExitStatus::Incomplete,
    })
}

/// Everything below the sources, whatever its name.
async fn list(args: &IamImportArgs) -> Result<Listing, CliError> {
    let request = Request {
        sources: args.sources.clone(),
        takes_any_key: true,
        s3: args.connection.options(),
        ..Request::default()
    };
    let mut lister = Lister::open(&request, &History::default()).await?;
    let mut listing = Listing::default();
    while let Some(part) = lister.next().await? {
        listing.objects.extend(part.objects);
        listing.unlisted.extend(part.unlisted);
    }
    Ok(listing)
}

/// The counts; the first line balances.
fn render(balance: &ImportBalance) -> String {
    let mut text = format!(
        "sources     {} listed = {} imported + {} known + {} rejected + {} other\n",
        format_count(balance.listed),
        format_count(balance.imported),
        format_count(balance.known),
        format_count(balance.rejected),
        format_count(balance.other),
    );
    if balance.imported == 0 {
        return text;
    }
    let formats = balance.by_format.iter();
    let formats: Vec<String> = formats
        .map(|(format, sources)| format!("{} {}", format_count(*sources), format.name()))
        .collect();
    let principals = |kind: PrincipalKind| {
        let count = balance.principals.get(&kind).copied().unwrap_or_default();
        counted(count, kind.name())
    };
    let all_principals: u64 = balance.principals.values().sum();
    let account_count: u64 = balance.accounts.iter().map(|_| 1).sum();
    text.push_str(&format!(
        "formats     {}\n\
         accounts    {}\n\
         principals  {} = {} + {} + {}; the permissions of {} are not known\n\
         policies    {} with {} and {}\n",
        formats.join(", "),
        format_count(account_count),
        format_count(all_principals),
        principals(PrincipalKind::User),
        principals(PrincipalKind::Group),
        principals(PrincipalKind::Role),
        format_count(balance.unknown_principals),
        format_count(balance.policies),
        counted(balance.statements, "statement"),
        counted(balance.attachments, "attachment"),
    ));
    if balance.credentials > 0 {
        text.push_str(&format!("credentials {}\n", format_count(balance.credentials)));
    }
    text
}

/// Says what could not be understood, and where to look for more.
fn tell_problems(balance: &ImportBalance, output: &mut Output) {
    for (path, reason) in &balance.unlisted {
        output.warning(&format!("cannot list `{path}`: {reason}"));
    }
    for (source, reason) in balance.rejects.iter().take(TOLD_PROBLEMS) {
        output.warning(&format!("`{source}` {reason}"));
    }
    let of = |severity: Severity| -> Vec<&SourceProblem> {
        let problems = balance.problems.iter();
        problems.filter(|told| told.problem.severity == severity).collect()
    };
    let (gaps, notes) = (of(Severity::Gap), of(Severity::Note));
    let line = |told: &SourceProblem| format!("`{}`: {}: {}", told.source, told.problem.place, told.problem.message);
    gaps.iter()
        .take(TOLD_PROBLEMS)
        .for_each(|gap| output.warning(&line(gap)));
    notes
        .iter()
        .take(TOLD_PROBLEMS)
        .for_each(|note| output.note(&line(note)));
    let untold = |count: usize| u64::try_from(count.saturating_sub(TOLD_PROBLEMS)).unwrap_or(u64::MAX);
    let more_rejects = untold(balance.rejects.len());
    if more_rejects > 0 {
        let more = counted(more_rejects, "more source");
        output.warning(&format!("rejected: {more}"));
    }
    let more = untold(gaps.len()) + untold(notes.len());
    if more > 0 {
        let more = counted(more, "more problem");
        output.warning(&format!("{more}; `trimtrail sql \"{PROBLEMS_QUERY}\"` lists all"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::path::Path;

    use crate::cli::args::ConnectionArgs;
    use crate::cli::args::StoreLocationArgs;
    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::cli::settings::tests::headless;

    fn run(folder: &Path, source: &str, taken_at: Option<&str>) -> (Result<ExitStatus, CliError>, String, String) {
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let args = IamImportArgs {
            sources: vec![folder.join(source).display().to_string()],
            taken_at: taken_at.map(str::to_owned),
            connection: ConnectionArgs::default(),
            location: StoreLocationArgs::named(folder.join("store").display().to_string()),
        };
        let args = IamArgs {
            command: IamCommand::Import(args),
        };
        let status = iam(&args, &headless(), &mut output);
        (status, data.text(), messages.text())
    }

    const ROLE: &str = r#"{"RoleDetailList":[{"RoleName":"r","Arn":"arn:aws:iam::111122223333:role/r","AttachedManagedPolicies":[],"RolePolicyList":
        [{"PolicyName":"p","PolicyDocument":{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}}]}]}"#;

    #[test]
    fn account_of_an_import_balances_and_a_second_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.json"), ROLE).unwrap();
        let (status, data, _) = run(folder.path(), "a.json", None);
        assert_eq!(status.unwrap(), ExitStatus::Done);
        assert_eq!(
            data,
            "sources     1 listed = 1 imported + 0 known + 0 rejected + 0 other\n\
             formats     1 authorization-details\n\
             accounts    1\n\
             principals  1 = 0 users + 0 groups + 1 role; the permissions of 0 are not known\n\
             policies    1 with 1 statement and 1 attachment\n"
        );
        let (status, data, _) = run(folder.path(), "a.json", None);
        assert_eq!(status.unwrap(), ExitStatus::Done);
        assert_eq!(
            data,
            "sources     1 listed = 0 imported + 1 known + 0 rejected + 0 other\n"
        );
    }

    #[test]
    fn gap_is_told_with_its_place_and_the_import_is_incomplete() {
        let folder = tempfile::tempdir().unwrap();
        let odd = ROLE.replace("\"Action\"", "\"Actions\\u001b[2J\"");
        std::fs::write(folder.path().join("a.json"), odd).unwrap();
        let (status, data, messages) = run(folder.path(), "a.json", None);
        assert_eq!(status.unwrap(), ExitStatus::Incomplete);
        assert!(data.contains("the permissions of 1 are not known"), "{data}");
        assert!(
            messages.contains("role/r#p`: statement 1: element `Actions\\u{1b}[2J` is unknown"),
            "{messages}"
        );
    }

    #[test]
    fn wrong_time_is_wrong_usage_and_a_missing_file_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (status, ..) = run(folder.path(), "a.json", Some("soon"));
        assert_eq!(status.unwrap_err().exit_status(), ExitStatus::Usage);
        let (status, ..) = run(folder.path(), "a.json", None);
        assert_eq!(status.unwrap_err().exit_status(), ExitStatus::Failed);
        assert!(!folder.path().join("store").exists());
    }
}
