//! "Did you mean": the known name nearest to one that does not exist.

use datafusion::common::utils::datafusion_strsim::levenshtein;

/// The candidate with the fewest edits, if few enough to be a slip of the keyboard.
///
/// Case and underscores do not count, so `eventName` finds `event_name`. Ties go to the first name in alphabetical order.
pub(super) fn closest<'a>(name: &str, candidates: &'a [String]) -> Option<&'a str> {
    let wanted = squashed(name);
    let most_edits = (wanted.chars().count() / 3).max(1);
    candidates
        .iter()
        .map(|candidate| (levenshtein(&wanted, &squashed(candidate)), candidate.as_str()))
        .filter(|(edits, _)| *edits <= most_edits)
        .min()
        .map(|(_, candidate)| candidate)
}

fn squashed(name: &str) -> String {
    name.chars()
        .filter(|character| *character != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::closest;

    fn names() -> Vec<String> {
        ["events", "event_name", "event_source", "objects"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn one_typing_error_finds_the_name() {
        assert_eq!(closest("evnts", &names()), Some("events"));
    }

    #[test]
    fn camel_case_finds_the_snake_case_column() {
        assert_eq!(closest("eventName", &names()), Some("event_name"));
    }

    #[test]
    fn an_unrelated_name_finds_nothing() {
        assert_eq!(closest("xyzzy", &names()), None);
    }
}
