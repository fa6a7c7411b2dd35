//! The header of a library question: `-- @key value` lines before the statement, which say what the statement answers.
//!
//! ```sql
//! -- @id        root-use
//! -- @title     Use of root users
//! -- @question  Which accounts were used as root, when and from where?
//! -- @param     since timestamp?  First moment of the window, UTC, inclusive.
//! -- @column    event_time timestamp  When the call was made.
//! ```
//!
//! A `?` after a parameter's type makes it optional: without a value it is null. Pure: text in, question out.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion::sql::sqlparser::tokenizer::Tokenizer;

use super::question::Question;
use super::question::QuestionColumn;
use super::question::QuestionParam;
use super::question::RowChoice;
use super::question::Severity;
use super::question::ValueType;

/// Why a header is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A key that the grammar does not know.
    #[error(
        "line {line}: unknown key `@{key}`; the keys are @id, @title, @question, @param, @column, @severity, @identity, @finding, @unknown, @control and @caveat"
    )]
    UnknownKey {
        /// Line, from 1.
        line: usize,
        /// The key.
        key: String,
    },
    /// A key that stands once, seen again.
    #[error("line {line}: `@{key}` is given twice")]
    RepeatedKey {
        /// Line, from 1.
        line: usize,
        /// The key or the name of a parameter or column.
        key: String,
    },
    /// A line whose value does not fit its key.
    #[error("line {line}: `@{key}` is written `{form}`")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// The key.
        key: &'static str,
        /// How the line should look.
        form: &'static str,
    },
    /// A key that every header needs.
    #[error("the header has no `@{key}`")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A parameter that the statement does not use.
    #[error("`@param {name}` is not used: the statement has no `${name}`")]
    UnusedParam {
        /// Name without `$`.
        name: String,
    },
    /// A placeholder that the header does not declare.
    #[error("`${name}` is used but has no `@param` line")]
    UndeclaredParam {
        /// Name without `$`.
        name: String,
    },
    /// A key that names a column which the header does not declare, or one that cannot serve.
    #[error("`@{key}` names `{column}`, which is no column{of_text} of the header")]
    UnknownColumn {
        /// The key.
        key: &'static str,
        /// The name.
        column: String,
        /// ` of text`, where only such a column can serve.
        of_text: &'static str,
    },
    /// The statement cannot be split into words.
    #[error("cannot parse the statement: {message}")]
    Tokens {
        /// What the tokenizer says.
        message: String,
    },
}

#[derive(Default)]
struct Header {
    id: Option<String>,
    title: Option<String>,
    question: Option<String>,
    severity: Option<Severity>,
    identity: Option<Vec<String>>,
    findings: Option<RowChoice>,
    unknowns: Option<RowChoice>,
    params: Vec<QuestionParam>,
    columns: Vec<QuestionColumn>,
    controls: Vec<String>,
    caveats: Vec<String>,
}

/// Reads the header of `sql` and checks it against the placeholders of the statement.
///
/// The header ends at the first line that is no `-- @` line.
pub(super) fn parse(sql: &str, sha256: String) -> Result<Question, HeaderError> {
    let mut header = Header::default();
    for (index, text) in sql.lines().enumerate() {
        let Some(entry) = text.strip_prefix("-- @") else { break };
        header.take(index + 1, entry)?;
    }
    let question = Question {
        id: header.id.ok_or(HeaderError::Missing { key: "id" })?,
        title: header.title.ok_or(HeaderError::Missing { key: "title" })?,
        question: header.question.ok_or(HeaderError::Missing { key: "question" })?,
        params: header.params,
        columns: header.columns,
        severity: header.severity,
        identity: header.identity.unwrap_or_default(),
        findings: header.findings,
        unknowns: header.unknowns,
        controls: header.controls,
        caveats: header.caveats,
        sql: sql.to_owned(),
        sha256,
    };
    if question.columns.is_empty() {
        return Err(HeaderError::Missing { key: "column" });
    }
    check_columns(&question)?;
    check_placeholders(&question)?;
    Ok(question)
}

