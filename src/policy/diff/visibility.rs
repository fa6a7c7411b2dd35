//! Whether a use of an action would have been seen.

use std::collections::BTreeSet;
use std::collections::HashMap;

use super::reason::Reason;
use super::span::Span;
use crate::iam::ActionId;
use crate::iam::Facts;
use crate::iam::Level;
use crate::iam::Observability;
use crate::iam::ServiceUse;
use crate::iam::document::Scope;
use crate::iam::document::Statement;
use crate::policy::account_log::AccountLog;
use crate::policy::account_log::Recorded;
use crate::policy::account_log::Stream;
use crate::policy::trails::Told;
use crate::policy::trails::Trails;
use crate::policy::trails::Wanted;
use crate::policy::window::Window;

/// What a publish without a topic leaves: <https://docs.aws.amazon.com/sns/latest/dg/logging-using-cloudtrail.html> lists topics and
/// endpoints of platforms as what data events are of, and no phone numbers.
const MESSAGES_TO_PHONES: &str = "messages to phone numbers, which this statement allows, are no data events";

/// What the facts say about the traces of actions, each looked up once.
#[derive(Debug)]
pub(super) struct Visibility<'f> {
    facts: &'f Facts,
    traces: HashMap<ActionId, Trace>,
}

/// Which events show a use of an action.
#[derive(Debug)]
pub(super) struct Trace {
    /// Why no log can show it.
    pub(super) never: Option<Reason>,
    /// Services that may use it with a role and leave no event of that.
    pub(super) service_uses: Vec<ServiceUse>,
    /// Actions whose calls may need it besides and leave data events alone, and which events show these.
    pub(super) needed_by: Vec<(ActionId, Self)>,
    /// Service prefix.
    pub(super) service: &'static str,
    /// Full name of the action.
    pub(super) action: &'static str,
    /// Resource types of its data events; empty if management events show it.
    resource_types: Vec<&'static str>,
    /// Resource types of the data events that may show it instead of management events.
    perhaps_types: Vec<&'static str>,
    excludable_source: Option<&'static str>,
    is_read: bool,
    /// Whether it is sure to be recorded as writing.
    is_write: bool,
}

/// Where a use would have been seen.
#[derive(Debug)]
pub(super) struct Place<'p> {
    pub(super) account_id: &'p str,
    pub(super) log: &'p AccountLog,
    /// Regions in which the principal may be relied upon.
    pub(super) regions: &'p BTreeSet<String>,
    pub(super) trails: &'p Trails,
    /// What grants the action.
    pub(super) statement: &'p Statement,
}

impl<'f> Visibility<'f> {
    pub(super) fn new(facts: &'f Facts) -> Self {
        Self {
            facts,
            traces: HashMap::new(),
        }
    }

    pub(super) fn of(&mut self, action: ActionId) -> &Trace {
        let facts = self.facts;
        self.traces.entry(action).or_insert_with(|| {
            let alone = Trace::of(facts, action);
            let needed_by = facts.needed_by_data_events(action).into_iter();
            let needed_by = needed_by.map(|other| (other, Trace::of(facts, other)));
            // What shows the action itself shows them as well, then.
            let needed_by = needed_by.filter(|(_, other)| !alone.shows(other));
            Trace {
                needed_by: needed_by.collect(),
                ..alone
            }
        })
    }
}

impl Trace {
    fn of(facts: &Facts, id: ActionId) -> Self {
        let action = facts.action(id);
        let service = action.and_then(|action| action.service()).unwrap_or_default();
        Self {
            never: never(facts, id),
            service_uses: facts.service_uses(id),
            needed_by: Vec::new(),
            service,
            action: action.map_or("", |action| action.name),
            resource_types: facts.data_event_types(id),
            perhaps_types: facts.perhaps_data_event_types(id),
            excludable_source: facts.excludable_source(id),
            is_read: action.is_some_and(|action| matches!(action.level, Level::Read | Level::List)),
            is_write: false,
        }
    }

    /// The calls that give, change and take away permissions: <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>.
    pub(super) fn of_grants() -> Self {
        Self {
            never: None,
            service_uses: Vec::new(),
            needed_by: Vec::new(),
            service: "iam",
            action: "iam:PutRolePolicy",
            resource_types: Vec::new(),
            perhaps_types: Vec::new(),
            excludable_source: None,
            is_read: false,
            is_write: true,
        }
    }

