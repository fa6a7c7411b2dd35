//! Says where an answer comes from: the rollup, or the events.

use super::output::Output;
use crate::analysis::moment;
use crate::policy::Window;
use crate::query::QuerySession;
use crate::query::Question;
use crate::query::UsageSource;
use crate::store::UsageLack;

/// Says it, if the answer could have come from the rollup.
pub(super) fn note_source(source: Option<UsageSource>, output: &mut Output) {
    match source {
        None => {}
        Some(source @ UsageSource::Rollup) => output.note(&format!("source: {}", source.name())),
        Some(source @ UsageSource::Events(lack)) => {
            output.note(&format!("source: {}; {}", source.name(), reason(lack)));
        }
    }
}

/// Says where the answer to a question comes from, and that what is made of events lacks those that have expired.
pub(super) fn note_source_of(question: &Question, session: &QuerySession, output: &mut Output) {
    let (events, usage) = (question.reads_events(), question.reads_usage());
    match session.usage_source() {
        // A question that reads both takes days from the rollup that are whole.
        Some(UsageSource::Rollup) if events && !usage => output.note("source: usage and events"),
        source => note_source(source, output),
    }
    if let Some(before) = session.expired_before().filter(|_| events) {
        let before = moment(before);
        output.note(&match usage {
            true => {
                format!("whole days before {before} are answered from `usage`; what events alone show begins there")
            }
            false => format!("what the answer takes from events begins at {before}: it shows nothing of before"),
        });
    }
}

/// Says where evidence of a window comes from, and what the window has lost.
pub(super) fn note_basis(session: &QuerySession, window: Window, output: &mut Output) {
    note_source(session.usage_source(), output);
    note_expired(session.expired_before().filter(|before| window.since < *before), output);
}

/// Says since when there are events, if some have expired: what lies before shows in the rollup only.
pub(super) fn note_expired(expired_before: Option<i64>, output: &mut Output) {
    if let Some(before) = expired_before {
        output.note(&format!(
            "events from before {} have expired; whole days before are in `usage` only",
            moment(before)
        ));
    }
}

/// Why the rollup was not read, and what to do.
fn reason(lack: UsageLack) -> String {
    const REMEDY: &str = "`trimtrail store rebuild usage` makes it anew";
    match lack {
        UsageLack::Missing => "the store has no rollup; the next ingest makes it".to_owned(),
        UsageLack::Reaches(version) => format!("the rollup knows version {version} of the store only; {REMEDY}"),
        UsageLack::Begins(version) => format!("the rollup was made at version {version} and cannot show an older one"),
        UsageLack::OtherFacts => format!("the rollup was made with other facts; {REMEDY}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;

    #[test]
    fn rollup_that_cannot_be_read_is_named_with_the_reason() {
        let (mut output, _, messages) = captured(Verbosity::Normal);
        note_source(None, &mut output);
        note_source(Some(UsageSource::Rollup), &mut output);
        note_source(Some(UsageSource::Events(UsageLack::Reaches(7))), &mut output);
        assert_eq!(
            messages.text(),
            "source: usage\nsource: events; the rollup knows version 7 of the store only; `trimtrail store rebuild usage` \
             makes it anew\n"
        );
    }
}
