//! Secrets that are told by their shape, in text of any kind.

use std::borrow::Cow;

use super::MARK;
use super::commands::CommandLine;
use super::names;
use super::names::PairPart;

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
/// First words of the values of `Authorization` headers.
const SCHEMES: [&str; 8] = [
    "basic",
    "bearer",
    "digest",
    "negotiate",
    "ntlm",
    "token",
    "apikey",
    "aws4-hmac-sha256",
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
    // A parameter whose value is secret says so beside it.
    let mut is_secure = text.contains("SecureString");
    let mut command = CommandLine::default();
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
        command.note(word);
        let part = names::pair_part(name_in(word));
        is_secure |= part == Some(PairPart::Label) && is_label_of_secret(behind);
        let is_secret = names::is_secret(name_in(word)) || is_secure && part == Some(PairPart::Value);
        let hidden = is_secret
            .then(|| element_behind(before, behind).or_else(|| value_behind(behind)))
            .flatten();
        let hidden = hidden.map(|(length, hidden)| (run + length, format!("{word}{hidden}")));
        let (length, replacement) = match hidden.or_else(|| command.secret(word, behind)) {
            Some((length, hidden)) => (length, Some(hidden)),
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

/// The part of a word that may be the name of a secret.
fn name_in(word: &str) -> &str {
    word.rsplit(['/', '.']).next().unwrap_or(word)
}

/// Whether the value behind a label is the name of a secret.
fn is_label_of_secret(behind: &str) -> bool {
    let value = behind.trim_start_matches(['\\', '"', '\'', ' ', ':', '=']);
    let has_separator = behind.len() > value.len();
    let label: String = value
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | '/' | ':'))
        .collect();
    has_separator && names::is_secret_label(name_in(&label))
}

/// The content of an XML element of such a name.
fn element_behind(before: &str, behind: &str) -> Option<(usize, String)> {
    let content = behind.strip_prefix('>').filter(|_| before.ends_with('<'))?;
    let length = content.find('<').filter(|length| *length > 0)?;
    Some((length + 1, format!(">{MARK}")))
}

/// What stands behind the name of a secret, if that is a value: how long it is, and what takes its place.
fn value_behind(behind: &str) -> Option<(usize, String)> {
    match delimiter(behind) {
        Some(quote) => member_behind(behind, quote),
        None => plain_behind(behind),
    }
}

/// The same behind the name of a JSON member, which may itself be escaped; `quote` ends the name.
fn member_behind(behind: &str, quote: &str) -> Option<(usize, String)> {
    let value = behind.strip_prefix(quote)?.trim_start().strip_prefix(':')?.trim_start();
    let before = behind.strip_suffix(value)?;
    if let Some(open) = delimiter(value) {
        let content = value.strip_prefix(open)?;
        let end = closing(content, open);
        let length = before.len() + open.len() + end;
        return (end > 0).then(|| (length, format!("{before}{open}{MARK}")));
    }
    let length = match value.starts_with(['{', '[']) {
        true => nested_length(value),
        false => value
            .find(|character: char| character.is_whitespace() || ",;}])\\\"'".contains(character))
            .unwrap_or(value.len()),
    };
    let is_nothing = length == 0 || value.get(..length) == Some("null");
    (!is_nothing).then(|| (before.len() + length, format!("{before}{quote}{MARK}{quote}")))
}

/// A quote with the backslashes before it, if the text begins so.
fn delimiter(text: &str) -> Option<&str> {
    let quote = text.trim_start_matches('\\');
    let slashes = text.len() - quote.len();
    quote.starts_with(['"', '\'']).then(|| text.get(..=slashes)).flatten()
}

/// Where the content of a string ends that began with this delimiter. Every level of JSON in JSON doubles backslashes and adds
/// one to a quote.
fn closing(content: &str, open: &str) -> usize {
    let (slashes, quote) = (open.len().saturating_sub(1), open.chars().last().unwrap_or('"'));
    for (position, _) in content.match_indices(quote) {
        let before = content.get(..position).unwrap_or_default();
        let found = position - before.trim_end_matches('\\').len();
        if found < slashes || found % (2 * (slashes + 1)) == slashes {
            return position - found.min(slashes);
        }
    }
    content.len()
}

/// Length of an object or array at the begin of a text; all of the text if it does not end.
fn nested_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut string: Option<&str> = None;
    let mut position = 0;
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        let step = rest.chars().next().map_or(1, char::len_utf8);
        if let Some(open) = string.take() {
            position += closing(rest, open) + open.len();
            continue;
        }
        string = delimiter(rest);
        match (string, rest.as_bytes().first()) {
            (Some(open), _) => {
                position += open.len();
                continue;
            }
            (None, Some(b'{' | b'[')) => depth += 1,
            (None, Some(b'}' | b']')) => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        position += step;
        if depth == 0 {
            return position;
        }
    }
    text.len()
}

/// The same behind a name and a `=` or `: `.
fn plain_behind(behind: &str) -> Option<(usize, String)> {
    let separator = ["=", ": "].into_iter().find(|it| behind.starts_with(it))?;
    let value = without_schemes(behind.strip_prefix(separator)?);
    let before = behind.strip_suffix(value)?;
    let (quote, value) = match value.strip_prefix(['"', '\'']) {
        Some(rest) => (1, rest),
        None => (0, value),
    };
    let ends = |character: char| match quote {
        0 => character.is_whitespace() || matches!(character, ',' | ';' | '&' | ')' | '"' | '\''),
        _ => matches!(character, '"' | '\''),
    };
    let length = value.find(ends).unwrap_or(value.len());
    (length > 0).then(|| (before.len() + quote + length, format!("{before}{MARK}")))
}

/// Credentials without the words before them that only say of which kind they are.
fn without_schemes(value: &str) -> &str {
    let mut value = value;
    while let Some((scheme, rest)) = value.split_once(' ') {
        if !SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            break;
        }
        value = rest.trim_start_matches(' ');
    }
    value
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