    /// Whether data events that show its uses are sure to show those of another action, too.
    fn shows(&self, other: &Self) -> bool {
        let mut types = other.resource_types.iter().chain(&other.perhaps_types);
        let has_types = !other.resource_types.is_empty();
        has_types && self.is_read == other.is_read && types.all(|wanted| self.resource_types.contains(wanted))
    }

    /// Why no log shows a use that a statement may allow beside those which logs do show.
    pub(super) fn partly_unlogged(&self, statement: &Statement) -> Option<Reason> {
        // Such a message has no topic, so that it is allowed for all resources alone.
        let is_any = |resource: &str| !resource.starts_with("arn:");
        let is_allowed = match &statement.resources {
            Some(Scope::Only(resources)) => resources.texts().any(is_any),
            _ => true,
        };
        (self.action == "sns:Publish" && is_allowed).then_some(Reason::NeverLogged(MESSAGES_TO_PHONES))
    }

    /// The kinds of management events of which a use may be one, reading ones first. Some calls of a writing level, such as
    /// `sts:AssumeRole` and `kms:Decrypt`, are recorded as reading.
    fn kinds(&self) -> impl Iterator<Item = bool> + use<> {
        let (is_read, is_write) = (self.is_read, self.is_write);
        [true, false].into_iter().filter(move |kind| match kind {
            true => !is_write,
            false => !is_read,
        })
    }

    /// Why the logs would not show a use; `None` if they would.
    pub(super) fn hidden(&self, place: &Place<'_>) -> Option<Reason> {
        match self.resource_types.is_empty() {
            true => self.hidden_management(place).or_else(|| self.perhaps_hidden(place)),
            false => self.hidden_data(place, &self.resource_types),
        }
    }

    /// Since when a use would have been seen, if not since the begin of the window, or why it would not.
    pub(super) fn seen_since(&self, place: &Place<'_>, (window, needed): (Window, i64)) -> Result<Option<i64>, Reason> {
        let mut span = Span::new(window, needed);
        let types = [self.resource_types.as_slice(), self.perhaps_types.as_slice()].concat();
        for region in place.regions.iter().filter(|_| !types.is_empty()) {
            let wanted = place.wanted(self.is_read);
            if place.trails.data(wanted, region, &types, place.statement) == Told::Recorded {
                continue;
            }
            types.iter().try_for_each(|resource_type| {
                let stream = Stream::Data {
                    region: region.clone(),
                    resource_type: (*resource_type).to_owned(),
                    is_read: self.is_read,
                };
                span.narrow(place.log.extents.get(&stream), || stream.clone())
            })?;
        }
        if self.resource_types.is_empty() && !self.is_management_told(place) {
            for is_read in self.kinds() {
                let stream = Stream::Management { is_read };
                span.narrow(place.log.extents.get(&stream), || stream.clone())?;
            }
            if let Some(source) = self.excludable_source {
                let stream = Stream::Source(source.to_owned());
                span.narrow(place.log.extents.get(&stream), || stream.clone())?;
            }
        }
        Ok(span.since)
    }

    /// Whether the selectors are known to ask for the management events of a use in every region.
    fn is_management_told(&self, place: &Place<'_>) -> bool {
        let mut pairs = self
            .kinds()
            .flat_map(|is_read| place.regions.iter().map(move |region| (is_read, region)));
        !place.regions.is_empty()
            && pairs.all(|(is_read, region)| {
                let wanted = place.wanted(is_read);
                place.trails.management(wanted, region, self.excludable_source) == Told::Recorded
            })
    }

    fn perhaps_hidden(&self, place: &Place<'_>) -> Option<Reason> {
        if self.perhaps_types.is_empty() {
            return None;
        }
        self.hidden_data(place, &self.perhaps_types)?;
        Some(Reason::MayBeDataEvent(self.perhaps_types.clone()))
    }

