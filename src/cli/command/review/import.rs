//! `review import`: decisions that were filled into the CSV of a review.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::analysis;
use crate::cli::args::ReviewImportArgs;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::cli::target::write_text;
use crate::policy::Decision;
use crate::policy::DecisionKind;
use crate::policy::DecisionSheet;
use crate::policy::Estate;
use crate::policy::KeepList;
use crate::policy::Misplaced;
use crate::policy::PrincipalKey;
use crate::policy::misplaced;
use crate::policy::with_decisions;

/// Reads the decisions of a sheet into an allow-list.
pub(super) async fn import(
    args: &ReviewImportArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let sheet = text_of(&args.sheet)?;
    let (text, list) = present(&args.out)?;
    let known = Known::of(args, settings).await?;
    let rules = DecisionSheet {
        known: &known.principals,
        present: &known.present,
        now: settings.now.as_microsecond(),
        valid_days: args.valid_for,
    };
    let (decisions, undecided) = rules.read(&sheet).map_err(|error| CliError::Usage {
        message: format!("cannot use `{}`: {error}", args.sheet.display()),
        hint: Some("nothing was written; mend the line and import the file again".to_owned()),
    })?;
    refuse_older(&decisions, &list, args)?;
    replace(&with_decisions(&text, list.decisions(), &decisions), &args.out, output)?;
    tell((&decisions, undecided), rules.now, args, output);
    Ok(ExitStatus::Done)
}

/// The allow-list as it is, which may not be there yet.
fn present(path: &Path) -> Result<(String, KeepList), CliError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(cause) => {
            let path = path.to_owned();
            return Err(CliError::Read { path, cause });
        }
    };
    let list = KeepList::read(&text).map_err(|cause| CliError::Keep {
        path: path.to_owned(),
        cause,
    })?;
    let misplaced = misplaced(&text).map_err(|cause| CliError::Keep {
        path: path.to_owned(),
        cause,
    })?;
    let line = "the line that begins with `# Decisions of access reviews`";
    let (message, hint) = match misplaced {
        None => return Ok((text, list)),
        Some(Misplaced::DecisionAbove) => (
            "has decisions that `review import` did not write",
            format!("move each `[[review]]` below {line}"),
        ),
        Some(Misplaced::EntryBelow) => (
            "has entries of yours among the decisions, which `review import` writes anew",
            format!("move each `[[keep]]` above {line}"),
        ),
    };
    Err(CliError::Usage {
        message: format!("`{}` {message}", path.display()),
        hint: Some(hint),
    })
}

/// Writes a list in the place of the present one, behind a link to that as well, and lets the same people read it.
fn replace(text: &str, path: &Path, output: &mut Output) -> Result<(), CliError> {
    let Ok(present) = fs::canonicalize(path) else {
        return write_text(text, Some(path), output);
    };
    let failed = |cause| CliError::Write {
        path: path.to_owned(),
        cause,
    };
    let permissions = fs::metadata(&present).map_err(failed)?.permissions();
    write_text(text, Some(&present), output)?;
    fs::set_permissions(&present, permissions).map_err(failed)
}

fn text_of(path: &Path) -> Result<String, CliError> {
    let bytes = match path == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map_err(CliError::Stdin)?;
            bytes
        }
        false => fs::read(path).map_err(|cause| CliError::Read {
            path: path.to_owned(),
            cause,
        })?,
    };
    String::from_utf8(bytes).map_err(|_| CliError::Usage {
        message: format!("`{}` is no text in UTF-8", path.display()),
        hint: Some("save the sheet `Review` as `CSV UTF-8`; nothing was written".to_owned()),
    })
}

/// Whom decisions may be about.
struct Known {
    /// Users and roles of the newest snapshots, and of all logs.
    principals: BTreeSet<PrincipalKey>,
    /// Unique ids of those of the snapshots, by ARN.
    present: BTreeMap<String, String>,
}

impl Known {
    async fn of(args: &ReviewImportArgs, settings: &Settings) -> Result<Self, CliError> {
        let engine = Engine::open(&args.engine, settings).await?;
        engine.need_store()?;
        let snapshots = analysis::snapshots(engine.session()).await?;
        let estate = Estate::newest(&snapshots);
        let members = estate.callers().map(|member| PrincipalKey {
            arn: member.principal.arn.clone(),
            unique_id: member.principal.unique_id.clone(),
        });
        let mut principals: BTreeSet<PrincipalKey> = members.collect();
        let ids = principals
            .iter()
            .filter_map(|key| Some((key.arn.clone(), key.unique_id.clone()?)));
        let present = ids.collect();
        if let Some(extent) = analysis::extent(engine.session()).await? {
            let callers = analysis::callers(engine.session(), extent).await?;
            principals.extend(
                callers
                    .into_iter()
                    .filter(|key| key.arn.contains(":role/") || key.arn.contains(":user/")),
            );
        }
        Ok(Self { principals, present })
    }
}

/// A newer decision is not undone by an older one.
fn refuse_older(decisions: &[Decision], list: &KeepList, args: &ReviewImportArgs) -> Result<(), CliError> {
    for decision in decisions {
        let newer = list
            .decision_on(&decision.key())
            .filter(|known| known.date > decision.date);
        if let Some(newer) = newer {
            return Err(CliError::usage(format!(
                "the decision of {} on `{}` is older than that of {} in `{}`",
                decision.date,
                decision.principal_arn,
                newer.date,
                args.out.display()
            )));
        }
    }
    Ok(())
}

fn tell((decisions, undecided): (&[Decision], usize), now: i64, args: &ReviewImportArgs, output: &mut Output) {
    for expired in decisions.iter().filter(|decision| decision.is_expired(now)) {
        output.warning(&format!(
            "the decision on `{}` does not count any more: it expired on {}",
            expired.principal_arn, expired.expires
        ));
    }
    let of = |kind: DecisionKind| decisions.iter().filter(|decision| decision.kind == kind).count();
    output.note(&format!(
        "{}: {} to keep, {} to trim, {} to remove; {} without one",
        counted(decisions.len(), "decision"),
        format_count(of(DecisionKind::Keep)),
        format_count(of(DecisionKind::Trim)),
        format_count(of(DecisionKind::Remove)),
        counted(undecided, "row"),
    ));
    let path = args.out.display();
    output.note(&format!(
        "written to `{path}`; `review`, `diff` and `policy` read it with `--allow {path}`"
    ));
}
