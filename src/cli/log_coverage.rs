//! The coverage of a store's logs, for the commands that show it or rest on it.

use super::engine::Engine;
use super::error::CliError;
use super::interrupt::StopFlag;
use super::runtime::Runtime;
use super::settings::Settings;
use super::time::parse_time_option;
use crate::analysis;
use crate::analysis::MOST_COVERAGE_DAYS;
use crate::analysis::RegionCoverage;
use crate::analysis::Step;
use crate::cli::basis::time;
use crate::ingest::Verify;
use crate::integrity;
use crate::integrity::GroupReport;
use crate::integrity::PublicKeys;
use crate::policy::Window;
use crate::source::Selection;

/// What is wanted of the coverage.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) window: Window,
    pub(super) step: Step,
    /// Keys to check signatures with.
    pub(super) keys: Option<&'a PublicKeys>,
    /// Only these accounts; all if there are none.
    pub(super) accounts: &'a [String],
    /// Only these regions; all if there are none.
    pub(super) regions: &'a [String],
}

impl Question<'_> {
    /// Judges one account and region after the other; fewer when the flag is raised.
    pub(super) fn answer(
        &self,
        engine: &Engine,
        running: (&Runtime, &StopFlag),
        settings: &Settings,
    ) -> Result<Vec<RegionCoverage>, CliError> {
        self.answer_with(engine, running, settings, drop)
    }

    /// The same, and hands over what is said of the digests and logs of each, if there are keys.
    pub(super) fn answer_with(
        &self,
        engine: &Engine,
        (runtime, stop): (&Runtime, &StopFlag),
        settings: &Settings,
        mut take: impl FnMut(GroupReport),
    ) -> Result<Vec<RegionCoverage>, CliError> {
        let session = engine.session();
        let basis = runtime.run(async { Ok(stop.or_stop(analysis::coverage_basis(session, self.window)).await) })?;
        let Some(basis) = basis.transpose()? else {
            return Ok(Vec::new());
        };
        let selection = Selection::default();
        let verify = self.keys.map(|keys| Verify {
            runtime: runtime.handle(),
            keys,
            window: integrity_window(self.window),
            selection: &selection,
            threads: settings.threads.get(),
            stop: stop.raised(),
        });
        let samples = match verify {
            Some(_) => runtime.run(async { Ok(analysis::recorded_samples(session).await?) })?,
            None => Vec::new(),
        };
        if verify.is_some() && self.accounts.is_empty() && self.regions.is_empty() {
            let unplaced = runtime
                .run(async { Ok(analysis::recorded_unplaced(session, integrity_window(self.window)).await?) })?;
            GroupReport::unplaced(unplaced).into_iter().for_each(&mut take);
        }
        let origins = Verify::recorded_origins(&samples);
        let is_wanted = |names: &[String], name: &String| names.is_empty() || names.contains(name);
        let mut regions = Vec::new();
        for (account, region) in basis.pairs() {
            if !is_wanted(self.accounts, &account) || !is_wanted(self.regions, &region) {
                continue;
            }
            if stop.status().is_some() {
                break;
            }
            let objects = match basis.has_objects(&account, &region) {
                true => runtime.run(async { Ok(analysis::recorded_objects(session, &account, &region).await?) })?,
                false => Vec::new(),
            };
            let verdicts = verify.as_ref().map(|verify| verify.run_recorded(&objects, &origins));
            let verdicts = verdicts.transpose()?;
            regions.push(basis.judge((&account, &region), &objects, verdicts.as_ref(), self.step));
            verdicts.into_iter().for_each(&mut take);
        }
        Ok(regions)
    }
}

/// The window as digests are verified for it.
pub(super) fn integrity_window(window: Window) -> integrity::Window {
    integrity::Window {
        from: Some(window.since),
        to: Some(window.until),
    }
}

/// The window that the user wants, or all that the store holds.
pub(super) async fn window(
    (since, until): (Option<&str>, Option<&str>),
    engine: &Engine,
    settings: &Settings,
) -> Result<Window, CliError> {
    engine.need_store()?;
    let given = |option: &str, text: Option<&str>| -> Result<Option<i64>, CliError> {
        let time = text.map(|text| parse_time_option(option, text, settings.now));
        Ok(time.transpose()?.map(|time| time.as_microsecond()))
    };
    let (since, until) = (given("--since", since)?, given("--until", until)?);
    let window = match (since, until) {
        (Some(since), Some(until)) => Window { since, until },
        _ => {
            let extent = analysis::extent(engine.session()).await?.ok_or(CliError::NoEvents)?;
            Window {
                since: since.unwrap_or(extent.since),
                until: until.unwrap_or(extent.until),
            }
        }
    };
    check(window)?;
    Ok(window)
}

/// Refuses windows that are empty, or longer than any retention.
pub(super) fn check(window: Window) -> Result<(), CliError> {
    let span = format!("it begins at {} and ends at {}", time(window.since), time(window.until));
    if window.is_empty() {
        return Err(CliError::usage(format!("the window is empty: {span}")));
    }
    if window.days() > MOST_COVERAGE_DAYS {
        return Err(CliError::Usage {
            message: format!("the window has more than {MOST_COVERAGE_DAYS} days: {span}"),
            hint: Some("name a shorter one with `--since` and `--until`".to_owned()),
        });
    }
    Ok(())
}
