//! One interactive session: reads, runs, prints, until the user leaves.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use arrow::array::RecordBatch;

use super::catalog::COLUMNS;
use super::catalog::column_rows;
use super::catalog::table_rows;
use super::completion::Names;
use super::editor::LineEditor;
use super::editor::Typed;
use super::editor::is_farewell;
use super::lexer::statements;
use super::line::SessionCommand;
use super::line::USAGES;
use super::line::is_command;
use super::line::parse_command;
use crate::cli::args::OutputArgs;
use crate::cli::command;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::interrupt_signal;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::rows::Switches;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::query::Library;
use crate::query::QueryError;
use crate::query::Question;
use crate::query::TableColumns;
use crate::report::Arrangement;
use crate::report::ReportError;
use crate::report::ResultOptions;
use crate::report::TableShape;

const PROMPT: &str = "trimtrail> ";

const GREETING: &str = "Type SQL ending in `;`, \\? for help, \\d for tables, \\l for questions, Ctrl-D to leave.";

const TO_TERMINAL: &str = "the next result goes to the terminal";

/// What the engine is to run.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Statement(&'a str),
    Question(&'a Question, &'a [(String, String)]),
}

impl Asked<'_> {
    /// What to do about a parameter without a value.
    fn where_values_go(self) -> String {
        match self {
            Self::Statement(_) => "write the value in its place; a session takes values for questions only, as in \
                                   `\\run ID name=value`"
                .to_owned(),
            Self::Question(question, _) => format!("give it as in `\\run {} name=value`", question.id),
        }
    }
}

/// An interactive session and what was switched on in it.
pub(in crate::cli) struct Session<'a> {
    engine: Engine,
    runtime: Runtime,
    settings: &'a Settings,
    library: Library,
    tables: Vec<TableColumns>,
    shape: TableShape,
    all_rows: bool,
    timing: bool,
    next_file: Option<PathBuf>,
}

impl<'a> Session<'a> {
    /// A session over an open engine.
    pub(in crate::cli) fn new(engine: Engine, library: Library, runtime: Runtime, settings: &'a Settings) -> Self {
        Self {
            engine,
            runtime,
            settings,
            library,
            tables: Vec::new(),
            shape: TableShape::Auto,
            all_rows: false,
            timing: false,
            next_file: None,
        }
    }

    /// Talks to the user until the user leaves.
    ///
    /// # Errors
    /// When the terminal cannot be used, or the store cannot be read at the start. A statement that fails says so, and
    /// the session goes on.
    pub(in crate::cli) fn talk(mut self, output: &mut Output) -> Result<ExitStatus, CliError> {
        self.tables = self.runtime.run(async { Ok(self.engine.session().tables().await?) })?;
        let mut editor = LineEditor::open(self.settings.state_folder.as_deref(), self.names())?;
        output.note(&format!("trimtrail {}. {GREETING}", env!("CARGO_PKG_VERSION")));
        if let Some(missing) = self.engine.missing_store() {
            output.warning(&missing.to_string());
        }
        loop {
            match editor.read(PROMPT)? {
                Typed::Text(text) => {
                    if self.execute(&text, output).is_break() {
                        break;
                    }
                }
                Typed::Cancelled => {}
                Typed::End => break,
            }
        }
        editor.close();
        Ok(ExitStatus::Done)
    }

    /// Runs what was typed; breaks when the user wants to leave.
    fn execute(&mut self, text: &str, output: &mut Output) -> ControlFlow<()> {
        if is_farewell(text) {
            return ControlFlow::Break(());
        }
        let result = if is_command(text) {
            match parse_command(text) {
                Ok(SessionCommand::Quit) => return ControlFlow::Break(()),
                Ok(command) => self.run_command(&command, output),
                Err(message) => Err(CliError::usage(message)),
            }
        } else {
            self.run_script(text, output)
        };
        if let Err(error) = result {
            output.error(&error);
        }
        ControlFlow::Continue(())
    }

