//! What the facts say about an operation before the fields of one record are looked at.

use super::catalogue::ActionId;
use super::catalogue::Catalogue;
use super::catalogue::Observability;
use super::event_map::EventMap;
use super::event_map::Operation;
use super::passed_roles::without_version_suffix;

/// How sure a mapping is, and of what kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// The error message names the action.
    Stated,
    /// AWS lists the action of the operation's own name.
    Exact,
    /// AWS lists a single action, of another name.
    Single,
    /// Taken from documentation by hand, against or beyond what AWS lists.
    Curated,
    /// The action is an HTTP verb, as at API Gateway.
    HttpVerb,
    /// The action belongs to another service prefix than the operation.
    Foreign,
    /// From one data set of another project.
    DataSet,
    /// From a Service Reference that the user imported.
    Imported,
    /// Sources disagree, or AWS lists several actions without telling which one counts.
    Conflict,
    /// Several service prefixes share the event source, and the record does not tell which one was called.
    Ambiguous,
    /// The actions could not be told apart.
    Unresolved,
}

/// Where a mapping comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provenance {
    /// The record's own error message.
    ErrorMessage,
    /// The catalogue has an action of the operation's name.
    Catalogue,
    /// AWS Service Reference.
    ServiceReference,
    /// Curated from documentation.
    Curated,
    /// Curated, and in the AWS Service Reference.
    CuratedAndServiceReference,
    /// iam-dataset.
    DataSet,
    /// Nowhere: nothing is known.
    Nothing,
}

/// The actions of an operation under one service prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) prefix: &'static str,
    /// Name of the operation, without version suffix, as the facts spell it.
    pub(super) operation: &'static str,
    pub(super) primary: Vec<ActionId>,
    pub(super) conditional: Vec<ActionId>,
    pub(super) dependent: Vec<ActionId>,
    pub(super) confidence: Confidence,
    pub(super) provenance: Provenance,
}

/// What is known of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) is_known_source: bool,
    /// The event is known to be no API call, and no action bears its name.
    pub(super) is_no_call: bool,
    /// The event is known to be no API call in at least one of its forms.
    pub(super) is_listed_as_no_call: bool,
    pub(super) is_unauthenticated: bool,
    /// One per prefix that knows the operation, the usual one first.
    pub(super) candidates: Vec<Candidate>,
    pub(super) data_event_types: Vec<&'static str>,
}

impl Rule {
    pub(super) fn new(event_map: &EventMap, catalogue: &Catalogue, event_source: &str, event_name: &str) -> Self {
        let event_name = event_name.trim();
        let operation = without_version_suffix(event_name);
        let prefixes = prefixes(event_map, catalogue, event_source);
        let names = names(event_map, event_source, event_name, operation);
        let candidates_of = |name: &str| {
            let known = prefixes
                .iter()
                .filter_map(|prefix| candidate(event_map, catalogue, prefix, name));
            let mut candidates: Vec<Candidate> = known.collect();
            keep_operations(catalogue, &mut candidates);
            candidates
        };
        let candidates = names
            .iter()
            .map(|name| candidates_of(name))
            .find(|found| !found.is_empty());
        let candidates = candidates.unwrap_or_default();
        let is_listed_as_no_call = event_map.is_listed_as_no_call(event_source, event_name);
        let is_unauthenticated = |prefix: &&str| event_map.is_unauthenticated(prefix, operation);
        Self {
            is_known_source: !prefixes.is_empty() || event_map.is_listed_as_no_call(event_source, event_name),
            is_no_call: is_listed_as_no_call && candidates.is_empty(),
            is_listed_as_no_call,
            is_unauthenticated: prefixes.iter().any(is_unauthenticated),
            candidates,
            data_event_types: event_map.data_types_of_event(event_source, operation).to_vec(),
        }
    }
}

impl Confidence {
    const ALL: [Self; 11] = [
        Self::Stated,
        Self::Exact,
        Self::Single,
        Self::Curated,
        Self::HttpVerb,
        Self::Foreign,
        Self::DataSet,
        Self::Imported,
        Self::Conflict,
        Self::Ambiguous,
        Self::Unresolved,
    ];

    /// The one of this name; `None` for any other text.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|confidence| confidence.name() == name)
    }

    /// Whether a use may be stated as a fact.
    pub fn is_certain(self) -> bool {
        !matches!(self, Self::Conflict | Self::Ambiguous | Self::Unresolved)
    }

    /// Name in reports and in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Exact => "exact",
            Self::Single => "single",
            Self::Curated => "curated",
            Self::HttpVerb => "http-verb",
            Self::Foreign => "foreign",
            Self::DataSet => "data-set",
            Self::Imported => "imported",
            Self::Conflict => "conflict",
            Self::Ambiguous => "ambiguous",
            Self::Unresolved => "unresolved",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "exact" => Self::Exact,
            "single" => Self::Single,
            "curated" => Self::Curated,
            "http-verb" => Self::HttpVerb,
            "foreign" => Self::Foreign,
            "ids" => Self::DataSet,
            "imported" => Self::Imported,
            "conflict" => Self::Conflict,
            _ => Self::Unresolved,
        }
    }
}

