//! The rows of a pack while they are changed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;

use super::ImportedService;
use super::operation;
use super::operation::Divided;
use super::reference::ReferenceAction;
use super::reference::ServiceReference;
use crate::iam::Facts;
use crate::iam::facts::FactsError;
use crate::iam::facts::Sections;

/// Rows of every section by their keys, so that they are written in the order in which they are looked up.
#[derive(Debug)]
pub(super) struct Tables {
    /// Sections that an import leaves as they are.
    others: BTreeMap<&'static str, Vec<Vec<String>>>,
    about: BTreeMap<String, String>,
    /// ARN format by prefix and name.
    resources: BTreeMap<(String, String), String>,
    /// Keys of a service in their order, as actions refer to them by number.
    condition_keys: BTreeMap<String, Vec<(String, String)>>,
    /// By lower-case name.
    actions: BTreeMap<String, ActionRow>,
    /// Cells by prefix and lower-case name.
    operations: BTreeMap<(String, String), Vec<String>>,
}

/// A row of the section `actions`, with names instead of numbers.
#[derive(Debug, Clone)]
struct ActionRow {
    name: String,
    level: char,
    observability: char,
    support: char,
    is_current: bool,
    /// Name and whether every call needs it.
    resources: Vec<(String, bool)>,
    condition_keys: Vec<String>,
}

impl Tables {
    pub(super) fn read(sections: &Sections) -> Result<Self, FactsError> {
        let cells = |section| Ok::<_, FactsError>(sections.rows(section)?.map(|row| row.cells()));
        let mut condition_keys: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for [prefix, name, value_type] in cells("condition-keys")?.map(three) {
            condition_keys.entry(prefix).or_default().push((name, value_type));
        }
        let resources = cells("resources")?.map(three);
        let mut tables = Self {
            others: BTreeMap::new(),
            about: cells("pack")?
                .map(three)
                .map(|[name, value, _]| (name, value))
                .collect(),
            resources: resources.map(|[prefix, name, arn]| ((prefix, name), arn)).collect(),
            condition_keys,
            actions: BTreeMap::new(),
            operations: cells("operations")?
                .map(|row| (operation_key(cell(&row, 0), cell(&row, 1)), row))
                .collect(),
        };
        for row in cells("actions")? {
            let action = tables.read_action(&row);
            tables.actions.insert(action.name.to_ascii_lowercase(), action);
        }
        let own = ["pack", "resources", "condition-keys", "actions", "operations"];
        for section in sections.names().filter(|name| !own.contains(name)) {
            tables.others.insert(section, cells(section)?.collect());
        }
        Ok(tables)
    }

    /// Sets a line about the pack.
    pub(super) fn note(&mut self, name: &str, value: &str) {
        self.about.insert(name.to_owned(), value.to_owned());
    }

