//! `doctor`: would a run work here?

mod bucket;
mod check;
mod folder;
mod machine;
mod permissions;
mod store;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::error::ArrowError;
use jiff::tz::TimeZone;

use check::Check;
use check::Status;

use crate::cli::args::DoctorArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::rows::result_options;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::report::Arrangement;
use crate::report::Format;
use crate::report::ReportError;
use crate::source::BucketPrefix;

const ARRANGEMENT: Arrangement = Arrangement {
    order: &["check", "status", "found", "subject", "remedy"],
    wrapped: &[("subject", 14), ("found", 20), ("remedy", 20)],
    heading: None,
};

/// Looks at sources, store and machine, or prints the policy that a run needs.
///
/// # Errors
/// When the command line is wrong or the rows cannot be written. What is wrong with what is looked at is no error, but
/// decides the status.
pub fn doctor(args: &DoctorArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    if args.print_iam {
        return permissions::print(args, output);
    }
    let location = args.location.location()?;
    let runtime = Runtime::start(settings.threads)?;
    let mut checks = Vec::new();
    let today = settings.now.to_zoned(TimeZone::UTC).date();
    let connection = args.connection.options();
    let own_keys = location.own_keys(&connection);
    for source in &args.sources {
        match BucketPrefix::parse(source) {
            Some(_) => checks.extend(runtime.run(bucket::checks(source, &connection, &own_keys, today))?),
            None => checks.extend(folder::checks(source, today)),
        }
    }
    checks.extend(runtime.run(store::checks(&location, &args.location.bucket.options()))?);
    checks.extend(machine::checks(args.memory, settings));
    tell(&checks, args, settings, output)
}

/// Writes the checks as rows, and what is wrong as messages unless whoever reads these has the table before his eyes.
fn tell(checks: &[Check], args: &DoctorArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let rows = check_rows(checks).map_err(ReportError::from)?;
    rows::show(&rows, ARRANGEMENT, &args.output, settings, output)?;
    let is_seen = settings.stdout_is_terminal && result_options(&args.output, settings)?.format == Format::Table;
    let wrong = checks.iter().filter(|check| check.status != Status::Ok);
    for check in wrong.filter(|_| !is_seen || args.output.file.is_some()) {
        output.warning(&check.sentence());
    }
    Ok(match checks.iter().map(|check| check.status).max() {
        Some(Status::Failure) => ExitStatus::Failed,
        Some(Status::Warning) => ExitStatus::Incomplete,
        Some(Status::Ok) | None => ExitStatus::Done,
    })
}

fn check_rows(checks: &[Check]) -> Result<RecordBatch, ArrowError> {
    let column =
        |text: fn(&Check) -> Option<&str>| -> ArrayRef { Arc::new(checks.iter().map(text).collect::<StringArray>()) };
    RecordBatch::try_from_iter_with_nullable([
        ("check", column(|check| Some(check.name)), false),
        ("status", column(|check| Some(check.status.as_str())), false),
        ("subject", column(|check| Some(&check.subject)), false),
        ("found", column(|check| Some(&check.found)), false),
        ("remedy", column(|check| check.remedy.as_deref()), true),
    ])
}
