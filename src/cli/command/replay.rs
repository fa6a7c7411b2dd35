//! `replay`: policies tried on past calls.

mod candidate;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::analysis;
use crate::cli::allow_list;
use crate::cli::args::ReplayArgs;
use crate::cli::basis::Basis;
use crate::cli::basis::tell_basis;
use crate::cli::basis::thresholds;
use crate::cli::basis::time;
use crate::cli::basis::wanted;
use crate::cli::basis::window_of;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::planning::Planning;
use crate::cli::planning::plan_for;
use crate::cli::proof::Proof;
use crate::cli::proof::worse;
use crate::cli::rows;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::trying;
use crate::cli::trying::Wanted;
use crate::cli::usage::note_basis;
use crate::iam::Facts;
use crate::policy::Actor;
use crate::policy::Estate;
use crate::policy::Evidence;
use crate::policy::Mode;
use crate::policy::Ownership;
use crate::policy::Proposer;
use crate::policy::Replay;
use crate::policy::Traces;
use crate::policy::Trial;
use crate::policy::Window;
use crate::policy::by_logged_arn;
use crate::policy::evaluation::Layer;
use crate::policy::evaluation::NamedPolicy;
use crate::policy::subjects;
use crate::report::DiffFrame;
use crate::report::replay_rows;

use candidate::Candidate;
use candidate::candidates;
use candidate::tell_oddities;

/// Replays past calls.
///
/// # Errors
/// When a policy or the store cannot be read, the window is empty, no principal matches, or the result cannot be written.
pub fn replay(args: &ReplayArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let stop = StopFlag::on_signal()?;
    Runtime::start(settings.threads)?.run(async {
        match stop.or_stop(Box::pin(try_out(args, settings, &stop, output))).await {
            Some(status) => status,
            None => Ok(stop.status().unwrap_or(ExitStatus::Terminated)),
        }
    })
}

async fn try_out(
    args: &ReplayArgs,
    settings: &Settings,
    stop: &StopFlag,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let documents = candidates(args)?;
    let facts = facts::named(&args.engine.facts)?.unwrap_or_else(Facts::embedded);
    let engine = Engine::open(&args.engine, settings).await?;
    tell_oddities(&documents, facts, output);
    let run = Run {
        args,
        settings,
        facts,
        engine: &engine,
    };
    // Only what is proposed rests on the rollup; calls are decided again one by one.
    if !args.plan {
        output.note("source: events");
    }
    match (args.plan, args.resource_policies.is_empty()) {
        (true, _) => run.plan(stop, output).await,
        (false, true) => run.policies(&documents, output).await,
        (false, false) => run.resource_policies(&documents, output).await,
    }
}

struct Run<'a> {
    args: &'a ReplayArgs,
    settings: &'a Settings,
    facts: &'static Facts,
    engine: &'a Engine,
}