    fn run_command(&mut self, command: &SessionCommand, output: &mut Output) -> Result<(), CliError> {
        match command {
            SessionCommand::Help => output.print(&help()),
            SessionCommand::Quit => Ok(()),
            SessionCommand::Tables => {
                let rows = table_rows(&self.tables).map_err(ReportError::from)?;
                self.show(&rows, Arrangement::default(), output)
            }
            SessionCommand::Columns { table } => self.show_columns(table, output),
            SessionCommand::Questions => {
                let rows = command::question_rows(&self.library)?;
                self.show(&rows, Arrangement::default(), output)
            }
            SessionCommand::Run { id, params } => self.run_question(id, params, output),
            SessionCommand::Include { file } => self.include(file, output),
            SessionCommand::Output { file } => {
                self.next_file.clone_from(file);
                match file {
                    Some(file) => output.note(&format!("the next result goes to `{}`", file.display())),
                    None => output.note(TO_TERMINAL),
                }
                Ok(())
            }
            SessionCommand::Blocks => {
                let is_on = self.shape == TableShape::Blocks;
                self.shape = if is_on { TableShape::Auto } else { TableShape::Blocks };
                output.note(&switched("a block of lines per row", !is_on));
                Ok(())
            }
            SessionCommand::AllRows => {
                self.all_rows = !self.all_rows;
                output.note(&switched("all rows", self.all_rows));
                Ok(())
            }
            SessionCommand::Timing => {
                self.timing = !self.timing;
                output.note(&switched("timing", self.timing));
                Ok(())
            }
        }
    }

    /// Runs statements one after the other; the first that fails ends the script.
    fn run_script(&mut self, script: &str, output: &mut Output) -> Result<(), CliError> {
        for statement in statements(script) {
            self.run_statement(statement, output)?;
        }
        Ok(())
    }

    fn run_statement(&mut self, statement: &str, output: &mut Output) -> Result<(), CliError> {
        self.run_asked(Asked::Statement(statement), output)
    }

    fn run_question(&mut self, id: &str, params: &[(String, String)], output: &mut Output) -> Result<(), CliError> {
        let question = command::find_question(&self.library, id)?.clone();
        self.run_asked(Asked::Question(&question, params), output)?;
        command::note_caveats(&question, output);
        Ok(())
    }

    /// Runs until the rows are shown, or the user cancels.
    fn run_asked(&mut self, asked: Asked<'_>, output: &mut Output) -> Result<(), CliError> {
        let started = Instant::now();
        let file = self.next_file.clone();
        let args = OutputArgs {
            file: file.clone(),
            all: self.all_rows,
            ..OutputArgs::default()
        };
        let options = ResultOptions {
            shape: self.shape,
            ..rows::result_options(&args, self.settings)?
        };
        let engine = &self.engine;
        let where_values_go = asked.where_values_go();
        let is_answered = self.runtime.run(async {
            let show = async {
                let answer = match asked {
                    Asked::Statement(text) => engine.sql(text, &[]).await?,
                    Asked::Question(question, params) => engine.ask(question, params).await?,
                };
                engine
                    .show(answer, (file.as_deref(), &options), Switches::SESSION, output)
                    .await?;
                Ok(true)
            };
            tokio::select! {
                interrupted = interrupt_signal() => interrupted.map(|()| false),
                answered = show => answered,
            }
        });
        // A statement with a slip in it has no result: that of the next one is still to go to the file.
        let is_file_done = matches!(is_answered, Ok(true) | Err(CliError::Write { .. }));
        let next_file = self.next_file.take_if(|_| is_file_done);
        if is_answered.is_err() && next_file.is_some() {
            output.note(TO_TERMINAL);
        }
        let is_answered = is_answered.map_err(|error| match error {
            CliError::Query(QueryError::MissingParameter { .. }) => CliError::Usage {
                message: error.to_string(),
                hint: Some(where_values_go),
            },
            error => error,
        })?;
        if !is_answered {
            // An operator may still be at work on a batch; the next statement shall not wait for it.
            let fresh = Runtime::start(self.settings.threads)?;
            std::mem::replace(&mut self.runtime, fresh).abandon();
            output.note(" cancelled");
        }
        if self.timing {
            output.note(&format!("{:.1} ms", started.elapsed().as_secs_f64() * 1000.0));
        }
        Ok(())
    }

