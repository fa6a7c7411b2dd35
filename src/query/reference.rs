//! The reference page of the question library, as Markdown.

use super::library::Library;
use super::question::Question;
use super::question::RowChoice;

const INTRODUCTION: &str = "\
# Questions

Each question is one SQL statement in `queries/<id>.sql`. Run it with `trimtrail query <id>`, give parameters with
`--param name=value`, and add your own files with `--queries DIR`. Times are absolute (`2026-10-01`,
`2026-10-01T12:30:00Z`, always UTC) or relative to now (`T-90d`). A parameter marked optional is null when it is left out.

This page is generated from the headers of the files.
";

/// The text of `docs/queries.md` for a library.
pub fn reference(library: &Library) -> String {
    let mut text = INTRODUCTION.to_owned();
    for question in library.questions() {
        text.push('\n');
        text.push_str(&section(question));
    }
    text
}

fn section(question: &Question) -> String {
    let mut lines = vec![
        format!("## {}", question.id),
        String::new(),
        format!("{}. {}", question.title, question.question),
    ];
    if let Some(severity) = question.severity {
        lines.extend([String::new(), format!("Severity of a row: {severity}.")]);
    }
    if question.check_severity().is_some() {
        lines.extend([String::new(), as_a_check(question)]);
    }
    if !question.controls.is_empty() {
        lines.extend([
            String::new(),
            format!("Evidence for: {}.", question.controls.join(", ")),
        ]);
    }
    if !question.params.is_empty() {
        lines.extend([
            String::new(),
            "| parameter | type | meaning |".to_owned(),
            "| --- | --- | --- |".to_owned(),
        ]);
    }
    for param in &question.params {
        let optional = if param.optional { ", optional" } else { "" };
        lines.push(format!(
            "| `{}` | {}{optional} | {} |",
            param.name,
            param.value_type.name(),
            cell(&param.meaning)
        ));
    }
    lines.extend([
        String::new(),
        "| column | type | meaning |".to_owned(),
        "| --- | --- | --- |".to_owned(),
    ]);
    for column in &question.columns {
        lines.push(format!(
            "| `{}` | {} | {} |",
            column.name,
            column.value_type.name(),
            cell(&column.meaning)
        ));
    }
    if !question.caveats.is_empty() {
        lines.push(String::new());
    }
    let mut text = String::new();
    for line in lines
        .into_iter()
        .chain(question.caveats.iter().map(|caveat| format!("- {caveat}")))
    {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// How `trimtrail check` takes the rows.
fn as_a_check(question: &Question) -> String {
    let quoted = |texts: &[String]| {
        texts
            .iter()
            .map(|text| format!("`{text}`"))
            .collect::<Vec<_>>()
            .join(" or ")
    };
    let chosen = |choice: &RowChoice| format!("rows whose `{}` is {}", choice.column, quoted(&choice.values));
    let findings = question.findings.as_ref().map_or("every row".to_owned(), chosen);
    let unknowns = question
        .unknowns
        .as_ref()
        .map(|choice| format!("; nothing is known of {}", chosen(choice)));
    let identity: Vec<String> = question
        .identity_columns()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    format!(
        "As a check: {findings}, one finding for each {}{}.",
        identity.join(", "),
        unknowns.unwrap_or_default()
    )
}

fn cell(meaning: &str) -> String {
    meaning.replace('|', "\\|")
}
