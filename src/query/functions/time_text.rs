//! A time as text, UTC: `strftime(time, format)` as in DuckDB, `date_format(time, format)` as in Athena and
//! `to_char(time, pattern)` as in PostgreSQL, for saved queries.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::array::StringBuilder;
use arrow::compute;
use arrow::datatypes::DataType;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::DateTime;
use chrono::format::Item;
use chrono::format::StrftimeItems;
use datafusion::common::DataFusionError;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::logical_expr::ScalarFunctionArgs;
use datafusion::logical_expr::ScalarUDFImpl;
use datafusion::logical_expr::Signature;
use datafusion::logical_expr::TypeSignature;
use datafusion::logical_expr::Volatility;

use super::dates::text_literal;
use crate::query::params::timestamp_type;

/// Patterns of PostgreSQL, those first that begin with another, and what `chrono` calls them; without regard to case.
const POSTGRESQL_NUMBERS: [(&str, &str); 18] = [
    ("IYYY", "%G"),
    ("YYYY", "%Y"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("DDD", "%j"),
    ("YY", "%y"),
    ("MM", "%m"),
    ("MI", "%M"),
    ("MS", "%3f"),
    ("DD", "%d"),
    ("HH", "%I"),
    ("SS", "%S"),
    ("US", "%6f"),
    ("IW", "%V"),
    ("ID", "%u"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("TZ", "UTC"),
];
/// Names whose case PostgreSQL takes from the pattern.
const POSTGRESQL_NAMES: [(&str, &str); 4] = [("FMMonth", "%B"), ("FMDay", "%A"), ("Mon", "%b"), ("Dy", "%a")];

/// Whose letters a format is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Format {
    DuckDb,
    MySql,
    PostgreSql,
}

/// One of the functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TimeText {
    format: Format,
    signature: Signature,
}

