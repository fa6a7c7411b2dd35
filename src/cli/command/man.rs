//! `man`: the manual pages.

use std::fs;
use std::path::Path;

use clap_mangen::Man;

use crate::cli::args;
use crate::cli::args::ManArgs;
use crate::cli::error::CliError;
use crate::cli::exit::ExitStatus;
use crate::cli::output::Output;
use crate::cli::target::keep_out_of_stores;

/// Prints the page of the program, or writes the pages of all commands into a folder.
///
/// # Errors
/// When stdout or the folder takes no more bytes.
pub fn man(args: &ManArgs, output: &mut Output) -> Result<ExitStatus, CliError> {
    match &args.folder {
        None => Man::new(args::command())
            .render(output.data())
            .map_err(CliError::Stdout)?,
        Some(folder) => {
            keep_out_of_stores(folder)?;
            write_pages(folder).map_err(|cause| CliError::Write {
                path: folder.clone(),
                cause,
            })?;
            output.note(&format!("manual pages written to `{}`", folder.display()));
        }
    }
    output.print("")?;
    Ok(ExitStatus::Done)
}

fn write_pages(folder: &Path) -> Result<(), std::io::Error> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(args::command(), folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cli::output::Verbosity;
    use crate::cli::output::tests::captured;

    #[test]
    fn page_of_the_program_is_printed() {
        let (mut output, data, _) = captured(Verbosity::Normal);
        assert_eq!(man(&ManArgs { folder: None }, &mut output).unwrap(), ExitStatus::Done);
        assert!(data.text().contains(".TH trimtrail 1"), "{}", data.text());
    }

    #[test]
    fn folder_gets_a_page_per_command() {
        let folder = tempfile::tempdir().unwrap();
        let (mut output, _, _) = captured(Verbosity::Normal);
        man(
            &ManArgs {
                folder: Some(folder.path().join("man1")),
            },
            &mut output,
        )
        .unwrap();
        for page in ["trimtrail.1", "trimtrail-query.1", "trimtrail-store-info.1"] {
            assert!(folder.path().join("man1").join(page).exists(), "{page}");
        }
    }
}