    fn include(&mut self, file: &Path, output: &mut Output) -> Result<(), CliError> {
        let script = fs::read_to_string(file).map_err(|cause| CliError::Read {
            path: file.to_owned(),
            cause,
        })?;
        self.run_script(&script, output)
    }

    fn show_columns(&self, table: &str, output: &mut Output) -> Result<(), CliError> {
        match self.tables.iter().find(|known| known.name == table) {
            Some(table) => self.show(&column_rows(table).map_err(ReportError::from)?, COLUMNS, output),
            None => Err(CliError::usage(format!(
                "there is no table `{table}`; `\\d` lists them"
            ))),
        }
    }

    fn show(&self, batch: &RecordBatch, arrangement: Arrangement, output: &mut Output) -> Result<(), CliError> {
        let args = OutputArgs {
            all: true,
            ..OutputArgs::default()
        };
        let options = ResultOptions {
            arrangement,
            ..rows::result_options(&args, self.settings)?
        };
        rows::write_batch(batch, None, &options, output).map(|_| ())
    }

    fn names(&self) -> Names {
        Names {
            tables: self
                .tables
                .iter()
                .map(|table| {
                    let columns = table.schema.fields().iter();
                    let columns = columns.map(|field| field.name().clone());
                    (table.name.clone(), columns.collect())
                })
                .collect(),
            functions: self.engine.session().function_names(),
            questions: self.library.questions().map(|question| question.id.clone()).collect(),
        }
    }
}

fn help() -> String {
    let mut text = "SQL runs when it ends in `;`. Ctrl-C stops it, Ctrl-D leaves, Tab completes.\n".to_owned();
    text.push_str("All answers of a session show the store as it was when the session first read it.\n");
    for usage in USAGES {
        let written = format!("{} {}", usage.name, usage.arguments);
        text.push_str(&format!("  {written:<24} {}\n", usage.meaning));
    }
    text
}

