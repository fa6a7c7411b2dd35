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

impl Severity {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];
        all.into_iter().find(|severity| severity.to_string() == text)
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
