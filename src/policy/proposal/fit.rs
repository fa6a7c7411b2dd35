//! IAM's limits on policies, and documents that are split to stay within them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>

use crate::iam::arn::is_of_permission_set;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::Entry;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::trim::policy_characters;

/// Characters of a managed policy.
pub(super) const MANAGED: usize = 6_144;
/// Managed policies of one user, group or role, unless AWS raised the quota.
pub(super) const ATTACHED: usize = 10;
/// Characters of a name of a managed policy.
const NAME: usize = 128;

/// Characters of the inline policy of a permission set, of which IAM Identity Center makes a role.
const PERMISSION_SET: usize = 32_768;

/// Characters of all inline policies of one user, group or role together.
pub(super) fn inline_limit(target: &str) -> usize {
    if is_of_permission_set(target) {
        return PERMISSION_SET;
    }
    match target.splitn(6, ':').nth(5).unwrap_or_default() {
        resource if resource.starts_with("user/") => 2_048,
        resource if resource.starts_with("group/") => 5_120,
        _ => 10_240,
    }
}

/// A statement, and which of the statements with reasons it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) entry: Entry,
    pub(super) origin: usize,
}

/// A document like this one with other statements.
pub(super) fn with_statements(like: &Document, pieces: &[Piece]) -> Document {
    let mut document = like.clone();
    let mut entries: Vec<Entry> = pieces.iter().map(|piece| piece.entry.clone()).collect();
    let was_one = matches!(like.statements, OneOrMany::One(_));
    document.statements = match entries.pop() {
        Some(only) if was_one && entries.is_empty() => OneOrMany::One(only),
        last => OneOrMany::Many(entries.into_iter().chain(last).collect()),
    };
    document
}

/// Several lists of statements, in order, each of which fits into a document of so many characters.
///
/// Policies that are attached together mean what their statements mean in one, so statements may stand anywhere; the list
/// of actions of one that allows may be divided. Fails with the length of what fits nowhere.
pub(super) fn split(like: &Document, pieces: Vec<Piece>, limit: usize) -> Result<Vec<Vec<Piece>>, usize> {
    let length = |pieces: &[Piece]| policy_characters(&with_statements(like, pieces));
    let (mut full, mut bin): (Vec<Vec<Piece>>, Vec<Piece>) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut rest = Some(piece);
        while let Some(piece) = rest.take() {
            let candidates = divided(&piece).map(|(_, actions)| candidates(actions, limit));
            let is_too_long =
                matches!((candidates, divided(&piece)), (Some(some), Some((_, all))) if some.len() < all.len());
            if !is_too_long {
                bin.push(piece.clone());
                if length(&bin) <= limit {
                    continue;
                }
                bin.pop();
            }
            let fitting = match divided(&piece) {
                Some((statement, actions)) => {
                    let some = candidates.unwrap_or_default();
                    let count = fitting(&bin, &piece, statement, some, |pieces| length(pieces) <= limit);
                    let (now, later) = actions.split_at_checked(count).unwrap_or((actions, &[]));
                    (count > 0).then(|| (part(&piece, statement, now), part(&piece, statement, later)))
                }
                None => None,
            };
            match fitting {
                Some((now, later)) => {
                    bin.push(now);
                    rest = Some(later);
                }
                None if bin.is_empty() => return Err(length(&[piece])),
                None => rest = Some(piece),
            }
            full.push(std::mem::take(&mut bin));
        }
    }
    full.push(bin);
    full.retain(|pieces| !pieces.is_empty());
    Ok(full)
}

/// The first of some actions, without those that cannot fit because the ones up to there are too long by themselves.
fn candidates(actions: &[String], limit: usize) -> &[String] {
    let mut length = 0;
    let is_within = |action: &&String| {
        let visible = action.chars().filter(|character| !character.is_whitespace()).count();
        // Quotes, and a comma before all but the first.
        length += visible + 2 + usize::from(length > 0);
        length <= limit
    };
    let count = actions.iter().take_while(is_within).count();
    actions.get(..count).unwrap_or_default()
}

