//! `completions`: the completion script of a shell.

use crate::cli::args;
use crate::cli::args::CompletionsArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;

/// Prints the completion script.
///
/// # Errors
/// When stdout takes no more bytes.
pub fn completions(args: &CompletionsArgs, output: &mut Output) -> Result<ExitStatus, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "trimtrail", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    use clap::ValueEnum;
    use clap_complete::Shell;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            let (mut output, data, _) = captured(Verbosity::Normal);
            let status = completions(&CompletionsArgs { shell: *shell }, &mut output).unwrap();
            assert_eq!(status, ExitStatus::Done);
            for name in ["query", "at-version"] {
                assert!(data.text().contains(name), "{shell}: {name}");
            }
        }
    }
}
