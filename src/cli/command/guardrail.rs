//! `guardrail`: control policies and boundaries out of what is in use.

mod told;

use std::collections::BTreeSet;
use std::path::Path;

use crate::analysis;
use crate::cli::args::BoundaryArgs;
use crate::cli::args::ControlArgs;
use crate::cli::args::EngineArgs;
use crate::cli::args::GuardrailArgs;
use crate::cli::args::GuardrailCommand;
use crate::cli::args::RegionScpArgs;
use crate::cli::args::ServiceDenyArgs;
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
use crate::cli::proof::worse;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::target::write_text;
use crate::cli::trying;
use crate::cli::trying::Wanted;
use crate::cli::usage::note_basis;
use crate::iam::Facts;
use crate::iam::arn::is_service_linked;
use crate::iam::document::Document;
use crate::policy::CONTROL_POLICY_CHARACTERS;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::Ownership;
use crate::policy::PrincipalDiff;
use crate::policy::PrincipalKey;
use crate::policy::RegionUses;
use crate::policy::Replay;
use crate::policy::ServiceUses;
use crate::policy::Usage;
use crate::policy::Window;
use crate::policy::boundary;
use crate::policy::evaluation::Layer;
use crate::policy::evaluation::NamedPolicy;
use crate::policy::full_access;
use crate::policy::region_policy;
use crate::policy::service_policies;
use crate::policy::subjects;
use crate::report::guardrail_text;

use told::tell_boundary;
use told::tell_data_doubts;
use told::tell_region_doubts;
use told::tell_regions;
use told::tell_services;

/// Makes a guardrail.
///
/// # Errors
/// When the store cannot be read, the window is empty, nobody matches, or the policy cannot be written.
pub fn guardrail(args: &GuardrailArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    Runtime::start(settings.threads)?.run(async {
        let made = async {
            match &args.command {
                GuardrailCommand::RegionScp(args) => region_scp(args, settings, output).await,
                GuardrailCommand::Boundary(args) => around(args, settings, output).await,
                GuardrailCommand::ServiceDeny(args) => service_deny(args, settings, output).await,
            }
        };
        tokio::select! {
            status = stop_signal() => status,
            status = made => status,
        }
    })
}

async fn region_scp(args: &RegionScpArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let control = &args.control;
    let (facts, engine) = opened(&control.engine, settings).await?;
    let Basis { usage, snapshots } = Basis::gather(&control.evidence, &engine, settings).await?;
    note_basis(engine.session(), usage.window, output);
    let estate = Estate::newest(&snapshots);
    let callers = trying::callers(&engine, usage.window, &estate).await?;
    let chosen = callers_of(control, &callers, &estate)?;
    let accounts = accounts_of(control, &estate, usage.accounts.keys())?;
    let arns: BTreeSet<&str> = chosen.iter().map(|caller| caller.arn.as_str()).collect();
    let mut uses = RegionUses::new(facts);
    analysis::each_call_sum(engine.session(), usage.window, |sum| {
        if arns.contains(sum.principal_arn) {
            uses.add(sum);
        }
    })
    .await?;
    for (arn, region, at) in estate.last_used_regions(usage.window.since) {
        if arns.contains(arn) {
            uses.add_seen(arn, region, at);
        }
    }
    let mut differ = Differ::new(facts, &usage, &estate, thresholds(&control.evidence));
    let (doubts, hidden) = (differ.region_doubts(&accounts), differ.data_doubts(&accounts));
    let status = tell_basis_of(control, facts, (&accounts, &estate), &usage, output);
    tell_regions(&uses, output);
    tell_region_doubts(&doubts, output);
    tell_data_doubts(&hidden, output);
    if !doubts.is_empty() && args.regions.is_empty() {
        output.warning(
            "no policy is made: regions that nobody was seen in may be in use; `--region` names those to allow",
        );
        return Ok(ExitStatus::Incomplete);
    }
    let Some(document) = region_policy(&uses, &allowed(args, &uses)?, &args.exempt_roles) else {
        return Ok(too_long(output));
    };
    let trial = Trying {
        facts,
        engine: &engine,
        window: usage.window,
        estate: &estate,
        callers: &callers,
    };
    let layer = Layer::ServiceControl(1);
    let proven = trial
        .finish((layer, &[document]), &chosen, control.file.as_deref(), output)
        .await?;
    Ok(match doubts.is_empty() && hidden.is_empty() {
        true => worse(proven, status),
        false => worse(proven, ExitStatus::Incomplete),
    })
}

