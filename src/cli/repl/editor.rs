//! The line editor: history, completion, and statements over several lines.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use rustyline::Config;
use rustyline::Context;
use rustyline::Editor;
use rustyline::Helper;
use rustyline::completion::Completer;
use rustyline::config::CompletionType;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::ValidationContext;
use rustyline::validate::ValidationResult;
use rustyline::validate::Validator;

use super::completion::Names;
use super::completion::complete;
use super::lexer::first_statement;
use super::lexer::is_blank;
use super::line::is_command;
use crate::cli::error::CliError;

/// Entries that are remembered from one session to the next.
const HISTORY_ENTRIES: usize = 10_000;

/// What the user did at the prompt.
pub(super) enum Typed {
    /// A command, or SQL whose statements are complete.
    Text(String),
    /// Ctrl-C: forget what stands there.
    Cancelled,
    /// Ctrl-D: leave.
    End,
}

/// Reads what is typed on the terminal.
pub(super) struct LineEditor {
    editor: Editor<SqlHelper, DefaultHistory>,
    history_file: Option<PathBuf>,
}

struct SqlHelper {
    names: Names,
}

impl LineEditor {
    /// Opens the terminal; history is kept in `state_folder`, for the user's eyes only.
    pub(super) fn open(state_folder: Option<&Path>, names: Names) -> Result<Self, CliError> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY_ENTRIES)
            .and_then(|builder| builder.history_ignore_dups(true))
            .map_err(start_error)?
            .history_ignore_space(true)
            .build();
        let mut editor = Editor::with_config(config).map_err(start_error)?;
        editor.set_helper(Some(SqlHelper { names }));
        let history_file = state_folder
            .filter(|folder| make_private(folder).is_ok())
            .map(|folder| folder.join("history"));
        if let Some(file) = &history_file {
            // The first session has no history yet, and one that cannot be read is no reason to refuse to work.
            editor.load_history(file).ok();
        }
        Ok(Self { editor, history_file })
    }

    /// Waits for the user.
    pub(super) fn read(&mut self, prompt: &str) -> Result<Typed, CliError> {
        match self.editor.readline(prompt) {
            Ok(text) => {
                // A full or unwritable history is no reason to refuse to work.
                self.editor.add_history_entry(text.as_str()).ok();
                Ok(Typed::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Cancelled),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(CliError::Stdin(io::Error::other(error))),
        }
    }

    /// Keeps the history for the next session.
    pub(super) fn close(mut self) {
        if let Some(file) = &self.history_file {
            self.editor.save_history(file).ok();
        }
    }
}

impl Helper for SqlHelper {}

impl Highlighter for SqlHelper {}

impl Hinter for SqlHelper {
    type Hint = String;
}

impl Completer for SqlHelper {
    type Candidate = String;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete(line, position, &self.names))
    }
}

impl Validator for SqlHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_complete(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// True when the enter key runs the text instead of beginning another line.
fn is_complete(text: &str) -> bool {
    if is_command(text) || is_farewell(text) || text.trim().is_empty() {
        return true;
    }
    let Some((_, mut rest)) = first_statement(text) else {
        return false;
    };
    while let Some((_, following)) = first_statement(rest) {
        rest = following;
    }
    is_blank(rest)
}

/// True for the words that people try when they want to leave.
pub(super) fn is_farewell(text: &str) -> bool {
    matches!(text.trim().trim_end_matches(';'), "exit" | "quit" | ".exit" | ".quit")
}

/// Makes the folder, open to its owner only.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn start_error(error: ReadlineError) -> CliError {
    CliError::Start(io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_runs_complete_text_only() {
        for text in [
            r"\d",
            "select 1;",
            "select 1; ",
            "select 1; select 2; -- done",
            "",
            "exit",
            "quit;",
        ] {
            assert!(is_complete(text), "{text}");
        }
        for text in [
            "select 1",
            "select ';'",
            "select 1; select 2",
            "select 1 -- ;",
            "-- only a comment",
        ] {
            assert!(!is_complete(text), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn folder_of_the_history_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("a/b");
        make_private(&state).unwrap();
        assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
