//! What is said about the evidence behind a guardrail.

use crate::cli::basis::time;
use crate::cli::output::Output;
use crate::cli::proof::Proof;
use crate::cli::size::counted;
use crate::policy::Boundary;
use crate::policy::Consequence;
use crate::policy::RegionUses;
use crate::policy::Subject;
use crate::policy::UnusedServices;

/// Findings that are named one by one.
const TOLD: usize = 20;

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
        output.note(&format!(
            "{region}: {} of actions by {}{more}, the last at {}",
            counted(region_use.uses, "use"),
            told.join(", "),
            time(region_use.last_seen.unwrap_or_default())
        ));
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

/// Names the calls that would have been denied.
pub(super) fn tell_denied(proof: &Proof, output: &mut Output) {
    let denied = || {
        let findings = proof.findings.iter();
        findings.filter(|finding| matches!(finding.consequence, Consequence::Denied(_)))
    };
    for finding in denied().take(TOLD) {
        output.warning(&format!(
            "would have been denied: {} of {}, {} in {}, the last at {}, event {}",
            counted(finding.calls, "call"),
            finding.principal_arn,
            finding.action,
            finding.region.as_deref().unwrap_or("no region"),
            time(finding.last_seen),
            finding.event_ids().next().unwrap_or_default()
        ));
    }
    let more = denied().count().saturating_sub(TOLD);
    if more > 0 {
        output.warning(&format!("and {more} more kinds of calls"));
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
