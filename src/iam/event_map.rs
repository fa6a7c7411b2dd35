//! Which events are calls, and which actions a call needs where that is not the action of the same name.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::catalogue::ActionId;
use super::catalogue::Catalogue;
use super::catalogue::Observability;
use super::catalogue::caseless_order;
use super::facts::FactsError;
use super::facts::Row;
use super::facts::Sections;
use super::rule::Rule;
use super::wildcard::action_matches;

type Text = &'static str;

/// Lists by a source or prefix, and the name of an operation.
type ListsByName = BTreeMap<Text, BTreeMap<Text, Vec<Text>>>;

type ByAction<T> = BTreeMap<ActionId, Vec<T>>;

/// The facts about events, each list in the order in which it is looked up.
#[derive(Debug, Default)]
pub(super) struct EventMap {
    sources: BTreeMap<&'static str, Vec<&'static str>>,
    aliases: BTreeMap<(&'static str, &'static str), &'static str>,
    prefix_choices: Vec<(&'static str, &'static str, &'static str)>,
    operations: Vec<Operation>,
    event_types: BTreeMap<&'static str, &'static str>,
    non_iam_events: BTreeMap<&'static str, Vec<&'static str>>,
    permissionless: BTreeMap<ActionId, &'static str>,
    unauthenticated: BTreeMap<&'static str, Vec<&'static str>>,
    never_own_event: Vec<(&'static str, &'static str)>,
    never_logged: Vec<(&'static str, &'static str)>,
    data_events: ListsByName,
    data_event_types: ByAction<Text>,
    data_event_needs: ByAction<ActionId>,
    forward_access: ListsByName,
    evidence: Vec<(&'static str, Vec<&'static str>)>,
    excludable_sources: Vec<&'static str>,
}

/// An operation that needs more, fewer or other actions than the one of its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    pub(super) prefix: &'static str,
    pub(super) name: &'static str,
    pub(super) primary: &'static str,
    pub(super) conditional: &'static str,
    pub(super) dependent: &'static str,
    pub(super) further_dependent: &'static str,
    pub(super) provenance: &'static str,
    pub(super) confidence: &'static str,
}

impl EventMap {
    pub(super) fn read(sections: &Sections, catalogue: &Catalogue) -> Result<Self, FactsError> {
        let operations: Vec<Operation> = sections.rows("operations")?.map(read_operation).collect();
        let is_ordered = |pair: &[Operation]| match pair {
            [left, right] => order(left, right.prefix, right.name) == Ordering::Less,
            _ => true,
        };
        if !operations.windows(2).all(is_ordered) {
            return Err(FactsError::Disordered { section: "operations" });
        }
        let permissionless = sections.rows("permissionless")?;
        let mut event_map = Self {
            operations,
            sources: lists(sections, "event-sources")?,
            aliases: triples(sections, "aliases")?
                .map(|(source, name, other)| ((source, name), other))
                .collect(),
            prefix_choices: triples(sections, "prefix-choices")?.collect(),
            event_types: notes(sections, "event-types")?.collect(),
            non_iam_events: lists(sections, "non-iam-events")?,
            permissionless: permissionless
                .filter_map(|mut row| Some((catalogue.find(row.cell())?, row.cell())))
                .collect(),
            unauthenticated: lists(sections, "unauthenticated")?,
            never_own_event: notes(sections, "never-own-event")?.map(readable).collect(),
            never_logged: notes(sections, "never-logged")?.map(readable).collect(),
            data_events: pair_lists(sections, "data-events")?,
            data_event_types: BTreeMap::new(),
            data_event_needs: BTreeMap::new(),
            forward_access: pair_lists(sections, "forward-access")?,
            evidence: sections
                .rows("evidence")?
                .map(|mut row| (row.cell(), row.list().collect()))
                .collect(),
            excludable_sources: notes(sections, "excludable-sources")?
                .map(|(source, _)| source)
                .collect(),
        };
        (event_map.data_event_types, event_map.data_event_needs) = event_map.by_action(catalogue);
        Ok(event_map)
    }