impl Header {
    fn take(&mut self, line: usize, entry: &str) -> Result<(), HeaderError> {
        let (key, value) = entry.split_once(char::is_whitespace).unwrap_or((entry, ""));
        let value = value.trim();
        match key {
            "id" => set_once(&mut self.id, line, "id", checked_id(line, value)?),
            "title" => set_once(&mut self.title, line, "title", sentence(line, "title", value)?),
            "question" => set_once(&mut self.question, line, "question", sentence(line, "question", value)?),
            "severity" => {
                let form = "@severity info|low|medium|high|critical";
                let severity = Severity::parse(value).ok_or(HeaderError::Malformed {
                    line,
                    key: "severity",
                    form,
                })?;
                set_once(&mut self.severity, line, "severity", severity)
            }
            "identity" => {
                let columns = value.split(',').map(|column| column.trim().to_owned()).collect();
                set_once(&mut self.identity, line, "identity", columns)
            }
            "finding" => set_once(&mut self.findings, line, "finding", row_choice(line, "finding", value)?),
            "unknown" => set_once(&mut self.unknowns, line, "unknown", row_choice(line, "unknown", value)?),
            "param" => self.take_param(line, value),
            "column" => self.take_column(line, value),
            "control" => {
                self.controls.push(checked_control(line, value)?);
                Ok(())
            }
            "caveat" => {
                self.caveats.push(sentence(line, "caveat", value)?);
                Ok(())
            }
            _ => Err(HeaderError::UnknownKey {
                line,
                key: key.to_owned(),
            }),
        }
    }

    fn take_param(&mut self, line: usize, value: &str) -> Result<(), HeaderError> {
        let malformed = HeaderError::Malformed {
            line,
            key: "param",
            form: "@param name type[?]  Meaning.",
        };
        let Some((name, type_text, meaning)) = name_type_meaning(value) else {
            return Err(malformed);
        };
        let optional = type_text.ends_with('?');
        let value_type = ValueType::parse(type_text.trim_end_matches('?')).ok_or(malformed)?;
        if self.params.iter().any(|param| param.name == name) {
            return Err(HeaderError::RepeatedKey {
                line,
                key: format!("param {name}"),
            });
        }
        self.params.push(QuestionParam {
            name,
            value_type,
            optional,
            meaning,
        });
        Ok(())
    }

    fn take_column(&mut self, line: usize, value: &str) -> Result<(), HeaderError> {
        let malformed = HeaderError::Malformed {
            line,
            key: "column",
            form: "@column name type  Meaning.",
        };
        let Some((name, type_text, meaning)) = name_type_meaning(value) else {
            return Err(malformed);
        };
        let value_type = ValueType::parse(&type_text).ok_or(malformed)?;
        if self.columns.iter().any(|column| column.name == name) {
            return Err(HeaderError::RepeatedKey {
                line,
                key: format!("column {name}"),
            });
        }
        self.columns.push(QuestionColumn {
            name,
            value_type,
            meaning,
        });
        Ok(())
    }
}

fn set_once<T>(slot: &mut Option<T>, line: usize, key: &str, value: T) -> Result<(), HeaderError> {
    if slot.replace(value).is_some() {
        return Err(HeaderError::RepeatedKey {
            line,
            key: key.to_owned(),
        });
    }
    Ok(())
}

fn checked_id(line: usize, value: &str) -> Result<String, HeaderError> {
    let is_id = !value.is_empty()
        && value
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-');
    if is_id {
        Ok(value.to_owned())
    } else {
        Err(HeaderError::Malformed {
            line,
            key: "id",
            form: "@id words-with-hyphens",
        })
    }
}

fn checked_control(line: usize, value: &str) -> Result<String, HeaderError> {
    let is_control = value
        .split_once(':')
        .is_some_and(|(framework, control)| !framework.is_empty() && !control.is_empty() && !value.contains(' '));
    if is_control {
        Ok(value.to_owned())
    } else {
        Err(HeaderError::Malformed {
            line,
            key: "control",
            form: "@control framework:control",
        })
    }
}

fn row_choice(line: usize, key: &'static str, value: &str) -> Result<RowChoice, HeaderError> {
    let form = "@key column = value, value";
    RowChoice::parse(value).ok_or(HeaderError::Malformed { line, key, form })
}

/// What tells findings apart must stand in the rows.
fn check_columns(question: &Question) -> Result<(), HeaderError> {
    let find = |name: &str| question.columns.iter().find(|column| column.name == name);
    let unknown = |key, column: &str, of_text| HeaderError::UnknownColumn {
        key,
        column: column.to_owned(),
        of_text,
    };
    if let Some(column) = question.identity.iter().find(|column| find(column).is_none()) {
        return Err(unknown("identity", column, ""));
    }
    for (key, choice) in [("finding", &question.findings), ("unknown", &question.unknowns)] {
        let Some(choice) = choice else { continue };
        if find(&choice.column).is_none_or(|column| column.value_type != ValueType::Utf8) {
            return Err(unknown(key, &choice.column, " of text"));
        }
    }
    Ok(())
}

fn sentence(line: usize, key: &'static str, value: &str) -> Result<String, HeaderError> {
    if value.is_empty() {
        Err(HeaderError::Malformed {
            line,
            key,
            form: "@key text",
        })
    } else {
        Ok(value.to_owned())
    }
}

fn name_type_meaning(value: &str) -> Option<(String, String, String)> {
    let (name, rest) = value.split_once(char::is_whitespace)?;
    let (type_text, meaning) = rest.trim_start().split_once(char::is_whitespace)?;
    let is_name = name
        .chars()
        .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_');
    let meaning = meaning.trim();
    (is_name && !meaning.is_empty()).then(|| (name.to_owned(), type_text.to_owned(), meaning.to_owned()))
}

