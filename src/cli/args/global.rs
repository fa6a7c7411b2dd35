//! Options of every command as typed.

use clap::Args;
use clap::ValueEnum;

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more about what is done
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to use colour; `auto` heeds NO_COLOR and CLICOLOR_FORCE
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: When,
    /// Log each step on standard error, for batch jobs: off, text or json; with json, messages are JSON as well
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        env = "TRIMTRAIL_LOG",
        default_value = "off",
        hide_possible_values = true,
        hide_env_values = true
    )]
    pub log: LogChoice,
    /// Least level that `--log` writes: error, warn, info, debug or trace
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "LEVEL",
        env = "TRIMTRAIL_LOG_LEVEL",
        default_value = "info",
        hide_possible_values = true,
        hide_env_values = true
    )]
    pub log_level: LogLevel,
}

/// Whether and how steps are logged, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogChoice {
    /// Not at all.
    Off,
    /// As lines for people.
    Text,
    /// As one JSON object a line.
    Json,
}

/// What the lines of the log look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What ends a run.
    Error,
    /// What a person should look at.
    Warn,
    /// Also the large steps: listings and commits.
    Info,
    /// Also every request, its repeats, and every file.
    Debug,
    /// Also every decoded object.
    Trace,
}

impl LogChoice {
    /// The format, unless there is no log.
    pub fn format(self) -> Option<LogFormat> {
        match self {
            Self::Off => None,
            Self::Text => Some(LogFormat::Text),
            Self::Json => Some(LogFormat::Json),
        }
    }
}

/// When something that needs a terminal is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
