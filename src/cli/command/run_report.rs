//! The account of one `ingest` as a document for programs: what was asked, what became of it, and how it ended.
//!
//! `docs/run-report.schema.json` describes it. A change that readers must know of raises [`REPORT_VERSION`].

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;
use uuid::Uuid;

use crate::cli::args::IngestArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::settings::Settings;
use crate::cli::target::Target;
use crate::ingest::Balance;
use crate::ingest::ObjectState;
use crate::ingest::Options;
use crate::report::escape;
use crate::schema;
use crate::source::RequestCounts;
use crate::store::Location;

/// Version of the document's layout.
const REPORT_VERSION: u32 = 1;

/// Most errors that are listed one by one.
const MAX_ERRORS: usize = 100;
/// Most folders of others that are listed one by one.
const MAX_PASSED_OVER: usize = 100;

/// What is known of a run, filled in while it goes on.
pub(super) struct RunAccount<'a> {
    args: &'a IngestArgs,
    started_at: Timestamp,
    pub(super) run_id: String,
    /// Where the store lies, and how the run is done; missing when the command line is wrong.
    plan: Option<(String, Options)>,
    pub(super) balance: Balance,
    pub(super) requests: Option<RequestCounts>,
    pub(super) store_requests: Option<RequestCounts>,
    pub(super) version_before: Option<u64>,
    pub(super) version_after: Option<u64>,
}

impl<'a> RunAccount<'a> {
    /// The account of a run that has not begun.
    pub(super) fn new(args: &'a IngestArgs, settings: &Settings) -> Self {
        Self {
            args,
            started_at: settings.now,
            run_id: Uuid::new_v4().to_string(),
            plan: None,
            balance: Balance::default(),
            requests: None,
            store_requests: None,
            version_before: None,
            version_after: None,
        }
    }

    /// Notes what the arguments mean.
    pub(super) fn plan(&mut self, location: &Location, options: &Options) {
        self.plan = Some((location.display().to_string(), options.clone()));
    }

    /// Writes the document to its place.
    pub(super) fn write(
        &self,
        ended: &Result<ExitStatus, CliError>,
        (mut target, path): (Target, &Path),
        output: &mut Output,
    ) -> Result<(), CliError> {
        let document = self.document(ended, Timestamp::now());
        let text = format!("{document:#}\n");
        let written = target.writer(output).write_all(escape::json(&text).as_bytes());
        written.map_err(|cause| CliError::Write {
            path: path.to_owned(),
            cause,
        })?;
        target.complete(output)
    }

    fn document(&self, ended: &Result<ExitStatus, CliError>, finished_at: Timestamp) -> Value {
        let status = ended.as_ref().map_or_else(CliError::exit_status, |status| *status);
        let meaning = ExitStatus::ALL.iter().find(|(other, _)| *other == status);
        let seconds = finished_at.duration_since(self.started_at).as_secs_f64();
        json!({
            "report_version": REPORT_VERSION,
            "command": "ingest",
            "tool": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
            "run_id": self.run_id,
            "started_at": self.started_at.to_string(),
            "finished_at": finished_at.to_string(),
            "seconds": seconds,
            "exit": { "code": status.code(), "meaning": meaning.map(|(_, meaning)| *meaning) },
            "is_complete": status == ExitStatus::Done,
            "arguments": self.arguments(),
            "store": {
                "location": self.plan.as_ref().map(|(location, _)| location),
                "schema_version": schema::SCHEMA_VERSION,
                "version_before": self.version_before,
                "version_after": self.version_after,
            },
            "objects": self.objects(),
            "passed_over": {
                "count": self.balance.passed_over.len(),
                "first": self.balance.passed_over.iter().take(MAX_PASSED_OVER).collect::<Vec<_>>(),
            },
            "records": self.records(),
            "bytes": {
                "read": self.balance.bytes,
                "inflated": self.balance.inflated_bytes,
                "written": self.balance.written_bytes,
            },
            "commits": {
                "made": self.balance.commits,
                "conflicts": self.balance.conflicts,
                "files_written": self.balance.written_files,
            },
            "rates": self.rates(seconds),
            "requests": self.requests.map(|requests| json!({
                "list": requests.list,
                "get": requests.get,
                "head": requests.head,
                "repeated": requests.repeated,
                "throttled": requests.throttled,
            })),
            "store_requests": self.store_requests.map(|requests| json!({
                "list": requests.list,
                "get": requests.get,
                "head": requests.head,
                "put": requests.put,
                "delete": requests.delete,
                "repeated": requests.repeated,
                "throttled": requests.throttled,
            })),
            "errors": self.errors(ended),
        })
    }

