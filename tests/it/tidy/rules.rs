//! Who may name whom, and the check of one file against it.

use super::text::Token;
use super::text::split_tests;
use super::text::tokens;

/// What a module of the crate may name of its neighbours.
pub(crate) struct ModuleRule {
    pub(crate) name: &'static str,
    pub(crate) may_use: &'static [&'static str],
}

/// Which modules may name a crate outside their tests.
pub(crate) struct CrateRule {
    /// As it is written in a path.
    pub(crate) name: &'static str,
    pub(crate) owners: &'static [&'static str],
    pub(crate) reason: &'static str,
}

/// Something in a file that the rules do not allow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub(crate) String);

/// Keywords after which `::name` names a crate.
const PATH_STARTERS: &[&str] = &[
    "use", "as", "dyn", "else", "for", "if", "impl", "in", "let", "match", "mut", "return", "where", "while",
];

/// Checks one file; `path` is relative to `src`.
pub(crate) fn check(path: &str, source: &str, modules: &[ModuleRule], crates: &[CrateRule]) -> Vec<Violation> {
    let (code, tests) = split_tests(source);
    let is_test_file = is_test_file(path);
    let module = top_module(path);
    let mut violations = Vec::new();
    for (text, depth, is_test) in [(code, depth(path), is_test_file), (tests, depth(path) + 1, true)] {
        for mention in mentions(text, depth) {
            match mention {
                Mention::Group => violations.push(violation(path, "imports several paths of the crate in one line")),
                Mention::Module(name) => violations.extend(judge_module(path, module, &name, modules)),
                Mention::Crate(_) if is_test => {}
                Mention::Crate(name) => violations.extend(judge_crate(path, module, &name, crates)),
            }
        }
    }
    violations
}

/// Whether a file is compiled for tests only.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("/testing.rs") || path.contains("/tests/")
}

/// Crates that a file names outside its tests.
pub(crate) fn crates_of(path: &str, source: &str) -> Vec<String> {
    let mentions = mentions(split_tests(source).0, depth(path));
    let names = mentions.into_iter().filter_map(|mention| match mention {
        Mention::Crate(name) => Some(name),
        Mention::Module(_) | Mention::Group => None,
    });
    names.collect()
}

