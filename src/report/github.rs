//! Findings as annotations of a GitHub workflow: one command per line, which the runner reads from the log.

use super::escape;
use crate::policy::Finding;
use crate::policy::FindingKind;

/// Actions that an annotation names.
const NAMED_ACTIONS: usize = 5;

/// One line per finding, in their order; `window` says when nothing was used.
pub fn annotations(findings: &[Finding], window: &str) -> String {
    let mut text = String::new();
    for finding in findings {
        let title = format!("{}: {}", finding.kind.name(), finding.principal_arn);
        let mut message = format!("{} {window}", finding.message);
        if !finding.actions.is_empty() {
            let named: Vec<&str> = finding.actions.iter().take(NAMED_ACTIONS).map(String::as_str).collect();
            let more = match finding.action_count.saturating_sub(NAMED_ACTIONS) {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            message.push_str(&format!(" ({}{more})", named.join(", ")));
        }
        if let Some(kept) = &finding.kept {
            message.push_str(&format!("; kept on purpose: {kept}"));
        }
        text.push_str(&format!(
            "::{} title={}::{}\n",
            command(finding),
            property(&title),
            data(&message)
        ));
    }
    text
}

fn command(finding: &Finding) -> &'static str {
    match (finding.kind, &finding.kept) {
        (_, Some(_)) | (FindingKind::UnusedPermission, None) => "notice",
        (FindingKind::UnusedHighRisk, None) => "error",
        (_, None) => "warning",
    }
}

/// The text of a command. Hidden characters, line feeds among them, are escapes before GitHub's own rules apply.
fn data(text: &str) -> String {
    escape::visible(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;

    fn finding(kind: FindingKind, arn: &str, kept: Option<&str>) -> Finding {
        Finding {
            principal_arn: arn.to_owned(),
            kind,
            scope: "s3".to_owned(),
            actions: (1..=7).map(|number| format!("s3:A{number}")).collect(),
            action_count: 7,
            harms: BTreeSet::new(),
            last_used: None,
            message: "7 actions of `s3`: not used".to_owned(),
            kept: kept.map(str::to_owned),
        }
    }

    #[test]
    fn level_follows_the_harm_and_what_is_kept_is_only_noticed() {
        let levels = [
            (FindingKind::UnusedHighRisk, None, "error"),
            (FindingKind::NeverUsedRole, None, "warning"),
            (FindingKind::UnusedPermission, None, "notice"),
            (FindingKind::UnusedHighRisk, Some("break-glass"), "notice"),
        ];
        for (kind, kept, level) in levels {
            let text = annotations(&[finding(kind, "arn:x", kept)], "in 30 days");
            assert!(
                text.starts_with(&format!("::{level} title={}%3A arn%3Ax::", kind.name())),
                "{text}"
            );
        }
    }

    #[test]
    fn message_names_some_actions_and_how_many_more() {
        let text = annotations(
            &[finding(FindingKind::UnusedService, "r", Some("seasonal"))],
            "in 30 days",
        );
        assert_eq!(
            text,
            "::notice title=unused-service%3A r::7 actions of `s3`: not used in 30 days \
             (s3:A1, s3:A2, s3:A3, s3:A4, s3:A5 and 2 more); kept on purpose: seasonal\n"
        );
    }

    #[test]
    fn hostile_name_cannot_forge_a_command_or_a_property() {
        let text = annotations(
            &[finding(
                FindingKind::NeverUsedRole,
                "r,file=x::y\r\n::error::forged 100%\u{1b}[2J",
                None,
            )],
            "in 30 days",
        );
        assert_eq!(text.lines().count(), 1, "{text}");
        let title = "never-used-role%3A r%2Cfile=x%3A%3Ay\\u{d}\\u{a}%3A%3Aerror%3A%3Aforged 100%25\\u{1b}[2J";
        assert!(
            text.starts_with(&format!("::warning title={title}::7 actions")),
            "{text}"
        );
    }
}
