//! Rows on their way from a query or a command to the user.

use std::io::ErrorKind;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::Stream;
use futures::StreamExt;

use super::args::OutputArgs;
use super::error::CliError;
use super::output::Output;
use super::settings::Settings;
use super::size::counted;
use super::size::format_count;
use super::target::Target;
use crate::report::Arrangement;
use crate::report::Demand;
use crate::report::Format;
use crate::report::Limit;
use crate::report::ReportError;
use crate::report::ResultOptions;
use crate::report::ResultWriter;
use crate::report::Summary;
use crate::report::TableShape;

/// What the user can type to see what a table leaves out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Switches {
    /// Shows every row.
    all_rows: &'static str,
    /// Shows every cell whole.
    whole_cells: &'static str,
}

impl Switches {
    /// On the command line.
    pub(super) const OPTIONS: Self = Self {
        all_rows: "--all",
        whole_cells: "--output json",
    };
    /// In an interactive session.
    pub(super) const SESSION: Self = Self {
        all_rows: "\\a",
        whole_cells: "\\x",
    };
}

/// Rows of a table that a terminal shows unless the user asks for more.
const PREVIEW_ROWS: u64 = 100;

/// How the rows are rendered, from what the user typed and where the program runs.
pub(super) fn result_options(args: &OutputArgs, settings: &Settings) -> Result<ResultOptions, CliError> {
    let file = args.file.as_deref().filter(|path| *path != Path::new("-"));
    let format = match (args.output, file) {
        (Some(format), _) => format,
        (None, Some(file)) => format_of(file)?,
        (None, None) => Format::Table,
    };
    if format == Format::Parquet && file.is_none() && settings.stdout_is_terminal {
        return Err(CliError::Usage {
            message: "Parquet is not for the terminal".to_owned(),
            hint: Some("write it to a file with `-o rows.parquet`".to_owned()),
        });
    }
    let limit = match args.limit {
        Some(limit) => Limit::First(limit),
        // Whoever reads a file or a pipe cannot see that rows are missing.
        None if format == Format::Table && !args.all && file.is_none() && settings.stdout_is_terminal => {
            Limit::Preview(PREVIEW_ROWS)
        }
        None => Limit::All,
    };
    Ok(ResultOptions {
        format,
        limit,
        width: settings.terminal_width.filter(|_| file.is_none()),
        shape: TableShape::Auto,
        color: settings.color && file.is_none(),
        csv_raw: args.csv_raw,
        arrangement: Arrangement::default(),
    })
}

/// Where the columns are that a table leaves out.
pub(super) const LEFT_OUT: &str = "further columns are left out; `--output json` has all";

/// Writes the rows of a stream to where the user wants them.
pub(super) async fn write_stream<E>(
    schema: &SchemaRef,
    mut batches: impl Stream<Item = Result<RecordBatch, E>> + Unpin,
    file: Option<&Path>,
    options: &ResultOptions,
    output: &mut Output,
) -> Result<Summary, CliError>
where
    CliError: From<E>,
{
    let failed = |error| with_place(error, file);
    let mut target = Target::open(file)?;
    let mut writer = ResultWriter::new(schema, options, target.writer(output)).map_err(failed)?;
    let mut is_enough = false;
    while let Some(batch) = batches.next().await {
        is_enough = writer.write(&batch?).map_err(failed)? == Demand::Enough;
        if is_enough {
            break;
        }
    }
    let summary = writer.finish().map_err(failed)?;
    target.complete(output)?;
    Ok(Summary {
        may_go_on: is_enough && summary.rows_beyond == 0,
        ..summary
    })
}

/// Where rows go that tell what a command did: opened before, so that nothing is done when they cannot be written.
#[derive(Debug)]
pub(super) struct Place<'a> {
    target: Target,
    file: Option<&'a Path>,
    options: ResultOptions,
}

impl<'a> Place<'a> {
    /// The place and the format that the user asks for.
    pub(super) fn open(arrangement: Arrangement, args: &'a OutputArgs, settings: &Settings) -> Result<Self, CliError> {
        let options = ResultOptions {
            arrangement,
            ..result_options(args, settings)?
        };
        let file = args.file.as_deref();
        Ok(Self {
            target: Target::open(file)?,
            file,
            options,
        })
    }

    /// Writes rows, and says how many.
    pub(super) fn show(self, batch: &RecordBatch, output: &mut Output) -> Result<Summary, CliError> {
        let Self { target, file, options } = self;
        let summary = write_into(target, batch, file, &options, output)?;
        note_summary(&summary, file, &options, Switches::OPTIONS, output);
        Ok(summary)
    }
}

/// Writes one batch to where the user wants it.
pub(super) fn write_batch(
    batch: &RecordBatch,
    file: Option<&Path>,
    options: &ResultOptions,
    output: &mut Output,
) -> Result<Summary, CliError> {
    write_into(Target::open(file)?, batch, file, options, output)
}

