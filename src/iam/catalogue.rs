//! The catalogue of IAM actions: level, resource types, condition keys, and whether a call to one leaves an event.

use std::cmp::Ordering;
use std::ops::Range;

use super::action_set::ActionSet;
use super::arn_format::ArnFormat;
use super::facts::FactsError;
use super::facts::Row;
use super::facts::Sections;
use super::wildcard::action_matches;

/// Position of an action in the catalogue; only meaningful with the facts that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionId(pub(super) u32);

impl ActionId {
    pub(super) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// One IAM action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// Full name as AWS spells it: `s3:GetObject`.
    pub name: &'static str,
    /// What the action does to a resource.
    pub level: Level,
    /// Whether and how a use of it can be seen in CloudTrail.
    pub observability: Observability,
    /// Whether AWS's own tools know it; `None` when nothing is known.
    pub support: Option<Support>,
    /// Whether it stands in the newest catalogue; a retired or renamed action may still stand in policies.
    pub is_current: bool,
    resource_uses: &'static str,
    condition_keys: &'static str,
}

/// Access level, as the service authorization reference gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Lists resources.
    List,
    /// Reads resources.
    Read,
    /// Creates, changes or deletes resources.
    Write,
    /// Changes who may do what.
    PermissionsManagement,
    /// Changes tags alone.
    Tagging,
    /// Not given.
    Unknown,
}

/// What CloudTrail can show of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Observability {
    /// A management event.
    Management,
    /// Data events only; off unless a trail asks for them.
    Data,
    /// Management events and data events.
    ManagementAndData,
    /// Only as a condition of another operation, in the event of that one.
    Conditional,
    /// Only as a permission that another operation needs besides its own.
    Dependent,
    /// Nothing: no call that needs it is recorded.
    NeverLogged,
    /// No public operation needs it: a console call or a pure permission. An event, if any, has the action's own name.
    NoOperation,
    /// Nobody knows: an operation that needs it came with an import.
    Unsure,
}

/// Which of AWS's tools know an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Support {
    /// IAM Access Analyzer generates policies with it.
    pub policy_generation: bool,
    /// IAM reports when it was last accessed.
    pub last_accessed: bool,
}

/// A resource type that an action takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceUse {
    /// Name of the type within the service, as `bucket`.
    pub resource_type: &'static str,
    /// ARN with `${…}` for its variable parts.
    pub arn_format: &'static str,
    /// Whether every call needs a resource of this type.
    pub is_required: bool,
}

/// Condition key that an action supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionKey {
    /// Name, as `aws:RequestTag/${TagKey}`.
    pub name: &'static str,
    /// Type of its value, as `String` or `ArrayOfString`.
    pub value_type: &'static str,
}

