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
    let code: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut position = 0;
    while position < code.len() {
        let rest = &code[position..];
        let literal = literal_length(rest);
        let word = rest.iter().take_while(|next| is_word(**next)).count();
        position += if literal > 0 {
            literal
        } else if word > 0 {
            tokens.push(Token::Word(rest[..word].iter().collect()));
            word
        } else if rest.starts_with(&[':', ':']) {
            tokens.push(Token::Colons);
            2
        } else {
            if !rest[0].is_whitespace() {
                tokens.push(Token::Other(rest[0]));
            }
            1
        };
    }
    tokens
}

/// The text before the inline tests, and the tests.
pub(crate) fn split_tests(source: &str) -> (&str, &str) {
    const ATTRIBUTE: &str = "\n#[cfg(test)]\n";
    let is_inline = |position: usize| {
        let (_, tests) = source.split_at(position + ATTRIBUTE.len());
        tests.lines().next().is_some_and(|line| line.ends_with("mod tests {"))
    };
    let start = source
        .match_indices(ATTRIBUTE)
        .find(|(position, _)| is_inline(*position));
    source.split_at(start.map_or(source.len(), |(newline, _)| newline + 1))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Length of the comment or literal that the text starts with, or 0.
fn literal_length(text: &[char]) -> usize {
    match text {
        ['/', '/', ..] => text.iter().take_while(|next| **next != '\n').count(),
        ['/', '*', ..] => comment_length(text),
        ['"', rest @ ..] => 1 + quoted_length(rest, '"'),
        ['b' | 'c', '"', rest @ ..] => 2 + quoted_length(rest, '"'),
        ['b' | 'c', 'r', rest @ ..] => raw_length(rest).map_or(0, |length| 2 + length),
        ['r', rest @ ..] => raw_length(rest).map_or(0, |length| 1 + length),
        // What does not close behind one character is a lifetime.
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => 1 + quoted_length(&text[1..], '\''),
        _ => 0,
    }
}

/// Length of a raw string behind its `r`.
fn raw_length(text: &[char]) -> Option<usize> {
    let hashes = text.iter().take_while(|next| **next == '#').count();
    let body = text.get(hashes..)?.strip_prefix(&['"'])?;
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let length = body.windows(end.len()).position(|window| window == end)?;
    Some(hashes + 1 + length + end.len())
}

/// Block comments nest.
fn comment_length(text: &[char]) -> usize {
    let mut depth = 0;
    let mut position = 0;
    while position < text.len() {
        let (change, length) = match &text[position..] {
            ['/', '*', ..] => (1, 2),
            ['*', '/', ..] => (-1, 2),
            _ => (0, 1),
        };
        depth += change;
        position += length;
        if depth == 0 {
            break;
        }
    }
    position
}

/// Length up to and with the closing quote.
fn quoted_length(text: &[char], quote: char) -> usize {
    let mut is_escaped = false;
    for (position, character) in text.iter().enumerate() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if *character == quote => return position + 1,
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
