//! A source in a folder, and what the keys of any source say.

use jiff::ToSpan;
use jiff::civil::Date;

use super::check::Check;
use crate::cli::size::format_count;
use crate::source;
use crate::source::SourceSummary;

/// Folders of others that are named.
const TOLD_FOLDERS: usize = 3;
const CHECK_SOURCE: &str = "check the path or prefix, and that a trail delivers there";

/// Looks at one file or folder.
pub(super) fn checks(source: &str, today: Date) -> Vec<Check> {
    let listing = match source::list(&[source.to_owned()]) {
        Ok(listing) => listing,
        Err(error) => {
            let remedy = "name a folder, a file or `s3://bucket/prefix` that this user may read";
            return vec![Check::failure("list", source, error.to_string(), remedy)];
        }
    };
    let count = format_count(u64::try_from(listing.objects.len()).unwrap_or(u64::MAX));
    let mut checks = vec![match listing.unlisted.first() {
        Some((place, reason)) => Check::warning(
            "list",
            source,
            format!("{count} files; `{place}`: {reason}"),
            "see to it, or run without it",
        ),
        None => Check::ok("list", source, format!("{count} files")),
    }];
    let summary = SourceSummary::of_listing(&listing);
    let object = listing.objects.iter().find(|object| object.key.is_some());
    let object = object.or_else(|| listing.objects.first());
    checks.push(layout(source, &summary, (object.is_some(), today)));
    if let Some(object) = object {
        checks.push(match source::open(object) {
            Ok(_) => Check::ok("read", source, format!("`{}` can be read", object.uri)),
            Err(error) => Check::failure("read", &object.uri, error.to_string(), "make it readable for this user"),
        });
    }
    checks
}

/// What the keys say.
pub(super) fn layout(source: &str, summary: &SourceSummary, (has_objects, today): (bool, Date)) -> Check {
    if !has_objects {
        return Check::failure("layout", source, "there are no objects below it", CHECK_SOURCE);
    }
    if summary.accounts.is_empty() {
        let found = "no folders as CloudTrail makes them; every object below would be read";
        return Check::warning("layout", source, found, CHECK_SOURCE);
    }
    let few = |names: &std::collections::BTreeSet<String>, one: &str, many: &str| match names.len() {
        1 => format!("{one} {}", names.first().map_or("", String::as_str)),
        count => format!("{count} {many}"),
    };
    let mut found = Vec::new();
    if !summary.organizations.is_empty() {
        found.push(few(&summary.organizations, "organization", "organizations"));
    }
    found.push(few(&summary.accounts, "account", "accounts"));
    found.push(few(&summary.regions, "region", "regions"));
    if let (Some(first), Some(last)) = (summary.first_day, summary.last_day) {
        let sample = match (summary.folders_looked_at, summary.folders) {
            (looked_at, all) if looked_at < all => format!(" in {looked_at} of {all} folders looked at"),
            _ => String::new(),
        };
        found.push(format!("delivered from {first} to {last}{sample}"));
    }
    if !summary.passed_over.is_empty() {
        found.push(folders_of_others(&summary.passed_over));
    }
    if let Some((place, reason)) = summary.unlisted.first() {
        found.push(format!("`{place}`: {reason}"));
        return Check::warning("layout", source, found.join(", "), "see to it, or run without it");
    }
    // One day for clocks, and for those who name files by their own time.
    let tomorrow = today.checked_add(1.day()).unwrap_or(today);
    match summary.last_day {
        Some(last) if last > tomorrow => Check::warning(
            "layout",
            source,
            found.join(", "),
            "days that have not begun are none of CloudTrail: look for objects that were put there by mistake",
        ),
        _ => Check::ok("layout", source, found.join(", ")),
    }
}

fn folders_of_others(folders: &[String]) -> String {
    let told = folders.iter().take(TOLD_FOLDERS).map(|folder| format!("`{folder}`"));
    let told = told.collect::<Vec<_>>().join(", ");
    match folders.len().saturating_sub(TOLD_FOLDERS) {
        0 => format!("folders of others: {told}"),
        more => format!("folders of others: {told} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::check::Status;
    use super::*;

    #[test]
    fn days_that_have_not_begun_are_a_warning_and_folders_of_others_are_named() {
        let layout_until = |last_day: Date| {
            let summary = SourceSummary {
                accounts: ["111122223333".to_owned()].into(),
                regions: ["eu-west-1".to_owned()].into(),
                first_day: Some(date(2026, 9, 1)),
                last_day: Some(last_day),
                passed_over: ["a/", "b/", "c/", "d/"].map(str::to_owned).to_vec(),
                ..SourceSummary::default()
            };
            layout("s3://logs", &summary, (true, date(2026, 9, 10)))
        };
        assert_eq!(layout_until(date(2026, 9, 11)).status, Status::Ok);
        let future = layout_until(date(2099, 1, 1));
        assert_eq!(future.status, Status::Warning);
        let found = "delivered from 2026-09-01 to 2099-01-01, folders of others: `a/`, `b/`, `c/` and 1 more";
        assert!(future.found.ends_with(found), "{}", future.found);
    }

    #[test]
    fn logs_beside_the_folders_are_told_in_the_words_of_the_reason() {
        let summary = SourceSummary {
            accounts: ["111122223333".to_owned()].into(),
            unlisted: vec![("s3://logs/*".to_owned(), "there are log files".to_owned())],
            ..SourceSummary::default()
        };
        let check = layout("s3://logs", &summary, (true, date(2026, 9, 10)));
        assert_eq!(check.status, Status::Warning);
        assert!(
            check.found.ends_with("`s3://logs/*`: there are log files"),
            "{}",
            check.found
        );
    }
}
