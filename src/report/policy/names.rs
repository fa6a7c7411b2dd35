//! Names of files, of Terraform resources, of CloudFormation resources and of classes, made of names that anyone may have
//! chosen.

use std::collections::BTreeSet;

/// Characters of a name that are kept.
const LENGTH: usize = 80;

/// Gives every name once.
#[derive(Debug, Default)]
pub(in crate::report) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// The name, or one with a number behind it. Upper and lower case are the same on some disks.
    pub(in crate::report) fn unique(&mut self, name: &str, divider: &str) -> String {
        let mut unique = name.to_owned();
        let mut number = 1;
        while !self.taken.insert(unique.to_ascii_lowercase()) {
            number += 1;
            unique = format!("{name}{divider}{number}");
        }
        unique
    }
}

/// Part of a file name: letters, digits, `.`, `_` and `-`, and no dot in front.
pub(in crate::report) fn file_part(text: &str) -> String {
    let is_fit = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let part: String = text
        .chars()
        .take(LENGTH)
        .map(|character| if is_fit(character) { character } else { '-' })
        .collect();
    let part = part.trim_start_matches(['.', '-']);
    if part.is_empty() {
        "unnamed".to_owned()
    } else {
        part.to_owned()
    }
}

/// A Terraform name: lower-case letters, digits and `_`, and a letter in front.
pub(super) fn snake_case(parts: &[&str]) -> String {
    let mut name = String::new();
    for part in parts {
        let clean: String = part
            .chars()
            .take(LENGTH)
            .map(|character| match character.is_ascii_alphanumeric() {
                true => character.to_ascii_lowercase(),
                false => '_',
            })
            .collect();
        let clean = clean.trim_matches('_');
        if !clean.is_empty() && !name.is_empty() {
            name.push('_');
        }
        name.push_str(clean);
    }
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name,
        _ => format!("policy_{name}"),
    }
}

/// A logical id or class: letters and digits, and a letter in front.
pub(super) fn camel_case(parts: &[&str]) -> String {
    let mut name = String::new();
    for word in parts
        .iter()
        .flat_map(|part| part.split(|character: char| !character.is_ascii_alphanumeric()))
    {
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(characters);
    }
    name.truncate(LENGTH);
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name,
        _ => format!("Policy{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_inside_of_the_folder() {
        for text in ["../../etc/passwd", "..", "/", "a\0b", "C:\\x", "", "\u{202e}x", "-rf"] {
            let part = file_part(text);
            assert!(
                !part.contains(['/', '\\', '\0', ':']) && !part.starts_with(['.', '-']),
                "{part}"
            );
        }
    }

    #[test]
    fn names_that_look_alike_to_a_disk_are_told_apart() {
        let mut names = Names::default();
        let given: Vec<String> = ["a", "A", "a"].iter().map(|name| names.unique(name, "-")).collect();
        assert_eq!(given, ["a", "A-2", "a-3"]);
    }

    #[test]
    fn identifiers_are_identifiers() {
        assert_eq!(snake_case(&["ci/github-Deploy", "${x}"]), "ci_github_deploy_x");
        assert_eq!(snake_case(&["1a"]), "policy_1a");
        assert_eq!(camel_case(&["github-deploy", "p"]), "GithubDeployP");
        assert_eq!(camel_case(&["é", "9"]), "Policy9");
    }
}
