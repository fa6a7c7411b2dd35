//! Folders of a bucket that cannot be listed.

use super::fault::Fault;
use super::fault::FaultKind;

/// The folders that cannot be listed, to be named; an error where others would meet the same hindrance. A service that has answered
/// for one folder is not down.
pub(super) fn named_or_stopped(
    hindered: Vec<(String, Fault)>,
    has_answered: bool,
) -> Result<Vec<(String, String)>, (String, Fault)> {
    let names = hindered.into_iter().map(|(folder, fault)| {
        let is_of_folder = has_answered && fault.kind == FaultKind::Unavailable;
        match fault.stops_the_run() && !is_of_folder {
            true => Err((folder, fault)),
            false => Ok((folder, fault.to_string())),
        }
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_that_fails_alone_is_named_and_a_service_that_is_down_is_an_error() {
        let hindered = |kind| vec![("a/".to_owned(), Fault::new(kind, "no"))];
        let named = vec![("a/".to_owned(), "no".to_owned())];
        assert_eq!(
            named_or_stopped(hindered(FaultKind::Unavailable), true),
            Ok(named.clone())
        );
        assert_eq!(named_or_stopped(hindered(FaultKind::Denied), false), Ok(named));
        for (kind, has_answered) in [
            (FaultKind::Unavailable, false),
            (FaultKind::Credentials, true),
            (FaultKind::WrongRegion, true),
        ] {
            let stopped = named_or_stopped(hindered(kind), has_answered);
            assert_eq!(stopped, Err(("a/".to_owned(), Fault::new(kind, "no"))), "{kind:?}");
        }
    }
}
