//! `diff`: granted against used.

mod gate;
mod shown;

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use futures::stream;

use crate::cli::allow_list;
use crate::cli::args::DiffArgs;
use crate::cli::args::DiffDocument;
use crate::cli::args::GroupBy;
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
use crate::cli::interrupt::stop_signal;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::rows::Switches;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::size::counted;
use crate::cli::size::format_count;
use crate::cli::target::write_text;
use crate::cli::usage::note_basis;
use crate::iam::Facts;
use crate::policy::Decision;
use crate::policy::Differ;
use crate::policy::Estate;
use crate::policy::Finding;
use crate::policy::Grouping;
use crate::policy::Groups;
use crate::policy::KeepList;
use crate::policy::PrincipalDiff;
use crate::policy::PrincipalKey;
use crate::policy::PrincipalUse;
use crate::policy::ProposedChange;
use crate::policy::Reason;
use crate::policy::Subject;
use crate::policy::Totals;
use crate::policy::Usage;
use crate::policy::Verdict;
use crate::policy::credential_findings;
use crate::policy::subjects;
use crate::report::DiffFrame;
use crate::report::Format;
use crate::report::Page;
use crate::report::PageFrame;
use crate::report::ResultOptions;
use crate::report::annotations;
use crate::report::finding_rows;
use crate::report::group_permission_rows;
use crate::report::group_rows;
use crate::report::permission_rows;
use crate::report::principal_row;
use crate::report::sarif;
use shown::Shown;

/// Compares what principals may do with what they did.
///
/// # Errors
/// When the store cannot be read, the window is empty, no principal matches, or the result cannot be written.
pub fn diff(args: &DiffArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    Runtime::start(settings.threads)?.run(async {
        tokio::select! {
            status = stop_signal() => status,
            status = compare(args, settings, output) => status,
        }
    })
}

async fn compare(args: &DiffArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    check(args)?;
    let keeps = allow_list::read(args.allow.as_deref())?;
    let facts = facts::named(&args.engine.facts)?.unwrap_or_else(Facts::embedded);
    let engine = Engine::open(&args.engine, settings).await?;
    let Basis { usage, snapshots } = Basis::gather(&args.basis.evidence, &engine, settings).await?;
    note_basis(engine.session(), usage.window, output);
    let estate = Estate::newest(&snapshots);
    let subjects = wanted(&args.basis, subjects(&usage, &estate))?;
    let now = settings.now.as_microsecond();
    let differ = Differ::new(facts, &usage, &estate, thresholds(&args.basis.evidence));
    let mut comparison = Comparison {
        args,
        settings,
        frame: DiffFrame {
            window: usage.window,
            facts_date: facts.catalogue_date(),
            source: engine.session().usage_source(),
        },
        subjects: &subjects,
        estate: &estate,
        usage: &usage,
        keeps: &keeps,
        differ: differ.keeping(&keeps, now),
        totals: Totals::default(),
        lacks: BTreeMap::new(),
        open: Vec::new(),
    };
    match (args.output.document(), args.group_by) {
        (None, Some(by)) => comparison.write_groups(by, output)?,
        (None, None) if args.findings => comparison.write_findings(output)?,
        (None, None) => comparison.write_rows(output).await?,
        (Some(format), _) => comparison.write_document(format, output)?,
    }
    comparison.tell_totals(output);
    comparison.tell_keeps(output);
    let Comparison {
        frame, totals, lacks, ..
    } = comparison;
    let status = tell_basis(
        &args.basis.evidence,
        frame.facts_date,
        (&subjects, &estate),
        &usage,
        output,
    );
    let doubts = tell_doubts(&args.basis.evidence, (&subjects, &estate), &usage, output);
    let doubts = doubts.with_lacks(&lacks, output);
    let status = doubts.status(status, !args.fail_on.is_empty());
    Ok(gate::pass(&args.fail_on, &totals, status, output))
}

/// A document has a shape of its own.
fn check(args: &DiffArgs) -> Result<(), CliError> {
    let is_shaped = args.detail || args.findings || args.group_by.is_some() || args.output.limit.is_some();
    if args.output.document().is_some() && is_shaped {
        return Err(CliError::usage(
            "`--detail`, `--findings`, `--group-by` and `--limit` are for rows, not for html, sarif or github",
        ));
    }
    if args.detail && args.group_by == Some(GroupBy::Account) {
        return Err(CliError::usage(
            "`--detail` is for permission sets and service accounts: the principals of an account share no permissions",
        ));
    }
    Ok(())
}