impl Run<'_> {
    /// Policies from files.
    async fn policies(&self, documents: &[Candidate], output: &mut Output) -> Result<ExitStatus, CliError> {
        let basis = &self.args.basis;
        let window = window_of(&basis.evidence, self.engine, self.settings).await?;
        let snapshots = analysis::snapshots(self.engine.session()).await?;
        let estate = Estate::newest(&snapshots);
        let callers = trying::callers(self.engine, window, &estate).await?;
        let proposed: Vec<NamedPolicy<'_>> = documents
            .iter()
            .map(|it| NamedPolicy::new(&it.name, &it.document))
            .collect();
        let layer = match (self.args.policies.is_empty(), &self.args.boundary) {
            (false, _) => Layer::Identity,
            (true, Some(_)) => Layer::Boundary,
            (true, None) => Layer::ServiceControl(1),
        };
        let wanted = Wanted {
            principals: &basis.principals,
            accounts: &basis.accounts,
            ou: self.args.ou.as_deref(),
        };
        let mut chosen = trying::chosen(wanted, &callers, &estate, layer)?;
        let outsiders = match layer {
            Layer::ServiceControl(_) => self.outsiders(chosen.iter().filter_map(|it| it.account_id()), &estate),
            _ => BTreeSet::new(),
        };
        chosen.retain(|caller| caller.account_id().is_none_or(|account| !outsiders.contains(account)));
        let (actors, without_snapshot) = trying::actors(&chosen, &estate, layer, &proposed);
        let replay = Replay::new(self.facts, &actors).knowing(Ownership::of(&estate));
        let proof = Proof::of(self.engine, window, replay, &callers).await?;
        self.write(&proof, window, output)?;
        output.note(&format!("window {} to {}", time(window.since), time(window.until)));
        note_basis(self.engine.session(), window, output);
        if without_snapshot > 0 && layer != Layer::ServiceControl(1) {
            let count = counted(without_snapshot, "principal");
            output.warning(&format!(
                "no IAM snapshot shows what {count} may do: calls that a policy of the resource allows count as denied"
            ));
        }
        let with_outsiders = self.tell_outsiders(&outsiders, window, output).await?;
        Ok(worse(proof.tell_of_trial(output), with_outsiders))
    }

    /// Resource control policies from files: they bind everybody who calls resources of the accounts.
    async fn resource_policies(&self, documents: &[Candidate], output: &mut Output) -> Result<ExitStatus, CliError> {
        let basis = &self.args.basis;
        let window = window_of(&basis.evidence, self.engine, self.settings).await?;
        let snapshots = analysis::snapshots(self.engine.session()).await?;
        let estate = Estate::newest(&snapshots);
        if !basis.accounts.is_empty() {
            let logs = analysis::account_logs(self.engine.session(), window).await?;
            let logged = logs.keys().map(String::as_str).collect();
            trying::check_accounts(&basis.accounts, &logged, &estate)?;
        }
        let mut guarded: BTreeSet<String> = match basis.accounts.is_empty() {
            true => estate.own_accounts().into_iter().map(str::to_owned).collect(),
            false => basis.accounts.iter().cloned().collect(),
        };
        if let Some(below) = trying::accounts_below(self.args.ou.as_deref(), &estate)? {
            guarded.retain(|account| below.contains(account.as_str()));
        }
        // Control policies do not bind the management account.
        guarded.retain(|account| estate.management_account() != Some(account));
        let outsiders = self.outsiders(guarded.iter().map(String::as_str), &estate);
        guarded.retain(|account| !outsiders.contains(account));
        if guarded.is_empty() {
            return Err(CliError::Usage {
                message: "there is no account whose resources the policy would guard".to_owned(),
                hint: Some("name one with `--account`, or import IAM snapshots with `trimtrail iam import`".to_owned()),
            });
        }
        let ownership = Ownership {
            guarded,
            ..Ownership::of(&estate)
        };
        let proposed = documents.iter().map(|it| NamedPolicy::new(&it.name, &it.document));
        let everybody = Actor::unknown(Trial {
            layer: Layer::ResourceControl(1),
            proposed: proposed.collect(),
            present: Vec::new(),
        });
        let nobody = BTreeMap::new();
        let replay = Replay::new(self.facts, &nobody)
            .and_everybody(everybody)
            .knowing(ownership);
        let proof = Proof::of_everybody(self.engine, window, replay).await?;
        self.write(&proof, window, output)?;
        output.note(&format!("window {} to {}", time(window.since), time(window.until)));
        note_basis(self.engine.session(), window, output);
        let with_outsiders = self.tell_outsiders(&outsiders, window, output).await?;
        Ok(worse(proof.tell_of_trial(output), with_outsiders))
    }

    /// Those of these accounts that the organization does not have, so that its control policies do not bind them; none where
    /// the user names accounts.
    fn outsiders<'c>(&self, accounts: impl Iterator<Item = &'c str>, estate: &Estate<'_>) -> BTreeSet<String> {
        match estate.organization_accounts() {
            Some(members) if self.args.basis.accounts.is_empty() => {
                let others = accounts.filter(|account| !members.contains(account));
                others.map(str::to_owned).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// Names accounts that were left out. One with logs of its own may have joined after the snapshot.
    async fn tell_outsiders(
        &self,
        outsiders: &BTreeSet<String>,
        window: Window,
        output: &mut Output,
    ) -> Result<ExitStatus, CliError> {
        if outsiders.is_empty() {
            return Ok(ExitStatus::Done);
        }
        let names: Vec<&str> = outsiders.iter().map(String::as_str).collect();
        output.warning(&format!(
            "left out, as the snapshot of the organization does not have them: accounts {}; `--account` tries the policy on \
             them all the same",
            names.join(", ")
        ));
        let logs = analysis::account_logs(self.engine.session(), window).await?;
        Ok(match outsiders.iter().any(|account| logs.contains_key(account)) {
            true => ExitStatus::Incomplete,
            false => ExitStatus::Done,
        })
    }

    /// The policies that `policy` proposes.
    async fn plan(&self, stop: &StopFlag, output: &mut Output) -> Result<ExitStatus, CliError> {
        let (args, session) = (self.args, self.engine.session());
        let keeps = allow_list::read(args.allow.as_deref())?;
        let Basis { usage, snapshots } = Basis::gather(&args.basis.evidence, self.engine, self.settings).await?;
        note_basis(session, usage.window, output);
        let estate = Estate::newest(&snapshots);
        let all = subjects(&usage, &estate);
        let chosen = wanted(&args.basis, subjects(&usage, &estate))?;
        // Only reasons come out of traces, which nobody reads here.
        let traces = Traces::default();
        let evidence = Evidence {
            usage: &usage,
            estate: &estate,
            subjects: &all,
            traces: &traces,
            thresholds: thresholds(&args.basis.evidence),
        };
        let now = self.settings.now.as_microsecond();
        let proposer = || Proposer::new(self.facts, evidence, Mode::Trim).keeping(&keeps, now);
        let Planning { plan, .. } = plan_for(&chosen, self.settings.threads, stop.raised(), proposer, |_| ());
        if let Some(status) = stop.status() {
            return Ok(status);
        }
        let callers = analysis::callers(session, usage.window).await?;
        let actors = by_logged_arn(&plan.actors(&estate), &callers);
        let replay = Replay::new(self.facts, &actors).knowing(Ownership::of(&estate));
        let proof = Proof::of(self.engine, usage.window, replay, &callers).await?;
        self.write(&proof, usage.window, output)?;
        let facts_date = self.facts.catalogue_date();
        let status = tell_basis(&args.basis.evidence, facts_date, (&chosen, &estate), &usage, output);
        Ok(worse(proof.tell(output), status))
    }

    fn write(&self, proof: &Proof, window: Window, output: &mut Output) -> Result<(), CliError> {
        let frame = DiffFrame {
            window,
            facts_date: self.facts.catalogue_date(),
            source: None,
        };
        let args = &self.args.output;
        let options = rows::result_options(args, self.settings)?;
        let batch = replay_rows(&proof.findings, frame, options.format)?;
        let file = args.file.as_deref();
        rows::write_and_note(&batch, file, &options, output)?;
        Ok(())
    }
}
