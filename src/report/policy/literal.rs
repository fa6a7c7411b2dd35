//! A policy document as a literal of a programming language, with the reasons beside its statements.

use serde_json::Value;

use super::rationale;
use crate::policy::ProposedPolicy;

/// How a language writes values.
pub(super) struct Syntax {
    pub(super) comment: &'static str,
    /// Between a key and its value.
    pub(super) assign: &'static str,
    /// Behind a member.
    pub(super) member_end: &'static str,
    /// Whether the signs between keys and values that follow one another stand in one column.
    pub(super) is_aligned: bool,
    pub(super) quote: fn(&str) -> String,
}

/// Writes literals, line by line.
pub(super) struct Literal<'a> {
    syntax: &'a Syntax,
    text: String,
}

impl<'a> Literal<'a> {
    /// The document from its opening to its closing brace; the first line is not indented.
    pub(super) fn document(syntax: &'a Syntax, policy: &ProposedPolicy<'_>, depth: usize) -> String {
        let mut literal = Literal {
            syntax,
            text: String::new(),
        };
        let value = policy.document.to_value();
        let reasons: Vec<Vec<String>> = policy.reasons.iter().map(rationale::statement_lines).collect();
        literal.object(&value, depth, &reasons);
        literal.text
    }

    fn object(&mut self, value: &Value, depth: usize, reasons: &[Vec<String>]) {
        let Value::Object(members) = value else {
            self.value(value, depth);
            return;
        };
        self.text.push_str("{\n");
        let members: Vec<(String, &Value)> = members.iter().map(|(key, value)| (self.key(key), value)).collect();
        for (position, (key, value)) in members.iter().enumerate() {
            let width = self.width(&members, position);
            self.indent(depth + 1);
            self.text.push_str(key);
            if self.syntax.is_aligned {
                self.text
                    .extend(std::iter::repeat_n(' ', width.saturating_sub(key.len())));
            }
            self.text.push_str(self.syntax.assign);
            match key.trim_matches('"') == "Statement" && !reasons.is_empty() {
                true => self.statements(value, depth + 1, reasons),
                false => self.value(value, depth + 1),
            }
            self.text.push_str(self.syntax.member_end);
            self.text.push('\n');
        }
        self.indent(depth);
        self.text.push('}');
    }

    /// Statements, each under its reasons.
    fn statements(&mut self, value: &Value, depth: usize, reasons: &[Vec<String>]) {
        let statements = match value {
            Value::Array(statements) => statements.as_slice(),
            one => std::slice::from_ref(one),
        };
        self.text.push_str("[\n");
        for (statement, lines) in statements.iter().zip(reasons) {
            for line in lines {
                self.indent(depth + 1);
                self.text.push_str(self.syntax.comment);
                self.text.push_str(line);
                self.text.push('\n');
            }
            self.indent(depth + 1);
            self.object(statement, depth + 1, &[]);
            self.text.push_str(",\n");
        }
        self.indent(depth);
        self.text.push(']');
    }

    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(members) if members.is_empty() => self.text.push_str("{}"),
            Value::Object(_) => self.object(value, depth, &[]),
            Value::Array(elements) if is_on_one_line(value) => {
                self.text.push('[');
                elements.iter().for_each(|element| self.value(element, depth));
                self.text.push(']');
            }
            Value::Array(elements) => {
                self.text.push_str("[\n");
                for element in elements {
                    self.indent(depth + 1);
                    self.value(element, depth + 1);
                    self.text.push_str(",\n");
                }
                self.indent(depth);
                self.text.push(']');
            }
            Value::String(text) => {
                let quoted = (self.syntax.quote)(text);
                self.text.push_str(&quoted);
            }
            plain => self.text.push_str(&plain.to_string()),
        }
    }

    fn key(&self, key: &str) -> String {
        let is_name = key.starts_with(|first: char| first.is_ascii_alphabetic())
            && key.chars().all(|character| character.is_ascii_alphanumeric());
        match is_name {
            true => key.to_owned(),
            false => (self.syntax.quote)(key),
        }
    }

    /// Width of the keys that stand with this one: those on adjacent lines whose values take one line.
    fn width(&self, members: &[(String, &Value)], position: usize) -> usize {
        let is_short = |member: &&(String, &Value)| is_on_one_line(member.1);
        let Some(own) = members.get(position).filter(is_short) else {
            return 0;
        };
        let (before, after) = members.split_at_checked(position).unwrap_or_default();
        let near = before
            .iter()
            .rev()
            .take_while(is_short)
            .chain(after.iter().take_while(is_short));
        near.map(|(key, _)| key.len()).max().unwrap_or(own.0.len())
    }

    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}

fn is_on_one_line(value: &Value) -> bool {
    match value {
        Value::Array(elements) => match elements.as_slice() {
            [] => true,
            [only] => !only.is_array() && !only.is_object(),
            _ => false,
        },
        Value::Object(members) => members.is_empty(),
        _ => true,
    }
}

/// Printable ASCII between double quotes, everything else as `\u` escapes, as JSON, JavaScript and HCL read it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut units = [0_u16; 2];
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(character),
            other => {
                for unit in other.encode_utf16(&mut units) {
                    quoted.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    quoted.push('"');
    quoted
}
