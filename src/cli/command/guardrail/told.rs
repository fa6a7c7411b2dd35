//! What is said about the evidence behind a guardrail.

use std::collections::BTreeMap;

use crate::cli::basis::time;
use crate::cli::output::Output;
use crate::cli::size::counted;
use crate::policy::Boundary;
use crate::policy::Reason;
use crate::policy::RegionUses;
use crate::policy::Subject;
use crate::policy::UnusedServices;

/// Accounts that are named one by one.
const TOLD_ACCOUNTS: usize = 10;

/// Principals of a region that are named one by one.
const TOLD_PRINCIPALS: usize = 3;

/// Says who uses which region.
pub(super) fn tell_regions(uses: &RegionUses<'_>, output: &mut Output) {
    for (region, region_use) in &uses.regions {
        let principals = &region_use.principals;
        let told: Vec<&str> = principals.iter().take(TOLD_PRINCIPALS).map(String::as_str).collect();
        let more = match principals.len().saturating_sub(TOLD_PRINCIPALS) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        let uses = match region_use.uses {
            0 => "perhaps used".to_owned(),
            uses => format!("{} of actions", counted(uses, "use")),
        };
        output.note(&format!(
            "{region}: {uses} by {}{more}, the last at {}",
            told.join(", "),
            time(region_use.last_seen.unwrap_or_default())
        ));
    }
    if uses.has_profiles {
        output.note(
            "models of Bedrock were invoked through inference profiles, which answer from other regions: the policy leaves those calls alone",
        );
    }
}

/// Says of which accounts it proves nothing that nobody was seen in a region, and why.
pub(super) fn tell_region_doubts(doubts: &BTreeMap<&str, Reason>, output: &mut Output) {
    tell_doubts("silence of a region proves nothing", doubts, output);
}

/// Says of which accounts a region would not be seen in which nothing but data is read and written, and why.
pub(super) fn tell_data_doubts(doubts: &BTreeMap<&str, Reason>, output: &mut Output) {
    tell_doubts(
        "a region in which only data is read and written would not be seen",
        doubts,
        output,
    );
}

fn tell_doubts(what: &str, doubts: &BTreeMap<&str, Reason>, output: &mut Output) {
    for (account, reason) in doubts.iter().take(TOLD_ACCOUNTS) {
        output.warning(&format!("{account}: {what} ({}): {reason}", reason.name()));
    }
    let more = doubts.len().saturating_sub(TOLD_ACCOUNTS);
    if more > 0 {
        output.warning(&format!("and the same of {}", counted(more, "more account")));
    }
}

/// Says of how many services what is known.
pub(super) fn tell_services(found: &UnusedServices, output: &mut Output) {
    output.note(&format!(
        "{} in use, {} certainly unused, {} unknown and left alone",
        counted(found.used.len(), "service"),
        found.unused.len(),
        found.unknown.len(),
    ));
    for (service, reason) in &found.unknown {
        output.detail(&format!("{service} is unknown: {reason}"));
    }
}

/// Says what a boundary was made of, and for whom.
pub(super) fn tell_boundary(found: &Boundary, chosen: &[Subject<'_>], output: &mut Output) {
    output.note(&format!(
        "{}: {} used, {} unknown and kept",
        counted(chosen.len(), "principal"),
        counted(found.used, "action"),
        counted(found.unknown, "action")
    ));
    if !found.widened.is_empty() {
        output.note(&format!(
            "patterns let more of {} through, to stay short enough:",
            counted(found.widened.len(), "service")
        ));
        for service in &found.widened {
            output.note(&format!("  {service}"));
        }
    }
    let members = chosen.iter().filter_map(|subject| subject.member);
    let bounded = members.filter(|member| member.principal.boundary_arn.is_some()).count();
    if bounded > 0 {
        let count = counted(bounded, "principal");
        output.warning(&format!(
            "{count} with a boundary already: this one may be wider than that"
        ));
    }
}
