//! `policy`: policies without what is not used.

use std::collections::BTreeSet;

use crate::analysis;
use crate::cli::allow_list;
use crate::cli::args::ConditionName;
use crate::cli::args::PolicyArgs;
use crate::cli::args::PolicyMode;
use crate::cli::basis::Basis;
use crate::cli::basis::tell_basis;
use crate::cli::basis::thresholds;
use crate::cli::basis::time;
use crate::cli::basis::wanted;
use crate::cli::doubts::tell_doubts;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::facts;
use crate::cli::interrupt::StopFlag;
use crate::cli::output::Output;
use crate::cli::planning::plan_for;
use crate::cli::proof::Proof;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::target::FileFolder;
use crate::cli::usage::note_basis;
use crate::iam::Facts;
use crate::policy::Change;
use crate::policy::Estate;
use crate::policy::Evidence;
use crate::policy::EvidenceConditions;
use crate::policy::GenerateOptions;
use crate::policy::Holders;
use crate::policy::Mode;
use crate::policy::Ownership;
use crate::policy::Proposal;
use crate::policy::Proposer;
use crate::policy::Replay;
use crate::policy::Subject;
use crate::policy::Usage;
use crate::policy::Window;
use crate::policy::by_logged_arn;
use crate::policy::owners_of;
use crate::policy::subjects;
use crate::report::PolicyFiles;
use crate::report::PolicyFrame;
use crate::report::PolicyText;

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
    if args.mode == PolicyMode::Trim && (!args.conditions.is_empty() || !args.keep_unknown) {
        return Err(CliError::Usage {
            message: "`--conditions` and `--keep-unknown` are for `--mode generate`: trimming adds nothing and keeps what is \
                      unknown"
                .to_owned(),
            hint: None,
        });
    }
    let stop = StopFlag::on_signal()?;
    Runtime::start(settings.threads)?.run(async {
        match stop.or_stop(Box::pin(propose(args, settings, &stop, output))).await {
            Some(status) => status,
            None => Ok(stop.status().unwrap_or(ExitStatus::Terminated)),
        }
    })
}

async fn propose(
    args: &PolicyArgs,
    settings: &Settings,
    stop: &StopFlag,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let (keeps, basis) = (allow_list::read(args.allow.as_deref())?, &args.basis.evidence);
    let facts = facts::named(&args.engine.facts)?.unwrap_or_else(Facts::embedded);
    let engine = Engine::open(&args.engine, settings).await?;
    let Basis { usage, snapshots } = Basis::gather(basis, &engine, settings).await?;
    note_basis(engine.session(), usage.window, output);
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
    let frame = PolicyFrame {
        mode: args.mode.name(),
        window: usage.window,
        thresholds: evidence.thresholds,
        facts_date: facts.catalogue_date(),
    };
    let proposer = || Proposer::new(facts, evidence, mode(args)).keeping(&keeps, now);
    // Proposals with their reasons take much memory: each is made once more when it is known what all of them would deny.
    let planning = plan_for(&chosen, settings.threads, stop.raised(), proposer, Told::of);
    if let Some(status) = stop.status() {
        return Ok(status);
    }
    let (plan, told) = (planning.plan, Told::joined(planning.notes));
    let proof_window = proof_window(&usage, output);
    let callers = analysis::callers(engine.session(), proof_window).await?;
    let tried = plan.actors(&estate);
    let actors = by_logged_arn(&tried, &callers);
    let replay = Replay::new(facts, &actors).knowing(Ownership::of(&estate));
    let proof = Proof::of(&engine, proof_window, replay, &callers).await?;
    let denied = owners_of(&proof.denied_principals(), &tried, &callers);
    let (mut second, mut writer) = (proposer(), Writer::new(args, frame)?);
    for subject in &chosen {
        writer.add(&second.propose(subject), &denied, output)?;
        tokio::task::yield_now().await;
    }
    let left_out = writer.finish(output)?;
    allow_list::tell_expired(&keeps, now, output);
    // Entries about other principals than those wanted may well count.
    if args.basis.principals.iter().any(|wanted| wanted == "*") && args.basis.accounts.is_empty() {
        allow_list::tell_idle(&planning.idle_keeps, output);
    }
    let status = tell_basis(basis, frame.facts_date, (&chosen, &estate), &usage, output);
    let doubts = tell_doubts(basis, (&chosen, &estate), &usage, output);
    let status = doubts.status(status, false);
    told.tell(output);
    // Of proposals that change nobody there is nothing to tell.
    let proven = (!actors.is_empty()).then(|| proof.tell(output));
    proof.tell_denied(output);
    left_out.iter().for_each(|reason| output.warning(reason));
    let is_whole = told.refusals.is_empty() && left_out.is_empty();
    Ok(conclude(proven.unwrap_or(ExitStatus::Done), is_whole, status))
}

