//! `sql`: one statement, or an interactive session.

use std::fs;
use std::io;
use std::path::Path;

use super::query::load_library;
use crate::cli::args::SqlArgs;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::stop_signal;
use crate::cli::output::Output;
use crate::cli::repl::Session;
use crate::cli::rows;
use crate::cli::rows::Switches;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;

/// Runs the statement from the command line, a file or standard input; without any, talks to the user.
///
/// # Errors
/// When the statement cannot be read or run, or its rows cannot be written.
pub fn sql(args: &SqlArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let runtime = Runtime::start(settings.threads)?;
    match statement(args, settings)? {
        Some(text) => runtime.run(async {
            tokio::select! {
                status = stop_signal() => status,
                status = answer(&text, args, settings, output) => status,
            }
        }),
        None => {
            check_session(args)?;
            let engine = runtime.run(Engine::open(&args.engine, settings))?;
            Session::new(engine, load_library(None)?, runtime, settings).talk(output)
        }
    }
}

/// Refuses options that are about one statement.
fn check_session(args: &SqlArgs) -> Result<(), CliError> {
    let output = &args.output;
    let is_about_rows = output.output.is_some()
        || output.file.is_some()
        || output.all
        || output.limit.is_some()
        || output.csv_raw
        || !args.params.is_empty();
    match is_about_rows {
        false => Ok(()),
        true => Err(CliError::Usage {
            message: "`--param` and the options of the output are for one statement, and none is given".to_owned(),
            hint: Some(
                "in a session, `\\run ID name=value` gives values, `\\o FILE` writes to a file and `\\a` shows all rows"
                    .to_owned(),
            ),
        }),
    }
}

async fn answer(text: &str, args: &SqlArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let options = rows::result_options(&args.output, settings)?;
    let engine = Engine::open(&args.engine, settings).await?;
    let answer = engine.sql(text, &args.params).await?;
    let file = args.output.file.as_deref();
    let shown = engine.show(answer, (file, &options), Switches::OPTIONS, output).await?;
    Ok(shown.status)
}

/// The statement, or `None` when there is a person to ask.
fn statement(args: &SqlArgs, settings: &Settings) -> Result<Option<String>, CliError> {
    match (&args.statement, &args.file) {
        (Some(text), _) => Ok(Some(text.clone())),
        (None, Some(file)) if file != Path::new("-") => {
            let read = fs::read_to_string(file);
            Ok(Some(read.map_err(|cause| CliError::Read {
                path: file.clone(),
                cause,
            })?))
        }
        (None, None) if settings.is_interactive => Ok(None),
        (None, None) if settings.stdin_is_terminal => Err(CliError::Usage {
            message: "no statement is given, and an interactive session needs a terminal to write to".to_owned(),
            hint: Some("write `trimtrail sql \"select …\"`, or leave standard output alone".to_owned()),
        }),
        _ => Ok(Some(io::read_to_string(io::stdin()).map_err(CliError::Stdin)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::args::OutputArgs;
    use crate::cli::engine::tests::without_store;
    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::cli::settings::tests::headless;
    use crate::report::Format;

    fn args(statement: &str, format: Option<Format>) -> SqlArgs {
        SqlArgs {
            statement: Some(statement.to_owned()),
            file: None,
            params: vec![("n".to_owned(), "41".to_owned())],
            engine: without_store(),
            output: OutputArgs {
                output: format,
                ..OutputArgs::default()
            },
        }
    }

    #[test]
    fn rows_go_to_stdout_and_their_number_to_stderr() {
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let status = sql(&args("select $n + 1 as n", None), &headless(), &mut output).unwrap();
        assert_eq!(status, ExitStatus::Done);
        assert_eq!(
            (data.text().as_str(), messages.text().as_str()),
            (" n\n──\n42\n", "1 row\n")
        );
    }

    #[test]
    fn machine_format_is_all_there_is() {
        let (mut output, data, messages) = captured(Verbosity::Normal);
        sql(
            &args("select $n + 1 as n", Some(Format::Ndjson)),
            &headless(),
            &mut output,
        )
        .unwrap();
        assert_eq!((data.text().as_str(), messages.text().as_str()), ("{\"n\":42}\n", ""));
    }

    #[test]
    fn hostile_cells_do_not_reach_the_terminal() {
        let (mut output, data, _) = captured(Verbosity::Normal);
        sql(
            &args("select chr(27) || '[2J' || chr(8238) as x where $n = 41", None),
            &headless(),
            &mut output,
        )
        .unwrap();
        assert!(data.text().contains("\\u{1b}[2J\\u{202e}"), "{}", data.text());
    }

    #[test]
    fn statement_is_read_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("q.sql");
        fs::write(&file, "select 1").unwrap();
        let from_file = |file: &Path| SqlArgs {
            statement: None,
            file: Some(file.to_owned()),
            ..args("", None)
        };
        assert_eq!(
            statement(&from_file(&file), &headless()).unwrap().as_deref(),
            Some("select 1")
        );
        let error = statement(&from_file(Path::new("/nonexistent.sql")), &headless()).unwrap_err();
        assert!(error.to_string().contains("`/nonexistent.sql`"), "{error}");
    }

    #[test]
    fn person_is_asked_only_on_a_terminal() {
        let nothing = SqlArgs {
            statement: None,
            ..args("", None)
        };
        let terminal = Settings {
            is_interactive: true,
            stdout_is_terminal: true,
            ..headless()
        };
        assert_eq!(statement(&nothing, &terminal).unwrap(), None);
        assert!(matches!(statement(&nothing, &headless()), Err(CliError::Usage { .. })));
    }

    #[test]
    fn session_refuses_options_that_are_about_one_statement() {
        let with = |output: OutputArgs| SqlArgs {
            params: Vec::new(),
            output,
            ..args("", None)
        };
        assert!(check_session(&with(OutputArgs::default())).is_ok());
        let refused = [
            args("", None),
            with(OutputArgs {
                limit: Some(5),
                ..OutputArgs::default()
            }),
            with(OutputArgs {
                file: Some("rows.csv".into()),
                ..OutputArgs::default()
            }),
        ];
        for args in refused {
            assert!(matches!(check_session(&args), Err(CliError::Usage { .. })), "{args:?}");
        }
    }
}
