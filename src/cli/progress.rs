//! The progress bar of a long run.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

use super::args::When;
use super::settings::Settings;
use super::size::format_count;
use crate::ingest::Progress;

/// One line of any terminal: the message is cut where the line ends.
const TEMPLATE: &str = "{bar:16} {percent:>3}% of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left, {wide_msg}";

/// Draws on the terminal behind stderr, or nothing at all.
pub(super) struct Bar {
    bar: ProgressBar,
    is_shown: bool,
    objects_planned: AtomicU64,
    objects: AtomicU64,
    rows: AtomicU64,
}

impl Bar {
    /// A bar that shows itself when the user wants it or a person watches.
    pub(super) fn new(when: When, settings: &Settings) -> Self {
        let is_shown = match when {
            When::Always => true,
            When::Never => false,
            When::Auto => settings.progress,
        };
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        let count = || AtomicU64::new(0);
        Self {
            bar,
            is_shown,
            objects_planned: count(),
            objects: count(),
            rows: count(),
        }
    }

    /// Takes the bar off the terminal.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn message(&self) -> String {
        let count = |count: &AtomicU64| format_count(count.load(Ordering::Relaxed));
        let (objects, planned) = (count(&self.objects), count(&self.objects_planned));
        format!("{} events, {objects} of {planned} objects", count(&self.rows))
    }
}

impl Progress for Bar {
    fn planned(&self, objects: u64, bytes: u64) {
        self.objects_planned.fetch_add(objects, Ordering::Relaxed);
        self.bar.inc_length(bytes);
    }

    fn object_done(&self, bytes: u64, rows: u64) {
        self.objects.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
        if self.is_shown {
            self.bar.inc(bytes);
            self.bar.set_message(self.message());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::settings::tests::headless;

    #[test]
    fn bar_is_shown_to_those_who_watch_or_ask() {
        let watched = Settings {
            progress: true,
            ..headless()
        };
        let is_shown = |when, settings: &Settings| Bar::new(when, settings).is_shown;
        assert!(is_shown(When::Auto, &watched) && is_shown(When::Always, &headless()));
        assert!(!is_shown(When::Auto, &headless()) && !is_shown(When::Never, &watched));
    }

    #[test]
    fn bar_moves() {
        let bar = Bar::new(When::Always, &headless());
        bar.planned(2, 1_000);
        bar.planned(1, 1_000);
        bar.object_done(500, 1);
        assert_eq!((bar.bar.length(), bar.bar.position()), (Some(2_000), 500));
        bar.clear();
    }

    #[test]
    fn message_counts_objects_and_events() {
        let bar = Bar::new(When::Never, &headless());
        bar.planned(3_814, 1_000);
        bar.object_done(10, 1_200);
        bar.object_done(10, 34);
        assert_eq!(bar.message(), "1,234 events, 2 of 3,814 objects");
    }
}
