//! Why an answer may have no rows: there are no logs of the time that it is about, which is not the same as nothing to find.

use crate::analysis;
use crate::analysis::moment;
use crate::cli::engine::Engine;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::settings::Settings;
use crate::cli::time::parse_time_option;
use crate::policy::Window;
use crate::query::Question;

/// Says that the store has no events, or none of the time that is asked about. True if that is so.
pub(super) async fn tell_absent(
    question: &Question,
    params: &[(String, String)],
    engine: &Engine,
    settings: &Settings,
    output: &mut Output,
) -> Result<bool, CliError> {
    if engine.missing_store().is_some() || !(question.reads_events() || question.reads_usage()) {
        return Ok(false);
    }
    let Some(logs) = analysis::extent(engine.session()).await? else {
        output.warning(
            "the store holds no events, so that nothing can be found; read logs into it with `trimtrail ingest`",
        );
        return Ok(true);
    };
    let given = |name: &str| -> Result<Option<i64>, CliError> {
        let is_param = question.params.iter().any(|param| param.name == name);
        let text = params.iter().find(|(param, _)| is_param && param == name);
        let time = text.map(|(_, text)| parse_time_option(name, text, settings.now));
        Ok(time.transpose()?.map(|time| time.as_microsecond()))
    };
    let is_absent = is_outside(logs, (given("since")?, given("until")?));
    if is_absent {
        output.warning(&format!(
            "the store holds no events of the time that is asked about, so that nothing can be found: its logs are from {} to {}",
            moment(logs.since),
            moment(logs.until)
        ));
    }
    Ok(is_absent)
}

fn is_outside(logs: Window, (since, until): (Option<i64>, Option<i64>)) -> bool {
    since.is_some_and(|since| since >= logs.until) || until.is_some_and(|until| until <= logs.since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_is_outside_of_the_logs_only_if_it_shares_no_moment_with_them() {
        let logs = Window { since: 10, until: 20 };
        for (window, wanted) in [
            ((None, None), false),
            ((Some(20), None), true),
            ((Some(19), None), false),
            ((None, Some(10)), true),
            ((Some(0), Some(11)), false),
        ] {
            assert_eq!(is_outside(logs, window), wanted, "{window:?}");
        }
    }
}
