//! `parse_datetime(text, pattern)` with the pattern letters of Joda and `date_parse(text, format)` with those of MySQL, as
//! in Athena. Text that does not fit is null, because log content must not end a query.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::TimestampMicrosecondArray;
use arrow::compute;
use arrow::datatypes::DataType;
use chrono::DateTime;
use chrono::NaiveDate;
use chrono::NaiveDateTime;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::Volatility;

use crate::query::params::timestamp_type;

/// Whose letters a pattern is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Letters {
    Joda,
    MySql,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ParseTime {
    letters: Letters,
    signature: Signature,
}

impl ParseTime {
    pub(super) fn new(letters: Letters) -> Self {
        Self {
            letters,
            signature: Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ParseTime {
    fn name(&self) -> &str {
        match self.letters {
            Letters::Joda => "parse_datetime",
            Letters::MySql => "date_parse",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(timestamp_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bad = |problem: String| DataFusionError::Execution(format!("`{}`: {problem}", self.name()));
        let pattern = match args.args.get(1) {
            Some(ColumnarValue::Scalar(scalar)) => scalar.try_as_str().flatten(),
            Some(ColumnarValue::Array(_)) | None => None,
        };
        let pattern = pattern.ok_or_else(|| bad("the pattern must be a text literal".to_owned()))?;
        let format = match self.letters {
            Letters::Joda => from_joda(pattern),
            Letters::MySql => from_mysql(pattern),
        };
        let format = format.ok_or_else(|| bad(format!("cannot read the pattern `{pattern}`")))?;
        let arrays = ColumnarValue::values_to_arrays(args.args.get(..1).unwrap_or_default())?;
        let texts = match arrays.first() {
            Some(array) => compute::cast(array, &DataType::Utf8)?,
            None => return Err(bad("there is no text".to_owned())),
        };
        let micros = texts
            .as_string::<i32>()
            .iter()
            .map(|text| text.and_then(|text| parse(text, &format)));
        let times: TimestampMicrosecondArray = micros.collect();
        Ok(ColumnarValue::Array(Arc::new(times.with_timezone("UTC"))))
    }
}

fn parse(text: &str, format: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_str(text, format) {
        return Some(time.timestamp_micros());
    }
    let time = NaiveDateTime::parse_from_str(text, format)
        .ok()
        .or_else(|| NaiveDate::parse_from_str(text, format).ok().map(NaiveDateTime::from))?;
    Some(time.and_utc().timestamp_micros())
}

/// `yyyy-MM-dd''T''HH:mm:ss''Z''` and the like in the letters of `chrono`; `None` for letters that it lacks.
fn from_joda(pattern: &str) -> Option<String> {
    let mut format = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            let quoted: String = letters.by_ref().take_while(|next| *next != '\'').collect();
            let literal = if quoted.is_empty() { "'" } else { &quoted };
            format.push_str(&literal.replace('%', "%%"));
            continue;
        }
        if !letter.is_ascii_alphabetic() {
            format.extend(std::iter::repeat_n(letter, if letter == '%' { 2 } else { 1 }));
            continue;
        }
        let mut length = 1;
        while letters.next_if_eq(&letter).is_some() {
            length += 1;
        }
        format.push_str(match (letter, length) {
            ('y' | 'Y', _) => "%Y",
            ('M', 1 | 2) => "%m",
            ('M', 3) => "%b",
            ('d', _) => "%d",
            ('H', _) => "%H",
            ('h', _) => "%I",
            ('m', _) => "%M",
            ('s', _) => "%S",
            ('S', 3) => "%3f",
            ('S', 6) => "%6f",
            ('a', _) => "%p",
            ('Z', _) => "%#z",
            _ => return None,
        });
    }
    Some(format)
}

/// `%Y-%m-%d %H:%i:%s` and the like; `None` for letters that `chrono` lacks.
fn from_mysql(pattern: &str) -> Option<String> {
    let mut format = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            // The fraction belongs to its point: alone, `chrono` takes its digits for nanoseconds.
            if letter == '.' && letters.as_str().starts_with("%f") {
                letters = letters.as_str().get(2..)?.chars();
                format.push_str("%.f");
            } else {
                format.push(letter);
            }
            continue;
        }
        format.push_str(match letters.next()? {
            'Y' => "%Y",
            'y' => "%y",
            'm' | 'c' => "%m",
            'd' | 'e' => "%d",
            'H' | 'k' => "%H",
            'h' | 'I' | 'l' => "%I",
            'i' => "%M",
            's' | 'S' => "%S",
            'p' => "%p",
            'T' => "%H:%M:%S",
            'b' => "%b",
            'M' => "%B",
            'j' => "%j",
            '%' => "%%",
            _ => return None,
        });
    }
    Some(format)
}

#[cfg(test)]
mod tests {
    use super::from_joda;
    use super::from_mysql;
    use super::parse;

    const EIGHT: i64 = 1_790_841_600_000_000;

    #[test]
    fn patterns_of_joda_read_the_times_of_records() {
        let format = from_joda("yyyy-MM-dd'T'HH:mm:ss'Z'").unwrap();
        assert_eq!(parse("2026-10-01T08:00:00Z", &format), Some(EIGHT));
        assert_eq!(parse("2026-10-01 08:00:00", &format), None);
        let format = from_joda("yyyy-MM-dd:HH:mm:ss").unwrap();
        assert_eq!(parse("2026-10-01:08:00:00", &format), Some(EIGHT));
        assert_eq!(
            from_joda("dd/MMM/yyyy:HH:mm:ss Z").as_deref(),
            Some("%d/%b/%Y:%H:%M:%S %#z")
        );
        assert_eq!(from_joda("yyyy G"), None);
    }

    #[test]
    fn a_quote_in_quotes_and_a_percent_sign_stand_for_themselves() {
        assert_eq!(from_joda("''%yyyy'5%'").as_deref(), Some("'%%%Y5%%"));
    }

    #[test]
    fn formats_of_mysql_name_minutes_otherwise() {
        let format = from_mysql("%Y-%m-%d %H:%i:%s").unwrap();
        assert_eq!(parse("2026-10-01 08:00:00", &format), Some(EIGHT));
        let format = from_mysql("%Y-%m-%d").unwrap();
        assert_eq!(parse("2026-10-01", &format), Some(EIGHT - 8 * 3_600_000_000));
        let format = from_mysql("%Y-%m-%d %H:%i:%s.%f").unwrap();
        for (fraction, micros) in [("5", 500_000), ("123456", 123_456), ("000000001", 0)] {
            let text = format!("2026-10-01 08:00:00.{fraction}");
            assert_eq!(parse(&text, &format), Some(EIGHT + micros), "{text}");
        }
        assert_eq!(from_mysql("%H:%i:%s%f"), None);
        assert_eq!(from_mysql("%W"), None);
        assert_eq!(from_mysql("50%"), None);
    }

    #[test]
    fn an_offset_is_heeded() {
        let format = from_joda("yyyy-MM-dd HH:mm:ss Z").unwrap();
        assert_eq!(parse("2026-10-01 10:00:00 +0200", &format), Some(EIGHT));
    }
}
