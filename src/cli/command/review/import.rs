//! `review import`: decisions that were filled into the CSV of a review.

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
use crate::policy::PrincipalKey;
use crate::policy::has_decision_by_hand;
use crate::policy::with_decisions;

/// Reads the decisions of a sheet into an allow-list.
pub(super) async fn import(
    args: &ReviewImportArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let sheet = text_of(&args.sheet)?;
    let (text, list) = present(&args.out)?;
    let known = known(args, settings).await?;
    let rules = DecisionSheet {
        known: &known,
        now: settings.now.as_microsecond(),
        valid_days: args.valid_for,
    };
    let (decisions, undecided) = rules.read(&sheet).map_err(|error| CliError::Usage {
        message: format!("cannot use `{}`: {error}", args.sheet.display()),
        hint: Some("nothing was written; mend the line and import the file again".to_owned()),
    })?;
    refuse_older(&decisions, &list, args)?;
    write_text(
        &with_decisions(&text, list.decisions(), &decisions),
        Some(&args.out),
        output,
    )?;
    tell(&decisions, undecided, args, output);
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
    if has_decision_by_hand(&text) {
        return Err(CliError::Usage {
            message: format!("`{}` has decisions that `review import` did not write", path.display()),
            hint: Some(
                "move each `[[review]]` below the line that begins with `# Decisions of access reviews`".to_owned(),
            ),
        });
    }
    Ok((text, list))
}

fn text_of(path: &Path) -> Result<String, CliError> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map_err(CliError::Stdin)?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(|cause| CliError::Read {
        path: path.to_owned(),
        cause,
    })
}

/// Users and roles of the newest snapshots, and of all logs.
async fn known(args: &ReviewImportArgs, settings: &Settings) -> Result<BTreeSet<PrincipalKey>, CliError> {
    let engine = Engine::open(&args.engine, settings).await?;
    engine.need_store()?;
    let snapshots = analysis::snapshots(engine.session()).await?;
    let estate = Estate::newest(&snapshots);
    let members = estate.callers().map(|member| PrincipalKey {
        arn: member.principal.arn.clone(),
        unique_id: member.principal.unique_id.clone(),
    });
    let mut known: BTreeSet<PrincipalKey> = members.collect();
    if let Some(extent) = analysis::extent(engine.session()).await? {
        let callers = analysis::callers(engine.session(), extent).await?;
        known.extend(
            callers
                .into_iter()
                .filter(|key| key.arn.contains(":role/") || key.arn.contains(":user/")),
        );
    }
    Ok(known)
}

/// A newer decision is not undone by an older one.
fn refuse_older(decisions: &[Decision], list: &KeepList, args: &ReviewImportArgs) -> Result<(), CliError> {
    for decision in decisions {
        let key = PrincipalKey {
            arn: decision.principal_arn.clone(),
            unique_id: decision.unique_id.clone(),
        };
        let newer = list.decision_on(&key).filter(|known| known.date > decision.date);
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

fn tell(decisions: &[Decision], undecided: usize, args: &ReviewImportArgs, output: &mut Output) {
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