fn write_into(
    mut target: Target,
    batch: &RecordBatch,
    file: Option<&Path>,
    options: &ResultOptions,
    output: &mut Output,
) -> Result<Summary, CliError> {
    let failed = |error| with_place(error, file);
    let mut writer = ResultWriter::new(&batch.schema(), options, target.writer(output)).map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    let summary = writer.finish().map_err(failed)?;
    target.complete(output)?;
    Ok(summary)
}

/// Writes rows to where the user wants them, and says how many.
pub(super) fn show(
    batch: &RecordBatch,
    arrangement: Arrangement,
    args: &OutputArgs,
    settings: &Settings,
    output: &mut Output,
) -> Result<Summary, CliError> {
    Place::open(arrangement, args, settings)?.show(batch, output)
}

/// The same where the rows depend on how they are rendered.
pub(super) fn write_and_note(
    batch: &RecordBatch,
    file: Option<&Path>,
    options: &ResultOptions,
    output: &mut Output,
) -> Result<Summary, CliError> {
    let summary = write_batch(batch, file, options, output)?;
    note_summary(&summary, file, options, Switches::OPTIONS, output);
    Ok(summary)
}

/// Says how many rows went into a file, or what a table does not show.
pub(super) fn note_summary(
    summary: &Summary,
    file: Option<&Path>,
    options: &ResultOptions,
    switches: Switches,
    output: &mut Output,
) {
    if let Some(file) = file.filter(|path| *path != Path::new("-")) {
        output.note(&format!("{} written to `{}`", rows(summary.rows), file.display()));
    }
    if options.format != Format::Table || options.shape == TableShape::Text {
        return;
    }
    let beyond = format_count(summary.rows_beyond);
    output.note(&match (summary.rows_beyond, summary.more_beyond) {
        (0, _) if file.is_some() => return,
        (0, _) if summary.may_go_on => format!("{}; --limit may leave out more", rows(summary.rows)),
        (0, _) => rows(summary.rows),
        // Reading ends at the limit, so how many more there are is not known.
        _ if matches!(options.limit, Limit::First(_)) => format!("{}; --limit leaves out more", rows(summary.rows)),
        (_, false) => format!(
            "{} shown, {beyond} more; {} shows them",
            rows(summary.rows),
            switches.all_rows
        ),
        (_, true) => format!(
            "{} shown, more than {beyond} more; {} shows them",
            rows(summary.rows),
            switches.all_rows
        ),
    });
    if summary.left_out_columns {
        output.note(LEFT_OUT);
    }
    if summary.cut_cells {
        output.note(&format!(
            "cells with … are cut to the width of the terminal; {} shows them whole",
            switches.whole_cells
        ));
    }
}

/// Names the file that takes no more bytes. A reader that went away stays what it is.
fn with_place(error: ReportError, file: Option<&Path>) -> CliError {
    match error {
        ReportError::Write(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            match file.filter(|path| *path != Path::new("-")) {
                Some(path) => CliError::Write {
                    path: path.to_owned(),
                    cause,
                },
                None => CliError::Stdout(cause),
            }
        }
        other => CliError::Report(other),
    }
}

fn rows(count: u64) -> String {
    counted(count, "row")
}