impl TimeText {
    pub(super) fn new(format: Format) -> Self {
        let of = |time| TypeSignature::Exact(vec![time, DataType::Utf8]);
        let times = vec![of(timestamp_type()), of(DataType::Date32)];
        Self {
            format,
            signature: Signature::one_of(times, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for TimeText {
    fn name(&self) -> &str {
        match self.format {
            Format::DuckDb => "strftime",
            Format::MySql => "date_format",
            Format::PostgreSql => "to_char",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bad = |problem: String| DataFusionError::Execution(format!("`{}`: {problem}", self.name()));
        let written =
            text_literal(args.args.get(1)).ok_or_else(|| bad("the format must be a text literal".to_owned()))?;
        let format = match self.format {
            Format::DuckDb => Some(written.clone()),
            Format::MySql => from_mysql(&written),
            // The engine's own letters, which start with a sign that no pattern of PostgreSQL has.
            Format::PostgreSql if written.contains('%') => Some(written.clone()),
            Format::PostgreSql => from_postgresql(&written),
        };
        let format = format.unwrap_or_else(|| "%".to_owned());
        let items: Vec<Item<'_>> = StrftimeItems::new(&format).collect();
        if items.contains(&Item::Error) {
            return Err(bad(format!("cannot read the format `{written}`")));
        }
        let arrays = ColumnarValue::values_to_arrays(args.args.get(..1).unwrap_or_default())?;
        let mut texts = StringBuilder::new();
        if let Some(times) = arrays.first() {
            let times = compute::cast(times, &timestamp_type())?;
            for micros in times.as_primitive::<TimestampMicrosecondType>() {
                let time = micros.and_then(DateTime::from_timestamp_micros);
                texts.append_option(time.map(|time| time.format_with_items(items.iter()).to_string()));
            }
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }
}

/// `%Y-%m-%d %H:%i:%s` and the like in the letters of `chrono`; `None` for letters that Athena refuses as well.
fn from_mysql(written: &str) -> Option<String> {
    let mut format = String::new();
    let mut letters = written.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            format.push(letter);
            continue;
        }
        format.push_str(match letters.next()? {
            'a' => "%a",
            'b' => "%b",
            'c' => "%-m",
            'd' => "%d",
            'e' => "%-d",
            'f' => "%6f",
            'H' => "%H",
            'h' | 'I' => "%I",
            'i' => "%M",
            'j' => "%j",
            'k' => "%-H",
            'l' => "%-I",
            'M' => "%B",
            'm' => "%m",
            'p' => "%p",
            'r' => "%I:%M:%S %p",
            'S' | 's' => "%S",
            'T' => "%H:%M:%S",
            'v' => "%V",
            'W' => "%A",
            'x' => "%G",
            'Y' => "%Y",
            'y' => "%y",
            '%' => "%%",
            _ => return None,
        });
    }
    Some(format)
}

/// `YYYY-MM-DD"T"HH24:MI:SS` and the like in the letters of `chrono`; `None` for patterns that it lacks.
fn from_postgresql(written: &str) -> Option<String> {
    let mut format = String::new();
    let mut rest = written;
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (literal, behind) = quoted.split_once('"')?;
            format.push_str(literal);
            rest = behind;
            continue;
        }
        let name = POSTGRESQL_NAMES
            .iter()
            .find_map(|(name, letters)| Some((rest.strip_prefix(name)?, *letters)));
        let number = || {
            POSTGRESQL_NUMBERS.iter().find_map(|(name, letters)| {
                let (start, behind) = rest.split_at_checked(name.len())?;
                start.eq_ignore_ascii_case(name).then_some((behind, *letters))
            })
        };
        if let Some((behind, letters)) = name.or_else(number) {
            format.push_str(letters);
            rest = behind;
        } else if first.is_ascii_alphabetic() {
            return None;
        } else {
            format.push(first);
            rest = rest.strip_prefix(first)?;
        }
    }
    Some(format)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::from_mysql;
    use super::from_postgresql;

    /// Thursday, 1 October 2026, 08:05:09.
    fn shown(format: Option<String>) -> Option<String> {
        let time = DateTime::from_timestamp_micros(1_790_841_909_012_345).unwrap();
        format.map(|format| time.format(&format).to_string())
    }

    #[test]
    fn letters_of_mysql_mean_what_athena_reads() {
        for (format, text) in [
            ("%Y-%m-%d %H:%i:%s", "2026-10-01 08:05:09"),
            ("%W, %e %M %Y", "Thursday, 1 October 2026"),
            ("%a %b %c %k:%i %l %p", "Thu Oct 10 8:05 8 AM"),
            ("%T.%f", "08:05:09.012345"),
            ("%x-W%v, %j, %y, 5%%", "2026-W40, 274, 26, 5%"),
            ("%r", "08:05:09 AM"),
        ] {
            assert_eq!(shown(from_mysql(format)).as_deref(), Some(text), "{format}");
        }
        for format in ["%D", "%U", "%w", "50%"] {
            assert_eq!(from_mysql(format), None, "{format}");
        }
    }

    #[test]
    fn patterns_of_postgresql_are_read() {
        for (pattern, text) in [
            ("YYYY-MM-DD", "2026-10-01"),
            ("yyyy-mm-dd\"T\"hh24:mi:ss\"Z\"", "2026-10-01T08:05:09Z"),
            ("Dy, DD Mon YY HH12:MI AM", "Thu, 01 Oct 26 08:05 AM"),
            ("FMDay, FMMonth", "Thursday, October"),
            ("IYYY-\"W\"IW DDD US MS TZ", "2026-W40 274 012345 012 UTC"),
        ] {
            assert_eq!(shown(from_postgresql(pattern)).as_deref(), Some(text), "{pattern}");
        }
        for pattern in ["YYYY-MM-DDTHH24", "Month", "MON", "\"open", "999", "Q"] {
            let is_read = from_postgresql(pattern).is_some();
            assert_eq!(is_read, pattern == "999", "{pattern}");
        }
    }
}