/// First folder or file stem of a path relative to `src`.
pub(crate) fn top_module(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn judge_module(path: &str, module: &str, name: &str, modules: &[ModuleRule]) -> Option<Violation> {
    if name == module || !modules.iter().any(|rule| rule.name == name) {
        return None;
    }
    match modules.iter().find(|rule| rule.name == module) {
        Some(rule) if rule.may_use.contains(&name) => None,
        Some(_) => Some(violation(path, &format!("`{module}` may not use `{name}`"))),
        None => Some(violation(path, &format!("no rule for module `{module}`"))),
    }
}

fn judge_crate(path: &str, module: &str, name: &str, crates: &[CrateRule]) -> Option<Violation> {
    let rule = crates.iter().find(|rule| rule.name == name)?;
    let is_owner = rule.owners.contains(&module);
    (!is_owner).then(|| {
        violation(
            path,
            &format!("crate `{name}` belongs to {:?}: {}", rule.owners, rule.reason),
        )
    })
}

fn violation(path: &str, what: &str) -> Violation {
    Violation(format!("src/{path}: {what}"))
}

/// Levels of a file's module below the crate's root.
fn depth(path: &str) -> usize {
    let levels = path.split('/').count();
    let is_own_level = !path.ends_with("mod.rs") && path != "lib.rs" && path != "main.rs";
    levels - 1 + usize::from(is_own_level)
}

enum Mention {
    Module(String),
    Crate(String),
    /// `crate::{…}` or the like, which hides the paths.
    Group,
}

fn mentions(source: &str, depth: usize) -> Vec<Mention> {
    let tokens = tokens(source);
    let positions = 0..tokens.len();
    positions
        .filter_map(|position| mention_at(&tokens, position, depth))
        .collect()
}

/// What the path that starts at a position names.
fn mention_at(tokens: &[Token], position: usize, depth: usize) -> Option<Mention> {
    let word = tokens[position].word()?;
    let before = |count: usize| position.checked_sub(count).map(|before| &tokens[before]);
    let follows_name = before(2)
        .and_then(Token::word)
        .is_some_and(|word| !PATH_STARTERS.contains(&word));
    let is_inside_path = before(1) == Some(&Token::Colons) && follows_name;
    if is_inside_path {
        return None;
    }
    let is_path = tokens.get(position + 1) == Some(&Token::Colons);
    if matches!(word, "crate" | "super") && is_path {
        let supers = chain(&tokens[position..], "super");
        let is_root = word == "crate" || supers == depth;
        return match tokens.get(position + 2 * supers.max(1))? {
            Token::Other('{') => Some(Mention::Group),
            Token::Other('*') if word == "crate" => Some(Mention::Group),
            Token::Word(name) if is_root => Some(Mention::Module(name.clone())),
            _ => None,
        };
    }
    let is_import = before(1).and_then(Token::word) == Some("use");
    (is_path || is_import).then(|| Mention::Crate(word.to_owned()))
}

/// How often `word ::` is repeated.
fn chain(tokens: &[Token], word: &str) -> usize {
    let pairs = tokens.chunks(2);
    let repeated = pairs.take_while(|pair| pair[0].word() == Some(word) && pair.get(1) == Some(&Token::Colons));
    repeated.count()
}

const MADE_UP_MODULES: &[ModuleRule] = &[
    ModuleRule {
        name: "low",
        may_use: &[],
    },
    ModuleRule {
        name: "high",
        may_use: &["low"],
    },
];

const MADE_UP_CRATES: &[CrateRule] = &[CrateRule {
    name: "rayon",
    owners: &["high"],
    reason: "one pool",
}];

fn judged(path: &str, source: &str) -> Vec<String> {
    let violations = check(path, source, MADE_UP_MODULES, MADE_UP_CRATES);
    violations.into_iter().map(|violation| violation.0).collect()
}

#[test]
fn upward_import_is_found_however_it_is_written() {
    let upward = ["src/low/part.rs: `low` may not use `high`"];
    for source in [
        "use crate::high::Thing;",
        "use super::super::high;",
        "fn f() { crate :: high::thing() }",
        "macro_rules! m { () => { $crate::high::f() } }",
        "#[cfg(test)]\nmod other;\nuse crate::high;",
        "//! Doc.\n\n#[cfg(test)]\nmod tests {\n    use super::super::super::high;\n}\n",
    ] {
        assert_eq!(judged("low/part.rs", source), upward, "{source}");
    }
    assert_eq!(
        judged("low/mod.rs", "use super::high::Thing;"),
        ["src/low/mod.rs: `low` may not use `high`"]
    );
}

#[test]
fn grouped_import_is_found() {
    for source in ["use crate::{low, high};", "use super::{super::high};", "use crate::*;"] {
        let found = judged("low/part.rs", source);
        assert!(found[0].contains("several paths"), "{source}: {found:?}");
    }
}

#[test]
fn downward_and_own_imports_are_fine() {
    let source = "use crate::low::Thing;\nuse crate::high::other;\nuse super::high;\nuse super::*;";
    assert!(judged("high/part.rs", source).is_empty());
}

#[test]
fn foreign_crate_is_found_however_it_is_written() {
    for source in [
        "use rayon::prelude;",
        "use rayon;",
        "use ::rayon::prelude;",
        "fn f() { return ::rayon::join() }",
        "use rayon as pool;",
        "fn f() { ::rayon::join() }",
        "#[rayon::m] fn f() {}",
    ] {
        assert_eq!(
            judged("low/part.rs", source),
            ["src/low/part.rs: crate `rayon` belongs to [\"high\"]: one pool"],
            "{source}"
        );
    }
}

#[test]
fn crate_of_the_owner_or_in_a_test_or_named_alike_is_fine() {
    assert!(judged("high/part.rs", "use rayon::prelude;").is_empty());
    assert!(
        judged(
            "low/part.rs",
            "x();\n#[cfg(test)]\nmod tests {\n    use rayon::prelude;\n}\n"
        )
        .is_empty()
    );
    assert!(judged("low/part.rs", "use self::rayon::x; // rayon::y\n").is_empty());
}

#[test]
fn module_without_a_rule_is_found() {
    assert_eq!(
        judged("new.rs", "use crate::low;"),
        ["src/new.rs: no rule for module `new`"]
    );
}
