//! `policy`: policies without what is not used.

use crate::analysis;
use crate::cli::allow_list;
use crate::cli::args::ConditionName;
use crate::cli::args::PolicyArgs;
use crate::cli::args::PolicyMode;
use crate::cli::basis::Basis;
use crate::cli::basis::tell_basis;
use crate::cli::basis::thresholds;
use crate::cli::basis::wanted;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::interrupt::stop_signal;
use crate::cli::output::Output;
use crate::cli::proof::Proof;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::target::write_files;
use crate::cli::usage::note_source;
use crate::iam::Facts;
use crate::policy::Change;
use crate::policy::Estate;
use crate::policy::Evidence;
use crate::policy::EvidenceConditions;
use crate::policy::GenerateOptions;
use crate::policy::Holders;
use crate::policy::Mode;
use crate::policy::Plan;
use crate::policy::Proposal;
use crate::policy::Proposer;
use crate::policy::Subject;
use crate::policy::by_logged_arn;
use crate::policy::subjects;
use crate::report::PolicyFrame;
use crate::report::ReportError;
use crate::report::policy_files;
use crate::report::policy_text;

/// Proposes policies.
///
/// # Errors
/// When no principal is named or matches, the store cannot be read, the window is empty, or the policies cannot be written.
pub fn policy(args: &PolicyArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    if args.basis.principals.is_empty() {
        return Err(CliError::Usage {
            message: "no principal is named".to_owned(),
            hint: Some("name one with `--principal`, or all with `--principal '*'`".to_owned()),
        });
    }
    Runtime::start(settings.threads)?.run(async {
        tokio::select! {
            status = stop_signal() => status,
            status = propose(args, settings, output) => status,
        }
    })
}

async fn propose(args: &PolicyArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let (keeps, basis) = (allow_list::read(args.allow.as_deref())?, &args.basis.evidence);
    let facts = facts::named(&args.engine.facts)?.unwrap_or_else(Facts::embedded);
    let engine = Engine::open(&args.engine, settings).await?;
    let Basis { usage, snapshots } = Basis::gather(basis, &engine, settings).await?;
    note_source(engine.session().usage_source(), output);
    let estate = Estate::newest(&snapshots);
    let all = subjects(&usage, &estate);
    let chosen = wanted(&args.basis, subjects(&usage, &estate))?;
    let chosen_refs: Vec<&Subject<'_>> = chosen.iter().collect();
    let concerned = Holders::of(&all).concerned(&chosen_refs);
    let traces = analysis::traces(engine.session(), usage.window, &concerned).await?;
    let evidence = Evidence {
        usage: &usage,
        estate: &estate,
        subjects: &all,
        traces: &traces,
        thresholds: thresholds(basis),
    };
    let now = settings.now.as_microsecond();
    let mut proposer = Proposer::new(facts, evidence, mode(args)).keeping(&keeps, now);
    let proposals: Vec<Proposal<'_>> = chosen.iter().map(|subject| proposer.propose(subject)).collect();
    let frame = PolicyFrame {
        mode: args.mode.name(),
        window: usage.window,
        thresholds: evidence.thresholds,
        facts_date: facts.catalogue_date(),
    };
    let unwritable = write(args, &proposals, frame, output)?;
    allow_list::tell_expired(&keeps, now, output);
    // Entries about other principals than those wanted may well count.
    if args.basis.principals.iter().any(|wanted| wanted == "*") && args.basis.accounts.is_empty() {
        allow_list::tell_idle(&proposer.idle_keeps(), output);
    }
    let status = tell_basis(basis, frame.facts_date, (&chosen, &estate), &usage, output);
    let is_refused = tell(&proposals, output);
    let callers = analysis::callers(engine.session(), usage.window).await?;
    let actors = by_logged_arn(&Plan::of(&proposals).actors(&estate), &callers);
    let proof = Proof::of(facts, &engine, usage.window, &actors, &callers).await?;
    if !actors.is_empty() {
        proof.tell(output);
    }
    unwritable.iter().for_each(|error| output.warning(&error.to_string()));
    Ok(match is_refused || !unwritable.is_empty() {
        true => ExitStatus::Incomplete,
        false => status,
    })
}

fn mode(args: &PolicyArgs) -> Mode {
    let has = |name| args.conditions.contains(&name);
    match args.mode {
        PolicyMode::Trim => Mode::Trim,
        PolicyMode::Generate => Mode::Generate(GenerateOptions {
            keep_unknown: args.keep_unknown,
            conditions: EvidenceConditions {
                region: has(ConditionName::Region),
                endpoint: has(ConditionName::Vpce),
                via_service: has(ConditionName::ViaService),
            },
        }),
    }
}

/// Prints the policies, or writes them as files; gives what could not be written.
fn write(
    args: &PolicyArgs,
    proposals: &[Proposal<'_>],
    frame: PolicyFrame<'_>,
    output: &mut Output,
) -> Result<Vec<ReportError>, CliError> {
    Ok(match &args.out {
        None => {
            let written = policy_text(proposals, frame, args.format);
            output.print(&written.content)?;
            written.refused
        }
        Some(folder) => {
            let written = policy_files(proposals, frame, args.format);
            let files = written.content.iter();
            write_files(
                folder,
                files.map(|file| (file.name.as_str(), file.text.as_str())),
                output,
            )?;
            written.refused
        }
    })
}

/// Says what came out; true if something was refused.
fn tell(proposals: &[Proposal<'_>], output: &mut Output) -> bool {
    for proposal in proposals {
        let arn = &proposal.subject.key.arn;
        let count = |change: Change| proposal.policies.iter().filter(|it| it.change == change).count();
        output.note(&format!(
            "{arn}: {} to edit, {} to create, {} to remove, {} to keep",
            count(Change::Edit),
            count(Change::Create),
            count(Change::Remove),
            count(Change::Keep),
        ));
        for note in &proposal.notes {
            output.note(&format!("  {note}"));
        }
    }
    let mut is_refused = false;
    for refusal in proposals.iter().flat_map(|proposal| &proposal.refusals) {
        output.warning(&refusal.to_string());
        is_refused = true;
    }
    is_refused
}