fn check_placeholders(question: &Question) -> Result<(), HeaderError> {
    let used = placeholders(&question.sql)?;
    if let Some(unused) = question.params.iter().find(|param| !used.contains(&param.name)) {
        return Err(HeaderError::UnusedParam {
            name: unused.name.clone(),
        });
    }
    let undeclared = used
        .into_iter()
        .find(|name| !question.params.iter().any(|param| param.name == *name));
    undeclared.map_or(Ok(()), |name| Err(HeaderError::UndeclaredParam { name }))
}

fn placeholders(sql: &str) -> Result<Vec<String>, HeaderError> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize()
        .map_err(|error| HeaderError::Tokens {
            message: error.to_string(),
        })?;
    let names = tokens.into_iter().filter_map(|token| match token {
        Token::Placeholder(text) => Some(text.trim_start_matches('$').to_owned()),
        _ => None,
    });
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::HeaderError;
    use super::Severity;
    use super::ValueType;
    use super::parse;

    const GOOD: &str = "\
-- @id        secret-reads
-- @title     Secret reads
-- @question  Who read which secret?
-- @param     since timestamp?  First moment of the window.
-- @column    secret utf8  ARN or name.
-- @severity  low
-- @control   soc2:CC6.1
-- @caveat    A cached read leaves no event.
-- Comments after the header are the author's own.
select secret from reads where event_time >= $since and '$nothing' <> '-- $neither'
";

    fn error(from: &str, to: &str) -> HeaderError {
        let changed = GOOD.replace(from, to);
        assert_ne!(changed, GOOD, "`{from}` is not in the example");
        parse(&changed, String::new()).unwrap_err()
    }

    #[test]
    fn every_line_of_a_good_header_is_kept() {
        let question = parse(GOOD, "hash".to_owned()).unwrap();
        assert_eq!(question.id, "secret-reads");
        assert_eq!(question.question, "Who read which secret?");
        assert_eq!(question.params[0].name, "since");
        assert_eq!(question.params[0].value_type, ValueType::Timestamp);
        assert!(question.params[0].optional);
        assert_eq!(question.params[0].meaning, "First moment of the window.");
        assert_eq!(question.columns[0].value_type, ValueType::Utf8);
        assert_eq!(question.severity, Some(Severity::Low));
        assert_eq!(question.controls, ["soc2:CC6.1"]);
        assert_eq!(question.caveats, ["A cached read leaves no event."]);
        assert_eq!(question.sha256, "hash");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        assert_eq!(
            error("@title ", "@titel "),
            HeaderError::UnknownKey {
                line: 2,
                key: "titel".to_owned()
            }
        );
    }

    #[test]
    fn a_missing_question_is_refused() {
        let without = GOOD.replace("-- @question  Who read which secret?\n", "");
        assert_eq!(
            parse(&without, String::new()),
            Err(HeaderError::Missing { key: "question" })
        );
    }

    #[test]
    fn a_placeholder_without_param_is_refused() {
        assert_eq!(
            error(">= $since", ">= $since and 1 = $until"),
            HeaderError::UndeclaredParam {
                name: "until".to_owned()
            }
        );
    }

    #[test]
    fn a_param_without_placeholder_is_refused() {
        assert_eq!(
            error(">= $since", "is not null"),
            HeaderError::UnusedParam {
                name: "since".to_owned()
            }
        );
    }

    #[test]
    fn repeated_lines_are_refused() {
        assert_eq!(
            error("-- @title     Secret reads", "-- @id again"),
            HeaderError::RepeatedKey {
                line: 2,
                key: "id".to_owned()
            }
        );
        let twice = "-- @column    secret utf8  ARN or name.\n-- @column    secret utf8  Again.";
        let key = "column secret".to_owned();
        assert_eq!(
            error("-- @column    secret utf8  ARN or name.", twice),
            HeaderError::RepeatedKey { line: 6, key }
        );
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for (from, to) in [
            ("secret-reads", "Secret Reads"),
            ("since timestamp?", "since datetime"),
            ("since timestamp?  First moment of the window.", "since timestamp?"),
            ("secret utf8  ARN", "secret utf8?  ARN"),
            ("@severity  low", "@severity  urgent"),
            ("soc2:CC6.1", "CC6.1"),
            ("A cached read leaves no event.", ""),
        ] {
            assert!(matches!(error(from, to), HeaderError::Malformed { .. }), "{to}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(-- @[a-z]{0,8}[ a-z0-9?$'\n-]{0,40}\n){0,6}.{0,40}") {
            drop(parse(&text, String::new()));
        }
    }
}