    /// Replaces what is known of the actions of a service.
    pub(super) fn apply(&mut self, reference: &ServiceReference) -> ImportedService {
        let prefix = &reference.prefix;
        for (name, arn) in &reference.resources {
            self.resources.insert((prefix.clone(), name.clone()), arn.clone());
        }
        let known = self.condition_keys.entry(prefix.clone()).or_default();
        for key in &reference.condition_keys {
            match known.iter_mut().find(|(name, _)| *name == key.0) {
                Some(known) => known.1.clone_from(&key.1),
                None => known.push(key.clone()),
            }
        }
        let mut service = ImportedService {
            prefix: prefix.clone(),
            version: reference.version.clone(),
            added: Vec::new(),
            retired: Vec::new(),
        };
        for action in &reference.actions {
            if self.apply_action(reference, action) {
                service.added.push(format!("{prefix}:{}", action.name));
            }
        }
        let named: BTreeSet<String> = reference
            .actions
            .iter()
            .map(|action| format!("{prefix}:{}", action.name).to_ascii_lowercase())
            .collect();
        let service_start = format!("{prefix}:");
        for (key, action) in &mut self.actions {
            if key.starts_with(&service_start) && !named.contains(key) && action.is_current {
                action.is_current = false;
                service.retired.push(action.name.clone());
            }
        }
        for (name, actions) in &reference.operations {
            self.apply_operation(prefix, name, actions);
        }
        service.added.sort();
        service
    }

    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        let mut section = |name: &str, rows: &mut dyn Iterator<Item = String>| {
            // INVARIANT: writing into a `String` does not fail.
            let _written = writeln!(text, "[{name}]");
            rows.for_each(|row| {
                let _written = writeln!(text, "{row}");
            });
        };
        section(
            "pack",
            &mut self.about.iter().map(|(name, value)| format!("{name}\t{value}")),
        );
        let resources = self.resources.iter();
        section(
            "resources",
            &mut resources.map(|((prefix, name), arn)| format!("{prefix}\t{name}\t{arn}")),
        );
        let keys = self.condition_keys.iter();
        let key_rows = keys.flat_map(|(prefix, keys)| keys.iter().map(move |key| (prefix, key)));
        section(
            "condition-keys",
            &mut key_rows.map(|(prefix, (name, value_type))| format!("{prefix}\t{name}\t{value_type}")),
        );
        section(
            "actions",
            &mut self.actions.values().map(|action| self.render_action(action)),
        );
        section("operations", &mut self.operations.values().map(|row| row.join("\t")));
        for (name, rows) in &self.others {
            section(name, &mut rows.iter().map(|row| row.join("\t")));
        }
        text
    }

    /// Returns whether the action is new.
    fn apply_action(&mut self, reference: &ServiceReference, action: &ReferenceAction) -> bool {
        let name = format!("{}:{}", reference.prefix, action.name);
        let known = self.actions.get(&name.to_ascii_lowercase()).cloned();
        let was_required = |resource: &str| {
            let mut uses = known.iter().flat_map(|known| &known.resources);
            uses.any(|(name, is_required)| name == resource && *is_required)
        };
        let resources = action
            .resources
            .iter()
            .map(|name| (name.clone(), was_required(name)))
            .collect();
        let observability = match known.as_ref().map_or('p', |known| known.observability) {
            'p' => operation::observability(reference, &name),
            // Earlier imports took what they did not know for a management event.
            'm' if Facts::embedded().find(&name).is_none() => operation::observability(reference, &name),
            known => known,
        };
        let row = ActionRow {
            level: action.level.or(known.as_ref().map(|known| known.level)).unwrap_or('?'),
            observability,
            support: action.support.map_or('-', |bits| char::from(b'0' + bits)),
            is_current: true,
            resources,
            condition_keys: action.condition_keys.clone(),
            name,
        };
        let is_new = !known.is_some_and(|known| known.is_current);
        self.actions.insert(row.name.to_ascii_lowercase(), row);
        is_new
    }

    fn apply_operation(&mut self, prefix: &str, name: &str, actions: &[String]) {
        let divided = Divided::new(prefix, name, actions);
        if !operation::is_known(prefix, name) {
            self.doubt(&divided.primary);
        }
        let key = operation_key(prefix, name);
        let known = self.operations.get(&key);
        if actions.is_empty() {
            return;
        }
        if let Some(row) = known.and_then(|row| operation::kept(row, actions)) {
            self.operations.insert(key, row);
            return;
        }
        let further = known.map_or("", |row| cell(row, 5)).to_owned();
        let own = format!("{prefix}:{name}");
        let is_plain = divided.conditional.is_empty() && divided.dependent.is_empty() && further.is_empty();
        if is_plain && divided.primary.iter().all(|action| action.eq_ignore_ascii_case(&own)) {
            self.operations.remove(&key);
            return;
        }
        let row = vec![
            prefix.to_owned(),
            name.to_owned(),
            joined(&divided.primary),
            joined(&divided.conditional),
            joined(&divided.dependent),
            further,
            "sr".to_owned(),
            divided.confidence.to_owned(),
        ];
        self.operations.insert(key, row);
    }

    /// Actions that a call needs of which nobody knows whether it leaves a management event.
    fn doubt(&mut self, needed: &[&String]) {
        for action in needed {
            let known = self.actions.get_mut(&action.to_ascii_lowercase());
            if let Some(row) = known.filter(|row| row.observability == 'm') {
                row.observability = 'u';
            }
        }
    }

    fn read_action(&self, row: &[String]) -> ActionRow {
        let name = cell(row, 0).to_owned();
        let service = name.split_once(':').map_or("", |(service, _)| service).to_owned();
        let mut flags = cell(row, 1).chars();
        let types: Vec<&String> = self.resource_names(&service).collect();
        let keys = self.condition_keys.get(&service);
        let resources = cell(row, 2).split(',').filter_map(|number| {
            let index = number.trim_end_matches('*').parse::<usize>().ok()?;
            Some(((*types.get(index)?).clone(), number.ends_with('*')))
        });
        let condition_keys = cell(row, 3).split(',').filter_map(|number| {
            let index = number.parse::<usize>().ok()?;
            Some(keys?.get(index)?.0.clone())
        });
        ActionRow {
            resources: resources.collect(),
            condition_keys: condition_keys.collect(),
            level: flags.next().unwrap_or('?'),
            observability: flags.next().unwrap_or('p'),
            support: flags.next().unwrap_or('-'),
            is_current: flags.next() == Some('c'),
            name,
        }
    }

    fn render_action(&self, action: &ActionRow) -> String {
        let service = action
            .name
            .split_once(':')
            .map_or("", |(service, _)| service)
            .to_owned();
        let types: Vec<&String> = self.resource_names(&service).collect();
        let uses = action.resources.iter().filter_map(|(name, is_required)| {
            let index = types.iter().position(|known| *known == name)?;
            Some(format!("{index}{}", if *is_required { "*" } else { "" }))
        });
        let uses: Vec<String> = uses.collect();
        let known = self.condition_keys.get(&service).map(Vec::as_slice).unwrap_or_default();
        let position = |key: &String| known.iter().position(|(name, _)| name == key);
        let keys: Vec<String> = action
            .condition_keys
            .iter()
            .filter_map(position)
            .map(|index| index.to_string())
            .collect();
        let state = if action.is_current { 'c' } else { 'r' };
        format!(
            "{}\t{}{}{}{state}\t{}\t{}",
            action.name,
            action.level,
            action.observability,
            action.support,
            uses.join(","),
            keys.join(",")
        )
    }

    fn resource_names<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a String> {
        let start = (service.to_owned(), String::new());
        let from = self.resources.range(start..);
        from.take_while(move |((prefix, _), _)| prefix == service)
            .map(|((_, name), _)| name)
    }
}

fn operation_key(prefix: &str, name: &str) -> (String, String) {
    (prefix.to_owned(), name.to_ascii_lowercase())
}

pub(super) fn cell(row: &[String], index: usize) -> &str {
    row.get(index).map(String::as_str).unwrap_or_default()
}

fn three(row: Vec<String>) -> [String; 3] {
    let mut cells = row.into_iter();
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}

fn joined(actions: &[&String]) -> String {
    let names: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
    names.join(",")
}
