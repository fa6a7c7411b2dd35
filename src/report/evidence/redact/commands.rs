//! Secrets in command lines: values of options, which a space divides from their names, and options that have no telling name.

use super::MARK;
use super::names;

/// Programs whose `-p` has a password right behind it.
const PASSWORD_BEHIND: [&str; 6] = [
    "mysql",
    "mysqldump",
    "mysqladmin",
    "mysqlimport",
    "mariadb",
    "mariadb-dump",
];

/// What is known of the words before.
#[derive(Debug, Default)]
pub(super) struct CommandLine {
    /// The last program that has such options.
    program: Option<Program>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    /// `-u user:password`.
    Curl,
    /// `-ppassword`.
    Mysql,
    /// `-a password`.
    Redis,
    /// `-p password` and `-ppassword`.
    Sshpass,
}

impl CommandLine {
    /// Takes note of a word.
    pub(super) fn note(&mut self, word: &str) {
        let program = match word.rsplit('/').next().unwrap_or(word) {
            "curl" => Program::Curl,
            "redis-cli" => Program::Redis,
            "sshpass" => Program::Sshpass,
            name if PASSWORD_BEHIND.contains(&name) => Program::Mysql,
            _ => return,
        };
        self.program = Some(program);
    }

    /// What takes the place of a word that is an argument of its own, behind another one.
    pub(super) fn argument(&self, option: &str, value: &str) -> Option<String> {
        if value.is_empty() || value.starts_with('-') || !option.starts_with('-') {
            return None;
        }
        if names::is_secret(option) && option.trim_start_matches('-').len() > 1 {
            return Some(MARK.to_owned());
        }
        match (self.program?, option) {
            (Program::Curl, "-u" | "-U" | "--user" | "--proxy-user") => {
                let (user, _) = value.split_once(':').filter(|(_, password)| !password.is_empty())?;
                Some(format!("{user}:{MARK}"))
            }
            (Program::Redis, "-a") | (Program::Sshpass, "-p") => Some(MARK.to_owned()),
            _ => None,
        }
    }

    /// The same of a password right behind `-p`.
    pub(super) fn glued_argument(&self, word: &str) -> Option<String> {
        let is_glued = matches!(self.program, Some(Program::Mysql | Program::Sshpass)) && word.len() > 2;
        (is_glued && word.starts_with("-p")).then(|| format!("-p{MARK}"))
    }

    /// How long an option is with its secret, and what takes its place; `behind` is what follows the word.
    pub(super) fn secret(&self, word: &str, behind: &str) -> Option<(usize, String)> {
        if !word.starts_with('-') {
            return None;
        }
        if names::is_secret(word) && word.trim_start_matches('-').len() > 1 {
            return spaced(word, behind, |_| 0);
        }
        let login = |value: &str| value.find(':').map_or(value.len(), |colon| colon + 1);
        match (self.program?, word) {
            (Program::Curl, "-u" | "-U" | "--user" | "--proxy-user") => spaced(word, behind, login),
            (Program::Redis, "-a") | (Program::Sshpass, "-p") => spaced(word, behind, |_| 0),
            (Program::Mysql | Program::Sshpass, _) => glued(word, behind),
            _ => None,
        }
    }
}

/// The value behind spaces, from where `kept` says that it begins to be secret.
fn spaced(word: &str, behind: &str, kept: impl Fn(&str) -> usize) -> Option<(usize, String)> {
    let value = behind.trim_start_matches(' ');
    let spaces = behind.len() - value.len();
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let content = quote.map_or(Some(value), |quote| value.strip_prefix(quote))?;
    let is_option = quote.is_none() && content.starts_with('-');
    if spaces == 0 || is_option {
        return None;
    }
    let end = content.find(|character: char| match quote {
        Some(quote) => character == quote,
        None => character.is_whitespace() || matches!(character, '"' | '\'' | ';' | '|' | '&'),
    });
    let secret = content.get(..end.unwrap_or(content.len()))?;
    let kept = kept(secret);
    let open = quote.map_or(0, char::len_utf8);
    let before = behind.get(..spaces + open + kept)?;
    (kept < secret.len()).then(|| {
        (
            word.len() + spaces + open + secret.len(),
            format!("{word}{before}{MARK}"),
        )
    })
}

/// The value right behind `-p`, with what of it is no part of a word.
fn glued(word: &str, behind: &str) -> Option<(usize, String)> {
    let value = word.strip_prefix("-p")?;
    let rest =
        behind.find(|character: char| character.is_whitespace() || matches!(character, '"' | '\'' | ';' | '|' | '&'));
    let rest = rest.unwrap_or(behind.len());
    (!value.is_empty() || rest > 0).then(|| (word.len() + rest, format!("-p{MARK}")))
}