/// The regions that the policy allows.
fn allowed(args: &RegionScpArgs, uses: &RegionUses<'_>) -> Result<BTreeSet<String>, CliError> {
    let mut regions: BTreeSet<String> = match args.regions.is_empty() {
        true => uses.regions.keys().cloned().collect(),
        false => args.regions.iter().cloned().collect(),
    };
    regions.retain(|region| !args.without_regions.contains(region));
    match regions.is_empty() {
        false => Ok(regions),
        true => Err(CliError::Usage {
            message: "no region is left that the policy would allow".to_owned(),
            hint: Some("name regions with `--region`".to_owned()),
        }),
    }
}

async fn service_deny(
    args: &ServiceDenyArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let control = &args.control;
    let (facts, engine) = opened(&control.engine, settings).await?;
    let Basis { usage, snapshots } = Basis::gather(&control.evidence, &engine, settings).await?;
    note_basis(engine.session(), usage.window, output);
    let estate = Estate::newest(&snapshots);
    let callers = trying::callers(&engine, usage.window, &estate).await?;
    let chosen = callers_of(control, &callers, &estate)?;
    let accounts = accounts_of(control, &estate, usage.accounts.keys())?;
    let mut uses = ServiceUses::new(facts);
    analysis::each_call_sum(engine.session(), usage.window, |sum| {
        let account = sum.principal_arn.split(':').nth(4).unwrap_or_default();
        if accounts.contains(account) {
            uses.add(sum);
        }
    })
    .await?;
    let mut differ = Differ::new(facts, &usage, &estate, thresholds(&control.evidence));
    let found = uses.unused(&accounts, &mut differ);
    let status = tell_basis_of(control, facts, (&accounts, &estate), &usage, output);
    tell_services(&found, output);
    if found.unused.is_empty() {
        output.warning("no policy is made: of no service it is certain that nobody uses it");
        return Ok(ExitStatus::Incomplete);
    }
    let Some(documents) = service_policies(&found.unused) else {
        return Ok(too_long(output));
    };
    let trial = Trying {
        facts,
        engine: &engine,
        window: usage.window,
        estate: &estate,
        callers: &callers,
    };
    let layer = Layer::ServiceControl(1);
    let proven = trial
        .finish((layer, &documents), &chosen, control.file.as_deref(), output)
        .await?;
    Ok(worse(proven, status))
}

async fn around(args: &BoundaryArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let basis = &args.basis;
    if basis.principals.is_empty() {
        return Err(CliError::Usage {
            message: "no principal is named".to_owned(),
            hint: Some("name those who get the boundary with `--principal`".to_owned()),
        });
    }
    let (facts, engine) = opened(&args.engine, settings).await?;
    let Basis { usage, snapshots } = Basis::gather(&basis.evidence, &engine, settings).await?;
    note_basis(engine.session(), usage.window, output);
    let estate = Estate::newest(&snapshots);
    let mut chosen = wanted(basis, subjects(&usage, &estate))?;
    // Roles of AWS services take no boundary.
    chosen.retain(|subject| !is_service_linked(&subject.key.arn));
    let mut differ = Differ::new(facts, &usage, &estate, thresholds(&basis.evidence));
    let diffs: Vec<PrincipalDiff<'_>> = chosen.iter().map(|subject| differ.diff(subject)).collect();
    let found = boundary(facts, &diffs);
    let status = tell_basis(
        &basis.evidence,
        facts.catalogue_date(),
        (&chosen, &estate),
        &usage,
        output,
    );
    let Some(found) = found else {
        return Ok(too_long(output));
    };
    tell_boundary(&found, &chosen, output);
    let callers = trying::callers(&engine, usage.window, &estate).await?;
    let of_boundary = Wanted {
        principals: &basis.principals,
        accounts: &basis.accounts,
        ou: None,
    };
    let tried = trying::chosen(of_boundary, &callers, &estate, Layer::Boundary)?;
    let trial = Trying {
        facts,
        engine: &engine,
        window: usage.window,
        estate: &estate,
        callers: &callers,
    };
    let made = (Layer::Boundary, &[found.document][..]);
    let proven = trial.finish(made, &tried, args.file.as_deref(), output).await?;
    Ok(worse(proven, status))
}

