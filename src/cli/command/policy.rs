//! `policy`: policies without what is not used.

use std::fs;
use std::io;
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

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
use crate::report::PolicyFile;
use crate::report::PolicyFiles;
use crate::report::PolicyFrame;
use crate::report::PolicyText;
use crate::report::ReportError;

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
    let frame = PolicyFrame {
        mode: args.mode.name(),
        window: usage.window,
        thresholds: evidence.thresholds,
        facts_date: facts.catalogue_date(),
    };
    let mut writer = Writer::new(args, frame)?;
    let (mut plan, mut told) = (Plan::default(), Told::default());
    // Proposals with their reasons take much memory: one at a time.
    for subject in &chosen {
        let proposal = proposer.propose(subject);
        writer.add(&proposal, output)?;
        told.add(&proposal);
        plan.add(proposal);
        tokio::task::yield_now().await;
    }
    let unwritable = writer.finish(output)?;
    allow_list::tell_expired(&keeps, now, output);
    // Entries about other principals than those wanted may well count.
    if args.basis.principals.iter().any(|wanted| wanted == "*") && args.basis.accounts.is_empty() {
        allow_list::tell_idle(&proposer.idle_keeps(), output);
    }
    let status = tell_basis(basis, frame.facts_date, (&chosen, &estate), &usage, output);
    told.tell(output);
    let callers = analysis::callers(engine.session(), usage.window).await?;
    let actors = by_logged_arn(&plan.actors(&estate), &callers);
    let proof = Proof::of(facts, &engine, usage.window, &actors, &callers).await?;
    if !actors.is_empty() {
        proof.tell(output);
    }
    unwritable.iter().for_each(|error| output.warning(&error.to_string()));
    Ok(match !told.refusals.is_empty() || !unwritable.is_empty() {
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

/// Writes proposals where the user wants them.
struct Writer<'a> {
    target: Target<'a>,
    refused: Vec<ReportError>,
}

enum Target<'a> {
    Text(PolicyText<'a>),
    Folder {
        path: &'a Path,
        files: PolicyFiles<'a>,
        written: usize,
    },
}

impl<'a> Writer<'a> {
    fn new(args: &'a PolicyArgs, frame: PolicyFrame<'a>) -> Result<Self, CliError> {
        let target = match &args.out {
            None => Target::Text(PolicyText::new(frame, args.format)),
            Some(path) => {
                fs::create_dir_all(path).map_err(failed(path))?;
                Target::Folder {
                    path,
                    files: PolicyFiles::new(frame, args.format),
                    written: 0,
                }
            }
        };
        Ok(Self {
            target,
            refused: Vec::new(),
        })
    }

    fn add(&mut self, proposal: &Proposal<'_>, output: &mut Output) -> Result<(), CliError> {
        let added = match &mut self.target {
            Target::Text(text) => text.add(proposal).map(|text| output.print(&text)),
            Target::Folder { path, files, written } => files.add(proposal).map(|files| {
                *written += files.len();
                files.iter().try_for_each(|file| write(path, file))
            }),
        };
        match added {
            Ok(done) => done,
            Err(error) => {
                self.refused.push(error);
                Ok(())
            }
        }
    }

    /// The principals whose policies could not be written.
    fn finish(self, output: &mut Output) -> Result<Vec<ReportError>, CliError> {
        match self.target {
            Target::Text(text) => output.print(&text.finish())?,
            Target::Folder { path, written, .. } => {
                let written = counted(written, "file");
                output.note(&format!("{written} written to `{}`", path.display()));
            }
        }
        Ok(self.refused)
    }
}

/// Writes a file, which appears when it is complete.
fn write(folder: &Path, file: &PolicyFile) -> Result<(), CliError> {
    let path = folder.join(&file.name);
    let mut written = NamedTempFile::new_in(folder).map_err(failed(&path))?;
    written.write_all(file.text.as_bytes()).map_err(failed(&path))?;
    written.persist(&path).map_err(|error| failed(&path)(error.error))?;
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CliError {
    let path = path.to_owned();
    move |cause| CliError::Write { path, cause }
}

/// What there is to say about the proposals.
#[derive(Default)]
struct Told {
    notes: Vec<String>,
    refusals: Vec<String>,
}

impl Told {
    fn add(&mut self, proposal: &Proposal<'_>) {
        let arn = &proposal.subject.key.arn;
        let count = |change: Change| proposal.policies.iter().filter(|it| it.change == change).count();
        self.notes.push(format!(
            "{arn}: {} to edit, {} to create, {} to remove, {} to keep",
            count(Change::Edit),
            count(Change::Create),
            count(Change::Remove),
            count(Change::Keep),
        ));
        self.notes.extend(proposal.notes.iter().map(|note| format!("  {note}")));
        self.refusals.extend(proposal.refusals.iter().map(ToString::to_string));
    }

    fn tell(&self, output: &mut Output) {
        self.notes.iter().for_each(|note| output.note(note));
        self.refusals.iter().for_each(|refusal| output.warning(refusal));
    }
}
