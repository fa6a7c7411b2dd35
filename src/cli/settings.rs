//! What the program needs to know about where it runs, probed once.

use std::env;
use std::io;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use anstream::AutoStream;
use anstream::ColorChoice;
use anstream::stream::RawStream;
use etcetera::BaseStrategy;
use jiff::Timestamp;

use super::args::GlobalArgs;
use super::args::LogChoice;
use super::args::LogFormat;
use super::args::When;
use super::output::Verbosity;

/// Where and when the program runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The moment that relative times count from.
    pub now: Timestamp,
    /// How much is said on stderr.
    pub verbosity: Verbosity,
    /// How steps are logged on stderr, if at all.
    pub log: Option<LogFormat>,
    /// Results may carry colour.
    pub color: bool,
    /// Messages may carry colour.
    pub message_color: bool,
    /// Progress is worth showing: stderr is a terminal, and neither a CI job nor a dumb one.
    pub progress: bool,
    /// A person types: stdin and stdout are terminals.
    pub is_interactive: bool,
    /// Stdin is a terminal, so nothing is piped in.
    pub stdin_is_terminal: bool,
    /// Stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// Columns of the terminal behind stdout.
    pub terminal_width: Option<usize>,
    /// Columns of the terminal behind stderr.
    pub message_width: Option<usize>,
    /// Threads to use.
    pub threads: NonZeroUsize,
    /// Index that AWS Batch or Kubernetes gives to one of several workers, from 0.
    pub array_index: Option<String>,
    /// Folder that keeps what was typed in interactive sessions.
    pub state_folder: Option<PathBuf>,
}

impl Settings {
    /// Probes clock, environment and terminal.
    pub fn of_process(global: &GlobalArgs) -> Self {
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        };
        let stdin_is_terminal = io::stdin().is_terminal();
        let stdout_is_terminal = io::stdout().is_terminal();
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_plain = is_set("CI") || is_set("NO_COLOR") || env::var_os("TERM").is_some_and(|name| name == "dumb");
        Self {
            now: Timestamp::now(),
            verbosity,
            log: global.log.format(),
            color: wants_color(global.color, &io::stdout()),
            message_color: wants_color(global.color, &io::stderr()),
            progress: verbosity > Verbosity::Quiet
                && global.log == LogChoice::Off
                && !is_plain
                && io::stderr().is_terminal(),
            is_interactive: stdin_is_terminal && stdout_is_terminal,
            stdin_is_terminal,
            stdout_is_terminal,
            terminal_width: terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)),
            message_width: terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0)),
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            array_index: array_index(),
            state_folder: state_folder(),
        }
    }
}

fn array_index() -> Option<String> {
    let names = ["AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX"];
    let mut values = names.into_iter().filter_map(env::var_os);
    values.next().map(|value| value.to_string_lossy().into_owned())
}

fn wants_color(when: When, stream: &impl RawStream) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    }
}

fn state_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(
        strategy
            .state_dir()
            .unwrap_or_else(|| strategy.cache_dir())
            .join("trimtrail"),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Settings of a run without a terminal.
    pub(in crate::cli) fn headless() -> Settings {
        Settings {
            now: "2026-09-15T00:00:00Z".parse().unwrap(),
            verbosity: Verbosity::Normal,
            log: None,
            color: false,
            message_color: false,
            progress: false,
            is_interactive: false,
            stdin_is_terminal: true,
            stdout_is_terminal: false,
            terminal_width: None,
            message_width: None,
            threads: NonZeroUsize::new(2).unwrap(),
            array_index: None,
            state_folder: None,
        }
    }

    #[test]
    fn asking_for_colour_decides() {
        assert!(wants_color(When::Always, &io::stdout()));
        assert!(!wants_color(When::Never, &io::stdout()));
    }
}
