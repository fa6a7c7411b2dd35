//! One selector: which events it asks for.

use super::covered::Covered;

/// Sources of management events that basic selectors can leave out.
const EXCLUDABLE_SOURCES: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

/// Events that are asked for: all of a category for which every condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// `Management`, `Data`, or another category.
    pub category: String,
    /// Conditions on other fields.
    pub conditions: Vec<Condition>,
}

/// What a field of an event must be like: any of the values of each positive list, none of the negative ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Name of the field, as `readOnly` or `resources.ARN`.
    pub field: String,
    /// It is one of these.
    pub equals: Vec<String>,
    /// It begins like one of these.
    pub starts_with: Vec<String>,
    /// It ends like one of these.
    pub ends_with: Vec<String>,
    /// It is none of these.
    pub not_equals: Vec<String>,
    /// It begins like none of these.
    pub not_starts_with: Vec<String>,
    /// It ends like none of these.
    pub not_ends_with: Vec<String>,
}

impl Selector {
    /// Whether it asks for every management event of a source and kind.
    pub(super) fn records_management(&self, is_read: bool, source: Option<&str>) -> bool {
        self.category == "Management"
            && self.conditions.iter().all(|condition| match condition.field.as_str() {
                "readOnly" => condition.takes_kind(is_read),
                "eventSource" => condition.takes_source(source),
                _ => false,
            })
    }

    /// Whether it asks for every data event of a resource type and kind, for these resources.
    pub(super) fn records_data(&self, is_read: bool, resource_type: &str, resources: Covered<'_>) -> bool {
        let names_type = self
            .conditions
            .iter()
            .any(|condition| condition.field == "resources.type");
        self.category == "Data"
            && names_type
            && self.conditions.iter().all(|condition| match condition.field.as_str() {
                "readOnly" => condition.takes_kind(is_read),
                "resources.type" => condition.takes_text(resource_type),
                "resources.ARN" => condition.takes_resources(resources),
                // Which names or callers a use has is not known beforehand.
                _ => false,
            })
    }
}

impl Condition {
    fn takes_kind(&self, is_read: bool) -> bool {
        self.takes_text(if is_read { "true" } else { "false" })
    }

    /// Whether an event source passes; `None` is any but those that trails are known to exclude.
    fn takes_source(&self, source: Option<&str>) -> bool {
        if let Some(source) = source {
            return self.takes_text(source);
        }
        let is_excludable = |value: &String| EXCLUDABLE_SOURCES.contains(&value.as_str());
        let has_patterns = self
            .positive()
            .chain(&self.not_starts_with)
            .chain(&self.not_ends_with)
            .next()
            .is_some();
        !has_patterns && self.not_equals.iter().all(is_excludable)
    }

    fn takes_text(&self, text: &str) -> bool {
        let is_asked = self.positive().next().is_none()
            || self.equals.iter().any(|value| value == text)
            || self.starts_with.iter().any(|start| text.starts_with(start.as_str()))
            || self.ends_with.iter().any(|end| text.ends_with(end.as_str()));
        is_asked
            && !self.not_equals.iter().any(|value| value == text)
            && !self
                .not_starts_with
                .iter()
                .any(|start| text.starts_with(start.as_str()))
            && !self.not_ends_with.iter().any(|end| text.ends_with(end.as_str()))
    }

    fn takes_resources(&self, resources: Covered<'_>) -> bool {
        let is_asked = self.positive().next().is_none()
            || self.equals.iter().any(|value| resources.equals(value))
            || self.starts_with.iter().any(|start| resources.starts_with(start))
            || self.ends_with.iter().any(|end| resources.ends_with(end));
        is_asked
            && self.not_equals.iter().all(|value| resources.never_equals(value))
            && self
                .not_starts_with
                .iter()
                .all(|start| resources.never_starts_with(start))
            && self.not_ends_with.is_empty()
    }

    fn positive(&self) -> impl Iterator<Item = &String> {
        self.equals.iter().chain(&self.starts_with).chain(&self.ends_with)
    }
}
