//! What `--account` and `--region` choose, before anything is read.

use crate::cli::command::balance::objects;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::source::Listing;
use crate::source::Selection;

/// Names the objects that cannot be chosen.
///
/// Fails if no object can be.
pub(super) fn check_choice(listing: &Listing, selection: &Selection, output: &mut Output) -> Result<(), CliError> {
    if !selection.needs_names() {
        return Ok(());
    }
    let mut nameless = listing.objects.iter().filter(|object| object.key.is_none());
    let (first, count) = (nameless.next(), nameless.count());
    if let Some(first) = first.filter(|_| count + 1 == listing.objects.len()) {
        return Err(CliError::Usage {
            message: format!(
                "`--account` and `--region` choose by names, and no name of an object says its account and region, such as `{}`",
                first.uri
            ),
            hint: Some("ingest all, and choose in SQL: `where aws_region = 'eu-west-1'`".to_owned()),
        });
    }
    if let Some(first) = first {
        output.warning(&format!(
            "{} left out, as the name does not say account and region, such as `{}`",
            objects(count as u64 + 1),
            first.uri
        ));
    }
    Ok(())
}
