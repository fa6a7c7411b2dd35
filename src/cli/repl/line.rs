//! What one line of an interactive session asks for.

use std::path::PathBuf;

/// A command of the session itself, as opposed to SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SessionCommand {
    /// `\?`: what can be typed.
    Help,
    /// `\q`: end the session.
    Quit,
    /// `\d`: the tables and views.
    Tables,
    /// `\d TABLE`: the columns of one.
    Columns { table: String },
    /// `\l`: the questions of the library.
    Questions,
    /// `\run ID [NAME=VALUE]…`: answer a question.
    Run { id: String, params: Vec<(String, String)> },
    /// `\i FILE`: run the statements of a file.
    Include { file: PathBuf },
    /// `\o FILE`: write the next result to a file; without a file, to the terminal.
    Output { file: Option<PathBuf> },
    /// `\x`: a block of lines per row, on or off.
    Blocks,
    /// `\a`: show all rows, on or off.
    AllRows,
    /// `\timing`: say how long a statement took, on or off.
    Timing,
}

/// One command with its usage, for the help and for completion.
pub(super) struct Usage {
    /// The word that is typed.
    pub(super) name: &'static str,
    /// What follows it.
    pub(super) arguments: &'static str,
    /// What it does.
    pub(super) meaning: &'static str,
}

/// All commands, in the order of the help.
pub(super) const USAGES: &[Usage] = &[
    usage(r"\d", "[TABLE]", "list the tables, or the columns of one"),
    usage(r"\l", "", "list the questions of the library"),
    usage(r"\run", "ID [NAME=VALUE]…", "answer a question of the library"),
    usage(r"\i", "FILE", "run the statements of a file"),
    usage(
        r"\o",
        "[FILE]",
        "write the next result to a file, in the format of its name, or alone to the terminal",
    ),
    usage(r"\x", "", "show a block of lines per row, on or off"),
    usage(
        r"\a",
        "",
        "show all rows of a result instead of the first 100, on or off",
    ),
    usage(r"\timing", "", "say how long each statement took, on or off"),
    usage(r"\?", "", "show this help"),
    usage(r"\q", "", "leave, as Ctrl-D does"),
];

/// True when the text is a session command, not SQL.
pub(super) fn is_command(text: &str) -> bool {
    text.trim_start().starts_with('\\')
}

/// Reads a session command; the error says how it is written.
pub(super) fn parse_command(text: &str) -> Result<SessionCommand, String> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match (name, rest) {
        (r"\?" | r"\h" | r"\help", "") => Ok(SessionCommand::Help),
        (r"\q" | r"\quit", "") => Ok(SessionCommand::Quit),
        (r"\d" | r"\dt", "") => Ok(SessionCommand::Tables),
        (r"\d", table) => Ok(SessionCommand::Columns {
            table: table.to_owned(),
        }),
        (r"\l", "") => Ok(SessionCommand::Questions),
        (r"\run", arguments) => parse_run(arguments).ok_or_else(|| wrong(name)),
        (r"\i", file) if !file.is_empty() => Ok(SessionCommand::Include {
            file: PathBuf::from(file),
        }),
        (r"\o", file) => Ok(SessionCommand::Output {
            file: (!file.is_empty()).then(|| PathBuf::from(file)),
        }),
        (r"\x", "") => Ok(SessionCommand::Blocks),
        (r"\a", "") => Ok(SessionCommand::AllRows),
        (r"\timing", "") => Ok(SessionCommand::Timing),
        _ => Err(wrong(name)),
    }
}

fn parse_run(arguments: &str) -> Option<SessionCommand> {
    let mut words = arguments.split_whitespace();
    let id = words.next()?.to_owned();
    let params = words.map(|word| {
        let (name, value) = word.split_once('=')?;
        Some((name.trim_start_matches('$').to_owned(), value.to_owned()))
    });
    Some(SessionCommand::Run {
        id,
        params: params.collect::<Option<_>>()?,
    })
}

fn wrong(name: &str) -> String {
    match USAGES.iter().find(|usage| usage.name == name) {
        Some(usage) => format!(
            "it is written `{}`",
            format!("{} {}", usage.name, usage.arguments).trim_end()
        ),
        None => format!("there is no command `{name}`; `\\?` lists them"),
    }
}

const fn usage(name: &'static str, arguments: &'static str, meaning: &'static str) -> Usage {
    Usage {
        name,
        arguments,
        meaning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let cases = [
            (r"\?", SessionCommand::Help),
            (r" \q ", SessionCommand::Quit),
            (r"\q;", SessionCommand::Quit),
            (r"\d", SessionCommand::Tables),
            (
                r"\d  events",
                SessionCommand::Columns {
                    table: "events".to_owned(),
                },
            ),
            (r"\l", SessionCommand::Questions),
            (r"\i a b.sql", SessionCommand::Include { file: "a b.sql".into() }),
            (
                r"\o rows.csv",
                SessionCommand::Output {
                    file: Some("rows.csv".into()),
                },
            ),
            (r"\o;", SessionCommand::Output { file: None }),
            (r"\x", SessionCommand::Blocks),
            (r"\a", SessionCommand::AllRows),
            (r"\timing", SessionCommand::Timing),
        ];
        for (text, command) in cases {
            assert_eq!(parse_command(text), Ok(command), "{text}");
        }
    }

    #[test]
    fn question_takes_parameters() {
        let run = SessionCommand::Run {
            id: "secret-reads".to_owned(),
            params: vec![
                ("since".to_owned(), "T-30d".to_owned()),
                ("until".to_owned(), "2026-10-01".to_owned()),
            ],
        };
        assert_eq!(
            parse_command(r"\run secret-reads since=T-30d $until=2026-10-01"),
            Ok(run)
        );
    }

    #[test]
    fn wrong_use_says_how_it_is_written() {
        assert_eq!(
            parse_command(r"\run").unwrap_err(),
            r"it is written `\run ID [NAME=VALUE]…`"
        );
        assert_eq!(
            parse_command(r"\run id novalue").unwrap_err(),
            r"it is written `\run ID [NAME=VALUE]…`"
        );
        assert_eq!(parse_command(r"\i").unwrap_err(), r"it is written `\i FILE`");
        assert_eq!(parse_command(r"\x on").unwrap_err(), r"it is written `\x`");
        assert_eq!(
            parse_command(r"\nope").unwrap_err(),
            r"there is no command `\nope`; `\?` lists them"
        );
    }

    #[test]
    fn every_listed_command_is_read() {
        for usage in USAGES {
            let text = format!("{} x", usage.name);
            let is_known = parse_command(usage.name).is_ok() || parse_command(&text).is_ok();
            assert!(is_known, "{}", usage.name);
        }
    }
}