impl Provenance {
    /// Name in reports and in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::ErrorMessage => "error-message",
            Self::Catalogue => "catalogue",
            Self::ServiceReference => "service-reference",
            Self::Curated => "curated",
            Self::CuratedAndServiceReference => "curated+service-reference",
            Self::DataSet => "iam-dataset",
            Self::Nothing => "none",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "sr" => Self::ServiceReference,
            "cur" => Self::Curated,
            "cur+sr" => Self::CuratedAndServiceReference,
            "ids" => Self::DataSet,
            _ => Self::Nothing,
        }
    }
}

/// Prefixes of a source; a source that the facts do not list is named after its only prefix.
pub(super) fn prefixes(event_map: &EventMap, catalogue: &Catalogue, event_source: &str) -> Vec<&'static str> {
    let listed = event_map.prefixes(event_source);
    if !listed.is_empty() {
        return listed;
    }
    let label = event_source.strip_suffix(".amazonaws.com").unwrap_or(event_source);
    catalogue.service_prefix(label).into_iter().collect()
}

/// Primary and conditional actions of the operations of this name, in the order of their prefixes.
pub(super) fn actions_named(event_map: &EventMap, catalogue: &Catalogue, event_name: &str) -> Vec<ActionId> {
    let name = without_version_suffix(event_name.trim());
    let prefixes = catalogue.services().into_iter();
    let candidates = prefixes.filter_map(|prefix| candidate(event_map, catalogue, prefix, name));
    let actions = candidates.flat_map(|it| it.primary.into_iter().chain(it.conditional));
    actions.collect()
}

/// Names under which the operation may be known, the recorded one first.
fn names<'a>(event_map: &EventMap, event_source: &str, event_name: &'a str, operation: &'a str) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for name in [event_name, operation] {
        let alias = event_map.alias(event_source, name);
        for known in [Some(name), alias].into_iter().flatten() {
            if !names.contains(&known) {
                names.push(known);
            }
        }
    }
    names
}

fn candidate(event_map: &EventMap, catalogue: &Catalogue, prefix: &'static str, name: &str) -> Option<Candidate> {
    let own = catalogue.find(&format!("{prefix}:{name}"));
    if let Some(operation) = event_map.operation(prefix, name) {
        return Some(exception(catalogue, operation, own));
    }
    let own = own?;
    let full_name = catalogue.action(own)?.name;
    Some(Candidate {
        prefix,
        operation: full_name.split_once(':').map_or(full_name, |(_, name)| name),
        primary: vec![own],
        conditional: Vec::new(),
        dependent: Vec::new(),
        confidence: Confidence::Exact,
        provenance: Provenance::Catalogue,
    })
}

/// Drops candidates whose action bears the name of the operation without belonging to an operation, if others are left:
/// the item actions of DAX have the names of DynamoDB's operations, but no event.
fn keep_operations(catalogue: &Catalogue, candidates: &mut Vec<Candidate>) {
    let belongs = |id: &ActionId| {
        let seen = catalogue.action(*id).map(|action| action.observability);
        let is_side_effect = matches!(
            seen,
            Some(Observability::NoOperation | Observability::Dependent | Observability::Conditional)
        );
        !is_side_effect
    };
    let is_operation =
        |candidate: &Candidate| candidate.provenance != Provenance::Catalogue || candidate.primary.iter().all(belongs);
    if candidates.iter().any(is_operation) {
        candidates.retain(is_operation);
    }
}

fn exception(catalogue: &Catalogue, operation: &Operation, own: Option<ActionId>) -> Candidate {
    let ids = |list: &str| {
        let names = list.split(',').filter(|name| !name.is_empty());
        names.filter_map(|name| catalogue.find(name)).collect::<Vec<_>>()
    };
    let mut primary = ids(operation.primary);
    let conditional = ids(operation.conditional);
    let provenance = Provenance::parse(operation.provenance);
    // A row that only adds dependent actions leaves the operation's own action as it is; a curated row means what it says.
    if primary.is_empty() && conditional.is_empty() && provenance != Provenance::Curated {
        primary.extend(own);
    }
    let mut dependent = ids(operation.dependent);
    dependent.extend(ids(operation.further_dependent));
    Candidate {
        prefix: operation.prefix,
        operation: operation.name,
        primary,
        conditional,
        dependent,
        confidence: Confidence::parse(operation.confidence),
        provenance,
    }
}
