//! `trust`: who may take roles, and who did.

use crate::cli::args::TrustArgs;
use crate::cli::basis::Basis;
use crate::cli::basis::is_arn_named;
use crate::cli::basis::tell_basis;
use crate::cli::basis::thresholds;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::interrupt::stop_signal;
use crate::cli::output::Output;
use crate::cli::proven_trust::ProvenTrust;
use crate::cli::rows;
use crate::cli::rows::LEFT_OUT;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::cli::target::FileFolder;
use crate::cli::usage::note_source;
use crate::iam::Facts;
use crate::iam::arn::account_of_arn;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::Neighbourhood;
use crate::policy::PartVerdict;
use crate::policy::RoleTrust;
use crate::policy::Subject;
use crate::policy::TrustReport;
use crate::policy::TrustTotals;
use crate::policy::Usage;
use crate::policy::subjects;
use crate::report::Arrangement;
use crate::report::DiffFrame;
use crate::report::Format;
use crate::report::ResultOptions;
use crate::report::TableRoom;
use crate::report::chain_rows;
use crate::report::taker_rows;
use crate::report::trust_files;
use crate::report::trust_policies;
use crate::report::trust_rows;

/// A role stands above what is said of it, as its name takes a line.
const PARTS: Arrangement = Arrangement {
    order: &[
        "trusted",
        "verdict",
        "findings",
        "sessions",
        "last_seen",
        "reason",
        "callers",
        "kind",
    ],
    wrapped: &[("trusted", 21), ("callers", 20), ("findings", 14), ("reason", 14)],
    heading: Some("role_arn"),
};
const CALLERS: Arrangement = Arrangement {
    order: &[
        "caller",
        "kind",
        "sessions",
        "refused",
        "last_seen",
        "account",
        "with_external_id",
        "with_mfa",
    ],
    wrapped: &[("caller", 21)],
    heading: Some("role_arn"),
};
const CHAINS: Arrangement = Arrangement {
    order: &[
        "origin",
        "through",
        "sessions",
        "last_seen",
        "hops",
        "origin_kind",
        "first_seen",
    ],
    wrapped: &[("origin", 20), ("through", 20)],
    heading: Some("role_arn"),
};

/// Compares trust policies with the calls that assumed roles.
///
/// # Errors
/// When the store cannot be read, the window is empty, no role matches, or the result cannot be written.
pub fn trust(args: &TrustArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    Runtime::start(settings.threads)?.run(async {
        tokio::select! {
            status = stop_signal() => status,
            status = compare(args, settings, output) => status,
        }
    })
}

async fn compare(args: &TrustArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let facts = facts::named(&args.engine.facts)?.unwrap_or_else(Facts::embedded);
    let engine = Engine::open(&args.engine, settings).await?;
    let Basis { usage, snapshots } = Basis::gather(&args.evidence, &engine, settings).await?;
    note_source(engine.session().usage_source(), output);
    let estate = Estate::newest(&snapshots);
    let neighbours = Neighbourhood::new(&estate, usage.accounts.keys().map(String::as_str));
    let mut differ = Differ::new(facts, &usage, &estate, thresholds(&args.evidence));
    let is_meant = |arn: &str| is_wanted(args, arn);
    let proven = ProvenTrust::of(&engine, (&usage, &estate), &neighbours, &mut differ, is_meant).await?;
    let ProvenTrust {
        report,
        totals,
        denying,
    } = proven;
    refuse_unknown_roles(args, &report.roles)?;
    let shown = Shown {
        args,
        settings,
        neighbours: &neighbours,
        frame: DiffFrame {
            window: usage.window,
            facts_date: facts.catalogue_date(),
            source: None,
        },
    };
    shown.write(&report, output)?;
    let status = tell(args, (&usage, &estate), facts, output);
    tell_parts(&report.roles, output);
    tell_proof(totals, &report.roles, output);
    for role in &denying {
        output.warning(&format!(
            "{role}: no policy is proposed, as it would have denied a call"
        ));
    }
    Ok(match denying.is_empty() {
        true => status,
        false => ExitStatus::Incomplete,
    })
}

