//! Arguments of a call: literals, or parameters that get their values later.

use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::common::ParamValues;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use crate::query::params::parse_time;
use crate::query::params::timestamp_type;

/// Names of the arguments in their order.
const NAMES: [&str; 4] = ["since", "until", "min_window_days", "min_coverage"];

/// What a call asks for; `None` where an argument is left out or null.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WindowArguments {
    /// First moment of the window: microseconds since 1970-01-01T00:00:00Z.
    pub since: Option<i64>,
    /// First moment after it.
    pub until: Option<i64>,
    /// Days that the window must have for something to be unused.
    pub min_window_days: Option<i64>,
    /// Share of the window's hours that the logs must cover for it.
    pub min_coverage: Option<f64>,
}

impl WindowArguments {
    /// Reads literals; texts of times may be relative to `now_micros`.
    pub(super) fn read(function: &str, arguments: &[Expr], now_micros: i64) -> Result<Self> {
        let mut read = Self::default();
        for (position, argument) in arguments.iter().enumerate() {
            let literal = argument.as_literal().ok_or_else(|| usage(function, arguments.len()))?;
            if literal.is_null() {
                continue;
            }
            match position {
                0 => read.since = Some(moment(function, literal, now_micros)?),
                1 => read.until = Some(moment(function, literal, now_micros)?),
                2 => read.min_window_days = Some(days(function, literal)?),
                _ => read.min_coverage = Some(share(function, literal)?),
            }
        }
        Ok(read)
    }
}

/// Checks what can be before parameters have values.
pub(super) fn check(function: &str, arguments: &[Expr], count: usize, now_micros: i64) -> Result<()> {
    let is_either = |argument: &Expr| argument.as_literal().is_some() || placeholder(argument).is_some();
    if arguments.len() > count || !arguments.iter().all(is_either) {
        return Err(usage(function, count));
    }
    if arguments.iter().all(|argument| placeholder(argument).is_none()) {
        WindowArguments::read(function, arguments, now_micros)?;
    }
    Ok(())
}

/// Name and type of every parameter.
pub(super) fn placeholders(arguments: &[Expr]) -> Vec<(String, DataType)> {
    let types = [timestamp_type(), timestamp_type(), DataType::Int64, DataType::Float64];
    let named = arguments.iter().zip(types);
    named
        .filter_map(|(argument, data_type)| {
            let name = placeholder(argument)?.trim_start_matches('$').to_owned();
            Some((name, data_type))
        })
        .collect()
}

/// The arguments with values for their parameters.
pub(super) fn with_values(arguments: &[Expr], values: &ParamValues) -> Result<Vec<Expr>> {
    let valued = arguments.iter().map(|argument| match placeholder(argument) {
        Some(id) => Ok(Expr::Literal(values.get_placeholders_with_values(id)?.value, None)),
        None => Ok(argument.clone()),
    });
    valued.collect()
}

fn placeholder(argument: &Expr) -> Option<&str> {
    match argument {
        Expr::Placeholder(placeholder) => Some(&placeholder.id),
        _ => None,
    }
}

fn moment(function: &str, literal: &ScalarValue, now_micros: i64) -> Result<i64> {
    if let Some(text) = literal.try_as_str().flatten() {
        return parse_time(text, now_micros).map_err(|forms| refused(function, &forms));
    }
    // A bare number would be taken for microseconds of 1970.
    if !literal.data_type().is_temporal() {
        let why = format!("a moment is a time or a text such as '2026-09-01' or 'T-90d', not {literal}");
        return Err(refused(function, &why));
    }
    match literal.cast_to(&timestamp_type()) {
        Ok(ScalarValue::TimestampMicrosecond(Some(micros), _)) => Ok(micros),
        _ => Err(refused(function, &format!("{literal} is no moment"))),
    }
}

fn number<T: TryFrom<ScalarValue>>(function: &str, literal: &ScalarValue, data_type: &DataType) -> Result<T> {
    let wrong = || refused(function, &format!("{literal} is no number"));
    let cast = literal.cast_to(data_type).map_err(|_| wrong())?;
    T::try_from(cast).map_err(|_| wrong())
}

fn days(function: &str, literal: &ScalarValue) -> Result<i64> {
    let days: i64 = number(function, literal, &DataType::Int64)?;
    match days {
        0.. => Ok(days),
        _ => {
            let why = format!("`min_window_days` is a number of days, 0 or more, not {days}");
            Err(refused(function, &why))
        }
    }
}

fn share(function: &str, literal: &ScalarValue) -> Result<f64> {
    let share: f64 = number(function, literal, &DataType::Float64)?;
    match (0.0..=1.0).contains(&share) {
        true => Ok(share),
        false => {
            let why = format!("`min_coverage` is a share from 0 to 1, not {share}");
            Err(refused(function, &why))
        }
    }
}

fn usage(function: &str, count: usize) -> DataFusionError {
    let names = NAMES.get(..count).unwrap_or(&NAMES);
    let why = format!(
        "write `{function}({})`; arguments are literals or parameters and may be left out from the end",
        names.join(", ")
    );
    refused(function, &why)
}

fn refused(function: &str, why: &str) -> DataFusionError {
    DataFusionError::Plan(format!("`{function}`: {why}"))
}
