//! The program as a process, on a folder of its own.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

/// How a process ended: exit code and both streams.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code.
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

/// What a finished process left; a signal counts as a failure of the test.
pub(crate) fn ended(output: Output) -> Ended {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended {
        code: output
            .status
            .code()
            .unwrap_or_else(|| panic!("ended by a signal: {output:?}")),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A folder with logs, and a store beside it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Puts a file among the logs.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.logs().join(name), bytes).unwrap();
    }

    /// Ingests the logs.
    pub(crate) fn ingest(&self, options: &[&str]) -> Ended {
        let logs = self.logs();
        let mut arguments = vec!["ingest", logs.to_str().unwrap()];
        arguments.extend(options);
        run(&self.store(), &arguments)
    }

    /// The rows of a statement, as JSON objects.
    pub(crate) fn sql(&self, statement: &str) -> Vec<Value> {
        self.rows(&["sql", statement])
    }

    /// The rows of a command, as JSON objects.
    pub(crate) fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--quiet", "--output", "json"]);
        let ended = run(&self.store(), &arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?}");
        serde_json::from_str(&ended.stdout).unwrap()
    }
}
