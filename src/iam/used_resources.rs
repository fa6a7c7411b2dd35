//! Which resources a call used an action on.
//!
//! For each resource type of the action, the first of these that gives something: ARNs in the record's `resources`,
//! the known parameters of the operation, a parameter that is an ARN of the type, parameters named like the variables of
//! the type's ARN. What is no ARN in the record is a hint.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::arn_format::ArnFormat;
use super::arn_format::Part;
use super::authorized;
use super::catalogue::ResourceUse;
use super::copy_source;
use super::copy_source::CopyEnd;
use super::key_end::KeyEnd;
use super::key_end::NamedKey;
use super::outcome::Call;
use super::outcome::ResourceOrigin;
use super::outcome::UsedResource;
use super::owner;
use super::parameters::Parameters;
use super::parameters::part_of;
use super::passed_roles::partition;
use super::plan::ActionPlan;
use super::table_index;
use super::template;
use super::template::MAX_VALUES;
use super::template::Surroundings;
use super::template::Target;

/// A request, parsed when something is looked for in it: of most calls the record itself names the resources.
#[derive(Debug)]
pub(super) struct Request<'a> {
    text: Option<&'a str>,
    parameters: OnceCell<Parameters<'a>>,
    arns: OnceCell<Vec<Cow<'a, str>>>,
}

impl<'a> Request<'a> {
    /// A request of its JSON.
    pub(super) fn new(text: Option<&'a str>) -> Self {
        Self {
            text,
            parameters: OnceCell::new(),
            arns: OnceCell::new(),
        }
    }

    pub(super) fn parameters(&self) -> &Parameters<'a> {
        self.parameters.get_or_init(|| Parameters::parse(self.text))
    }

    /// Marks of the names of members whose values were read.
    pub(super) fn read(&self) -> u64 {
        self.parameters.get().map_or(0, Parameters::read)
    }

    /// ARNs among the parameters.
    pub(super) fn arns(&self) -> &[Cow<'a, str>] {
        self.arns.get_or_init(|| self.parameters().arns())
    }
}

/// Resources of an action, and the required types for which the record names none.
#[derive(Debug, Default)]
pub(super) struct Resolved<'a> {
    pub(super) resources: Vec<UsedResource<'a>>,
    pub(super) missing_types: Vec<&'static str>,
}

impl Resolved<'_> {
    /// Nothing of what an action works on.
    fn missing(plan: &ActionPlan) -> Self {
        Self {
            resources: Vec::new(),
            missing_types: plan.uses.iter().map(|(used, _)| used.resource_type).collect(),
        }
    }
}

/// Finds the resources for which IAM was asked when a call used an action.
pub(super) fn resolve<'a>(plan: &ActionPlan, call: &Call<'a>, request: &Request<'a>) -> Resolved<'a> {
    let mut resolved = named(plan, call, request);
    let parameters = || request.parameters();
    authorized::put_in_place(plan.name, call.resource_arns, parameters, &mut resolved.resources);
    resolved
}

/// The resources that a call names.
fn named<'a>(plan: &ActionPlan, call: &Call<'a>, request: &Request<'a>) -> Resolved<'a> {
    let region = call.region.unwrap_or_default();
    let stated_account = match plan.account_parameters.is_empty() {
        true => None,
        false => owner::stated_account(&plan.account_parameters, request.parameters()),
    };
    let surroundings = Surroundings {
        partition: partition(region),
        region,
        account: stated_account.as_deref().or(call.account_id).unwrap_or_default(),
    };
    if let Some(end) = plan.key_end {
        return of_key_end((plan, end), call, request, surroundings);
    }
    let source = plan
        .copy_end
        .and_then(|_| copy_source::source_arn(request.parameters(), surroundings.partition));
    if plan.copy_end == Some(CopyEnd::Source) {
        return of_copy_source(plan, call, source);
    }
    let without_source = source.map(|source| {
        let destination = copy_source::destination_arn(request.parameters(), surroundings.partition);
        let is_meant = |arn: &&str| source != *arn || destination.as_deref() == Some(*arn);
        let recorded = call.resource_arns.iter().copied();
        recorded.filter(is_meant).collect::<Vec<&str>>()
    });
    let search = Search {
        plan,
        request,
        recorded: without_source.as_deref().unwrap_or(call.resource_arns),
        surroundings,
    };
    let mut resolved = Resolved::default();
    for (used, format) in &plan.uses {
        let (origin, arns) = search.of_type(used, format);
        if arns.is_empty() && used.is_required {
            resolved.missing_types.push(used.resource_type);
        }
        for arn in arns {
            if !resolved.resources.iter().any(|known| known.arn == arn) {
                resolved.resources.push(UsedResource {
                    arn,
                    resource_type: used.resource_type,
                    origin,
                });
            }
        }
    }
    if plan.may_read_index && !table_index::put_for_table(&mut resolved.resources, request.parameters()) {
        resolved.missing_types = vec!["index"];
    }
    resolved
}

