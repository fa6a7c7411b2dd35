//! From functions of Lambda that were asked for to patterns over them.

use std::collections::BTreeSet;

use super::resources::FEW;
use super::resources::Generalised;
use super::resources::MANY;
use super::resources::MIN_SHARED;
use super::resources::Pattern;
use super::resources::named;
use super::resources::shared_head;

/// Every deployment makes another version of a function, as every call of a durable function makes an execution; aliases stay.
pub(super) fn functions(head: &str, names: &BTreeSet<&str>) -> Generalised {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let stem = |name: &&str| -> (String, bool) {
        if let Some((alias, _)) = name.split_once("/durable-execution/") {
            return (format!("{alias}/durable-execution/"), true);
        }
        match name.split_once(':') {
            Some((function, version)) if is_number(version) => (format!("{function}:"), true),
            _ => ((*name).to_owned(), false),
        }
    };
    let mut stems: BTreeSet<(String, bool)> = names.iter().map(stem).collect();
    if stems.len() > FEW {
        let functions: BTreeSet<&str> = names.iter().filter_map(|name| name.split(':').next()).collect();
        let shared = shared_head(&functions);
        if shared.len() >= MIN_SHARED || stems.len() > MANY {
            stems = BTreeSet::from([(shared.to_owned(), true)]);
        }
    }
    let pattern = |(stem, is_open): &(String, bool)| {
        let pattern = Pattern::literal(&format!("{head}{stem}"));
        if *is_open { pattern.and_more() } else { pattern }
    };
    Generalised {
        patterns: stems.iter().map(pattern).collect(),
        ..named(names, head)
    }
}
