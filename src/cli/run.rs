//! From the command line to the exit status.

use std::ffi::OsString;

use clap::FromArgMatches;
use clap::error::ErrorKind;

use super::args;
use super::args::Cli;
use super::args::Command;
use super::command;
use super::error::CliError;
use super::exit::ExitStatus;
use super::interrupt::end_as_first_process;
use super::log;
use super::output::Output;
use super::settings::Settings;
#[cfg(debug_assertions)]
use crate::failpoint;

/// Runs the program with these arguments, the first of which is its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitStatus {
    let parsed = args::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| match args::ignored_bucket_option(&matches) {
            None => Cli::from_arg_matches(&matches),
            Some(option) => Err(args::command().error(
                ErrorKind::ArgumentConflict,
                format!("`{option}` is for a store in a bucket (`--store s3://…`), and the store is none"),
            )),
        });
    let cli = match parsed {
        Ok(cli) => cli,
        Err(message) => return explain(&message),
    };
    let settings = Settings::of_process(&cli.global);
    if let Some(format) = settings.log {
        log::start(format, cli.global.log_level);
    }
    let mut output = Output::of_process(&settings);
    #[cfg(debug_assertions)]
    if let Err(error) = arm_failpoint() {
        output.error(&error);
        return error.exit_status();
    }
    match end_as_first_process().and_then(|()| dispatch(&cli.command, &settings, &mut output)) {
        Ok(status) => status,
        Err(error) => {
            if !error.is_silent() {
                output.error(&error);
            }
            error.exit_status()
        }
    }
}

/// Lets a test have this process die or a step of it fail.
#[cfg(debug_assertions)]
fn arm_failpoint() -> Result<(), CliError> {
    match std::env::var_os(failpoint::VARIABLE) {
        Some(plan) if !failpoint::arm(&plan.to_string_lossy()) => {
            Err(CliError::usage(format!("`{}` names no failpoint", failpoint::VARIABLE)))
        }
        _ => Ok(()),
    }
}

/// Prints what clap has to say: help and version to stdout, wrong usage to stderr.
fn explain(message: &clap::Error) -> ExitStatus {
    // Nobody is left to tell when the stream is closed.
    message.print().ok();
    if message.use_stderr() {
        ExitStatus::Usage
    } else {
        ExitStatus::Done
    }
}

fn dispatch(command: &Command, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    match command {
        Command::Check(args) => command::check(args, settings, output),
        Command::Commit(args) => command::commit(args, settings, output),
        Command::Completions(args) => command::completions(args, output),
        Command::Coverage(args) => command::coverage(args, settings, output),
        Command::Demo(args) => command::demo(args, settings, output),
        Command::Diff(args) => command::diff(args, settings, output),
        Command::Doctor(args) => command::doctor(args, settings, output),
        Command::Evidence(args) => command::evidence(args, settings, output),
        Command::Facts(args) => command::facts(args, settings, output),
        Command::Guardrail(args) => command::guardrail(args, settings, output),
        Command::Iam(args) => command::iam(args, settings, output),
        Command::Ingest(args) => command::ingest(args, settings, output),
        Command::Policy(args) => command::policy(args, settings, output),
        Command::Query(args) => command::query(args, settings, output),
        Command::Replay(args) => command::replay(args, settings, output),
        Command::Review(args) => command::review(args, settings, output),
        Command::Sql(args) => command::sql(args, settings, output),
        Command::Sample(args) => command::sample(args, output),
        Command::Store(args) => command::store(args, settings, output),
        Command::Trust(args) => command::trust(args, settings, output),
        Command::Verify(args) => command::verify(args, settings, output),
        Command::Man(args) => command::man(args, output),
    }
}
