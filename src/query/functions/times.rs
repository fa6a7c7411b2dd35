//! Times as the text that CloudTrail writes, and back.
//!
//! `iso8601_text` is the `eventtime` of the Athena view. A comparison of it with a whole text is turned into one of the
//! time itself, so that filters on the text skip files.

use std::sync::Arc;

use arrow::array::Array;
use arrow::array::AsArray;
use arrow::array::StringArray;
use arrow::array::StringBuilder;
use arrow::compute;
use arrow::datatypes::DataType;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::DateTime;
use chrono::NaiveDate;
use chrono::NaiveDateTime;
use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::ExprSimplifyResult;
use datafusion::logical_expr::simplify::SimplifyContext;

use crate::query::params::timestamp_type;

const FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";
const MICROS_PER_SECOND: i64 = 1_000_000;

/// `iso8601_text(timestamp)`: `2026-10-01T08:00:00Z`, parts of a second cut off.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Iso8601Text {
    signature: Signature,
}

impl Iso8601Text {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::exact(vec![timestamp_type()], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Iso8601Text {
    fn name(&self) -> &'static str {
        "iso8601_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(times) = arrays
            .first()
            .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
        else {
            return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None)));
        };
        let mut texts = StringBuilder::with_capacity(times.len(), times.len() * 20);
        for micros in times {
            texts.append_option(micros.and_then(text_of));
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }

    fn preimage(&self, args: &[Expr], text: &Expr, _context: &SimplifyContext) -> Result<PreimageResult> {
        let bounds = text
            .as_literal()
            .and_then(|scalar| scalar.try_as_str().flatten())
            .and_then(times_of);
        let (Some(expr), Some((first, end))) = (args.first(), bounds) else {
            return Ok(PreimageResult::None);
        };
        let bound = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
        let interval = Interval::try_new(bound(first), bound(end))?;
        Ok(PreimageResult::Range {
            expr: expr.clone(),
            interval: Box::new(interval),
        })
    }
}

/// `from_iso8601_timestamp(text)`: the time, or null when the text is none.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FromIso8601 {
    signature: Signature,
}

impl FromIso8601 {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::string(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for FromIso8601 {
    fn name(&self) -> &'static str {
        "from_iso8601_timestamp"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(timestamp_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let none: Arc<dyn Array> = Arc::new(StringArray::new_null(args.number_rows));
        let texts = arrays.first().unwrap_or(&none);
        // A safe cast: text that is no time becomes null, because log content must not end a query.
        Ok(ColumnarValue::Array(compute::cast(texts, &timestamp_type())?))
    }

    /// The time of a text that was made from a time is that time, to the second.
    fn simplify(&self, args: Vec<Expr>, _context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let inner = match args.first() {
            Some(Expr::ScalarFunction(function)) if function.name() == "iso8601_text" => function.args.first().cloned(),
            _ => None,
        };
        Ok(inner.map_or(ExprSimplifyResult::Original(args), ExprSimplifyResult::Simplified))
    }
}

fn text_of(micros: i64) -> Option<String> {
    DateTime::from_timestamp_micros(micros).map(|time| time.format(FORMAT).to_string())
}

/// The times whose text equals `text`: first one and the end, which does not belong.
///
/// A space instead of `T`, as CloudTrail Lake writes times, means the same moment. No time has a day alone as its text,
/// but every text is before or after it, so its times are none, at midnight.
fn times_of(text: &str) -> Option<(i64, i64)> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let midnight = NaiveDateTime::from(day).and_utc().timestamp_micros();
        return text_of(midnight)?.starts_with(text).then_some((midnight, midnight));
    }
    let with_t = match text.split_once(' ') {
        Some((day, time)) => format!("{day}T{time}Z"),
        None => text.to_owned(),
    };
    let micros = NaiveDateTime::parse_from_str(&with_t, FORMAT)
        .ok()?
        .and_utc()
        .timestamp_micros();
    (text_of(micros)? == with_t).then_some((micros, micros + MICROS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::text_of;
    use super::times_of;

    const EIGHT: i64 = 1_790_841_600_000_000;

    #[test]
    fn a_text_stands_for_all_times_of_its_second() {
        assert_eq!(times_of("2026-10-01T08:00:00Z"), Some((EIGHT, EIGHT + 1_000_000)));
        assert_eq!(text_of(EIGHT + 999_999).as_deref(), Some("2026-10-01T08:00:00Z"));
    }

    #[test]
    fn a_space_means_the_same_moment() {
        assert_eq!(times_of("2026-10-01 08:00:00"), times_of("2026-10-01T08:00:00Z"));
    }

    #[test]
    fn a_day_alone_stands_for_no_time() {
        let midnight = EIGHT - 8 * 3600 * 1_000_000;
        assert_eq!(times_of("2026-10-01"), Some((midnight, midnight)));
    }

    #[test]
    fn texts_that_no_time_has_are_not_read() {
        for text in [
            "2026-10",
            "2026-10-1",
            "2026-10-1T08:00:00Z",
            "2026-10-01T08:00:60Z",
            "2026-10-01T08:00",
            "",
        ] {
            assert_eq!(times_of(text), None, "{text}");
        }
    }
}