fn is_wanted(args: &TrustArgs, arn: &str) -> bool {
    let account = account_of_arn(arn).unwrap_or_default();
    (args.roles.is_empty() || args.roles.iter().any(|pattern| is_arn_named(arn, pattern)))
        && (args.accounts.is_empty() || args.accounts.iter().any(|wanted| wanted == account))
}

fn refuse_unknown_roles(args: &TrustArgs, roles: &[RoleTrust<'_>]) -> Result<(), CliError> {
    let is_known = |pattern: &&String| roles.iter().any(|role| is_arn_named(&role.role_arn, pattern));
    match args.roles.iter().find(|pattern| !is_known(pattern)) {
        None => Ok(()),
        Some(pattern) => Err(CliError::Usage {
            message: format!("no role of the snapshots and logs matches `{pattern}`"),
            hint: Some("`trimtrail trust` without `--role` lists all".to_owned()),
        }),
    }
}

/// How the result is shown.
struct Shown<'a> {
    args: &'a TrustArgs,
    settings: &'a Settings,
    neighbours: &'a Neighbourhood<'a>,
    frame: DiffFrame<'a>,
}

impl Shown<'_> {
    fn write(&self, report: &TrustReport<'_>, output: &mut Output) -> Result<(), CliError> {
        if self.args.policies {
            return match &self.args.write {
                None => output.print(&trust_policies(&report.roles)),
                Some(folder) => {
                    let mut written = FileFolder::open(folder)?;
                    for file in trust_files(&report.roles) {
                        written.write(&file.name, &file.text)?;
                    }
                    written.close(output);
                    Ok(())
                }
            };
        }
        let args = &self.args.output;
        let options = rows::result_options(args, self.settings)?;
        let room = TableRoom::of(&options);
        let (batch, arrangement) = match (self.args.callers, self.args.chains) {
            (true, _) => {
                let rows = taker_rows(&report.roles, self.neighbours, self.frame, room)?;
                (rows, CALLERS)
            }
            (_, true) => (chain_rows(&report.chains, self.frame, room)?, CHAINS),
            _ => (trust_rows(&report.roles, self.frame, room)?, PARTS),
        };
        let options = ResultOptions { arrangement, ..options };
        let file = args.file.as_deref();
        let summary = rows::write_and_note(&batch, file, &options, output)?;
        if options.format == Format::Table && !summary.left_out_columns {
            output.note(LEFT_OUT);
        }
        Ok(())
    }
}

/// Says on what the verdicts rest.
fn tell(args: &TrustArgs, (usage, estate): (&Usage, &Estate<'_>), facts: &Facts, output: &mut Output) -> ExitStatus {
    let roles: Vec<Subject<'_>> = subjects(usage, estate)
        .into_iter()
        .filter(|subject| subject.key.arn.contains(":role/") && is_wanted(args, &subject.key.arn))
        .collect();
    tell_basis(&args.evidence, facts.catalogue_date(), (&roles, estate), usage, output)
}

fn tell_parts(roles: &[RoleTrust<'_>], output: &mut Output) {
    let parts = || {
        roles
            .iter()
            .flat_map(|role| &role.parts)
            .filter(|part| part.text.is_some())
    };
    let count = |is_meant: fn(&PartVerdict) -> bool| parts().filter(|part| is_meant(&part.verdict)).count();
    output.note(&format!(
        "of what the trust policies name: {} used, {} unused, {} unknown",
        count(|it| *it == PartVerdict::Used),
        count(|it| *it == PartVerdict::Unused),
        count(|it| matches!(it, PartVerdict::Unknown(_))),
    ));
}

fn tell_proof(totals: TrustTotals, roles: &[RoleTrust<'_>], output: &mut Output) {
    let trimmed = roles.iter().filter(|role| role.trimmed.is_some()).count();
    if trimmed == 0 && totals.evaluated == 0 {
        return;
    }
    let mut sentence = format!(
        "{} can have a shorter trust policy: {} of {} in the window would have been denied",
        counted(trimmed, "role"),
        format_count(totals.denied),
        counted(totals.evaluated, "call")
    );
    if totals.unknown > 0 {
        let count = format_count(totals.unknown);
        sentence.push_str(&format!("; {count} could not be evaluated"));
    }
    match totals.denied > 0 || totals.unknown > 0 {
        true => output.warning(&sentence),
        false => output.note(&sentence),
    }
}
