//! The command line: the only module that prints, or reads the environment, the clock or the terminal.
//!
//! `args` is what the user typed, `settings` what the program needs to know about its surroundings, `command` what it
//! does; `output` prints and `exit` says how it ended. Commands are plain functions and are tested without a process.

pub mod args;
pub mod command;

mod allow_list;
mod basis;
mod bundle;
mod deposit;
mod doubts;
mod engine;
mod error;
mod exit;
mod facts;
mod interrupt;
mod log;
mod log_coverage;
mod output;
mod planning;
mod progress;
mod proof;
mod proven_trust;
mod public_keys;
mod repl;
mod rows;
mod run;
mod runtime;
mod settings;
mod size;
mod target;
mod time;
mod trails;
mod trying;
mod usage;

pub use error::CliError;
pub use exit::ExitStatus;
pub use output::Output;
pub use output::Verbosity;
pub use run::run;
pub use settings::Settings;
