//! Which resources a call used an action on.
//!
//! For each resource type of the action, the first of these that gives something: ARNs in the record's `resources`,
//! the known parameters of the operation, a parameter that is an ARN of the type, parameters named like the variables of
//! the type's ARN.

use serde_json::Value;

use super::arn_format::ArnFormat;
use super::arn_format::Part;
use super::catalogue::ActionId;
use super::catalogue::ResourceUse;
use super::facts::Facts;
use super::outcome::Call;
use super::outcome::ResourceOrigin;
use super::outcome::UsedResource;
use super::parameters;
use super::passed_roles::partition;
use super::rule::Candidate;
use super::template;
use super::template::MAX_VALUES;
use super::template::Surroundings;
use super::template::Target;

/// Resources of an action, and the required types for which the record names none.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) resources: Vec<UsedResource>,
    pub(super) missing_types: Vec<&'static str>,
}

/// Finds the resources that a call used an action on.
pub(super) fn resolve(
    facts: &Facts,
    action: ActionId,
    candidate: &Candidate,
    call: &Call<'_>,
    parameters: &Value,
) -> Resolved {
    let uses = facts.resource_uses(action);
    let formats: Vec<ArnFormat> = uses.iter().map(|used| ArnFormat::parse(used.arn_format)).collect();
    let templates = facts.templates.of(candidate.prefix, candidate.operation, action);
    let templates: Vec<(Target, &'static str)> = templates.collect();
    // At API Gateway the same identifiers stand in the paths of many types, of which a call concerns one.
    let is_by_path = candidate.prefix == "apigateway";
    let search = Search {
        formats: &formats,
        may_guess: !is_by_path && !templates.iter().any(|(target, _)| *target == Target::Arn),
        templates,
        parameters,
        recorded: call.resource_arns.iter().map(|arn| (*arn).to_owned()).collect(),
        given: parameters::arns(parameters).into_iter().map(str::to_owned).collect(),
        surroundings: Surroundings {
            partition: partition(call.region.unwrap_or_default()),
            region: call.region.unwrap_or_default(),
            account: call.account_id.unwrap_or_default(),
        },
    };
    let mut resolved = Resolved::default();
    for (used, format) in uses.iter().zip(&formats) {
        let (origin, arns) = search.of_type(used, format);
        if arns.is_empty() && used.is_required {
            resolved.missing_types.push(used.resource_type);
        }
        resolved.resources.extend(arns.into_iter().map(|arn| UsedResource {
            arn,
            resource_type: used.resource_type,
            origin,
        }));
    }
    let mut seen = std::collections::BTreeSet::new();
    resolved.resources.retain(|resource| seen.insert(resource.arn.clone()));
    resolved
}

struct Search<'a> {
    /// Of all types of the action.
    formats: &'a [ArnFormat],
    templates: Vec<(Target, &'static str)>,
    parameters: &'a Value,
    /// Whether names of parameters may be taken for names of variables.
    may_guess: bool,
    recorded: Vec<String>,
    given: Vec<String>,
    surroundings: Surroundings<'a>,
}

impl Search<'_> {
    fn of_type(&self, used: &ResourceUse, format: &ArnFormat) -> (ResourceOrigin, Vec<String>) {
        let recorded = self.of_format(&self.recorded, format);
        if !recorded.is_empty() {
            return (ResourceOrigin::Record, recorded);
        }
        let whole = self.whole_arns(used, format);
        if !whole.is_empty() {
            return (ResourceOrigin::Template, whole);
        }
        let given = self.of_format(&self.given, format);
        if !given.is_empty() {
            return (ResourceOrigin::Parameter, given);
        }
        match self.may_guess {
            true => self.assembled(format),
            false => (ResourceOrigin::Names, Vec::new()),
        }
    }

    /// The ARNs that have a format and no other format of the action that says more.
    fn of_format(&self, arns: &[String], format: &ArnFormat) -> Vec<String> {
        let is_best = |arn: &&String, loosely: bool| {
            let matching = self.formats.iter().filter(|other| other.matches(arn, loosely));
            let longest = matching.map(ArnFormat::literal_length).max();
            format.matches(arn, loosely) && longest == Some(format.literal_length())
        };
        let strict: Vec<String> = arns.iter().filter(|arn| is_best(arn, false)).cloned().collect();
        if !strict.is_empty() {
            return strict;
        }
        let is_unclaimed = |arn: &&String| !self.formats.iter().any(|other| other.matches(arn, false));
        let unclaimed = arns.iter().filter(is_unclaimed);
        unclaimed.filter(|arn| is_best(arn, true)).cloned().collect()
    }

    /// ARNs that templates give as a whole.
    fn whole_arns(&self, used: &ResourceUse, format: &ArnFormat) -> Vec<String> {
        let templates = self.templates.iter().filter(|(target, _)| match target {
            Target::ResourceType(name) => *name == used.resource_type,
            Target::Arn => true,
            Target::Variable(_) => false,
        });
        let values = templates.flat_map(|(_, text)| template::values(text, self.parameters, self.surroundings));
        let arns: Vec<String> = values.filter(|value| value.starts_with("arn:")).collect();
        self.of_format(&arns, format)
    }

    /// ARNs made of the values of a format's variables; none if one has no value.
    fn assembled(&self, format: &ArnFormat) -> (ResourceOrigin, Vec<String>) {
        let mut origin = ResourceOrigin::Names;
        let mut arns = vec![String::new()];
        let mut varies = false;
        for part in format.parts() {
            let values = match part {
                Part::Literal(text) => vec![(*text).to_owned()],
                Part::Variable("Partition") => vec![self.surroundings.partition.to_owned()],
                Part::Variable("Region") => vec![self.surroundings.region.to_owned()],
                Part::Variable("Account") => vec![self.surroundings.account.to_owned()],
                Part::Variable(name) => {
                    varies = true;
                    let (from, values) = self.variable(name);
                    origin = origin.min(from);
                    values
                }
            };
            if values.is_empty() || values.len().saturating_mul(arns.len()) > MAX_VALUES {
                return (origin, Vec::new());
            }
            arns = arns
                .iter()
                .flat_map(|head| values.iter().map(move |value| format!("{head}{value}")))
                .collect();
        }
        match varies {
            true => (origin, arns),
            false => (origin, Vec::new()),
        }
    }

    fn variable(&self, name: &str) -> (ResourceOrigin, Vec<String>) {
        let templates = self
            .templates
            .iter()
            .filter(|(target, _)| matches!(target, Target::Variable(of) if *of == name));
        let mut values: Vec<String> = templates
            .flat_map(|(_, text)| template::values(text, self.parameters, self.surroundings))
            .collect();
        let mut origin = ResourceOrigin::Template;
        if values.is_empty() {
            origin = ResourceOrigin::Names;
            values = parameters::strings_named(self.parameters, name);
        }
        // An ARN is no part of an ARN.
        values.retain(|value| !value.starts_with("arn:"));
        let mut seen = std::collections::BTreeSet::new();
        values.retain(|value| seen.insert(value.clone()));
        (origin, values)
    }
}
