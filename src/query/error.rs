//! What can go wrong between a query text and its rows.

use std::error::Error;
use std::io;
use std::io::ErrorKind;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::common::SchemaError;

use super::suggest::closest;
use crate::store::StoreError;

/// Why a query gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement would change something, or read what is no table of the store.
    #[error("`sql` only reads: {statement} is refused; {instead}")]
    Refused {
        /// The refused statement or clause, as SQL spells it.
        statement: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// The text holds no statement.
    #[error("the query is empty; write one `select` statement")]
    Empty,
    /// The text holds more than one statement.
    #[error("`sql` runs one statement at a time, but the text holds {found}; run them one by one")]
    SeveralStatements {
        /// Number of statements.
        found: usize,
    },
    /// The text is not SQL.
    #[error("cannot parse the query: {message}")]
    Syntax {
        /// What the parser says, with line and column.
        message: String,
    },
    /// No such table or view.
    #[error("there is no table or view `{name}`; {hint}")]
    UnknownTable {
        /// The name as written.
        name: String,
        /// The nearest name, or all of them.
        hint: String,
    },
    /// No such column.
    #[error("there is no column `{name}`; {hint}")]
    UnknownColumn {
        /// The name as written.
        name: String,
        /// The nearest name, or where to look.
        hint: String,
    },
    /// No such function.
    #[error("there is no function `{name}`; {hint}")]
    UnknownFunction {
        /// The name as written.
        name: String,
        /// The nearest name, or where to look.
        hint: String,
    },
    /// The query names a parameter that got no value.
    #[error("parameter `${name}` has no value")]
    MissingParameter {
        /// Name without `$`.
        name: String,
    },
    /// A value was given for a parameter that the query does not name.
    #[error("the query has no parameter `${name}`; {hint}")]
    UnknownParameter {
        /// Name without `$`.
        name: String,
        /// The parameters it has.
        hint: String,
    },
    /// A parameter got two values.
    #[error("parameter `${name}` is given twice")]
    RepeatedParameter {
        /// Name without `$`.
        name: String,
    },
    /// A parameter's text is no value of the parameter's type.
    #[error("parameter `${name}` cannot be `{text}`: {expected}")]
    BadParameter {
        /// Name without `$`.
        name: String,
        /// The text as given.
        text: String,
        /// What the type asks for.
        expected: String,
    },
    /// The statement is SQL, but cannot be planned.
    #[error("cannot plan the query: {message}")]
    Plan {
        /// What the planner says.
        message: String,
    },
    /// The memory limit was reached and the operator cannot spill.
    #[error("the query needs more than the memory limit; raise the limit (`--memory`) or narrow the window: {message}")]
    Memory {
        /// Which operators hold how much.
        message: String,
    },
    /// What did not fit into memory did not fit on the disk either.
    #[error(
        "no space left for the temporary files of the query; free some space, choose another folder with `--temp-dir`, \
         or raise the memory limit"
    )]
    NoSpace,
    /// The query failed while it ran.
    #[error("the query failed: {message}")]
    Execution {
        /// What the engine says.
        message: String,
    },
    /// A function was asked about a window that holds none of the logs.
    #[error("the window is empty: it begins at {since} and ends at {until}")]
    EmptyWindow {
        /// Its begin.
        since: String,
        /// Its end.
        until: String,
        /// From when to when the logs reach.
        logs: String,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A spill folder or memory limit that the engine does not accept.
    #[error("cannot start the query engine: {message}")]
    Engine {
        /// What the engine says.
        message: String,
    },
}

impl QueryError {
    /// Classifies an error of planning; `tables` and `functions` are the names that exist.
    pub(super) fn from_planning(error: DataFusionError, tables: &[String], functions: &[String]) -> Self {
        match root(error) {
            DataFusionError::Plan(message) | DataFusionError::Execution(message) => {
                if let Some(function) = quoted(&message, "table function '", "' not found") {
                    return unknown_function(function, functions);
                }
                if let Some(function) = quoted(&message, "Invalid function '", "'.") {
                    return unknown_function(function, functions);
                }
                if let Some(table) = quoted(&message, "table '", "' not found") {
                    return unknown_table(table, tables);
                }
                Self::Plan {
                    message: one_line(&message),
                }
            }
            other => Self::from_running(other),
        }
    }

    /// Classifies an error of a running query.
    pub(super) fn from_running(error: DataFusionError) -> Self {
        if is_disk_full(&error) {
            return Self::NoSpace;
        }
        if let Some(empty) = empty_window(&error) {
            return empty;
        }
        match root(error) {
            DataFusionError::ResourcesExhausted(message) => Self::Memory {
                message: one_line(&message),
            },
            DataFusionError::SQL(parser_error, _) => syntax(&parser_error.to_string()),
            DataFusionError::SchemaError(schema_error, _) => from_schema_error(&schema_error),
            DataFusionError::External(cause) => match cause.downcast::<StoreError>() {
                Ok(store_error) => Self::Store(*store_error),
                Err(cause) => Self::Execution {
                    message: one_line(&cause.to_string()),
                },
            },
            DataFusionError::Plan(message)
            | DataFusionError::Execution(message)
            | DataFusionError::NotImplemented(message)
            | DataFusionError::Configuration(message) => Self::Execution {
                message: one_line(&message),
            },
            other => Self::Execution {
                message: without_time(&other.strip_backtrace()),
            },
        }
    }
}

