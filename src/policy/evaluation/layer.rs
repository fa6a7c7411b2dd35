//! What the policies of one layer decide by themselves.

use super::decision::Decision;
use super::decision::Layer;
use super::policy_set::NamedPolicy;
use super::request::Request;
use super::tally::Scan;
use super::truth::Truth;

/// Decides a request as if every other layer let it through and none granted it: allowed where these policies allow.
///
/// For layers whose policies name no principals: those of identities, boundaries, session and service control policies.
pub fn evaluate_layer<'a>(request: &Request, layer: Layer, policies: &[NamedPolicy<'a>]) -> Decision<'a> {
    let scan = Scan {
        request,
        has_boundary: Truth::Unknown,
    };
    let tally = scan.tally(layer, policies);
    if let (Truth::True, Some(by)) = (tally.deny.truth, tally.deny.place) {
        return Decision::ExplicitlyDenied { by };
    }
    match (tally.deny.truth, tally.allow.truth) {
        (_, Truth::False) => Decision::ImplicitlyDenied { at: layer },
        (Truth::False, Truth::True) => Decision::Allowed { by: tally.allow.place },
        _ => {
            let unknown = [&tally.deny, &tally.allow];
            let unknown = unknown.iter().filter(|finding| finding.truth == Truth::Unknown);
            Decision::Unknown {
                missing: unknown.flat_map(|finding| finding.missing.iter().cloned()).collect(),
            }
        }
    }
}
