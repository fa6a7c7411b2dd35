//! Traces, gathered use by use. Memory has a bound for every action of a principal, whatever the number of calls.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::ActionTrace;
use super::Traces;
use crate::policy::usage::PrincipalKey;

/// Events that are kept of an action.
const EVENTS: usize = 3;

/// Calls that are kept of an action: the first in order.
const CALLS: usize = 5;

/// Resources that are kept of an action: the first in order.
const RESOURCES: usize = 1_000;

/// One action that a call needed or may have needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TracedUse<'r> {
    /// Full name of the action.
    pub action: &'r str,
    /// Whether the call certainly needed it.
    pub is_used: bool,
    /// Whether the call failed, but not for lack of permission.
    pub is_failed: bool,
    /// Whether the resources are roles that were handed over.
    pub is_passed_role: bool,
    /// `eventSource`.
    pub event_source: &'r str,
    /// `eventName`.
    pub event_name: &'r str,
    /// `eventID`.
    pub event_id: &'r str,
    /// `eventTime`: microseconds since 1970-01-01T00:00:00Z.
    pub event_time: i64,
    /// Region that served it.
    pub serving_region: Option<&'r str>,
    /// The VPC endpoint through which it came.
    pub vpc_endpoint_id: Option<&'r str>,
    /// The service that made it on the principal's behalf.
    pub via_service: Option<&'r str>,
    /// ARNs of the resources that the record names, and whether each stands there as it is.
    pub resources: Vec<(&'r str, bool)>,
}

/// Traces while they are gathered; the order of the uses does not matter.
#[derive(Debug, Default)]
pub struct TraceLog {
    principals: BTreeMap<PrincipalKey, BTreeMap<String, Gathered>>,
}

/// What is known of one action of a principal.
#[derive(Debug, Default)]
struct Gathered {
    trace: ActionTrace,
    has_more_resources: bool,
    /// Times and ids of the last uses, the newest first.
    events: Vec<(i64, String)>,
    used_by: FirstCalls,
    perhaps_used_by: FirstCalls,
}

/// The first calls in the order of source and name, and whether one of each succeeded.
#[derive(Debug, Default)]
struct FirstCalls(BTreeMap<(String, String), bool>);

impl TraceLog {
    /// Adds what one call shows of one action.
    pub fn add(&mut self, principal: &PrincipalKey, traced: &TracedUse<'_>) {
        let actions = self.principals.entry(principal.clone()).or_default();
        let gathered = actions.entry(traced.action.to_owned()).or_default();
        match traced.is_used {
            true => gathered.add(traced),
            false => gathered.perhaps_used_by.add(traced),
        }
    }

    /// The traces.
    pub fn finish(self) -> Traces {
        let principals = self.principals.into_iter().map(|(key, actions)| {
            let actions = actions.into_iter().map(|(name, action)| (name, action.finish()));
            (key, actions.collect())
        });
        Traces {
            principals: principals.collect(),
        }
    }
}

impl Gathered {
    fn add(&mut self, traced: &TracedUse<'_>) {
        self.used_by.add(traced);
        if !traced.is_failed {
            self.add_event(traced);
        }
        let trace = &mut self.trace;
        if let Some(region) = traced.serving_region {
            add(&mut trace.regions, region);
        }
        match traced.vpc_endpoint_id {
            Some(endpoint) => add(&mut trace.endpoints, endpoint),
            None => trace.without_endpoint += 1,
        }
        match traced.via_service {
            Some(service) => add(&mut trace.services, service),
            None => trace.without_service += 1,
        }
        trace.unnamed += u64::from(traced.resources.is_empty());
        for (arn, is_proof) in &traced.resources {
            self.add_resource(traced, arn, *is_proof);
        }
    }

    fn add_event(&mut self, traced: &TracedUse<'_>) {
        let time = traced.event_time;
        let is_before = |(at, id): &(i64, String)| *at > time || (*at == time && id.as_str() < traced.event_id);
        let position = self.events.partition_point(is_before);
        if position < EVENTS {
            self.events.insert(position, (time, traced.event_id.to_owned()));
            self.events.truncate(EVENTS);
        }
    }

    fn add_resource(&mut self, traced: &TracedUse<'_>, arn: &str, is_proof: bool) {
        let trace = &mut self.trace;
        add(&mut trace.resources, arn);
        if !is_proof {
            add(&mut trace.hints, arn);
        }
        if traced.is_passed_role {
            let passed = (traced.event_source.to_owned(), arn.to_owned());
            trace.passed_roles.insert(passed);
        }
        if trace.resources.len() > RESOURCES
            && let Some(last) = trace.resources.pop_last()
        {
            self.has_more_resources = true;
            trace.hints.remove(&last);
            trace.passed_roles.retain(|(_, role)| *role != last);
        }
    }

    fn finish(self) -> ActionTrace {
        let mut trace = self.trace;
        let kept = u64::try_from(trace.resources.len()).unwrap_or(u64::MAX);
        trace.resource_count = kept + u64::from(self.has_more_resources);
        trace.event_ids = self.events.into_iter().map(|(_, id)| id).collect();
        trace.calls = self.used_by.succeeded();
        trace.uncertain_calls = self.perhaps_used_by.succeeded();
        trace
    }
}

