//! The facts about AWS that the rest rests on: which actions there are, which calls need them, which leave no event.
//!
//! They are data: a pack embedded in the program, or a newer one that the user made with `facts import`. What a pack does
//! not know is unknown, never an error.

mod import;
mod pack;

use std::sync::LazyLock;

pub use import::IgnoredFile;
pub use import::ImportedFacts;
pub use import::ImportedFile;
pub use import::ImportedService;
pub use import::import;
pub use pack::FactsError;
pub(super) use pack::Row;
pub(super) use pack::Sections;

use super::action_set::ActionSet;
use super::catalogue::Action;
use super::catalogue::ActionId;
use super::catalogue::Catalogue;
use super::catalogue::ConditionKey;
use super::catalogue::Observability;
use super::catalogue::ResourceUse;
use super::data_plane;
use super::data_plane::DataTypes;
use super::event_map::EventMap;
use super::operations::Operations;
use super::passed_roles::PassedRoles;
use super::rule::actions_named;
use super::rule::prefixes;
use super::service_roles;
use super::service_roles::ServiceUse;
use super::template::Templates;
use super::unrecorded;

static EMBEDDED: &[u8] = include_bytes!("facts/pack.gz");

/// All facts of one pack.
#[derive(Debug, Default)]
pub struct Facts {
    about: Vec<(&'static str, &'static str)>,
    /// Hash of the pack.
    fingerprint: u64,
    pub(super) catalogue: Catalogue,
    pub(super) event_map: EventMap,
    pub(super) passed_roles: PassedRoles,
    pub(super) templates: Templates,
    sensitive: Vec<(&'static str, ActionSet)>,
    role_receivers: Vec<&'static str>,
    pub(super) data_types: DataTypes,
    pub(super) operations: Operations,
}

impl Facts {
    /// The facts that the program carries, read on first use.
    pub fn embedded() -> &'static Self {
        static FACTS: LazyLock<Facts> = LazyLock::new(|| {
            // INVARIANT: the embedded pack is readable; a test reads it.
            Facts::from_pack(EMBEDDED).unwrap_or_default()
        });
        &FACTS
    }

