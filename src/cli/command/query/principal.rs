//! Why a question about one principal may have no answer: another spelling of its name.

use std::collections::BTreeSet;

use crate::analysis;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::query::Question;

/// Parameter of questions about one principal.
const PARAM: &str = "principal";

/// Principals that are named one by one.
const TOLD: usize = 5;

/// Says how a principal is named that no event of the store has, if the user named such a one.
pub(super) async fn tell_unknown(
    question: &Question,
    params: &[(String, String)],
    engine: &Engine,
    output: &mut Output,
) -> Result<(), CliError> {
    let is_asked = question.params.iter().any(|param| param.name == PARAM);
    let named = params.iter().find(|(name, _)| name == PARAM);
    let Some((_, principal)) = named.filter(|_| is_asked && engine.missing_store().is_none()) else {
        return Ok(());
    };
    let session = engine.session();
    let Some(window) = analysis::extent(session).await? else {
        return Ok(());
    };
    let callers = analysis::callers(session, window).await?;
    let arns: BTreeSet<&str> = callers.iter().map(|caller| caller.arn.as_str()).collect();
    if !arns.contains(principal.as_str()) {
        output.note(&sentence(principal, &arns));
    }
    Ok(())
}

fn sentence(principal: &str, arns: &BTreeSet<&str>) -> String {
    let wanted = name(principal).to_lowercase();
    let alike: Vec<&str> = arns
        .iter()
        .copied()
        .filter(|arn| !wanted.is_empty() && arn.to_lowercase().contains(&wanted))
        .collect();
    let what = format!(
        "hint: no call is by `{principal}`; `{PARAM}` takes the whole ARN of a role or user, without the session name, and \
         no pattern"
    );
    if alike.is_empty() {
        return format!("{what}; `trimtrail sql \"select distinct principal_arn from events\"` lists all");
    }
    let more = match alike.len().saturating_sub(TOLD) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let told: Vec<String> = alike.iter().take(TOLD).map(|arn| format!("`{arn}`")).collect();
    format!("{what}; like it: {}{more}", told.join(", "))
}

/// What a name, an ARN or a pattern says of a name: of a session, that of the role.
fn name(principal: &str) -> &str {
    let role = principal
        .split_once(":assumed-role/")
        .map(|(_, session)| session.split_once('/').map_or(session, |(role, _)| role));
    let name = role.unwrap_or_else(|| principal.rsplit('/').next().unwrap_or(principal));
    name.trim_matches('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARNS: [&str; 3] = [
        "arn:aws:iam::111122223333:role/ci/github-deploy",
        "arn:aws:iam::111122223333:role/ecs/payments-task",
        "arn:aws:iam::444455556666:role/ecs/payments-task",
    ];

    #[test]
    fn principals_like_the_unknown_one_are_named() {
        let arns = BTreeSet::from(ARNS);
        let [deploy, first, second] = ARNS;
        for (typed, alike) in [
            ("payments-task", format!("like it: `{first}`, `{second}`")),
            ("*Payments*", format!("like it: `{first}`, `{second}`")),
            (
                "arn:aws:sts::1:assumed-role/github-deploy/run-7",
                format!("like it: `{deploy}`"),
            ),
            (
                "arn:aws:iam::111122223333:role/github-deploy",
                format!("like it: `{deploy}`"),
            ),
        ] {
            let told = sentence(typed, &arns);
            assert!(told.ends_with(&alike) && told.contains(&format!("`{typed}`")), "{told}");
        }
    }

    #[test]
    fn unlike_names_are_listed_by_a_statement_and_many_alike_in_part() {
        let told = sentence("*", &BTreeSet::from(ARNS));
        assert!(told.contains("select distinct principal_arn"), "{told}");
        let many: Vec<String> = (0..9)
            .map(|number| format!("arn:aws:iam::1:role/app-{number}"))
            .collect();
        let told = sentence("app-", &many.iter().map(String::as_str).collect());
        assert!(told.ends_with("`arn:aws:iam::1:role/app-4` and 4 more"), "{told}");
    }
}