/// All actions in order of their names, and what their services declare.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    actions: Vec<Action>,
    resource_types: Vec<(&'static str, &'static str, &'static str)>,
    condition_keys: Vec<(&'static str, ConditionKey)>,
}

impl ResourceUse {
    /// Whether an ARN has the format of the type.
    pub fn fits(&self, arn: &str) -> bool {
        ArnFormat::parse(self.arn_format).matches(arn, true)
    }
}

impl Catalogue {
    pub(super) fn read(sections: &Sections) -> Result<Self, FactsError> {
        let actions: Vec<Action> = sections.rows("actions")?.map(read_action).collect();
        let is_ordered = |pair: &[Action]| match pair {
            [left, right] => caseless_order(left.name, right.name) == Ordering::Less,
            _ => true,
        };
        if !actions.windows(2).all(is_ordered) || u32::try_from(actions.len()).is_err() {
            return Err(FactsError::Disordered { section: "actions" });
        }
        let resource_types = sections.rows("resources")?;
        let condition_keys = sections.rows("condition-keys")?;
        Ok(Self {
            actions,
            resource_types: resource_types
                .map(|mut row| (row.cell(), row.cell(), row.cell()))
                .collect(),
            condition_keys: condition_keys
                .map(|mut row| {
                    let (service, name, value_type) = (row.cell(), row.cell(), row.cell());
                    (service, ConditionKey { name, value_type })
                })
                .collect(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.actions.len()
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = (ActionId, &Action)> {
        (0..).map(ActionId).zip(&self.actions)
    }

    pub(super) fn action(&self, id: ActionId) -> Option<&Action> {
        self.actions.get(id.index())
    }

    pub(super) fn find(&self, name: &str) -> Option<ActionId> {
        let found = self
            .actions
            .binary_search_by(|action| caseless_order(action.name, name))
            .ok()?;
        u32::try_from(found).ok().map(ActionId)
    }

    /// The service of a prefix, as the catalogue spells it; case does not matter.
    pub(super) fn service_prefix(&self, prefix: &str) -> Option<&'static str> {
        let first = self.actions.get(self.service(prefix))?.first()?;
        first.service()
    }

    /// Services in order, each once.
    pub(super) fn services(&self) -> Vec<&'static str> {
        let mut services: Vec<&'static str> = self.actions.iter().filter_map(|action| action.service()).collect();
        services.dedup();
        services
    }

    pub(super) fn expand(&self, pattern: &str) -> ActionSet {
        let mut matched = ActionSet::empty(self.len());
        if !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*') {
            return matched.complement();
        }
        let range = match pattern.split_once(':') {
            Some((service, _)) if !service.contains(['*', '?']) => self.service(service),
            _ => 0..self.actions.len(),
        };
        let first = range.start;
        for (offset, action) in self.actions.get(range).unwrap_or_default().iter().enumerate() {
            if action_matches(pattern, action.name) {
                matched.insert_index(first + offset);
            }
        }
        matched
    }

    pub(super) fn resource_uses(&self, action: &Action) -> Vec<ResourceUse> {
        let declared = declared_by(&self.resource_types, action.service(), |row| row.0);
        let numbers = action.resource_uses.split(',');
        let uses = numbers.filter_map(|number| {
            let (_, resource_type, arn_format) = *declared.get(number.trim_end_matches('*').parse::<usize>().ok()?)?;
            Some(ResourceUse {
                resource_type,
                arn_format,
                is_required: number.ends_with('*'),
            })
        });
        uses.collect()
    }

    pub(super) fn condition_keys(&self, action: &Action) -> Vec<ConditionKey> {
        let declared = declared_by(&self.condition_keys, action.service(), |row| row.0);
        let numbers = action.condition_keys.split(',');
        numbers
            .filter_map(|number| declared.get(number.parse::<usize>().ok()?).map(|row| row.1))
            .collect()
    }

    /// Positions of the actions of one service.
    fn service(&self, prefix: &str) -> Range<usize> {
        let order = |action: &Action| match action.service() {
            // `:` sorts behind `-`, so compare as far as the colon goes.
            Some(service) => caseless_order(
                action.name.get(..=service.len()).unwrap_or(service),
                &format!("{prefix}:"),
            ),
            None => Ordering::Less,
        };
        let start = self.actions.partition_point(|action| order(action) == Ordering::Less);
        let end = self
            .actions
            .partition_point(|action| order(action) != Ordering::Greater);
        start..end.max(start)
    }
}

impl Action {
    /// Service prefix, as `s3`.
    pub fn service(&self) -> Option<&'static str> {
        self.name.split_once(':').map(|(service, _)| service)
    }
}

impl Level {
    /// As the service authorization reference spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::PermissionsManagement => "Permissions management",
            Self::Tagging => "Tagging",
            Self::Unknown => "Unknown",
        }
    }
}

/// Order without regard to case of ASCII letters.
pub(super) fn caseless_order(left: &str, right: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    left.bytes().map(lower).cmp(right.bytes().map(lower))
}

/// The rows of one service in a list that is ordered by service.
fn declared_by<'a, T>(rows: &'a [T], service: Option<&str>, service_of: impl Fn(&T) -> &str) -> &'a [T] {
    let service = service.unwrap_or_default();
    let start = rows.partition_point(|row| service_of(row) < service);
    let end = rows.partition_point(|row| service_of(row) <= service);
    rows.get(start..end).unwrap_or_default()
}

fn read_action(mut row: Row) -> Action {
    let (name, flags) = (row.cell(), row.cell());
    let mut flags = flags.chars();
    Action {
        name,
        level: match flags.next() {
            Some('L') => Level::List,
            Some('R') => Level::Read,
            Some('W') => Level::Write,
            Some('P') => Level::PermissionsManagement,
            Some('T') => Level::Tagging,
            _ => Level::Unknown,
        },
        observability: match flags.next() {
            Some('m') => Observability::Management,
            Some('d') => Observability::Data,
            Some('D') => Observability::ManagementAndData,
            Some('c') => Observability::Conditional,
            Some('x') => Observability::Dependent,
            Some('n') => Observability::NeverLogged,
            Some('u') => Observability::Unsure,
            _ => Observability::NoOperation,
        },
        support: flags.next().and_then(|digit| digit.to_digit(4)).map(|bits| Support {
            policy_generation: bits & 1 != 0,
            last_accessed: bits & 2 != 0,
        }),
        is_current: flags.next() == Some('c'),
        resource_uses: row.cell(),
        condition_keys: row.cell(),
    }
}
