//! Parameter values: text from the command line to a value of the type that the query asks for.
//!
//! Pure: the moment that relative times count from is passed in.

use arrow::datatypes::DataType;
use arrow::datatypes::TimeUnit;
use datafusion::scalar::ScalarValue;
use jiff::Span;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::QueryError;

const TIME_FORMS: &str =
    "a time is written `2026-10-01`, `2026-10-01T12:30:00Z`, `now` or relative to now, like `T-90d` or `T-12h`";

/// Value of a parameter as the user gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamText {
    /// SQL null: for the optional parameters of library questions.
    Null,
    /// Text, read as a value of the parameter's type.
    Text(String),
}

impl From<&str> for ParamText {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ParamText {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Microseconds since 1970 of an absolute time (UTC unless it carries an offset) or of one relative to `now_micros`.
///
/// Relative times are `now`, or `T-` and a span such as `90d`, `2w`, `12h` or `1y 6mo`; `T+` counts forward. Days, months
/// and years are counted in the UTC calendar. The error says which forms there are.
pub fn parse_time(text: &str, now_micros: i64) -> Result<i64, String> {
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("now") {
        return Ok(now_micros);
    }
    if let Some(relative) = trimmed.strip_prefix(['T', 't']) {
        return relative_time(relative, now_micros).ok_or_else(|| TIME_FORMS.to_owned());
    }
    if let Ok(timestamp) = trimmed.parse::<Timestamp>() {
        return Ok(timestamp.as_microsecond());
    }
    let civil = trimmed.parse::<DateTime>().map_err(|_| TIME_FORMS.to_owned())?;
    let timestamp = TimeZone::UTC.to_timestamp(civil).map_err(|_| TIME_FORMS.to_owned())?;
    Ok(timestamp.as_microsecond())
}

/// Reads `text` as a value of `data_type`; `name` is for the error only.
pub(super) fn value(
    name: &str,
    text: &ParamText,
    data_type: &DataType,
    now_micros: i64,
) -> Result<ScalarValue, QueryError> {
    let ParamText::Text(text) = text else {
        return ScalarValue::try_from(data_type).map_err(|_| QueryError::BadParameter {
            name: name.to_owned(),
            text: "null".to_owned(),
            expected: format!("values of type {data_type} cannot be given as a parameter"),
        });
    };
    typed(text, data_type, now_micros).map_err(|expected| QueryError::BadParameter {
        name: name.to_owned(),
        text: text.clone(),
        expected,
    })
}

fn typed(text: &str, data_type: &DataType, now_micros: i64) -> Result<ScalarValue, String> {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => {
            Ok(ScalarValue::Utf8(Some(text.to_owned())))
        }
        DataType::Dictionary(_, values) => typed(text, values, now_micros),
        DataType::Timestamp(unit, zone) => {
            let micros = parse_time(text, now_micros)?;
            let scalar = ScalarValue::TimestampMicrosecond(Some(micros), zone.clone());
            scalar
                .cast_to(&DataType::Timestamp(*unit, zone.clone()))
                .map_err(|_| TIME_FORMS.to_owned())
        }
        DataType::Date32 | DataType::Date64 => {
            let micros = parse_time(text, now_micros)?;
            let scalar = ScalarValue::TimestampMicrosecond(Some(micros), None);
            scalar.cast_to(data_type).map_err(|_| TIME_FORMS.to_owned())
        }
        DataType::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Ok(ScalarValue::Boolean(Some(true))),
            "false" | "no" => Ok(ScalarValue::Boolean(Some(false))),
            _ => Err("a truth value is `true` or `false`".to_owned()),
        },
        numeric if numeric.is_numeric() => ScalarValue::try_from_string(text.trim().to_owned(), numeric)
            .map_err(|_| format!("a number of type {numeric} is needed")),
        other => Err(format!("values of type {other} cannot be given as a parameter")),
    }
}

fn relative_time(offset: &str, now_micros: i64) -> Option<i64> {
    let (sign, span_text) = match offset.chars().next()? {
        '-' => (-1, offset.strip_prefix('-')?),
        '+' => (1, offset.strip_prefix('+')?),
        _ => return None,
    };
    let span: Span = span_text.trim().parse().ok()?;
    let now = Timestamp::from_microsecond(now_micros).ok()?.to_zoned(TimeZone::UTC);
    let then = now.checked_add(span.checked_mul(sign).ok()?).ok()?;
    Some(then.timestamp().as_microsecond())
}

/// The type of a timestamp parameter: microseconds UTC, as the store keeps them.
pub(super) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;
    use datafusion::scalar::ScalarValue;

    use super::ParamText;
    use super::parse_time;
    use super::value;

    /// 2026-10-31T06:00:00Z
    const NOW: i64 = 1_793_426_400_000_000;

    fn time(text: &str) -> String {
        let micros = parse_time(text, NOW).unwrap();
        jiff::Timestamp::from_microsecond(micros).unwrap().to_string()
    }

    #[test]
    fn a_date_is_its_first_moment_in_utc() {
        assert_eq!(time("2026-10-01"), "2026-10-01T00:00:00Z");
    }

    #[test]
    fn a_time_without_zone_is_utc() {
        assert_eq!(time("2026-10-01T12:30:00"), "2026-10-01T12:30:00Z");
        assert_eq!(time("2026-10-01 12:30"), "2026-10-01T12:30:00Z");
    }

    #[test]
    fn an_offset_is_honoured() {
        assert_eq!(time("2026-10-01T02:00:00+02:00"), "2026-10-01T00:00:00Z");
    }

    #[test]
    fn a_relative_time_counts_from_now() {
        assert_eq!(time("now"), "2026-10-31T06:00:00Z");
        assert_eq!(time("T-90d"), "2026-08-02T06:00:00Z");
        assert_eq!(time("T-12h"), "2026-10-30T18:00:00Z");
        assert_eq!(time("t+1d"), "2026-11-01T06:00:00Z");
    }

    #[test]
    fn a_month_back_is_a_calendar_month() {
        assert_eq!(time("T-1mo"), "2026-09-30T06:00:00Z");
    }

    #[test]
    fn other_text_is_refused_with_the_forms() {
        for text in ["", "yesterday", "2026-13-01", "T90d", "T-", "T-90", "2026-10-01TZ"] {
            let message = parse_time(text, NOW).unwrap_err();
            assert!(message.contains("T-90d"), "{text}: {message}");
        }
    }

    #[test]
    fn text_that_is_no_number_names_the_parameter() {
        let error = value("limit", &"ten".into(), &DataType::Int64, NOW).unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameter `$limit` cannot be `ten`: a number of type Int64 is needed"
        );
    }

    #[test]
    fn quotes_in_a_text_value_stay_data() {
        let scalar = value("name", &"x' or 1=1 --".into(), &DataType::Utf8View, NOW).unwrap();
        assert_eq!(scalar, ScalarValue::Utf8(Some("x' or 1=1 --".to_owned())));
    }

    #[test]
    fn null_takes_the_type_of_the_parameter() {
        let scalar = value("since", &ParamText::Null, &super::timestamp_type(), NOW).unwrap();
        assert_eq!(scalar.data_type(), super::timestamp_type());
        assert!(scalar.is_null());
    }
}