fn is_wanted(args: &DiffArgs, verdict: &Verdict) -> bool {
    args.verdicts.is_empty() || args.verdicts.iter().any(|wanted| wanted.name() == verdict.name())
}

/// Principals one by one, so that the permissions of one at a time are in memory.
struct Comparison<'a> {
    args: &'a DiffArgs,
    settings: &'a Settings,
    frame: DiffFrame<'a>,
    subjects: &'a [Subject<'a>],
    estate: &'a Estate<'a>,
    usage: &'a Usage,
    keeps: &'a KeepList,
    differ: Differ<'a>,
    totals: Totals,
    /// Accounts with principals of whom nothing can be proven for what the logs lack, and what that is.
    lacks: BTreeMap<String, Reason>,
    /// What reviews decided and is still to be done.
    open: Vec<&'a Decision>,
}

impl<'a> Comparison<'a> {
    fn next(&mut self, subject: &'a Subject<'a>) -> PrincipalDiff<'a> {
        let diff = self.differ.diff(subject);
        self.totals.add(&diff);
        if let Some((account, reason)) = subject.key.account_id().zip(diff.lack_of_logs()) {
            self.lacks.entry(account.to_owned()).or_insert_with(|| reason.clone());
        }
        let now = self.settings.now.as_microsecond();
        let decision = self.keeps.decision_on(&subject.key).filter(|it| !it.is_expired(now));
        let is_left = |it: &&Decision| ProposedChange::of(&diff).is_left_after(it.kind);
        self.open
            .extend(decision.filter(is_left).filter(|_| subject.member.is_some()));
        diff
    }

    async fn write_rows(&mut self, output: &mut Output) -> Result<(), CliError> {
        let (args, frame) = (self.args, self.frame);
        let rows_args = args.output.rows();
        let mut options = rows::result_options(&rows_args, self.settings)?;
        if self.subjects.is_empty() {
            return self.write_nothing(&options, output);
        }
        let shown = Shown::new(&mut options, args.detail);
        let rows_of = |diff: &PrincipalDiff<'_>| {
            shown.of(match args.detail {
                true => permission_rows(diff, frame, |row| is_wanted(args, &row.verdict))?,
                false => principal_row(diff, frame)?,
            })
        };
        let subjects = self.subjects.iter();
        let mut batches = subjects.map(|subject| rows_of(&self.next(subject))).peekable();
        let schema = match batches.peek() {
            Some(Ok(batch)) => batch.schema(),
            _ => return batches.next().map_or(Ok(()), |batch| Ok(batch.map(|_| ())?)),
        };
        let file = rows_args.file.as_deref();
        let mut summary = rows::write_stream(&schema, stream::iter(batches.by_ref()), file, &options, output).await?;
        // A limit ends the rows early, but the gate is about all principals.
        for batch in batches {
            let rows = u64::try_from(batch?.num_rows()).unwrap_or(u64::MAX);
            if summary.may_go_on {
                summary.rows_beyond += rows;
            }
        }
        summary.may_go_on = false;
        rows::note_summary(&summary, file, &options, Switches::OPTIONS, output);
        shown.tell(&summary, output);
        Ok(())
    }

    /// The columns without a row. On a terminal the warning says it all.
    fn write_nothing(&mut self, options: &ResultOptions, output: &mut Output) -> Result<(), CliError> {
        let args = self.args;
        if options.format == Format::Table && args.output.file.is_none() {
            return Ok(());
        }
        let nobody = Subject {
            key: PrincipalKey {
                arn: String::new(),
                unique_id: None,
            },
            member: None,
            absence: None,
            is_replaced: false,
            deeds: Cow::Owned(PrincipalUse::default()),
        };
        let diff = self.differ.diff(&nobody);
        let batch = match args.detail {
            true => permission_rows(&diff, self.frame, |_| false)?,
            false => principal_row(&diff, self.frame)?,
        };
        self.write_whole(&batch.slice(0, 0), output)
    }

    fn write_findings(&mut self, output: &mut Output) -> Result<(), CliError> {
        let batch = finding_rows(&self.findings(), self.frame)?;
        self.write_whole(&batch, output)
    }

    fn write_groups(&mut self, by: GroupBy, output: &mut Output) -> Result<(), CliError> {
        let (args, frame) = (self.args, self.frame);
        let mut groups = Groups::new(match by {
            GroupBy::Account => Grouping::Account,
            GroupBy::PermissionSet => Grouping::PermissionSet,
            GroupBy::ServiceAccount => Grouping::ServiceAccount,
        });
        for subject in self.subjects {
            groups.add(&self.next(subject));
        }
        groups.finish();
        let batch = match args.detail {
            true => group_permission_rows(groups.all(), frame, |action| is_wanted(args, &action.verdict))?,
            false => group_rows(groups.all(), frame)?,
        };
        self.write_whole(&batch, output)?;
        if groups.ungrouped() > 0 {
            output.note(&format!(
                "in no such group: {}",
                counted(groups.ungrouped(), "principal")
            ));
        }
        Ok(())
    }

    fn write_whole(&self, batch: &RecordBatch, output: &mut Output) -> Result<(), CliError> {
        let rows_args = self.args.output.rows();
        let mut options = rows::result_options(&rows_args, self.settings)?;
        let file = rows_args.file.as_deref();
        let shown = Shown::new(&mut options, self.args.detail);
        let summary = rows::write_and_note(&shown.of(batch.clone())?, file, &options, output)?;
        shown.tell(&summary, output);
        Ok(())
    }

    fn write_document(&mut self, document: DiffDocument, output: &mut Output) -> Result<(), CliError> {
        let text = match document {
            DiffDocument::Html => self.page()?,
            DiffDocument::Github => {
                let window = self.frame.window;
                let window = format!("from {} to {}", time(window.since), time(window.until));
                annotations(&self.findings(), &window)
            }
            DiffDocument::Sarif => sarif(&self.findings(), self.frame),
        };
        write_text(&text, self.args.output.file.as_deref(), output)
    }

    fn page(&mut self) -> Result<String, CliError> {
        let mut page = Page::new(PageFrame {
            frame: self.frame,
            thresholds: thresholds(&self.args.basis.evidence),
            keeps: self.keeps,
            now: self.settings.now.as_microsecond(),
        });
        for subject in self.subjects {
            page.add(&self.next(subject));
        }
        Ok(page.render(&self.totals)?)
    }

    /// What can be taken away from all principals, in their order.
    fn findings(&mut self) -> Vec<Finding> {
        let (basis, subjects) = (&self.args.basis, self.subjects);
        let is_meant = |arn: &str| {
            let is_root_wanted = basis.principals.is_empty() && basis.accounts.is_empty();
            subjects.iter().any(|subject| subject.key.arn == arn) || is_root_wanted
        };
        let of_credentials = credential_findings(self.estate, self.usage, thresholds(&basis.evidence));
        let mut findings: Vec<Finding> = of_credentials;
        findings.retain(|finding| is_meant(&finding.principal_arn));
        for subject in subjects {
            findings.extend(self.next(subject).findings());
        }
        findings.sort();
        findings
    }

    /// Says what all principals together come to.
    fn tell_totals(&self, output: &mut Output) {
        let totals = &self.totals;
        let count = |number: usize| format_count(u64::try_from(number).unwrap_or(u64::MAX));
        output.note(&format!(
            "{}, {} active and {} never used; {} = {} used + {} denied + {} unknown + {} unused",
            counted(totals.principals, "principal"),
            count(totals.active),
            count(totals.never_used),
            counted(totals.granted, "permission"),
            count(totals.used),
            count(totals.denied),
            count(totals.unknown),
            count(totals.unused),
        ));
        output.note(&format!(
            "{} can be taken away ({:.1} %), of these {} can do harm; kept on purpose: {}",
            count(totals.removable),
            totals.reduction().unwrap_or_default() * 100.0,
            count(totals.high_risk_removable),
            count(totals.kept),
        ));
    }

    /// Says which entries of the allow-list do not count.
    fn tell_keeps(&self, output: &mut Output) {
        allow_list::tell_open(&self.open, output);
        allow_list::tell_expired(self.keeps, self.settings.now.as_microsecond(), output);
        // With fewer principals than all, an entry may well be about one of the others.
        let basis = &self.args.basis;
        if basis.principals.is_empty() && basis.accounts.is_empty() {
            allow_list::tell_idle(&self.differ.idle_keeps(), output);
        }
    }
}