fn switched(what: &str, is_on: bool) -> String {
    format!("{what}: {}", if is_on { "on" } else { "off" })
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::engine::tests::without_store;
    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::cli::settings::tests::headless;

    /// What a session without a store prints to stdout and stderr for these inputs, and whether it goes on.
    fn typed(inputs: &[&str]) -> (String, String, bool) {
        let settings = Settings {
            stdout_is_terminal: true,
            ..headless()
        };
        let runtime = Runtime::start(settings.threads).unwrap();
        let engine = runtime.run(Engine::open(&without_store(), &settings)).unwrap();
        let mut session = Session::new(engine, Library::embedded().unwrap(), runtime, &settings);
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let goes_on = inputs
            .iter()
            .all(|input| session.execute(input, &mut output).is_continue());
        (data.text(), messages.text(), goes_on)
    }

    #[test]
    fn several_statements_on_a_line_are_run_in_order() {
        let (data, messages, goes_on) = typed(&["select 1 as a; select 2 as b;"]);
        assert_eq!(data, "a\n─\n1\nb\n─\n2\n");
        assert_eq!(messages, "1 row\n1 row\n");
        assert!(goes_on);
    }

    #[test]
    fn statement_that_fails_says_so_and_the_session_goes_on() {
        let (data, messages, goes_on) = typed(&["select nope;", "select 1 as a;"]);
        assert!(messages.starts_with("error: "), "{messages}");
        assert_eq!(data, "a\n─\n1\n");
        assert!(goes_on);
    }

    #[test]
    fn statement_after_one_that_fails_is_not_run() {
        let (data, _, _) = typed(&["select nope; select 1 as a;"]);
        assert_eq!(data, "");
    }

    #[test]
    fn user_can_leave_in_every_common_way() {
        for farewell in ["\\q", "exit", "quit;"] {
            assert!(!typed(&[farewell]).2, "{farewell}");
        }
    }

    #[test]
    fn next_result_goes_to_the_file_and_the_one_after_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.csv");
        let command = format!("\\o {}", file.display());
        let (data, _, _) = typed(&[&command, "select 1 as a;", "select 2 as b;"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "a\n1\n");
        assert_eq!(data, "b\n─\n2\n");
    }

    #[test]
    fn file_waits_for_the_next_result_and_is_forgotten_when_it_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.csv");
        let command = format!("\\o {}", file.display());
        let (data, _, _) = typed(&[&command, "select nope;", "select 1 as a;"]);
        assert_eq!(
            (fs::read_to_string(&file).unwrap().as_str(), data.as_str()),
            ("a\n1\n", "")
        );
        let (data, messages, _) = typed(&["\\o /nonexistent/rows.csv", "select 1 as a;", "select 2 as b;"]);
        assert_eq!(data, "b\n─\n2\n");
        assert!(
            messages.contains("the next result goes to the terminal\nerror: ")
                && messages.contains("`/nonexistent/rows.csv`"),
            "{messages}"
        );
    }

    #[test]
    fn output_without_a_file_goes_back_to_the_terminal_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let command = format!("\\o {}", folder.path().join("rows.csv").display());
        let (data, messages, _) = typed(&[&command, "\\o", "select 1 as a;"]);
        assert_eq!(data, "a\n─\n1\n");
        assert!(
            messages.contains("`\nthe next result goes to the terminal\n"),
            "{messages}"
        );
    }

    #[test]
    fn file_of_statements_is_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.sql");
        fs::write(&file, "-- a report\nselect 1 as a;\nselect 2 as b").unwrap();
        assert_eq!(typed(&[&format!("\\i {}", file.display())]).0, "a\n─\n1\nb\n─\n2\n");
        assert!(typed(&["\\i /nonexistent.sql"]).1.contains("`/nonexistent.sql`"));
    }

    #[test]
    fn switches_change_what_is_shown() {
        assert_eq!(typed(&["\\x", "select 1 as a;"]).0, "─── row 1 ───\na  1\n");
        let (data, messages, _) = typed(&["\\a", "\\timing", "select * from generate_series(1, 150);"]);
        assert_eq!(data.lines().count(), 152);
        assert!(
            messages.contains("timing: on") && messages.ends_with(" ms\n"),
            "{messages}"
        );
    }

    #[test]
    fn preview_names_the_switch_of_the_session() {
        let (_, messages, _) = typed(&["select * from generate_series(1, 150);"]);
        assert_eq!(messages, "100 rows shown, 50 more; \\a shows them\n");
    }

    #[test]
    fn plan_is_shown_on_its_own_lines() {
        let (data, messages, _) = typed(&["explain select 1;"]);
        assert!(data.starts_with("logical_plan\nProjection"), "{data}");
        assert_eq!(messages, "");
    }

    #[test]
    fn unknown_command_and_table_are_explained() {
        assert_eq!(
            typed(&["\\nope"]).1,
            "error: there is no command `\\nope`; `\\?` lists them\n"
        );
        assert_eq!(
            typed(&["\\d nope"]).1,
            "error: there is no table `nope`; `\\d` lists them\n"
        );
    }

    #[test]
    fn questions_are_listed_and_one_that_does_not_exist_is_explained() {
        assert!(typed(&["\\l"]).0.contains("secret-reads"));
        let (_, messages, _) = typed(&["\\run nope"]);
        assert!(
            messages.starts_with("error: there is no question `nope`\nhint: there are `"),
            "{messages}"
        );
    }

    #[test]
    fn parameter_without_a_value_is_explained_as_a_session_takes_it() {
        assert_eq!(
            typed(&["select $n + 1;"]).1,
            "error: parameter `$n` has no value\nhint: write the value in its place; a session takes values for \
             questions only, as in `\\run ID name=value`\n"
        );
        let (_, messages, _) = typed(&["\\run unexpected-regions"]);
        assert!(!messages.contains("--param"), "{messages}");
    }

    #[test]
    fn help_lists_every_command() {
        let (data, _, _) = typed(&["\\?"]);
        assert!(USAGES.iter().all(|usage| data.contains(usage.name)), "{data}");
    }
}
