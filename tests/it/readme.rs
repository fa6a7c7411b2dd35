//! The README and the other pages keep their word: the tour's commands give the output shown there, and all others are accepted.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use trimtrail::cli::args;

const README: &str = include_str!("../../README.md");

/// The lines of every fenced block of a language.
fn blocks(language: &str) -> Vec<Vec<&'static str>> {
    let start = format!("```{language}");
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if line == start {
            blocks.push(lines.by_ref().take_while(|line| *line != "```").collect());
        }
    }
    assert!(!blocks.is_empty(), "no block of {language}");
    blocks
}

/// The command of a block, which goes on while a quote is open, and the output below it.
fn split_command<'a>(block: &'a [&'a str]) -> (String, &'a [&'a str]) {
    let mut command = String::new();
    for (position, line) in block.iter().enumerate() {
        command.push_str(line.strip_prefix("$ ").unwrap_or(line));
        if command.matches('"').count().is_multiple_of(2) {
            return (command, &block[position + 1..]);
        }
        command.push('\n');
    }
    panic!("a quote is open in: {command}")
}

/// Words as a shell splits them; quotes of both kinds, nothing else. A `$` between double quotes would be the shell's.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (Some('"') | None, '$') => panic!("the shell takes the `$` of: {line}"),
            (None, ' ') => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    assert_eq!(quote, None, "a quote is open in: {line}");
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// What stands before a pipe is a command of its own.
fn assert_accepted(line: &str) {
    let line = line.split(" | ").next().unwrap_or_default();
    if let Err(error) = args::command().try_get_matches_from(words(line)) {
        panic!("{line}\n{error}");
    }
}

/// Runs a line in a shell that finds the program by its name; exit code and standard output.
fn run(line: &str, folder: &Path) -> (Option<i32>, String) {
    let binary = Path::new(env!("CARGO_BIN_EXE_trimtrail"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(binary.parent().unwrap().to_owned()).chain(env::split_paths(&path));
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", env::join_paths(folders).unwrap())
        .env_remove("TRIMTRAIL_STORE")
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn tour_gives_the_output_that_it_shows() {
    let folder = TempDir::new().unwrap();
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs");
    std::os::unix::fs::symlink(logs, folder.path().join("sample-logs")).unwrap();
    for block in blocks("console") {
        let (command, shown) = split_command(&block);
        let (code, output) = run(&command, folder.path());
        let expected = if command.starts_with("trimtrail ingest") { 4 } else { 0 };
        assert_eq!(code, Some(expected), "{command}");
        assert_eq!(output.lines().collect::<Vec<_>>(), shown, "{command}");
    }
}

#[test]
fn commands_for_the_readers_own_logs_are_accepted() {
    let lines = blocks("sh").into_iter().flatten();
    let commands: Vec<&str> = lines.filter(|line| line.starts_with("trimtrail ")).collect();
    assert!(commands.len() > 5, "{commands:?}");
    commands.into_iter().for_each(assert_accepted);
}

#[test]
fn set_up_is_two_commands_that_cargo_knows() {
    let set_up = blocks("sh").into_iter().next().unwrap();
    assert_eq!(set_up, ["cargo run --release --locked -- demo", "cargo test --locked"]);
    assert_accepted("trimtrail demo");
}

#[test]
fn commands_of_all_pages_are_accepted() {
    let pages = pages();
    let commands = pages.iter().flat_map(|(_, text)| commands(text));
    let commands: Vec<String> = commands.collect();
    assert!(commands.len() > 50, "{commands:?}");
    commands.iter().for_each(|command| assert_accepted(command));
}

#[test]
fn linked_files_exist() {
    for (path, text) in pages() {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http")) {
            let target = target.split('#').next().unwrap_or_default();
            let is_there = path.parent().unwrap().join(target).exists();
            assert!(is_there, "{} links to {target}", path.display());
        }
    }
}

/// The pages for people, with their texts.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = docs
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .collect();
    assert!(paths.len() > 15, "{paths:?}");
    let others = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "deploy/README.md",
    ];
    paths.extend(others.map(|name| root.join(name)));
    let texts = paths.into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    });
    texts.collect()
}

/// The lines of a page that run the program; one goes on behind a backslash, and while a quote is open.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut language: Option<&str> = None;
    let mut command = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("```") {
            assert_eq!(command, "", "a command does not end");
            language = if language.is_none() { Some(name) } else { None };
            continue;
        }
        let prompt = match language {
            Some("sh" | "bash") => "",
            Some("console") => "$ ",
            _ => continue,
        };
        if command.is_empty() {
            let Some(line) = line.strip_prefix(prompt).filter(|line| line.starts_with("trimtrail ")) else {
                continue;
            };
            command.push_str(line.split(" #").next().unwrap_or_default());
        } else {
            command.push_str(line.trim_start());
        }
        match command.strip_suffix('\\') {
            Some(part) => command = part.to_owned(),
            None if command.matches('"').count().is_multiple_of(2) => commands.push(std::mem::take(&mut command)),
            None => command.push(' '),
        }
    }
    commands
}