/// A guardrail that is tried on past calls.
struct Trying<'a> {
    facts: &'static Facts,
    engine: &'a Engine,
    window: Window,
    estate: &'a Estate<'a>,
    callers: &'a BTreeSet<PrincipalKey>,
}

impl Trying<'_> {
    /// Prints the policies if they would have denied nothing.
    async fn finish(
        &self,
        (layer, documents): (Layer, &[Document]),
        chosen: &[&PrincipalKey],
        file: Option<&Path>,
        output: &mut Output,
    ) -> Result<ExitStatus, CliError> {
        let is_control = layer != Layer::Boundary;
        let full = full_access();
        let own = documents.iter().map(|document| NamedPolicy::new("guardrail", document));
        let beside = is_control.then(|| NamedPolicy::new("FullAWSAccess", &full));
        let proposed: Vec<NamedPolicy<'_>> = own.chain(beside).collect();
        let (actors, _) = trying::actors(chosen, self.estate, layer, &proposed);
        let replay = Replay::new(self.facts, &actors).knowing(Ownership::of(self.estate));
        let proof = Proof::of(self.engine, self.window, replay, self.callers).await?;
        if proof.totals.denied > 0 {
            proof.tell_denied(output);
            output.warning("the policy is not printed, as it would have denied what was done");
            return Ok(proof.tell(output));
        }
        let limit = is_control.then_some(CONTROL_POLICY_CHARACTERS);
        let text = guardrail_text(documents, limit);
        write_text(&text, file, output)?;
        Ok(proof.tell_of_trial(output))
    }
}

async fn opened(args: &EngineArgs, settings: &Settings) -> Result<(&'static Facts, Engine), CliError> {
    let facts = facts::named(&args.facts)?.unwrap_or_else(Facts::embedded);
    Ok((facts, Engine::open(args, settings).await?))
}

fn callers_of<'c>(
    control: &ControlArgs,
    callers: &'c BTreeSet<PrincipalKey>,
    estate: &Estate<'_>,
) -> Result<Vec<&'c PrincipalKey>, CliError> {
    let wanted = Wanted {
        principals: &[],
        accounts: &control.accounts,
        ou: control.ou.as_deref(),
    };
    let chosen = trying::chosen(wanted, callers, estate, Layer::ServiceControl(1))?;
    match chosen.is_empty() {
        false => Ok(chosen),
        true => Err(CliError::Usage {
            message: "the logs show no calls of these accounts that a control policy binds".to_owned(),
            hint: Some("no control policy binds the management account".to_owned()),
        }),
    }
}

/// Says on what a control policy for these accounts rests.
fn tell_basis_of(
    control: &ControlArgs,
    facts: &Facts,
    (accounts, estate): (&BTreeSet<String>, &Estate<'_>),
    usage: &Usage,
    output: &mut Output,
) -> ExitStatus {
    let mut of_accounts = subjects(usage, estate);
    of_accounts.retain(|subject| subject.key.account_id().is_some_and(|id| accounts.contains(id)));
    let facts_date = facts.catalogue_date();
    tell_basis(&control.evidence, facts_date, (&of_accounts, estate), usage, output)
}

/// The accounts that are looked at: those named, or all of the logs, without the management account.
fn accounts_of<'u>(
    control: &ControlArgs,
    estate: &Estate<'_>,
    logged: impl Iterator<Item = &'u String>,
) -> Result<BTreeSet<String>, CliError> {
    let below = trying::accounts_below(control.ou.as_deref(), estate)?;
    let mut accounts: BTreeSet<String> = match (&below, control.accounts.is_empty()) {
        (Some(below), true) => below.iter().map(|account| (*account).to_owned()).collect(),
        (Some(below), false) => {
            let named = control.accounts.iter();
            named
                .filter(|account| below.contains(account.as_str()))
                .cloned()
                .collect()
        }
        (None, false) => control.accounts.iter().cloned().collect(),
        (None, true) => logged.cloned().collect(),
    };
    if let Some(management) = estate.management_account() {
        accounts.remove(management);
    }
    Ok(accounts)
}

fn too_long(output: &mut Output) -> ExitStatus {
    output.warning("no policy is made: it would be longer than AWS allows; make it for fewer accounts or principals");
    ExitStatus::Incomplete
}
