//! What the tabulator key offers: keywords, tables, columns, functions, commands and questions.

use super::line::USAGES;

/// Words of SQL that are worth completing.
const KEYWORDS: &[&str] = &[
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "count",
    "cross join",
    "current_timestamp",
    "desc",
    "describe",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "explain analyze",
    "false",
    "filter",
    "from",
    "full join",
    "group by",
    "having",
    "in",
    "inner join",
    "intersect",
    "interval",
    "is not null",
    "is null",
    "join",
    "left join",
    "like",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order by",
    "over",
    "partition by",
    "right join",
    "select",
    "show tables",
    "then",
    "timestamp",
    "true",
    "union",
    "union all",
    "using",
    "when",
    "where",
    "with",
];

/// Words after which a table stands.
const BEFORE_TABLE: &[&str] = &["from", "join", "describe", "table"];

/// The names that a session knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Tables and views, each with its columns.
    pub(super) tables: Vec<(String, Vec<String>)>,
    /// Functions.
    pub(super) functions: Vec<String>,
    /// Ids of the questions of the library.
    pub(super) questions: Vec<String>,
}

/// Where the word before `position` begins, and the words that may stand there instead, sorted.
pub(super) fn complete(line: &str, position: usize, names: &Names) -> (usize, Vec<String>) {
    let before = line.get(..position).unwrap_or(line);
    if before.trim_start().starts_with('\\') {
        return complete_command(before, names);
    }
    let word = last_word(before, |character| character.is_alphanumeric() || character == '_');
    let start = before.len() - word.len();
    let context = before.strip_suffix(word).unwrap_or(before);
    let offered: Vec<&str> = if let Some(qualified) = context.strip_suffix('.') {
        let qualifier = last_word(qualified, |character| character.is_alphanumeric() || character == '_');
        columns_of(names, qualifier)
    } else if BEFORE_TABLE.iter().any(|keyword| ends_with_word(context, keyword)) {
        names.tables.iter().map(|(table, _)| table.as_str()).collect()
    } else if word.is_empty() {
        Vec::new()
    } else {
        let tables = names.tables.iter().map(|(table, _)| table.as_str());
        let functions = names.functions.iter().map(String::as_str);
        KEYWORDS
            .iter()
            .copied()
            .chain(tables)
            .chain(all_columns(names))
            .chain(functions)
            .collect()
    };
    (start, matching(offered, word))
}

fn complete_command(before: &str, names: &Names) -> (usize, Vec<String>) {
    let word = last_word(before, |character| !character.is_whitespace());
    let start = before.len() - word.len();
    let command = before.split_whitespace().next().unwrap_or_default();
    let is_first_word = before.trim_start().len() == word.len();
    let offered: Vec<&str> = match command {
        _ if is_first_word => USAGES.iter().map(|usage| usage.name).collect(),
        r"\d" => names.tables.iter().map(|(table, _)| table.as_str()).collect(),
        r"\run" => names.questions.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    (start, matching(offered, word))
}

/// The columns of the table with this name; all columns when it is the alias of one.
fn columns_of<'a>(names: &'a Names, qualifier: &str) -> Vec<&'a str> {
    match names
        .tables
        .iter()
        .find(|(table, _)| table.eq_ignore_ascii_case(qualifier))
    {
        Some((_, columns)) => columns.iter().map(String::as_str).collect(),
        None => all_columns(names).collect(),
    }
}

fn all_columns(names: &Names) -> impl Iterator<Item = &str> {
    names.tables.iter().flat_map(|(_, columns)| columns).map(String::as_str)
}

fn matching(mut offered: Vec<&str>, prefix: &str) -> Vec<String> {
    let prefix = prefix.to_lowercase();
    offered.retain(|word| word.to_lowercase().starts_with(&prefix));
    offered.sort_unstable();
    offered.dedup();
    offered.into_iter().map(str::to_owned).collect()
}

fn last_word(text: &str, is_part: impl Fn(char) -> bool) -> &str {
    let head = text.trim_end_matches(is_part);
    text.strip_prefix(head).unwrap_or_default()
}

fn ends_with_word(context: &str, keyword: &str) -> bool {
    context.ends_with(char::is_whitespace)
        && context
            .split_whitespace()
            .next_back()
            .is_some_and(|word| word.eq_ignore_ascii_case(keyword))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Names {
            tables: vec![
                (
                    "events".to_owned(),
                    columns(&["event_name", "event_time", "principal_arn"]),
                ),
                ("objects".to_owned(), columns(&["object_key", "state"])),
            ],
            functions: vec!["date_trunc".to_owned()],
            questions: vec!["root-use".to_owned(), "role-sessions".to_owned()],
        }
    }

    fn offered(line: &str) -> Vec<String> {
        complete(line, line.len(), &names()).1
    }

    #[test]
    fn table_is_offered_after_from_and_join() {
        assert_eq!(offered("select * from "), ["events", "objects"]);
        assert_eq!(offered("select * from events e JOIN ob"), ["objects"]);
    }

    #[test]
    fn column_is_offered_anywhere_and_after_a_qualifier() {
        assert_eq!(offered("select pri"), ["principal_arn"]);
        assert_eq!(offered("select objects."), ["object_key", "state"]);
        assert_eq!(offered("select e.event_n"), ["event_name"]);
    }

    #[test]
    fn keyword_and_function_are_offered_whatever_the_case() {
        assert_eq!(offered("SEL"), ["select"]);
        assert_eq!(offered("select DATE_"), ["date_trunc"]);
        assert_eq!(offered("select 1 gro"), ["group by"]);
    }

    #[test]
    fn command_and_its_argument_are_offered() {
        assert_eq!(offered(r"\ti"), [r"\timing"]);
        assert_eq!(offered(r"\d ev"), ["events"]);
        assert_eq!(offered(r"\run ro"), ["role-sessions", "root-use"]);
        assert!(offered(r"\x ").is_empty());
    }

    #[test]
    fn replaced_word_begins_where_it_was_typed() {
        assert_eq!(
            complete("select é, prin", "select é, prin".len(), &names()).0,
            "select é, ".len()
        );
        assert_eq!(complete("sel from events", 3, &names()), (0, vec!["select".to_owned()]));
    }

    #[test]
    fn nothing_typed_offers_nothing() {
        assert!(offered("").is_empty() && offered("select ").is_empty());
    }
}
