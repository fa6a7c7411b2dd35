//! `query`: the questions of the library.

mod absent;
mod principal;

use std::path::Path;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::RecordBatch;
use arrow::array::StringArray;

use crate::cli::args::QueryArgs;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::stop_signal;
use crate::cli::output::Output;
use crate::cli::rows;
use crate::cli::rows::Switches;
use crate::cli::runtime::Runtime;
use crate::cli::settings::Settings;
use crate::cli::target::write_text;
use crate::cli::usage;
use crate::query::Library;
use crate::query::Question;
use crate::query::QuestionParam;
use crate::report::Arrangement;
use crate::report::ReportError;

/// Lists the questions, shows the SQL of one, or answers it.
///
/// # Errors
/// When there is no such question, it cannot be run, or its rows cannot be written.
pub fn query(args: &QueryArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let library = load_library(args.queries.as_deref())?;
    let Some(id) = &args.id else {
        return list(&library, args, settings, output);
    };
    let question = find_question(&library, id)?;
    if args.show {
        let text = format!("{}\n", question.sql.trim_end());
        write_text(&text, args.output.file.as_deref(), output)?;
        return Ok(ExitStatus::Done);
    }
    Runtime::start(settings.threads)?.run(async {
        tokio::select! {
            status = stop_signal() => status,
            status = answer(question, args, settings, output) => status,
        }
    })
}

/// The questions that come with the program, and those of a folder.
pub(in crate::cli) fn load_library(folder: Option<&Path>) -> Result<Library, CliError> {
    let library = Library::embedded()?;
    Ok(match folder {
        Some(folder) => library.with_folder(folder)?,
        None => library,
    })
}

/// The question with this id, or an error that says which there are.
pub(in crate::cli) fn find_question<'a>(library: &'a Library, id: &str) -> Result<&'a Question, CliError> {
    library.get(id).ok_or_else(|| {
        let ids: Vec<String> = library
            .questions()
            .map(|question| format!("`{}`", question.id))
            .collect();
        CliError::Usage {
            message: format!("there is no question `{id}`"),
            hint: Some(format!("there are {}", ids.join(", "))),
        }
    })
}

/// One row per question: id, title, how much a row should worry the reader, parameters, and the question itself.
pub(in crate::cli) fn question_rows(library: &Library) -> Result<RecordBatch, CliError> {
    let column = |text: fn(&Question) -> Option<String>| -> ArrayRef {
        Arc::new(library.questions().map(text).collect::<StringArray>())
    };
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("id", column(|question| Some(question.id.clone())), false),
        ("title", column(|question| Some(question.title.clone())), false),
        (
            "severity",
            column(|question| question.severity.map(|severity| severity.to_string())),
            true,
        ),
        (
            "parameters",
            column(|question| Some(parameters(&question.params))),
            false,
        ),
    ]);
    Ok(rows.map_err(ReportError::from)?)
}

fn list(library: &Library, args: &QueryArgs, settings: &Settings, output: &mut Output) -> Result<ExitStatus, CliError> {
    let rows = question_rows(library)?;
    rows::show(&rows, Arrangement::default(), &args.output, settings, output)?;
    output.note("parameters in brackets may be left out; `trimtrail query ID` answers, `--show` prints the SQL");
    Ok(ExitStatus::Done)
}