fn format_of(file: &Path) -> Result<Format, CliError> {
    let ending = file
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    Ok(match ending.as_str() {
        "" | "txt" => Format::Table,
        "json" => Format::Json,
        "ndjson" | "jsonl" => Format::Ndjson,
        "csv" => Format::Csv,
        "md" | "markdown" => Format::Markdown,
        "parquet" => Format::Parquet,
        _ => {
            return Err(CliError::Usage {
                message: format!(
                    "the name of `{}` does not say which format it is to have",
                    file.display()
                ),
                hint: Some("name the format with `--output`, such as `--output csv`".to_owned()),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Arc;

    use arrow::array::ArrayRef;
    use arrow::array::Int64Array;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::cli::settings::tests::headless;

    fn numbers(count: i64) -> RecordBatch {
        let array: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count));
        RecordBatch::try_from_iter([("n", array)]).unwrap()
    }

    fn options(args: &OutputArgs) -> ResultOptions {
        result_options(args, &headless()).unwrap()
    }

    fn on_terminal(args: &OutputArgs) -> ResultOptions {
        let settings = Settings {
            stdout_is_terminal: true,
            ..headless()
        };
        result_options(args, &settings).unwrap()
    }

    #[test]
    fn file_name_decides_the_format_unless_one_is_given() {
        let named = OutputArgs {
            file: Some("rows.CSV".into()),
            ..OutputArgs::default()
        };
        assert_eq!(options(&named).format, Format::Csv);
        assert_eq!(
            options(&OutputArgs {
                output: Some(Format::Json),
                ..named
            })
            .format,
            Format::Json
        );
        assert_eq!(options(&OutputArgs::default()).format, Format::Table);
    }

    #[test]
    fn file_name_that_stands_for_no_format_asks_for_one() {
        for (name, is_known) in [
            ("rows", true),
            ("rows.txt", true),
            ("rows.xlsx", false),
            ("rows.foo", false),
        ] {
            let named = OutputArgs {
                file: Some(name.into()),
                ..OutputArgs::default()
            };
            assert_eq!(result_options(&named, &headless()).is_ok(), is_known, "{name}");
            let told = OutputArgs {
                output: Some(Format::Table),
                ..named
            };
            assert_eq!(options(&told).format, Format::Table);
        }
    }

    #[test]
    fn parquet_is_refused_on_a_terminal() {
        let settings = Settings {
            stdout_is_terminal: true,
            ..headless()
        };
        let parquet = OutputArgs {
            output: Some(Format::Parquet),
            ..OutputArgs::default()
        };
        assert!(matches!(
            result_options(&parquet, &settings),
            Err(CliError::Usage { .. })
        ));
        assert!(
            result_options(
                &OutputArgs {
                    file: Some("x".into()),
                    ..parquet
                },
                &settings
            )
            .is_ok()
        );
    }

    #[test]
    fn file_or_pipe_gets_all_rows_of_a_table() {
        let file = OutputArgs {
            file: Some("rows.txt".into()),
            ..OutputArgs::default()
        };
        assert!(matches!(options(&OutputArgs::default()).limit, Limit::All));
        assert!(matches!(on_terminal(&file).limit, Limit::All));
    }

    #[test]
    fn table_on_a_terminal_shows_a_hundred_rows_and_says_how_many_more() {
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let options = on_terminal(&OutputArgs::default());
        let summary = write_batch(&numbers(1_234), None, &options, &mut output).unwrap();
        note_summary(&summary, None, &options, Switches::OPTIONS, &mut output);
        assert_eq!(data.text().lines().count(), 102);
        assert_eq!(messages.text(), "100 rows shown, 1,134 more; --all shows them\n");
    }

    #[test]
    fn all_rows_are_shown_when_asked_for() {
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let options = options(&OutputArgs {
            all: true,
            ..OutputArgs::default()
        });
        let summary = write_batch(&numbers(150), None, &options, &mut output).unwrap();
        note_summary(&summary, None, &options, Switches::OPTIONS, &mut output);
        assert_eq!(data.text().lines().count(), 152);
        assert_eq!(messages.text(), "150 rows\n");
    }

    #[test]
    fn limit_of_the_user_is_named_when_it_leaves_rows_out() {
        let note = |limit: u64| {
            let (mut output, _, messages) = captured(Verbosity::Normal);
            let options = options(&OutputArgs {
                limit: Some(limit),
                ..OutputArgs::default()
            });
            let summary = write_batch(&numbers(5), None, &options, &mut output).unwrap();
            note_summary(&summary, None, &options, Switches::OPTIONS, &mut output);
            messages.text()
        };
        assert_eq!(note(2), "2 rows; --limit leaves out more\n");
        assert_eq!(note(5), "5 rows\n");
    }

    #[tokio::test]
    async fn limit_at_the_end_of_a_batch_may_leave_rows_out() {
        let options = options(&OutputArgs {
            limit: Some(5),
            ..OutputArgs::default()
        });
        for (numbers_of_batches, note) in [
            (&[5, 1][..], "5 rows; --limit may leave out more\n"),
            (&[3, 3], "5 rows; --limit leaves out more\n"),
            (&[4], "4 rows\n"),
        ] {
            let (mut output, _, messages) = captured(Verbosity::Normal);
            let batches = numbers_of_batches
                .iter()
                .map(|count| Ok::<_, CliError>(numbers(*count)));
            let schema = numbers(1).schema();
            let stream = futures::stream::iter(batches);
            let summary = write_stream(&schema, stream, None, &options, &mut output)
                .await
                .unwrap();
            note_summary(&summary, None, &options, Switches::OPTIONS, &mut output);
            assert_eq!(messages.text(), note);
        }
    }

    #[test]
    fn file_gets_the_rows_and_the_user_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.csv");
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let options = options(&OutputArgs {
            file: Some(file.clone()),
            ..OutputArgs::default()
        });
        let summary = write_batch(&numbers(2), Some(&file), &options, &mut output).unwrap();
        note_summary(&summary, Some(&file), &options, Switches::OPTIONS, &mut output);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "n\n0\n1\n");
        assert_eq!(
            (data.text(), messages.text()),
            (String::new(), format!("2 rows written to `{}`\n", file.display()))
        );
    }

    #[test]
    fn machine_formats_have_no_limit_and_say_nothing() {
        let (mut output, data, messages) = captured(Verbosity::Normal);
        let options = options(&OutputArgs {
            output: Some(Format::Csv),
            ..OutputArgs::default()
        });
        let summary = write_batch(&numbers(150), None, &options, &mut output).unwrap();
        note_summary(&summary, None, &options, Switches::OPTIONS, &mut output);
        assert_eq!(data.text().lines().count(), 151);
        assert_eq!(messages.text(), "");
    }
}