/// What the engine says, or how a time is written if it found a text that is none.
fn without_time(message: &str) -> String {
    let text = ["timestamp", "date", "time"]
        .iter()
        .find_map(|kind| quoted(message, &format!("Error parsing {kind} from '"), "'"));
    let beyond = quoted(message, "Overflow converting ", " to Nanosecond");
    match (text, beyond) {
        (Some(text), _) => format!("'{text}' is no time; write one as '2026-09-01' or '2026-09-01T10:00:00Z'"),
        (_, Some(text)) => format!("'{text}' is beyond the times that can be compared, those from 1678 to 2261"),
        _ => one_line(message),
    }
}

/// Whether a chain of causes begins with a full disk; a query writes to temporary files only.
fn is_disk_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(current) = cause {
        let kind = current.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = current.source();
    }
    false
}

/// The empty window that a chain of causes begins with, if it does.
fn empty_window(error: &(dyn Error + 'static)) -> Option<QueryError> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(QueryError::EmptyWindow { since, until, logs }) = current.downcast_ref() {
            return Some(QueryError::EmptyWindow {
                since: since.clone(),
                until: until.clone(),
                logs: logs.clone(),
            });
        }
        cause = current.source();
    }
    None
}

/// The innermost error: contexts and positions removed.
fn root(error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => root(*inner),
        DataFusionError::Shared(inner) => match Arc::try_unwrap(inner) {
            Ok(inner) => root(inner),
            Err(still_shared) => DataFusionError::Execution(still_shared.find_root().strip_backtrace()),
        },
        DataFusionError::Collection(errors) => match errors.into_iter().next() {
            Some(first) => root(first),
            None => DataFusionError::Execution("the engine reports an error without a cause".to_owned()),
        },
        other => other,
    }
}

fn syntax(message: &str) -> QueryError {
    QueryError::Syntax {
        message: message.trim_start_matches("sql parser error: ").to_owned(),
    }
}

fn from_schema_error(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names: Vec<String> = valid_fields.iter().map(|column| column.name.clone()).collect();
            let hint = closest(&field.name, &names).map_or_else(
                || "`describe <table>` lists the columns".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            QueryError::UnknownColumn {
                name: field.name.clone(),
                hint,
            }
        }
        other => QueryError::Plan {
            message: one_line(&other.to_string()),
        },
    }
}

fn unknown_table(qualified: &str, tables: &[String]) -> QueryError {
    let name = qualified.strip_prefix("trimtrail.public.").unwrap_or(qualified);
    let looks_like_file = name.contains('/') || name.contains('.');
    let hint = match closest(name, tables) {
        Some(near) => format!("did you mean `{near}`?"),
        None if looks_like_file => "raw log files are read with `read_cloudtrail('path')`".to_owned(),
        None if tables.is_empty() => "no store is open; give one with `--store`".to_owned(),
        None => format!(
            "there are {}",
            tables
                .iter()
                .map(|table| format!("`{table}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    QueryError::UnknownTable {
        name: name.to_owned(),
        hint,
    }
}

fn unknown_function(name: &str, functions: &[String]) -> QueryError {
    // A function that exists, but not of the kind that may stand here: one that gives rows.
    if functions.iter().any(|function| function.eq_ignore_ascii_case(name)) {
        return QueryError::Plan {
            message: format!(
                "`{name}` is not of use here; a function that gives rows stands behind `from`, as in \
                 `select * from read_cloudtrail('./AWSLogs')`, and one that gives a value stands elsewhere"
            ),
        };
    }
    let hint = closest(name, functions).map_or_else(
        || "`select distinct routine_name from information_schema.routines` lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    QueryError::UnknownFunction {
        name: name.to_owned(),
        hint,
    }
}

/// The text between `before` and the next `after`.
fn quoted<'a>(message: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(before)?;
    let (name, _) = rest.split_once(after)?;
    Some(name)
}

fn one_line(message: &str) -> String {
    message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    use arrow::error::ArrowError;

    #[test]
    fn empty_window_of_a_function_is_found_below_what_wraps_it() {
        let empty = QueryError::EmptyWindow {
            since: "a".to_owned(),
            until: "b".to_owned(),
            logs: "c to d".to_owned(),
        };
        let in_arrow = ArrowError::ExternalError(Box::new(DataFusionError::External(Box::new(empty))));
        let error = QueryError::from_running(DataFusionError::Context("scan".to_owned(), Box::new(in_arrow.into())));
        assert!(matches!(error, QueryError::EmptyWindow { .. }), "{error:?}");
    }

    #[test]
    fn text_that_is_no_time_is_told_with_one_that_is() {
        let cause = ArrowError::ParseError("Error parsing timestamp from 'foo': error parsing date".to_owned());
        assert_eq!(
            QueryError::from_running(cause.into()).to_string(),
            "the query failed: 'foo' is no time; write one as '2026-09-01' or '2026-09-01T10:00:00Z'"
        );
    }

    #[test]
    fn full_disk_below_a_spill_says_what_to_do() {
        let full = io::Error::from_raw_os_error(28);
        let in_arrow = ArrowError::IoError("spilling".to_owned(), full);
        let buried = DataFusionError::Context("sort".to_owned(), Box::new(in_arrow.into()));
        let error = QueryError::from_running(buried);
        assert!(matches!(error, QueryError::NoSpace), "{error:?}");
        assert!(error.to_string().contains("`--temp-dir`"), "{error}");
        let other = DataFusionError::Execution("division by zero".to_owned());
        assert_eq!(
            QueryError::from_running(other).to_string(),
            "the query failed: division by zero"
        );
    }
}