/// One of the two keys of a call.
fn of_key_end<'a>(
    (plan, end): (&ActionPlan, KeyEnd),
    call: &Call<'a>,
    request: &Request<'a>,
    surroundings: Surroundings<'_>,
) -> Resolved<'a> {
    let (arn, origin) = match end.key(call.resource_arns, request.parameters()) {
        Some(NamedKey::Recorded(arn)) => (Cow::Borrowed(arn), ResourceOrigin::Record),
        Some(NamedKey::Given(arn)) => (Cow::Owned(arn), ResourceOrigin::Parameter),
        Some(NamedKey::Id(id)) => {
            let (partition, region, account) = (surroundings.partition, surroundings.region, surroundings.account);
            let arn = format!("arn:{partition}:kms:{region}:{account}:key/{id}");
            (Cow::Owned(arn), ResourceOrigin::Template)
        }
        None => return Resolved::missing(plan),
    };
    let key = UsedResource {
        arn,
        resource_type: "key",
        origin,
    };
    Resolved {
        resources: vec![key],
        missing_types: Vec::new(),
    }
}

/// The object that is read, of which `resources` may say nothing.
fn of_copy_source<'a>(plan: &ActionPlan, call: &Call<'_>, source: Option<String>) -> Resolved<'a> {
    let Some(arn) = source else {
        return Resolved::missing(plan);
    };
    let origin = match call.resource_arns.contains(&arn.as_str()) {
        true => ResourceOrigin::Record,
        false => ResourceOrigin::Template,
    };
    let object = UsedResource {
        arn: Cow::Owned(arn),
        resource_type: "object",
        origin,
    };
    Resolved {
        resources: vec![object],
        missing_types: Vec::new(),
    }
}

struct Search<'s, 'a> {
    plan: &'s ActionPlan,
    request: &'s Request<'a>,
    recorded: &'s [&'a str],
    surroundings: Surroundings<'s>,
}