async fn answer(
    question: &Question,
    args: &QueryArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<ExitStatus, CliError> {
    let options = rows::result_options(&args.output, settings)?;
    let engine = Engine::open(&args.engine, settings).await?;
    let answer = engine.ask(question, &args.params).await?;
    let file = args.output.file.as_deref();
    let shown = engine.show(answer, (file, &options), Switches::OPTIONS, output).await?;
    let mut status = shown.status;
    if shown.rows == 0 {
        let is_absent = absent::tell_absent(question, &args.params, &engine, settings, output).await?;
        if is_absent && status == ExitStatus::Done {
            status = ExitStatus::Incomplete;
        } else if !is_absent {
            principal::tell_unknown(question, &args.params, &engine, output).await?;
        }
    }
    usage::note_source_of(question, engine.session(), output);
    note_caveats(question, output);
    Ok(status)
}

/// Says what the answer does not show: an answer without its limits misleads.
pub(in crate::cli) fn note_caveats(question: &Question, output: &mut Output) {
    for caveat in &question.caveats {
        output.note(&format!("note: {caveat}"));
    }
}

/// The parameters as they are typed; those in brackets may be left out.
fn parameters(params: &[QuestionParam]) -> String {
    let typed = params.iter().map(|param| {
        if param.optional {
            format!("[{}]", param.name)
        } else {
            param.name.clone()
        }
    });
    typed.collect::<Vec<_>>().join(" ")
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

    fn args(id: Option<&str>) -> QueryArgs {
        QueryArgs {
            id: id.map(str::to_owned),
            list: id.is_none(),
            show: false,
            params: Vec::new(),
            queries: None,
            engine: without_store(),
            output: OutputArgs {
                output: Some(Format::Json),
                ..OutputArgs::default()
            },
        }
    }

    #[test]
    fn list_names_every_question() {
        let (mut output, data, _) = captured(Verbosity::Normal);
        assert_eq!(query(&args(None), &headless(), &mut output).unwrap(), ExitStatus::Done);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&data.text()).unwrap();
        let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert!(
            ids.contains(&"secret-reads") && ids.contains(&"used-actions"),
            "{ids:?}"
        );
    }

    #[test]
    fn shown_question_is_its_file() {
        let (mut output, data, _) = captured(Verbosity::Normal);
        query(
            &QueryArgs {
                show: true,
                ..args(Some("root-use"))
            },
            &headless(),
            &mut output,
        )
        .unwrap();
        assert!(data.text().starts_with("-- @id        root-use\n"), "{}", data.text());
    }

    #[test]
    fn shown_question_goes_into_a_file_if_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root-use.sql");
        let mut shown = QueryArgs {
            show: true,
            ..args(Some("root-use"))
        };
        shown.output.file = Some(file.clone());
        let (mut output, data, _) = captured(Verbosity::Normal);
        query(&shown, &headless(), &mut output).unwrap();
        assert_eq!(data.text(), "");
        assert!(
            std::fs::read_to_string(file)
                .unwrap()
                .starts_with("-- @id        root-use\n")
        );
    }

    #[test]
    fn unknown_question_is_wrong_usage_that_lists_the_others() {
        let (mut output, _, _) = captured(Verbosity::Normal);
        let error = query(&args(Some("root-usage")), &headless(), &mut output).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.exit_status()),
            ("there is no question `root-usage`", ExitStatus::Usage)
        );
        assert!(error.hint().unwrap().contains("`root-use`"));
    }

    #[test]
    fn own_question_stands_beside_the_others_and_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let text = "-- @id mine\n-- @title Mine\n-- @question What?\n-- @param n int64 A number.\n\
                    -- @column n int64 The same.\n-- @caveat It is only a test.\nselect $n as n\n";
        std::fs::write(folder.path().join("mine.sql"), text).unwrap();
        let mine = QueryArgs {
            queries: Some(folder.path().to_owned()),
            params: vec![("n".to_owned(), "7".to_owned())],
            ..args(Some("mine"))
        };
        let (mut output, data, messages) = captured(Verbosity::Normal);
        assert_eq!(query(&mine, &headless(), &mut output).unwrap(), ExitStatus::Done);
        assert_eq!(
            (data.text().as_str(), messages.text().as_str()),
            ("[\n{\"n\":7}\n]\n", "note: It is only a test.\n")
        );
    }

    #[test]
    fn question_without_a_store_names_the_missing_store() {
        let (mut output, _, _) = captured(Verbosity::Normal);
        let error = query(&args(Some("root-use")), &headless(), &mut output).unwrap_err();
        assert!(error.to_string().contains("`/nonexistent/store`"), "{error}");
    }
}