    /// Service prefixes whose operations an event source carries, the usual one first; empty for an unknown source.
    pub(super) fn prefixes(&self, event_source: &str) -> Vec<&'static str> {
        self.sources.get(event_source).cloned().unwrap_or_default()
    }

    /// Service prefixes of the event sources that are known, not each once.
    pub(super) fn listed_prefixes(&self) -> impl Iterator<Item = &'static str> {
        self.sources.values().flatten().copied()
    }

    /// Another name of the operation, if the event has one of its own.
    pub(super) fn alias(&self, event_source: &str, event_name: &str) -> Option<&'static str> {
        self.aliases.get(&(event_source, event_name)).copied()
    }

    /// Request parameters whose presence tells to which prefix a call to this source belongs.
    pub(super) fn prefix_choices(&self, event_source: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let choices = self
            .prefix_choices
            .iter()
            .filter(move |(source, ..)| *source == event_source);
        choices.map(|(_, parameter, prefix)| (*parameter, *prefix))
    }

    /// The exception for an operation, if it has one; case does not matter.
    pub(super) fn operation(&self, prefix: &str, name: &str) -> Option<&Operation> {
        let found = self
            .operations
            .binary_search_by(|operation| order(operation, prefix, name))
            .ok()?;
        self.operations.get(found)
    }

    /// What an event type that is no API call stands for.
    pub(super) fn event_type_note(&self, event_type: &str) -> Option<&'static str> {
        self.event_types.get(event_type).copied()
    }

    /// Whether an event of this name is known to be no API call.
    pub(super) fn is_listed_as_no_call(&self, event_source: &str, event_name: &str) -> bool {
        let names = self.non_iam_events.get(event_source);
        names.is_some_and(|names| names.contains(&event_name))
    }

    /// Whether callers of an operation need no credentials.
    pub(super) fn is_unauthenticated(&self, prefix: &str, name: &str) -> bool {
        self.unauthenticated
            .get(prefix)
            .is_some_and(|names| names.contains(&name))
    }

    pub(super) fn permissionless_reason(&self, action: ActionId) -> Option<&'static str> {
        self.permissionless.get(&action).copied()
    }

    pub(super) fn never_own_event_reason(&self, action: &str) -> Option<&'static str> {
        reason(&self.never_own_event, action)
    }

    pub(super) fn never_logged_reason(&self, action: &str) -> Option<&'static str> {
        reason(&self.never_logged, action)
    }

    /// Resource types of the data events of this name; empty if it is a management event.
    pub(super) fn data_types_of_event(&self, event_source: &str, event_name: &str) -> &[&'static str] {
        let names = self.data_events.get(event_source);
        let types = names.and_then(|names| names.get(event_name));
        types.map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether calls of an operation are known to leave data events.
    pub(super) fn has_data_event(&self, prefix: &str, name: &str) -> bool {
        let is_of_prefix = |source: &str| match self.sources.get(source) {
            Some(prefixes) => prefixes.contains(&prefix),
            None => source.strip_suffix(".amazonaws.com") == Some(prefix),
        };
        let mut of_prefix = self.data_events.iter().filter(|(source, _)| is_of_prefix(source));
        of_prefix.any(|(_, names)| names.keys().any(|known| known.eq_ignore_ascii_case(name)))
    }

    /// Whether an event of a resource type is listed.
    pub(super) fn lists_data_type(&self, resource_type: &str) -> bool {
        let mut lists = self.data_events.values().flat_map(BTreeMap::values);
        lists.any(|types| types.contains(&resource_type))
    }

    pub(super) fn data_event_types(&self, action: ActionId) -> Vec<&'static str> {
        self.data_event_types.get(&action).cloned().unwrap_or_default()
    }

    /// Actions of calls that may need an action besides, and leave data events or nobody knows what.
    pub(super) fn data_event_needs(&self, action: ActionId) -> &[ActionId] {
        self.data_event_needs
            .get(&action)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Actions that the service may use with the caller's rights while it serves the operation.
    pub(super) fn forward_access(&self, prefix: &str, name: &str) -> &[&'static str] {
        let names = self.forward_access.get(prefix);
        let actions = names.and_then(|names| names.get(name));
        actions.map(Vec::as_slice).unwrap_or_default()
    }

    /// Request parameters that prove the use of a conditional action.
    pub(super) fn evidence(&self, action: &str) -> impl Iterator<Item = &'static str> {
        let rows = self
            .evidence
            .iter()
            .filter(move |(pattern, _)| action_matches(pattern, action));
        rows.flat_map(|(_, parameters)| parameters.iter().copied())
    }

    pub(super) fn excludable_sources(&self) -> &[&'static str] {
        &self.excludable_sources
    }

    /// Resource types of the data events that show an action, and actions of calls with such events that may need it besides.
    fn by_action(&self, catalogue: &Catalogue) -> (ByAction<Text>, ByAction<ActionId>) {
        let (mut types_of, mut needs) = (ByAction::<Text>::new(), ByAction::<ActionId>::new());
        let events = self.data_events.iter();
        let events = events.flat_map(|(source, names)| names.iter().map(move |(name, types)| (source, name, types)));
        for (source, name, types) in events {
            let rule = Rule::new(self, catalogue, source, name);
            let candidates = rule.candidates.iter();
            let actions = candidates.flat_map(|candidate| candidate.primary.iter().chain(&candidate.conditional));
            for action in actions.filter(|action| is_seen_in_data_events(catalogue, **action)) {
                let known = types_of.entry(*action).or_default();
                known.extend(types);
                known.sort_unstable();
                known.dedup();
            }
            for candidate in &rule.candidates {
                let besides = candidate.conditional.iter().chain(&candidate.dependent);
                for action in besides {
                    needs.entry(*action).or_default().extend(&candidate.primary);
                }
            }
        }
        for operation in &self.operations {
            let ids = |cell: &'static str| cell.split(',').filter_map(|name| catalogue.find(name));
            let primary = ids(operation.primary).filter(|id| is_recording_unknown(catalogue, *id));
            let primary: Vec<ActionId> = primary.collect();
            let besides = [operation.conditional, operation.dependent, operation.further_dependent];
            if !primary.is_empty() {
                let besides = besides.into_iter().flat_map(ids);
                besides.for_each(|action| needs.entry(action).or_default().extend(&primary));
            }
        }
        for others in needs.values_mut() {
            others.sort_unstable();
            others.dedup();
        }
        (types_of, needs)
    }
}