impl FirstCalls {
    fn add(&mut self, traced: &TracedUse<'_>) {
        let call = (traced.event_source.to_owned(), traced.event_name.to_owned());
        *self.0.entry(call).or_default() |= !traced.is_failed;
        if self.0.len() > CALLS {
            self.0.pop_last();
        }
    }

    fn succeeded(self) -> BTreeSet<String> {
        let succeeded = self.0.into_iter().filter(|(_, has_succeeded)| *has_succeeded);
        succeeded
            .map(|((source, name), _)| format!("{source}:{name}"))
            .collect()
    }
}

/// Most texts are there already.
fn add(texts: &mut BTreeSet<String>, text: &str) {
    if !texts.contains(text) {
        texts.insert(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> PrincipalKey {
        PrincipalKey {
            arn: "arn:aws:iam::111122223333:role/r".to_owned(),
            unique_id: None,
        }
    }

    fn used<'r>(event_id: &'r str, event_time: i64, resources: &[(&'r str, bool)]) -> TracedUse<'r> {
        TracedUse {
            action: "s3:GetObject",
            is_used: true,
            event_source: "s3.amazonaws.com",
            event_name: "GetObject",
            event_id,
            event_time,
            resources: resources.to_vec(),
            ..TracedUse::default()
        }
    }

    /// The trace of `s3:GetObject`, which is the same whatever the order of the uses.
    fn trace(uses: &[TracedUse<'_>]) -> ActionTrace {
        let of = |uses: &mut dyn Iterator<Item = &TracedUse<'_>>| {
            let mut log = TraceLog::default();
            uses.for_each(|traced| log.add(&role(), traced));
            let mut traces = log.finish();
            let mut actions = traces.principals.remove(&role()).unwrap();
            actions.remove("s3:GetObject").unwrap()
        };
        let forward = of(&mut uses.iter());
        assert_eq!(forward, of(&mut uses.iter().rev()));
        forward
    }

    #[test]
    fn the_newest_events_are_named_and_of_one_moment_the_first_ids() {
        let uses = [("a", 1), ("d", 9), ("c", 5), ("b", 5), ("e", 5)];
        let uses = uses.map(|(id, time)| used(id, time, &[]));
        let trace = trace(&uses);
        assert_eq!(trace.event_ids, ["d", "b", "c"]);
        assert_eq!((trace.unnamed, trace.resource_count, trace.without_endpoint), (5, 0, 5));
    }

    #[test]
    fn calls_that_failed_are_no_evidence_of_use_and_their_resources_count() {
        let failed = TracedUse {
            is_failed: true,
            event_name: "HeadObject",
            ..used("f", 7, &[("arn:aws:s3:::b/x", false)])
        };
        let trace = trace(&[used("a", 1, &[("arn:aws:s3:::b/y", true)]), failed]);
        assert_eq!(trace.event_ids, ["a"]);
        assert_eq!(Vec::from_iter(&trace.calls), ["s3.amazonaws.com:GetObject"]);
        assert_eq!(trace.resource_count, 2);
        assert_eq!(Vec::from_iter(&trace.hints), ["arn:aws:s3:::b/x"]);
    }

    #[test]
    fn calls_that_may_have_needed_it_stand_apart() {
        let perhaps = TracedUse {
            is_used: false,
            event_name: "CopyObject",
            serving_region: Some("eu-west-1"),
            ..used("p", 7, &[("arn:aws:s3:::b/x", true)])
        };
        let trace = trace(&[perhaps]);
        assert_eq!(Vec::from_iter(&trace.uncertain_calls), ["s3.amazonaws.com:CopyObject"]);
        let nothing = ActionTrace {
            uncertain_calls: trace.uncertain_calls.clone(),
            ..ActionTrace::default()
        };
        assert_eq!(trace, nothing);
    }

    #[test]
    fn more_resources_than_are_kept_are_told() {
        let arns: Vec<String> = (0..=RESOURCES)
            .map(|number| format!("arn:aws:s3:::b/{number:04}"))
            .collect();
        let uses: Vec<TracedUse<'_>> = arns
            .iter()
            .map(|arn| TracedUse {
                is_passed_role: true,
                ..used("a", 1, &[(arn.as_str(), false)])
            })
            .collect();
        let whole = trace(&uses[..RESOURCES]);
        assert!(whole.names_all_resources());
        let cut = trace(&uses);
        assert!(!cut.names_all_resources());
        assert_eq!(
            (cut.resources.len(), cut.hints.len(), cut.passed_roles.len()),
            (RESOURCES, RESOURCES, RESOURCES)
        );
        assert!(!cut.hints.contains(&arns[RESOURCES]));
    }

    #[test]
    fn the_first_calls_are_named() {
        let names = ["F", "E", "D", "C", "B", "A"];
        let uses = names.map(|event_name| TracedUse {
            event_name,
            is_failed: event_name == "B",
            ..used("a", 1, &[])
        });
        let calls: Vec<String> = trace(&uses).calls.into_iter().collect();
        let wanted = ["A", "C", "D", "E"].map(|name| format!("s3.amazonaws.com:{name}"));
        assert_eq!(calls, wanted);
    }
}
