//! A question of the library, as its header declares it.

use std::fmt;

use arrow::datatypes::DataType;

use super::params::timestamp_type;

/// Type of a parameter or result column, as a header spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// `utf8`: text.
    Utf8,
    /// `int64`: whole number.
    Int64,
    /// `float64`: floating-point number.
    Float64,
    /// `bool`: true or false.
    Bool,
    /// `timestamp`: microseconds UTC.
    Timestamp,
    /// `date`: a UTC day.
    Date,
}

/// How much a row of the result should worry the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A fact, not a finding.
    Info,
    /// Worth a look when there is time.
    Low,
    /// To be explained.
    Medium,
    /// To be explained soon.
    High,
    /// To be acted upon.
    Critical,
}

/// One `@param` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionParam {
    /// Name without `$`.
    pub name: String,
    /// Type of the value.
    pub value_type: ValueType,
    /// May be left out, and is null then.
    pub optional: bool,
    /// One sentence.
    pub meaning: String,
}

/// One `@column` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionColumn {
    /// Name in the result.
    pub name: String,
    /// Type of the values.
    pub value_type: ValueType,
    /// One sentence.
    pub meaning: String,
}

/// Rows that have one of some values in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChoice {
    /// Name of the column, which holds text.
    pub column: String,
    /// The values.
    pub values: Vec<String>,
}

/// The table of events, and the views over it but for `usage`.
const OF_EVENTS: [&str; 5] = [
    "events",
    "event_records",
    "used_actions",
    "aws_cloudtrail_log",
    "cloudtrail_logs",
];

/// One question of the library: the header and the statement that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// File stem; lower-case words joined by hyphens.
    pub id: String,
    /// A few words for lists.
    pub title: String,
    /// The question in one sentence.
    pub question: String,
    /// Parameters in the order of the header.
    pub params: Vec<QuestionParam>,
    /// Result columns in order.
    pub columns: Vec<QuestionColumn>,
    /// Severity of a row, when a row is a finding.
    pub severity: Option<Severity>,
    /// Columns that tell findings apart: rows that are alike in them are one finding. Without any, all columns of text.
    pub identity: Vec<String>,
    /// Rows that are findings; all, if the header does not say.
    pub findings: Option<RowChoice>,
    /// Rows of which it is not known whether they are findings.
    pub unknowns: Option<RowChoice>,
    /// Controls that the answer is evidence for, as `framework:control`.
    pub controls: Vec<String>,
    /// What the answer does not show.
    pub caveats: Vec<String>,
    /// The whole file, header included, as it is run.
    pub sql: String,
    /// SHA-256 of `sql`, lower-case hex.
    pub sha256: String,
}

impl ValueType {
    /// As a header spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf8",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Bool => "bool",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
        }
    }

    /// The type that a parameter of this kind is bound with.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Utf8 => DataType::Utf8,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Timestamp => timestamp_type(),
            Self::Date => DataType::Date32,
        }
    }

    /// Whether a result column of `data_type` is of this kind.
    pub fn accepts(self, data_type: &DataType) -> bool {
        match self {
            Self::Utf8 => data_type.is_string(),
            other => other.data_type() == *data_type,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Utf8,
            Self::Int64,
            Self::Float64,
            Self::Bool,
            Self::Timestamp,
            Self::Date,
        ];
        all.into_iter().find(|value_type| value_type.name() == text)
    }
}

impl RowChoice {
    /// Reads `column = value, value`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (column, values) = text.split_once('=')?;
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        let column = column.trim().to_owned();
        let is_whole = !column.is_empty() && values.iter().all(|value| !value.is_empty());
        is_whole.then_some(Self { column, values })
    }

    /// Whether a row with this value is chosen.
    pub fn has(&self, value: Option<&str>) -> bool {
        self.values.iter().any(|chosen| Some(chosen.as_str()) == value)
    }
}

impl Question {
    /// Its severity, if its rows are findings and not only facts.
    pub fn check_severity(&self) -> Option<Severity> {
        self.severity.filter(|severity| *severity > Severity::Info)
    }

    /// Whether something of its answer is made of the events themselves, of which expired days have none.
    pub fn reads_events(&self) -> bool {
        OF_EVENTS.into_iter().any(|table| self.reads(table))
    }

    /// Whether something of its answer is made of the rollup.
    pub fn reads_usage(&self) -> bool {
        self.reads("usage")
    }

    fn reads(&self, table: &str) -> bool {
        let lines = self.sql.lines().filter(|line| !line.trim_start().starts_with("--"));
        let words = lines.flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
        let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        let is_read =
            |pair: &[String]| matches!(pair, [before, name] if (before == "from" || before == "join") && name == table);
        words.windows(2).any(is_read)
    }

    /// Columns that tell findings apart.
    pub fn identity_columns(&self) -> Vec<&str> {
        if !self.identity.is_empty() {
            return self.identity.iter().map(String::as_str).collect();
        }
        let texts = self
            .columns
            .iter()
            .filter(|column| column.value_type == ValueType::Utf8);
        texts.map(|column| column.name.as_str()).collect()
    }
}

impl Severity {
    /// All, from the least on.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.to_string() == text)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}