    fn hidden_management(&self, place: &Place<'_>) -> Option<Reason> {
        let log = place.log;
        let mut is_told = !place.trails.is_empty() && !place.regions.is_empty();
        for is_read in self.kinds() {
            let wanted = place.wanted(is_read);
            let told = |region: &String| place.trails.management(wanted, region, self.excludable_source);
            let told: Vec<(&String, Told)> = place.regions.iter().map(|region| (region, told(region))).collect();
            let missing = told.iter().filter(|(_, told)| *told == Told::NotRecorded);
            let missing: Vec<String> = missing.map(|(region, _)| (*region).clone()).collect();
            if !missing.is_empty() {
                return Some(Reason::NotSelected {
                    resource_types: Vec::new(),
                    regions: missing,
                    is_read,
                });
            }
            is_told &= told.iter().all(|(_, told)| *told == Told::Recorded);
        }
        if let Some(source) = self
            .excludable_source
            .filter(|source| !is_told && !log.sources.contains(*source))
        {
            return Some(Reason::SourceNotRecorded(source));
        }
        // Every account makes calls of both kinds: logs without one contradict selectors that ask for it, unless its events
        // came first in another way.
        let is_missing = |is_read: &bool| match is_read {
            true => !log.management.reads,
            false => !log.management.writes,
        };
        let is_read = self.kinds().find(is_missing)?;
        match (log.has_excerpts, is_told) {
            (false, _) => Some(Reason::ManagementEventsNotRecorded { is_read }),
            (true, false) => Some(Reason::CopiesOfExcerpts),
            (true, true) => None,
        }
    }

    fn hidden_data(&self, place: &Place<'_>, types: &[&'static str]) -> Option<Reason> {
        let (mut not_selected, mut not_seen) = (Vec::new(), Vec::new());
        let (wanted, mut is_told) = (place.wanted(self.is_read), !place.regions.is_empty());
        for region in place.regions {
            let told = place.trails.data(wanted, region, types, place.statement);
            is_told &= told == Told::Recorded;
            match told {
                Told::Recorded => {}
                Told::NotRecorded => not_selected.push(region.clone()),
                Told::Nothing | Told::PerhapsRecorded if !self.is_seen(place.log, types, Some(region)) => {
                    not_seen.push(region.clone());
                }
                Told::Nothing | Told::PerhapsRecorded => {}
            }
        }
        if !not_selected.is_empty() {
            return Some(Reason::NotSelected {
                resource_types: types.to_vec(),
                regions: not_selected,
                is_read: self.is_read,
            });
        }
        let is_nowhere = !is_told && !self.is_seen(place.log, types, None);
        (is_nowhere || !not_seen.is_empty()).then(|| Reason::DataEventsNotRecorded {
            resource_types: types.to_vec(),
            regions: if is_nowhere { Vec::new() } else { not_seen },
            is_read: self.is_read,
        })
    }

    /// Whether the logs hold data events of the kind in a region, or anywhere: of every type under which a use may be recorded.
    fn is_seen(&self, log: &AccountLog, types: &[&str], region: Option<&str>) -> bool {
        types.iter().all(|wanted| {
            let of_type = log.data.iter().filter(|((place, resource_type), _)| {
                region.is_none_or(|region| place == region) && resource_type == wanted
            });
            let mut recorded = of_type.map(|(_, recorded)| recorded);
            recorded.any(|recorded: &Recorded| if self.is_read { recorded.reads } else { recorded.writes })
        })
    }
}

impl<'p> Place<'p> {
    fn wanted(&self, is_read: bool) -> Wanted<'p> {
        Wanted {
            account_id: self.account_id,
            is_read,
        }
    }
}

/// Why no log can show a use of an action.
fn never(facts: &Facts, id: ActionId) -> Option<Reason> {
    if let Some(why) = facts.permissionless_reason(id) {
        return Some(Reason::Permissionless(why));
    }
    if let Some(why) = facts.never_logged_reason(id) {
        return Some(Reason::NeverLogged(why));
    }
    if let Some(why) = facts.never_own_event_reason(id) {
        return Some(Reason::DependentOnly(why));
    }
    match facts.action(id)?.observability {
        Observability::Management | Observability::Data | Observability::ManagementAndData => None,
        Observability::Conditional => Some(Reason::ConditionalOnly),
        Observability::Dependent => Some(Reason::DependentOnly("")),
        Observability::NeverLogged => Some(Reason::NeverLogged("")),
        Observability::NoOperation => Some(Reason::NoOperation),
        Observability::Unsure => Some(Reason::RecordingUnknown),
    }
}