    /// Bytes of the pack that the program carries, to which `import` adds.
    pub fn embedded_pack() -> &'static [u8] {
        EMBEDDED
    }

    /// The line of what a pack is about that names the built-in facts an import began with.
    pub(super) fn built_in() -> (&'static str, String) {
        ("built-in", format!("{:016x}", fingerprint(EMBEDDED)))
    }

    /// Whether a pack was made by `import`, and of other built-in facts than the program carries: what these know better is not
    /// in it.
    pub fn is_outdated(&self) -> bool {
        let is_import = self.about.iter().any(|(name, _)| *name == "imported");
        let (name, value) = Self::built_in();
        is_import && !self.about.contains(&(name, value.as_str()))
    }

    /// Services whose actions an import brought.
    pub fn imported_services(&self) -> impl Iterator<Item = &'static str> {
        self.about.iter().filter_map(|(name, _)| name.strip_prefix("imported "))
    }

    /// Reads a pack.
    ///
    /// The text of the pack is kept for the life of the process, as names given out are `&'static str`.
    pub fn from_pack(pack: &[u8]) -> Result<Self, FactsError> {
        let sections = Sections::read(pack)?;
        let catalogue = Catalogue::read(&sections)?;
        let event_map = EventMap::read(&sections, &catalogue)?;
        let sensitive = sections.rows("sensitive")?.map(|mut row| {
            let mut actions = ActionSet::empty(catalogue.len());
            let kind = row.cell();
            let listed = row.list().filter_map(|name| catalogue.find(name));
            listed.for_each(|action| actions.insert(action));
            (kind, actions)
        });
        let resource_types: Vec<&'static str> = sections
            .rows("data-resource-types")?
            .map(|mut row| row.cell())
            .collect();
        let is_unlisted = |name: &&&'static str| !event_map.lists_data_type(name);
        Ok(Self {
            about: sections.rows("pack")?.map(|mut row| (row.cell(), row.cell())).collect(),
            fingerprint: fingerprint(pack),
            sensitive: sensitive.collect(),
            role_receivers: sections.rows("role-receivers")?.map(|mut row| row.cell()).collect(),
            data_types: DataTypes {
                unlisted: resource_types.iter().filter(is_unlisted).copied().collect(),
                all: resource_types,
            },
            passed_roles: PassedRoles::read(&sections)?,
            templates: Templates::read(&sections, &catalogue)?,
            catalogue,
            event_map,
            operations: Operations::default(),
        })
    }

    /// Versions and dates of what the pack is made of, as name and value, for every report.
    pub fn about(&self) -> &[(&'static str, &'static str)] {
        &self.about
    }

    /// Day of the newest source of the catalogue, `YYYY-MM-DD`.
    pub fn catalogue_date(&self) -> &'static str {
        let found = self.about.iter().find(|(name, _)| *name == "catalogue");
        found.map_or("unknown", |(_, day)| day)
    }

    /// What tells these facts, read by this program, from all others: what one of them said of an event, the same one says
    /// again.
    pub fn version(&self) -> String {
        format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), self.fingerprint)
    }

    /// All actions in order of their names.
    pub fn actions(&self) -> impl Iterator<Item = (ActionId, &Action)> {
        self.catalogue.actions()
    }

    /// What is known of an action; `None` for an id of other facts.
    pub fn action(&self, id: ActionId) -> Option<&Action> {
        self.catalogue.action(id)
    }

    /// Full name of an action; empty for an id of other facts.
    pub fn name(&self, id: ActionId) -> &'static str {
        self.catalogue.action(id).map_or("", |action| action.name)
    }

    /// The action of a full name, whose case does not matter; `None` if it is unknown or has wildcards.
    pub fn find(&self, name: &str) -> Option<ActionId> {
        self.catalogue.find(name)
    }

    /// Service prefixes in order.
    pub fn services(&self) -> Vec<&'static str> {
        self.catalogue.services()
    }

    /// Service prefixes of the actions that calls to an event source need; none for a source that is not known.
    pub fn services_of(&self, event_source: &str) -> Vec<&'static str> {
        prefixes(&self.event_map, &self.catalogue, event_source)
    }

    /// Service prefixes whose event sources are listed, as these are not named like the prefix alone.
    pub fn services_of_listed_sources(&self) -> Vec<&'static str> {
        self.event_map.listed_prefixes().collect()
    }

    /// Actions that an operation of this name needs, or may need for some parameters, under whatever service prefix.
    pub fn actions_named(&self, event_name: &str) -> Vec<ActionId> {
        actions_named(&self.event_map, &self.catalogue, event_name)
    }

    /// The set without any action.
    pub fn no_actions(&self) -> ActionSet {
        ActionSet::empty(self.catalogue.len())
    }

    /// The actions that an `Action` element's pattern matches; a pattern without a colon matches none, but `*` all.
    pub fn expand(&self, pattern: &str) -> ActionSet {
        self.catalogue.expand(pattern)
    }

    /// The actions that none of a `NotAction` element's patterns matches.
    pub fn expand_not<'a>(&self, patterns: impl IntoIterator<Item = &'a str>) -> ActionSet {
        let mut named = self.no_actions();
        patterns
            .into_iter()
            .for_each(|pattern| named.extend(&self.expand(pattern)));
        named.complement()
    }

    /// Resource types that an action takes; none means that `Resource` must be `*`.
    pub fn resource_uses(&self, id: ActionId) -> Vec<ResourceUse> {
        let action = self.catalogue.action(id);
        action.map_or_else(Vec::new, |action| self.catalogue.resource_uses(action))
    }

    /// Condition keys that an action supports, besides the global ones.
    pub fn condition_keys(&self, id: ActionId) -> Vec<ConditionKey> {
        let action = self.catalogue.action(id);
        action.map_or_else(Vec::new, |action| self.catalogue.condition_keys(action))
    }

    /// Kinds of harm that an action can do: `CredentialExposure`, `DataAccess`, `PrivEsc`, `ResourceExposure`.
    pub fn sensitivity(&self, id: ActionId) -> Vec<&'static str> {
        let kinds = self.sensitive.iter().filter(|(_, actions)| actions.contains(id));
        kinds.map(|(kind, _)| *kind).collect()
    }

    /// Resource types of the data events that show an action; empty if management events do.
    ///
    /// A trail records such an event only if its selectors ask for the type. Operations that share their event with those of
    /// another service may be recorded under a type of their own service, too.
    pub fn data_event_types(&self, id: ActionId) -> Vec<&'static str> {
        let mut types = self.event_map.data_event_types(id);
        let service = self.catalogue.action(id).and_then(|action| action.service());
        let family = service.unwrap_or_default().replace('-', "");
        let is_own = |name: &str| {
            name.split("::")
                .nth(1)
                .is_some_and(|it| it.eq_ignore_ascii_case(&family))
        };
        if !types.is_empty() && !types.iter().any(|name| is_own(name)) {
            types.extend(self.data_types.all.iter().filter(|name| is_own(name)));
            types.sort_unstable();
        }
        types
    }

    /// Resource types of the data events that may show an action instead of management events: those of its service of which
    /// nobody lists the calls that leave such events. Empty if it is certain that management events show it.
    pub fn perhaps_data_event_types(&self, id: ActionId) -> Vec<&'static str> {
        let Some(action) = self.catalogue.action(id) else {
            return Vec::new();
        };
        match action.observability {
            Observability::Management => {
                let uses = self.catalogue.resource_uses(action);
                data_plane::perhaps_types(action, &uses, &self.data_types)
            }
            _ => Vec::new(),
        }
    }

    /// Actions whose calls may need this one besides, and which data events alone show, or nobody knows which events: none is seen
    /// where they are not.
    pub fn needed_by_data_events(&self, id: ActionId) -> Vec<ActionId> {
        let is_hidden = |other: &ActionId| {
            let seen = self.catalogue.action(*other).map(|other| other.observability);
            let hidden = [
                Observability::Data,
                Observability::ManagementAndData,
                Observability::Unsure,
            ];
            seen.is_some_and(|seen| hidden.contains(&seen))
        };
        let needs = self.event_map.data_event_needs(id).iter().copied();
        needs.filter(|other| *other != id).filter(is_hidden).collect()
    }

    /// Every resource type that a trail's event selectors may name for data events.
    pub fn data_resource_types(&self) -> &[&'static str] {
        &self.data_types.all
    }

    /// The event source that a trail may exclude and that would hide an action: `kms.amazonaws.com`, `rdsdata.amazonaws.com`.
    pub fn excludable_source(&self, id: ActionId) -> Option<&'static str> {
        let service = self.catalogue.action(id)?.service()?;
        let sources = self.event_map.excludable_sources();
        let carries = |source: &&&str| prefixes(&self.event_map, &self.catalogue, source).contains(&service);
        sources.iter().find(carries).copied()
    }

    /// Why no call needs this permission, if so.
    pub fn permissionless_reason(&self, id: ActionId) -> Option<&'static str> {
        self.event_map.permissionless_reason(id)
    }

    /// Why a use of an action has no event of its own, if so.
    pub fn never_own_event_reason(&self, id: ActionId) -> Option<&'static str> {
        self.event_map.never_own_event_reason(self.name(id))
    }

    /// Why a use of an action leaves no event at all, if so.
    pub fn never_logged_reason(&self, id: ActionId) -> Option<&'static str> {
        let reason = self.event_map.never_logged_reason(self.name(id));
        reason
            .or_else(|| unrecorded::reason(self.name(id)))
            .or_else(|| data_plane::unrecorded_reason(self.catalogue.action(id)?))
    }

    /// Services that use an action with roles that they take, and may leave no event of these.
    pub fn service_uses(&self, id: ActionId) -> Vec<ServiceUse> {
        service_roles::uses(self.name(id))
    }

    /// Services to which AWS's own policies pass roles: values of `iam:PassedToService`.
    pub fn role_receivers(&self) -> &[&'static str] {
        &self.role_receivers
    }
}

/// FNV-1a, <http://www.isthe.com/chongo/tech/comp/fnv/>: packs are no secrets, and differ by more than a forger's choice.
fn fingerprint(pack: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    pack.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}

#[cfg(test)]
mod tests;
