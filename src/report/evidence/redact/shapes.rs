//! Secrets that are told by their shape, in text of any kind.

use std::borrow::Cow;

use super::MARK;
use super::names;

/// First characters of access key ids.
const KEY_PREFIXES: [&str; 4] = ["AKIA", "ASIA", "ABIA", "ACCA"];
const KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=128;
/// First characters of tokens of well-known services.
const TOKEN_PREFIXES: [&str; 12] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "sk_live_",
    "rk_live_",
    "AIza",
];
/// Least length of such tokens behind the prefix.
const TOKEN_BYTES: usize = 12;
const SECRET_KEY_BYTES: usize = 40;
/// Longer runs of base64 are session tokens, or something else that nobody reads.
const SESSION_TOKEN_BYTES: usize = 100;
/// Base64 has a slash about every 64 characters; paths have more.
const SLASHLESS_BYTES: usize = 24;

/// The text without secrets.
pub(super) fn redacted(text: &str) -> Cow<'_, str> {
    if let Some((before, _)) = text.split_once("-----BEGIN ")
        && text.contains("PRIVATE KEY-----")
    {
        return Cow::Owned(format!("{before}{MARK}"));
    }
    let mut safe = String::new();
    let mut copied = 0;
    let mut position = 0;
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        let run = run_length(rest);
        if run == 0 {
            position += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let (word, behind) = rest.split_at_checked(run).unwrap_or((rest, ""));
        let before = text.get(..position).unwrap_or_default();
        let (length, replacement) = match value_behind(word, behind) {
            Some(length) => (run + length, Some(format!("{word}{}{MARK}", separator(behind)))),
            None => (run, word_replacement(word, before, behind)),
        };
        if let Some(replacement) = replacement {
            safe.push_str(text.get(copied..position).unwrap_or_default());
            safe.push_str(&replacement);
            copied = position + length;
        }
        position += length;
    }
    match copied {
        0 => Cow::Borrowed(text),
        _ => {
            safe.push_str(text.get(copied..).unwrap_or_default());
            Cow::Owned(safe)
        }
    }
}

/// Bytes of the characters that tokens are made of.
fn run_length(text: &str) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-' | b'.');
    text.bytes().take_while(|byte| is_part(byte)).count()
}

/// Between a name and its value.
fn separator(behind: &str) -> &'static str {
    if behind.starts_with(": ") { ": " } else { "=" }
}

/// Length of separator and value, if the word names a secret and one follows.
fn value_behind(word: &str, behind: &str) -> Option<usize> {
    let name = word.rsplit(['/', '.']).next().unwrap_or(word);
    if !names::is_secret(name) {
        return None;
    }
    let separator = ["=", ": "].into_iter().find(|it| behind.starts_with(it))?;
    let value = behind.strip_prefix(separator)?;
    let (quote, value) = match value.strip_prefix(['"', '\'']) {
        Some(rest) => (1, rest),
        None => (0, value),
    };
    let ends = |character: char| match quote {
        0 => character.is_whitespace() || matches!(character, ',' | ';' | '&' | ')' | '"' | '\''),
        _ => matches!(character, '"' | '\''),
    };
    let length = value.find(ends).unwrap_or(value.len());
    (length > 0).then_some(separator.len() + quote + length)
}

fn word_replacement(word: &str, before: &str, behind: &str) -> Option<String> {
    // A password in a URL stands between a colon and an at sign.
    if behind.starts_with('@') && before.ends_with(':') && before.contains("://") {
        return Some(MARK.to_owned());
    }
    if TOKEN_PREFIXES
        .iter()
        .any(|prefix| word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= TOKEN_BYTES))
    {
        return Some(MARK.to_owned());
    }
    if word.starts_with("eyJ") && word.matches('.').count() == 2 {
        return Some(MARK.to_owned());
    }
    let is_base64 = word
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if is_base64 && is_mixed(word) && (word.len() == SECRET_KEY_BYTES || is_session_token(word)) {
        return Some(MARK.to_owned());
    }
    mask_keys(word)
}

fn is_session_token(word: &str) -> bool {
    word.len() >= SESSION_TOKEN_BYTES && word.split('/').any(|part| part.len() >= SLASHLESS_BYTES)
}

/// Upper and lower case and digits.
fn is_mixed(word: &str) -> bool {
    let has = |is_meant: fn(&u8) -> bool| word.as_bytes().iter().any(is_meant);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// The word with its access key ids shortened.
fn mask_keys(word: &str) -> Option<String> {
    let mut has_key = false;
    let parts = word.split_inclusive(|character: char| !character.is_ascii_alphanumeric());
    let masked: Vec<String> = parts
        .map(|part| {
            let key = part.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
            let is_key = KEY_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
                && KEY_BYTES.contains(&key.len())
                && key
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            let ends = key.get(..4).zip(key.get(key.len().saturating_sub(4)..));
            match ends.filter(|_| is_key) {
                Some((first, last)) => {
                    has_key = true;
                    format!("{first}...{last}{}", part.get(key.len()..).unwrap_or_default())
                }
                None => part.to_owned(),
            }
        })
        .collect();
    has_key.then(|| masked.concat())
}
