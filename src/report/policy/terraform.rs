//! Terraform, in the layout of `terraform fmt`.
//!
//! Text is escaped here and not by a crate: of those that write HCL, one leaves `${` as it is, and another overlooks it
//! behind `%` or `$`.

use super::files::PolicyFrame;
use super::literal::Literal;
use super::literal::Syntax;
use super::names::Names;
use super::names::snake_case;
use super::rationale;
use crate::policy::Change;
use crate::policy::Place;
use crate::policy::Proposal;
use crate::policy::ProposedPolicy;

const SYNTAX: Syntax = Syntax {
    comment: "# ",
    assign: " = ",
    member_end: "",
    is_aligned: true,
    quote,
};

/// The policies of one principal.
pub(super) fn file(proposal: &Proposal<'_>, frame: PolicyFrame<'_>, names: &mut Names) -> String {
    let mut text = comment(&rationale::basis_lines(proposal, frame));
    for policy in &proposal.policies {
        text.push('\n');
        text.push_str(&comment(&rationale::policy_lines(policy)));
        if matches!(policy.change, Change::Edit | Change::Create) {
            text.push_str(&block(policy, names));
        }
    }
    text
}

fn comment(lines: &[String]) -> String {
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

fn block(policy: &ProposedPolicy<'_>, names: &mut Names) -> String {
    let document = Literal::document(&SYNTAX, policy, 1);
    match &policy.place {
        Place::Inline(target) => {
            let (kind, name) = kind_and_name(target);
            let id = names.unique(&snake_case(&[name, &policy.name]), "_");
            let import = format!("{name}:{}", policy.name);
            let import = comment_of_import(&format!("aws_iam_{kind}_policy.{id}"), &import);
            format!(
                "{import}resource \"aws_iam_{kind}_policy\" \"{id}\" {{\n{}  policy = jsonencode({document})\n}}\n",
                attributes(&[("name", &quote(&policy.name)), (kind, &quote(name))])
            )
        }
        Place::Managed(arn) => {
            let id = names.unique(&snake_case(&[&policy.name]), "_");
            let import = comment_of_import(&format!("aws_iam_policy.{id}"), arn);
            let path = path_of(arn);
            format!(
                "{import}resource \"aws_iam_policy\" \"{id}\" {{\n{}  policy = jsonencode({document})\n}}\n",
                attributes(&[("name", &quote(&policy.name)), ("path", &quote(&path))])
            )
        }
        Place::NewManaged(targets) => {
            let id = names.unique(&snake_case(&[&policy.name]), "_");
            let mut text = format!(
                "resource \"aws_iam_policy\" \"{id}\" {{\n{}  policy = jsonencode({document})\n}}\n",
                attributes(&[("name", &quote(&policy.name))])
            );
            for target in targets {
                let (kind, name) = kind_and_name(target);
                let attachment = names.unique(&snake_case(&[name, &policy.name]), "_");
                let arn = format!("aws_iam_policy.{id}.arn");
                text.push_str(&format!(
                    "\nresource \"aws_iam_{kind}_policy_attachment\" \"{attachment}\" {{\n{}}}\n",
                    attributes(&[(kind, &quote(name)), ("policy_arn", &arn)])
                ));
            }
            text
        }
    }
}

/// Attributes with their `=` in one column.
fn attributes(attributes: &[(&str, &str)]) -> String {
    let width = attributes.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = attributes
        .iter()
        .map(|(name, value)| format!("  {name:width$} = {value}\n"));
    lines.collect()
}

/// What to run if Terraform does not know the policy yet.
fn comment_of_import(address: &str, id: &str) -> String {
    comment(&rationale::shown(&[format!("terraform import {address} {id}")]))
}

/// Kind and name of a user, group or role.
pub(super) fn kind_and_name(arn: &str) -> (&'static str, &str) {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let kind = match resource.split('/').next() {
        Some("user") => "user",
        Some("group") => "group",
        _ => "role",
    };
    (kind, resource.rsplit('/').next().unwrap_or_default())
}

/// Path of a managed policy.
pub(super) fn path_of(arn: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let path = resource.strip_prefix("policy").unwrap_or_default();
    let end = path.rfind('/').map_or(0, |position| position + 1);
    path.get(..end)
        .filter(|path| !path.is_empty())
        .unwrap_or("/")
        .to_owned()
}

/// A quoted template that is the text and nothing else.
///
/// Scanners of HCL look one character ahead of `$` and `%`, and do not agree on several in a row; so each stands as `\u`
/// escape unless it is the first of `${` or stands before a plain character.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut characters = text.chars().peekable();
    let is_mark = |character: char| matches!(character, '$' | '%');
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().unwrap_or('"');
        match character {
            mark if is_mark(mark) && next == '{' && !is_mark(before) => quoted.extend([mark, mark]),
            mark if is_mark(mark) && next.is_ascii_alphanumeric() => quoted.push(mark),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            plain @ ' '..='~' if !is_mark(plain) => quoted.push(plain),
            other if u32::from(other) <= 0xffff => quoted.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => quoted.push_str(&format!("\\U{:08x}", u32::from(other))),
        }
        before = character;
    }
    quoted.push('"');
    quoted
}
