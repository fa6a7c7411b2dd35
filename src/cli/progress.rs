//! The progress bar of a long run.

use indicatif::ProgressBar;
use indicatif::ProgressDrawTarget;
use indicatif::ProgressStyle;

use super::args::When;
use super::settings::Settings;
use super::size::format_count;
use crate::ingest::Progress;

const TEMPLATE: &str =
    "{bar:30} {percent:>3}% {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta} left, {msg}";

/// Draws on the terminal behind stderr, or nothing at all.
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar that shows itself when the user wants it or a person watches.
    pub(super) fn start(when: When, settings: &Settings) -> Self {
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
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Shows how far the run is.
    pub(super) fn show(&self, progress: Progress) {
        self.bar.set_length(progress.bytes_total);
        self.bar.set_position(progress.bytes);
        self.bar.set_message(message(progress));
    }

    /// Takes the bar off the terminal.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn message(progress: Progress) -> String {
    let objects = format_count(progress.objects);
    let total = format_count(progress.objects_total);
    format!(
        "{objects} of {total} objects, {} records",
        format_count(progress.records)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::settings::tests::headless;

    #[test]
    fn bar_is_hidden_from_machines_and_on_demand() {
        let watched = Settings {
            progress: true,
            ..headless()
        };
        let is_hidden = |when, settings: &Settings| Bar::start(when, settings).bar.is_hidden();
        assert!(is_hidden(When::Auto, &headless()));
        assert!(is_hidden(When::Never, &watched));
    }

    #[test]
    fn message_counts_objects_and_records() {
        let progress = Progress {
            objects: 1_200,
            objects_total: 3_814,
            bytes: 1,
            bytes_total: 2,
            records: 1_000_000,
        };
        assert_eq!(message(progress), "1,200 of 3,814 objects, 1,000,000 records");
    }
}