/// What is proposed would hold from today on, so that what the logs show behind the window is tried as well.
fn proof_window(usage: &Usage, output: &mut Output) -> Window {
    let until = usage.logs_until.max(usage.window.until);
    if until > usage.window.until {
        output.note(&format!(
            "the policies are tried on the calls up to the end of the logs, {}, and not only on those of the window",
            time(until)
        ));
    }
    Window { until, ..usage.window }
}

/// What the calls say outweighs what is missing.
fn conclude(proven: ExitStatus, is_whole: bool, basis: ExitStatus) -> ExitStatus {
    match (proven, is_whole) {
        (ExitStatus::Done, true) => basis,
        (ExitStatus::Done, false) => ExitStatus::Incomplete,
        (unproven, _) => unproven,
    }
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

/// Writes proposals where the user wants them.
struct Writer<'a> {
    target: Target<'a>,
    /// What is not written, and why.
    left_out: Vec<String>,
}

enum Target<'a> {
    Text(PolicyText<'a>),
    Folder {
        folder: FileFolder<'a>,
        files: PolicyFiles<'a>,
    },
}

impl<'a> Writer<'a> {
    fn new(args: &'a PolicyArgs, frame: PolicyFrame<'a>) -> Result<Self, CliError> {
        let target = match &args.out {
            None => Target::Text(PolicyText::new(frame, args.format)),
            Some(path) => Target::Folder {
                folder: FileFolder::open(path)?,
                files: PolicyFiles::new(frame, args.format),
            },
        };
        Ok(Self {
            target,
            left_out: Vec::new(),
        })
    }

    /// Writes a proposal, unless it would have denied calls of one of these principals.
    fn add(&mut self, proposal: &Proposal<'_>, denied: &BTreeSet<String>, output: &mut Output) -> Result<(), CliError> {
        if let Some(arn) = concerned(proposal).find(|arn| denied.contains(*arn)) {
            self.left_out.push(format!(
                "the policies of `{}` are left out: calls of `{arn}` would have been denied",
                proposal.subject.key.arn
            ));
            return Ok(());
        }
        let added = match &mut self.target {
            Target::Text(text) => text.add(proposal).map(|text| output.print(&text)),
            Target::Folder { folder, files } => files
                .add(proposal)
                .map(|files| files.iter().try_for_each(|file| folder.write(&file.name, &file.text))),
        };
        added.unwrap_or_else(|error| {
            self.left_out.push(error.to_string());
            Ok(())
        })
    }

    /// What was left out, and why.
    fn finish(self, output: &mut Output) -> Result<Vec<String>, CliError> {
        match self.target {
            Target::Text(text) => output.print(&text.finish())?,
            Target::Folder { folder, .. } => folder.close(output),
        }
        Ok(self.left_out)
    }
}

/// Who would have other policies.
fn concerned<'p>(proposal: &'p Proposal<'_>) -> impl Iterator<Item = &'p String> {
    let changed = proposal.policies.iter().filter(|policy| policy.change != Change::Keep);
    std::iter::once(&proposal.subject.key.arn).chain(changed.flat_map(|policy| &policy.holders))
}

/// What there is to say about the proposals.
#[derive(Default)]
struct Told {
    notes: Vec<String>,
    refusals: Vec<String>,
}

impl Told {
    fn of(proposal: &Proposal<'_>) -> Self {
        let arn = &proposal.subject.key.arn;
        let count = |change: Change| proposal.policies.iter().filter(|it| it.change == change).count();
        let counts = format!(
            "{arn}: {} to edit, {} to create, {} to remove, {} to keep",
            count(Change::Edit),
            count(Change::Create),
            count(Change::Remove),
            count(Change::Keep),
        );
        let notes = proposal.notes.iter().map(|note| format!("  {note}"));
        Self {
            notes: std::iter::once(counts).chain(notes).collect(),
            refusals: proposal.refusals.iter().map(ToString::to_string).collect(),
        }
    }