fn is_seen_in_data_events(catalogue: &Catalogue, action: ActionId) -> bool {
    let seen = catalogue.action(action).map(|action| action.observability);
    matches!(
        seen,
        Some(Observability::Data | Observability::ManagementAndData | Observability::Conditional)
    )
}

fn is_recording_unknown(catalogue: &Catalogue, action: ActionId) -> bool {
    let known = catalogue.action(action);
    known.is_some_and(|known| known.observability == Observability::Unsure)
}

fn order(operation: &Operation, prefix: &str, name: &str) -> Ordering {
    let by_prefix = operation.prefix.cmp(prefix);
    by_prefix.then_with(|| caseless_order(operation.name, name))
}

fn reason(notes: &[(&'static str, &'static str)], action: &str) -> Option<&'static str> {
    let found = notes.iter().find(|(pattern, _)| action_matches(pattern, action));
    found.map(|(_, note)| *note)
}

fn read_operation(mut row: Row) -> Operation {
    Operation {
        prefix: row.cell(),
        name: row.cell(),
        primary: row.cell(),
        conditional: row.cell(),
        dependent: row.cell(),
        further_dependent: row.cell(),
        provenance: row.cell(),
        confidence: row.cell(),
    }
}

fn notes(sections: &Sections, name: &'static str) -> Result<impl Iterator<Item = (Text, Text)> + use<>, FactsError> {
    Ok(sections.rows(name)?.map(|mut row| (row.cell(), row.cell())))
}

/// A note without the marks of where it is from, which say nothing to those who read reports.
fn readable((name, note): (Text, Text)) -> (Text, Text) {
    let note = note.strip_suffix("(cur)").unwrap_or(note).trim();
    let plain = ["cur:", "doc:"].iter().find_map(|mark| note.strip_prefix(mark));
    match plain.unwrap_or(note).trim() {
        "cur" | "idem" => (name, ""),
        plain => (name, plain),
    }
}

fn triples(
    sections: &Sections,
    name: &'static str,
) -> Result<impl Iterator<Item = (Text, Text, Text)> + use<>, FactsError> {
    Ok(sections.rows(name)?.map(|mut row| (row.cell(), row.cell(), row.cell())))
}

fn lists(sections: &Sections, name: &'static str) -> Result<BTreeMap<Text, Vec<Text>>, FactsError> {
    let rows = sections.rows(name)?;
    Ok(rows.map(|mut row| (row.cell(), row.list().collect())).collect())
}

fn pair_lists(sections: &Sections, section: &'static str) -> Result<ListsByName, FactsError> {
    let mut lists = ListsByName::new();
    for mut row in sections.rows(section)? {
        let (first, second) = (row.cell(), row.cell());
        lists.entry(first).or_default().insert(second, row.list().collect());
    }
    Ok(lists)
}
