//! The program as a process.

use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

/// How a process ended: exit code and both streams.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; tests never end a process by a signal unless they say so.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

/// The program in an environment that says nothing but where the store is.
pub(crate) fn trimtrail(store: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimtrail"));
    command
        .args(arguments)
        .env_clear()
        .env("TRIMTRAIL_STORE", store)
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(store: &Path, arguments: &[&str]) -> Ended {
    ended(trimtrail(store, arguments).output().unwrap())
}

/// What a finished process left.
pub(crate) fn ended(output: Output) -> Ended {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