    fn joined(all: Vec<Self>) -> Self {
        let mut told = Self::default();
        for one in all {
            told.notes.extend(one.notes);
            told.refusals.extend(one.refusals);
        }
        told
    }

    fn tell(&self, output: &mut Output) {
        self.notes.iter().for_each(|note| output.note(note));
        self.refusals.iter().for_each(|refusal| output.warning(refusal));
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::iam::document::Document;
    use crate::policy::Place;
    use crate::policy::PrincipalKey;
    use crate::policy::PrincipalUse;
    use crate::policy::ProposedPolicy;
    use crate::policy::Thresholds;
    use crate::policy::Window;
    use crate::report::PolicyFormat;

    fn subject(arn: &str) -> Subject<'static> {
        Subject {
            key: PrincipalKey {
                arn: arn.to_owned(),
                unique_id: None,
            },
            member: None,
            absence: None,
            is_replaced: false,
            deeds: Cow::Owned(PrincipalUse::default()),
        }
    }

    fn proposal<'s>(subject: &'s Subject<'s>, change: Change, holders: &[&str]) -> Proposal<'s> {
        let policy = ProposedPolicy {
            name: "p".to_owned(),
            place: Place::Inline(subject.key.arn.clone()),
            change,
            present: Vec::new(),
            present_document: None,
            document: Document::of(Vec::new()),
            reasons: Vec::new(),
            gone: Vec::new(),
            holders: holders.iter().map(|arn| (*arn).to_owned()).collect(),
            notes: Vec::new(),
        };
        Proposal {
            subject,
            coverage: None,
            policies: vec![policy],
            notes: Vec::new(),
            refusals: Vec::new(),
        }
    }

    #[test]
    fn policies_that_would_have_denied_calls_are_not_written_for_anybody_who_has_them() {
        let frame = PolicyFrame {
            mode: "trim",
            window: Window { since: 0, until: 1 },
            thresholds: Thresholds::DEFAULT,
            facts_date: "2026-01-01",
        };
        let [own, shared, kept, other] = ["arn:own", "arn:shared", "arn:kept", "arn:other"].map(subject);
        let proposals = [
            proposal(&own, Change::Create, &["arn:own"]),
            proposal(&shared, Change::Edit, &["arn:shared", "arn:own"]),
            proposal(&kept, Change::Keep, &["arn:kept", "arn:own"]),
            proposal(&other, Change::Edit, &["arn:other"]),
        ];
        let (mut output, data, _) = captured(Verbosity::Normal);
        let mut writer = Writer {
            target: Target::Text(PolicyText::new(frame, PolicyFormat::Json)),
            left_out: Vec::new(),
        };
        let denied = BTreeSet::from(["arn:own".to_owned()]);
        for proposal in &proposals {
            writer.add(proposal, &denied, &mut output).unwrap();
        }
        let left_out = writer.finish(&mut output).unwrap();
        let sentence =
            |arn: &str| format!("the policies of `{arn}` are left out: calls of `arn:own` would have been denied");
        assert_eq!(left_out, ["arn:own", "arn:shared"].map(sentence));
        let written: serde_json::Value = serde_json::from_str(&data.text()).unwrap();
        let principals = written.as_array().unwrap().iter();
        let principals: Vec<&str> = principals.map(|it| it["principal"].as_str().unwrap()).collect();
        assert_eq!(principals, ["arn:kept", "arn:other"]);
    }

    #[test]
    fn denied_calls_outweigh_what_is_missing() {
        use ExitStatus::Done;
        use ExitStatus::Gate;
        use ExitStatus::Incomplete;
        assert_eq!(conclude(Gate, true, Incomplete), Gate);
        assert_eq!(conclude(Incomplete, true, Done), Incomplete);
        assert_eq!(conclude(Done, false, Done), Incomplete);
        assert_eq!(conclude(Done, true, Incomplete), Incomplete);
        assert_eq!(conclude(Done, true, Done), Done);
    }
}
