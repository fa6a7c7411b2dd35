//! Rust source as tokens, without comments and literals: enough to see which modules and crates a file names.

/// A piece of source that can be part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or keyword.
    Word(String),
    /// `::`
    Colons,
    /// Any other character.
    Other(char),
}

impl Token {
    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Colons | Self::Other(_) => None,
        }
    }
}

/// Tokens of a source text; comments, strings and characters are left out.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let code: Vec<char> = without_literals(source).chars().collect();
    let mut tokens = Vec::new();
    let mut position = 0;
    while position < code.len() {
        let character = code[position];
        if is_word(character) {
            let length = code[position..].iter().take_while(|next| is_word(**next)).count();
            tokens.push(Token::Word(code[position..position + length].iter().collect()));
            position += length;
        } else if character == ':' && code.get(position + 1) == Some(&':') {
            tokens.push(Token::Colons);
            position += 2;
        } else {
            if !character.is_whitespace() {
                tokens.push(Token::Other(character));
            }
            position += 1;
        }
    }
    tokens
}

/// The text before the inline tests, and the tests.
pub(crate) fn split_tests(source: &str) -> (&str, &str) {
    const ATTRIBUTE: &str = "\n#[cfg(test)]\n";
    let is_inline = |position: usize| {
        let next_line = source[position + ATTRIBUTE.len()..].lines().next();
        next_line.is_some_and(|line| line.ends_with("mod tests {"))
    };
    let start = source
        .match_indices(ATTRIBUTE)
        .find(|(position, _)| is_inline(*position));
    source.split_at(start.map_or(source.len(), |(newline, _)| newline + 1))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn without_literals(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(character) = rest.chars().next() {
        let skipped = literal_length(rest, code.chars().last());
        if skipped > 0 {
            code.push(' ');
            rest = &rest[skipped..];
        } else {
            code.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    code
}

/// Bytes of the comment or literal that the text starts with, or 0.
fn literal_length(text: &str, before: Option<char>) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return comment_length(text);
    }
    if text.starts_with('"') {
        return 1 + quoted_length(&text[1..], '"');
    }
    let hashes = text
        .strip_prefix('r')
        .map(|rest| rest.chars().take_while(|next| *next == '#').count());
    if let Some(hashes) = hashes.filter(|hashes| text[1 + hashes..].starts_with('"'))
        && before.is_none_or(|before| !is_word(before) || matches!(before, 'b' | 'c'))
    {
        let end = format!("\"{}", "#".repeat(hashes));
        let body = 2 + hashes;
        return text[body..]
            .find(&end)
            .map_or(text.len(), |length| body + length + end.len());
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let mut next = rest.chars();
        let is_character = next.next() == Some('\\') || next.next() == Some('\'');
        return if is_character { 1 + quoted_length(rest, '\'') } else { 0 };
    }
    0
}

/// Block comments nest.
fn comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut position = 0;
    while position < text.len() {
        let rest = &text[position..];
        if rest.starts_with("/*") {
            depth += 1;
            position += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            position += 2;
            if depth == 0 {
                return position;
            }
        } else {
            position += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Bytes up to and with the closing quote.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (position, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if character == quote => return position + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn words(source: &str) -> Vec<String> {
    let tokens = tokens(source);
    tokens.iter().filter_map(Token::word).map(str::to_owned).collect()
}

#[test]
fn names_in_comments_and_literals_are_no_tokens() {
    let source = r##"
        // rayon::one
        /* rayon::two /* rayon::three */ rayon::four */
        let text = "rayon::five \" rayon::six"; // "
        let raw = r#"rayon::seven " rayon::eight"#;
        let bytes = br"rayon::nine";
        let quote = '"'; let backslash = '\''; let lifetime: &'static str = a;
        kept::path();
    "##;
    let words = words(source);
    assert!(!words.iter().any(|word| word == "rayon"), "{words:?}");
    assert!(
        ["static", "kept", "path"]
            .iter()
            .all(|name| words.iter().any(|word| word == name)),
        "{words:?}"
    );
}

#[test]
fn paths_keep_their_colons() {
    let expected = [
        Token::Word("a".to_owned()),
        Token::Colons,
        Token::Word("b".to_owned()),
        Token::Other(':'),
    ];
    assert_eq!(tokens("a::b:"), expected);
}

#[test]
fn inline_tests_are_split_off() {
    assert_eq!(
        split_tests("a\n#[cfg(test)]\nmod tests {\n}\n"),
        ("a\n", "#[cfg(test)]\nmod tests {\n}\n")
    );
    assert_eq!(split_tests("a\n#[cfg(test)]\nmod tests;\n").1, "");
}