    fn arguments(&self) -> Value {
        let args = self.args;
        let options = self.plan.as_ref().map(|(_, options)| options);
        let selection = options.map(|options| &options.selection);
        let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
        json!({
            "sources": args.sources,
            "keys_from": args.s3.keys_from,
            "inventory": args.s3.inventory,
            "first_day": selection.and_then(|selection| day(selection.first_day)),
            "last_day": selection.and_then(|selection| day(selection.last_day)),
            "accounts": args.account,
            "regions": args.region,
            "look_back_days": args.s3.look_back,
            "shard": options.map(|options| json!({ "index": options.shard.index(), "count": options.shard.count() })),
            "is_committed_by_others": args.no_commit,
            "is_dry_run": args.dry_run,
            "threads": options.map(|options| options.threads),
            "memory_bytes": args.memory,
            "max_inflated_bytes": args.max_inflated_bytes,
            "max_record_bytes": args.max_record_bytes,
        })
    }

    fn objects(&self) -> Value {
        let balance = &self.balance;
        let states = ObjectState::ALL.iter().zip(balance.by_state);
        let kinds = Balance::KINDS.iter().zip(balance.ingested_by_kind);
        json!({
            "listed": balance.listed,
            "ingested": balance.ingested(),
            "known": balance.known,
            "rejected": balance.rejected,
            "left_over": balance.left_over,
            "outside_selection": balance.outside_selection,
            "other_shards": balance.other_shards,
            "not_cloudtrail": balance.foreign,
            "by_state": states.map(|(state, count)| (state.as_str().to_owned(), count.into())).collect::<serde_json::Map<_, _>>(),
            "ingested_by_kind": kinds.map(|(kind, count)| (kind.as_str().to_owned(), count.into())).collect::<serde_json::Map<_, _>>(),
        })
    }

    fn records(&self) -> Value {
        let balance = &self.balance;
        json!({
            "read": balance.records,
            "stored": balance.stored,
            "duplicates": balance.duplicates,
            "rejected": balance.rejected_records,
            "without_time": balance.without_time,
        })
    }

    fn rates(&self, seconds: f64) -> Value {
        let balance = &self.balance;
        let per_second = |count: u64| as_float(count) / seconds.max(1e-6);
        json!({
            "objects_per_second": per_second(balance.ingested() + balance.rejected),
            "records_per_second": per_second(balance.records),
            "bytes_per_second": per_second(balance.bytes),
        })
    }

    /// What a person should look at, the worst first, up to a bound.
    fn errors(&self, ended: &Result<ExitStatus, CliError>) -> Value {
        let balance = &self.balance;
        let run = ended
            .as_ref()
            .err()
            .map(ToString::to_string)
            .or_else(|| balance.outage.clone());
        let run = run.map(|reason| json!({ "kind": "run", "subject": null, "state": null, "reason": reason }));
        let unlisted = balance
            .unlisted
            .iter()
            .map(|(place, reason)| json!({ "kind": "listing", "subject": place, "state": null, "reason": reason }));
        let objects = balance.problems.iter().map(|problem| {
            let (subject, state) = (&problem.object_key, problem.state.as_str());
            json!({ "kind": "object", "subject": subject, "state": state, "reason": problem.reason })
        });
        let all: Vec<Value> = run.into_iter().chain(unlisted).chain(objects).collect();
        let count = all.iter().map(|_| 1).sum::<u64>() + balance.more_problems;
        json!({ "count": count, "first": all.into_iter().take(MAX_ERRORS).collect::<Vec<_>>() })
    }
}

#[expect(clippy::cast_precision_loss, reason = "rates need no more than 15 digits")]
fn as_float(count: u64) -> f64 {
    count as f64
}