impl<'a> Search<'_, 'a> {
    fn of_type(&self, used: &ResourceUse, format: &ArnFormat) -> (ResourceOrigin, Vec<Cow<'a, str>>) {
        let recorded = self.of_format(self.recorded, format);
        if !recorded.is_empty() {
            return (ResourceOrigin::Record, recorded);
        }
        let whole = self.whole_arns(used, format);
        let given = self.of_format(self.request.arns(), format);
        // A template may make an ARN of this account of the name in an ARN of another one.
        if !whole.is_empty() && (given.is_empty() || whole.iter().any(|arn| given.contains(arn))) {
            let parameters = self.request.parameters();
            let origin = match whole.iter().all(|arn| parameters.holds(arn)) {
                true => ResourceOrigin::Parameter,
                false => ResourceOrigin::Template,
            };
            return (origin, whole);
        }
        if !given.is_empty() {
            return (ResourceOrigin::Parameter, given);
        }
        match self.plan.may_guess {
            true => self.assembled(format),
            false => (ResourceOrigin::Names, Vec::new()),
        }
    }

    /// The ARNs that have a format and no other format of the action that says more.
    fn of_format<T>(&self, arns: &[T], format: &ArnFormat) -> Vec<Cow<'a, str>>
    where
        T: AsRef<str> + Clone + Into<Cow<'a, str>>,
    {
        if arns.is_empty() {
            return Vec::new();
        }
        let others = || self.plan.uses.iter().map(|(_, format)| format);
        let is_best = |arn: &str, loosely: bool| {
            let says_more = |other: &ArnFormat| other.literal_length() > format.literal_length();
            format.matches(arn, loosely) && !others().any(|other| says_more(other) && other.matches(arn, loosely))
        };
        let is_claimed = |arn: &str| others().any(|other| other.matches(arn, false));
        let strict = arns.iter().filter(|arn| is_best((*arn).as_ref(), false));
        let strict: Vec<Cow<'a, str>> = strict.cloned().map(T::into).collect();
        if !strict.is_empty() {
            return strict;
        }
        let loose = arns.iter().filter(|arn| is_best((*arn).as_ref(), true));
        let unclaimed = loose.filter(|arn| !is_claimed((*arn).as_ref()));
        unclaimed.cloned().map(T::into).collect()
    }

    /// ARNs that templates give as a whole.
    fn whole_arns(&self, used: &ResourceUse, format: &ArnFormat) -> Vec<Cow<'a, str>> {
        let templates = self.plan.templates.iter().filter(|(target, _)| match target {
            Target::ResourceType(name) => *name == used.resource_type,
            Target::Arn => true,
            Target::Variable(_) => false,
        });
        let values =
            templates.flat_map(|(_, text)| template::values(text, self.request.parameters(), self.surroundings));
        let arns: Vec<Cow<'a, str>> = values.filter(|value| value.starts_with("arn:")).collect();
        self.of_format(&arns, format)
    }

    /// ARNs made of the values of a format's variables; none if one has no value, or if nothing varies.
    fn assembled(&self, format: &ArnFormat) -> (ResourceOrigin, Vec<Cow<'a, str>>) {
        let mut origin = ResourceOrigin::Names;
        let mut variables = Vec::new();
        for name in format.variables().filter(|name| self.surrounding(name).is_none()) {
            let (from, values) = self.variable(name);
            if values.is_empty() {
                return (from, Vec::new());
            }
            origin = origin.min(from);
            variables.push((name, values));
        }
        let combinations = variables.iter().map(|(_, values)| values.len());
        if variables.is_empty() || combinations.fold(1, usize::saturating_mul) > MAX_VALUES {
            return (origin, Vec::new());
        }
        let mut arns = vec![String::new()];
        let mut before = "";
        for part in format.parts() {
            let given = match part {
                Part::Literal(text) => Some(*text),
                Part::Variable(name) => self.surrounding(name),
            };
            if let Some(text) = given {
                arns.iter_mut().for_each(|arn| arn.push_str(text));
                before = text;
                continue;
            }
            let named = variables.iter().find(|(name, _)| *part == Part::Variable(name));
            let values = named.map(|(_, values)| values.as_slice()).unwrap_or_default();
            let names: Vec<&str> = values.iter().filter_map(|value| name_behind(before, value)).collect();
            match names.as_slice() {
                [name] => arns.iter_mut().for_each(|arn| arn.push_str(name)),
                names => {
                    arns = arns
                        .iter()
                        .flat_map(|head| names.iter().map(move |name| [head, *name].concat()))
                        .collect();
                }
            }
            before = "";
        }
        (origin, arns.into_iter().map(Cow::Owned).collect())
    }

    /// Value of a variable that the request does not hold.
    fn surrounding(&self, name: &str) -> Option<&str> {
        match name {
            "Partition" => Some(self.surroundings.partition),
            "Region" => Some(self.surroundings.region),
            "Account" => Some(self.surroundings.account),
            _ => None,
        }
    }

    /// Values of a parameter of the request that is named like a variable without its ending, as `cluster` for
    /// `ClusterName`; of an ARN, the name that it ends in.
    fn shortly_named(&self, name: &str) -> Vec<Cow<'a, str>> {
        let short = name.strip_suffix("Name").or_else(|| name.strip_suffix("Id"));
        let Some(short) = short.filter(|short| !short.is_empty()) else {
            return Vec::new();
        };
        // A policy, say, is no name.
        let is_name = |name: &&str| {
            let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !name.is_empty() && name.bytes().all(is_fit)
        };
        let values = self.request.parameters().strings_at(short).into_iter();
        let names = values.filter_map(|value| part_of(&value, |value| value.rsplit('/').next().filter(is_name)));
        names.collect()
    }

    fn variable(&self, name: &str) -> (ResourceOrigin, Vec<Cow<'a, str>>) {
        let parameters = self.request.parameters();
        let templates = self
            .plan
            .templates
            .iter()
            .filter(|(target, _)| matches!(target, Target::Variable(of) if *of == name));
        let mut values: Vec<Cow<'a, str>> = templates
            .flat_map(|(_, text)| template::values(text, parameters, self.surroundings))
            .collect();
        let mut origin = ResourceOrigin::Template;
        if values.is_empty() {
            origin = ResourceOrigin::Names;
            values = parameters.strings_named(name);
        }
        if values.is_empty() {
            values = self.shortly_named(name);
        }
        // An ARN is no part of an ARN.
        values.retain(|value| !value.starts_with("arn:"));
        if values.len() > 1 {
            let mut seen = BTreeSet::new();
            values.retain(|value| seen.insert(value.clone()));
        }
        (origin, values)
    }
}

/// What a parameter adds to an ARN behind a literal such as `parameter/`; `None` if it names a resource of another type.
///
/// Requests name parameters as `/app/x`, aliases as `alias/x` and hosted zones as `/hostedzone/Z1`, whose ARNs end in
/// `parameter/app/x`, `alias/x` and `hostedzone/Z1`.
fn name_behind<'v>(literal: &str, value: &'v str) -> Option<&'v str> {
    let kind = literal.rsplit(':').next().unwrap_or_default();
    let Some(word) = kind.strip_suffix('/').filter(|word| !word.is_empty()) else {
        return Some(value);
    };
    let value = value.strip_prefix('/').unwrap_or(value);
    if word == "key" && value.starts_with("alias/") {
        return None;
    }
    let own = value.strip_prefix(word).and_then(|rest| rest.strip_prefix('/'));
    Some(own.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_the_kind_or_a_slash_before_them_make_the_same_arn() {
        for (literal, value, name) in [
            (":parameter/", "/app/x", Some("app/x")),
            (":parameter/", "app", Some("app")),
            (":alias/", "alias/x", Some("x")),
            (":::hostedzone/", "/hostedzone/Z1", Some("Z1")),
            (":key/", "alias/x", None),
            (":log-group:", "/a/b", Some("/a/b")),
            // A key of an object may begin with a slash.
            ("/", "/k", Some("/k")),
        ] {
            assert_eq!(name_behind(literal, value), name, "{literal}{value}");
        }
    }
}
