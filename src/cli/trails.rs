//! Event selectors that the user named: files, and folders of `.json` files.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use super::error::CliError;
use crate::policy::Trails;

/// Reads all of them together, as trails and their selectors may lie in different files.
pub(super) fn read(paths: &[PathBuf]) -> Result<Trails, CliError> {
    let mut texts = Vec::new();
    for path in paths {
        for file in files(path)? {
            let text = fs::read_to_string(&file).map_err(|cause| unreadable(&file, cause))?;
            // One by one first, so that the message names the file.
            Trails::read([text.as_str()]).map_err(|cause| CliError::Trails {
                path: file.clone(),
                cause,
            })?;
            texts.push(text);
        }
    }
    let whole = Trails::read(texts.iter().map(String::as_str));
    let trails = whole.map_err(|cause| CliError::Trails {
        path: paths.first().cloned().unwrap_or_default(),
        cause,
    })?;
    if trails.is_empty() && !paths.is_empty() {
        return Err(CliError::Usage {
            message: "the event selectors are about no trail".to_owned(),
            hint: Some(
                "save the output of `aws cloudtrail get-event-selectors --trail-name NAME` of each trail".to_owned(),
            ),
        });
    }
    Ok(trails)
}

/// The file itself, or the `.json` files of a folder in order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|cause| unreadable(path, cause))? {
        let file = entry.map_err(|cause| unreadable(path, cause))?.path();
        if file
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, cause: std::io::Error) -> CliError {
    CliError::Read {
        path: path.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELECTORS: &str = r#"{"TrailARN":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t","EventSelectors":[]}"#;
    const TRAILS: &str =
        r#"{"trailList":[{"TrailARN":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t","IsMultiRegionTrail":true}]}"#;

    #[test]
    fn folder_is_read_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        written("a.json", SELECTORS);
        written("trails.JSON", TRAILS);
        written("notes.txt", "not read");
        let trails = read(&[folder.path().to_owned()]).unwrap();
        assert_eq!(trails.all()[0].is_multi_region, Some(true));
        assert!(read(&[]).unwrap().is_empty());
    }

    #[test]
    fn what_is_missing_or_something_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        assert!(matches!(read(std::slice::from_ref(&path)), Err(CliError::Read { .. })));
        for (text, message) in [
            ("{", "no JSON"),
            ("{\"Trail\":1}", "neither event selectors nor trails"),
            (TRAILS, "about no trail"),
        ] {
            fs::write(&path, text).unwrap();
            let error = read(std::slice::from_ref(&path)).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(error.exit_status(), crate::cli::ExitStatus::Usage);
        }
    }
}
