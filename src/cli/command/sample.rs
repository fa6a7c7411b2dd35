//! `sample`: the made-up logs of an organization.

use crate::cli::args::SampleArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::sample::EstateConfig;
use crate::sample::write_estate;

/// Writes the logs.
///
/// # Errors
/// When the folder holds something already, or cannot be written.
pub fn sample(args: &SampleArgs, output: &mut Output) -> Result<ExitStatus, CliError> {
    let config = EstateConfig {
        seed: args.seed,
        events: args.events,
        first_day: args.first_day,
        days: args.days,
        object_size: args.object_size,
        full_tokens: args.full_tokens,
    };
    write_estate(&config, &args.folder)?;
    let folder = args.folder.display();
    output.note(&format!(
        "logs written to `{folder}`; `{folder}/README.md` lists what is planted in them"
    ));
    output.note(&format!("next: trimtrail ingest {folder}"));
    Ok(ExitStatus::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;
    use crate::sample::ObjectSize;

    #[test]
    fn logs_are_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let args = SampleArgs {
            folder: folder.path().join("logs"),
            events: 50,
            seed: 1,
            first_day: "2026-09-01".parse().unwrap(),
            days: 14,
            object_size: ObjectSize::RealLife,
            full_tokens: false,
        };
        let (mut output, _, messages) = captured(Verbosity::Normal);
        assert_eq!(sample(&args, &mut output).unwrap(), ExitStatus::Done);
        assert!(args.folder.join("AWSLogs").is_dir());
        assert!(
            messages.text().contains("next: trimtrail ingest"),
            "{}",
            messages.text()
        );
        let error = sample(&args, &mut output).unwrap_err();
        assert_eq!(error.exit_status(), ExitStatus::Failed);
        assert!(error.to_string().contains("not empty"), "{error}");
    }
}