/// How many of the actions fit.
fn fitting(
    bin: &[Piece],
    piece: &Piece,
    statement: &Statement,
    actions: &[String],
    fits: impl Fn(&[Piece]) -> bool,
) -> usize {
    let with = |count: usize| {
        let some = actions.get(..count).unwrap_or_default();
        let pieces: Vec<Piece> = bin.iter().cloned().chain([part(piece, statement, some)]).collect();
        fits(&pieces)
    };
    let (mut low, mut high) = (0, actions.len());
    while low < high {
        let middle = (low + high).div_ceil(2);
        match with(middle) {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    low
}

/// A statement whose actions may stand in several.
fn divided(piece: &Piece) -> Option<(&Statement, &[String])> {
    match &piece.entry {
        Entry::Readable(statement) if statement.effect == Effect::Allow => match &statement.actions {
            Scope::Only(actions) => Some((statement, actions.as_slice())),
            Scope::AllBut(_) => None,
        },
        Entry::Readable(_) | Entry::Unreadable { .. } => None,
    }
}

fn part(piece: &Piece, statement: &Statement, actions: &[String]) -> Piece {
    let mut statement = statement.clone();
    statement.actions = Scope::Only(OneOrMany::Many(actions.to_vec()));
    Piece {
        entry: Entry::Readable(statement),
        origin: piece.origin,
    }
}

/// Whether statements fit into the managed policies that IAM attaches.
pub(super) fn fits<'s>(statements: impl Iterator<Item = &'s Statement>) -> bool {
    let pieces = statements.enumerate().map(|(origin, statement)| Piece {
        entry: Entry::Readable(statement.clone()),
        origin,
    });
    let parts = split(&Document::of(Vec::new()), pieces.collect(), MANAGED);
    parts.is_ok_and(|parts| parts.len() <= ATTACHED)
}

/// A name that IAM takes for a managed policy, made of others.
pub(super) fn policy_name(parts: &[&str], number: usize) -> String {
    let is_taken = |character: char| character.is_ascii_alphanumeric() || "+=,.@_-".contains(character);
    let joined = parts.join("-");
    let clean: String = joined
        .chars()
        .map(|character| if is_taken(character) { character } else { '-' })
        .collect();
    let suffix = match number {
        0 | 1 => String::new(),
        number => format!("-{number}"),
    };
    let length = NAME - suffix.len();
    format!("{}{suffix}", clean.get(..length.min(clean.len())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn pieces(document: &Document) -> Vec<Piece> {
        let entries = document.statements.as_slice().iter().cloned().enumerate();
        entries.map(|(origin, entry)| Piece { entry, origin }).collect()
    }

    fn document(actions: usize) -> Document {
        let actions: Vec<String> = (0..actions).map(|number| format!("\"s3:Action{number:04}\"")).collect();
        let allow = format!(
            r#"{{"Effect":"Allow","Action":[{}],"Resource":"*"}}"#,
            actions.join(",")
        );
        let deny = r#"{"Effect":"Deny","Action":"iam:*","Resource":"*"}"#;
        Document::parse(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{deny},{allow},{deny}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn document_that_fits_is_not_split() {
        let document = document(3);
        let parts = split(&document, pieces(&document), MANAGED).unwrap();
        assert_eq!(parts, [pieces(&document)]);
    }

    #[test]
    fn list_of_actions_is_divided_and_every_part_fits() {
        let document = document(1000);
        let parts = split(&document, pieces(&document), MANAGED).unwrap();
        assert_eq!(parts.len(), 3);
        let mut actions = Vec::new();
        for part in &parts {
            assert!(policy_characters(&with_statements(&document, part)) <= MANAGED);
            for piece in part {
                actions.extend(divided(piece).into_iter().flat_map(|(_, actions)| actions.to_vec()));
            }
        }
        let wanted = pieces(&document);
        assert_eq!(actions, divided(&wanted[1]).unwrap().1);
        assert_eq!(
            parts.iter().flatten().filter(|piece| divided(piece).is_none()).count(),
            2
        );
    }

    #[test]
    fn candidates_are_never_fewer_than_what_fits() {
        let names = ["s3:GetObject", "a", "", "white space \t", "é\"\\"];
        let actions: Vec<String> = names.iter().cycle().take(60).map(|name| (*name).to_owned()).collect();
        for limit in 0..400 {
            let fits = |count: &usize| {
                let listed = Value::from(actions.get(..*count).unwrap().to_vec()).to_string();
                listed.chars().filter(|character| !character.is_whitespace()).count() <= limit
            };
            let most = (0..=actions.len()).filter(fits).max().unwrap_or_default();
            assert!(candidates(&actions, limit).len() >= most, "{limit}");
        }
    }

    #[test]
    fn what_cannot_be_divided_fails_with_its_length() {
        let document = document(1);
        assert!(split(&document, pieces(&document), 60).is_err());
        let name = "x".repeat(7000);
        let long = format!(r#"{{"Statement":{{"Effect":"Allow","NotAction":"s3:{name}","Resource":"*"}}}}"#);
        let long = Document::parse(&long).unwrap();
        assert!(split(&long, pieces(&long), MANAGED).unwrap_err() > 7000);
    }

    #[test]
    fn names_are_those_that_iam_takes() {
        assert_eq!(policy_name(&["a/b c", "é"], 1), "a-b-c--");
        assert_eq!(policy_name(&[&"x".repeat(200)], 12).len(), NAME);
    }
}
