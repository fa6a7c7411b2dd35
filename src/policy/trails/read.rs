//! Reads what `aws cloudtrail get-event-selectors` and `describe-trails` print.

use std::collections::BTreeMap;

use super::Trail;
use super::Trails;
use super::selector::Condition;
use super::selector::Selector;
use crate::iam::arn::is_account_id;
use crate::iam::json::Json;

/// Why event selectors cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TrailsError {
    /// The text is no JSON.
    #[error("no JSON: {0}")]
    NotJson(String),
    /// The text is something else.
    #[error("neither event selectors nor trails: there is no `TrailARN` with selectors, and no `trailList`")]
    NotSelectors,
    /// A member is not as CloudTrail writes it.
    #[error("trail `{trail}`: {fault}")]
    Odd {
        /// ARN of the trail.
        trail: String,
        /// What is wrong.
        fault: String,
    },
}

/// Values that stand for all resources of a type in basic selectors, without the partition.
const ALL_OF_A_TYPE: [(&str, &str); 3] = [
    ("AWS::S3::Object", "s3"),
    ("AWS::Lambda::Function", "lambda"),
    ("AWS::DynamoDB::Table", "dynamodb"),
];

/// What `describe-trails` says of a trail.
#[derive(Debug, Default)]
struct Described {
    is_organization: Option<bool>,
    is_multi_region: Option<bool>,
}

impl Trails {
    /// Reads the outputs of both commands, in any order; each may stand alone, in a list, or one behind the other.
    ///
    /// # Errors
    /// When one is neither, or a selector has something that is not known: it might record less than it seems to.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TrailsError> {
        let mut found = Found::default();
        for text in texts {
            let values = Json::parse_all(text).map_err(|error| TrailsError::NotJson(error.to_string()))?;
            if values.is_empty() {
                return Err(TrailsError::NotSelectors);
            }
            values.iter().try_for_each(|value| found.read(value))?;
        }
        let Found { mut trails, described } = found;
        for trail in trails.values_mut() {
            let Some(described) = described.get(&trail.arn) else {
                continue;
            };
            trail.is_organization = described.is_organization;
            trail.is_multi_region = described.is_multi_region;
        }
        Ok(Self {
            trails: trails.into_values().collect(),
        })
    }
}

#[derive(Debug, Default)]
struct Found {
    trails: BTreeMap<String, Trail>,
    described: BTreeMap<String, Described>,
}

impl Found {
    fn read(&mut self, json: &Json) -> Result<(), TrailsError> {
        if let Json::List(values) = json {
            return values.iter().try_for_each(|value| self.read(value));
        }
        if let Some(Json::List(trails)) = json.member("trailList").or_else(|| json.member("Trails")) {
            return trails.iter().try_for_each(|trail| self.describe(trail));
        }
        let has_selectors = ["EventSelectors", "AdvancedEventSelectors"]
            .iter()
            .any(|name| json.member(name).is_some());
        match text(json, "TrailARN") {
            Some(arn) if has_selectors => {
                let trail = read_trail(arn, json).map_err(|fault| odd(arn, fault))?;
                self.trails.insert(arn.to_owned(), trail);
                Ok(())
            }
            Some(_) => self.describe(json),
            None => Err(TrailsError::NotSelectors),
        }
    }

    /// Without selectors of its own, a trail says nothing of what it records.
    fn describe(&mut self, json: &Json) -> Result<(), TrailsError> {
        let arn = text(json, "TrailARN").ok_or(TrailsError::NotSelectors)?;
        let described = Described {
            is_organization: truth(json, "IsOrganizationTrail"),
            is_multi_region: truth(json, "IsMultiRegionTrail"),
        };
        self.described.insert(arn.to_owned(), described);
        Ok(())
    }
}

fn read_trail(arn: &str, json: &Json) -> Result<Trail, String> {
    // arn:partition:cloudtrail:region:account:trail/name
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "cloudtrail", region, account_id, _] = parts.as_slice() else {
        return Err("its ARN is no trail's".to_owned());
    };
    if !is_account_id(account_id) {
        return Err("its ARN names no account".to_owned());
    }
    let mut selectors = Vec::new();
    for selector in list(json, "EventSelectors")? {
        selectors.extend(read_basic(selector)?);
    }
    for selector in list(json, "AdvancedEventSelectors")? {
        selectors.push(read_advanced(selector)?);
    }
    Ok(Trail {
        arn: arn.to_owned(),
        account_id: (*account_id).to_owned(),
        region: (*region).to_owned(),
        is_organization: None,
        is_multi_region: None,
        selectors,
    })
}

fn read_basic(json: &Json) -> Result<Vec<Selector>, String> {
    let kind = match text(json, "ReadWriteType") {
        None | Some("All") => None,
        Some("ReadOnly") => Some("true"),
        Some("WriteOnly") => Some("false"),
        Some(other) => return Err(format!("`ReadWriteType` is `{other}`")),
    };
    let kind = kind.map(|value| condition("readOnly", &[value]));
    let mut selectors = Vec::new();
    if truth(json, "IncludeManagementEvents") != Some(false) {
        let excluded = texts(json, "ExcludeManagementEventSources")?;
        let sources = (!excluded.is_empty()).then(|| Condition {
            field: "eventSource".to_owned(),
            not_equals: excluded,
            ..Condition::default()
        });
        selectors.push(Selector {
            category: "Management".to_owned(),
            conditions: kind.iter().cloned().chain(sources).collect(),
        });
    }
    for resource in list(json, "DataResources")? {
        let name = text(resource, "Type").ok_or("a data resource has no `Type`")?;
        let values = texts(resource, "Values")?;
        let is_all = values.iter().any(|value| is_all_of(name, value));
        let mut conditions = vec![condition("resources.type", &[name])];
        conditions.extend(kind.clone());
        if !is_all {
            // Of buckets everything that begins like the value, of others the resource itself.
            let (starts_with, equals) = match name {
                "AWS::S3::Object" => (values, Vec::new()),
                _ => (Vec::new(), values),
            };
            if starts_with.is_empty() && equals.is_empty() {
                continue;
            }
            conditions.push(Condition {
                field: "resources.ARN".to_owned(),
                equals,
                starts_with,
                ..Condition::default()
            });
        }
        selectors.push(Selector {
            category: "Data".to_owned(),
            conditions,
        });
    }
    Ok(selectors)
}

/// `arn:aws:s3`, `arn:aws:s3:::` and the like.
fn is_all_of(resource_type: &str, value: &str) -> bool {
    let service = ALL_OF_A_TYPE.iter().find(|(name, _)| *name == resource_type);
    let mut parts = value.trim_end_matches(':').split(':');
    let is_arn = parts.next() == Some("arn") && parts.next().is_some_and(|partition| partition.starts_with("aws"));
    is_arn && service.is_some_and(|(_, service)| parts.next() == Some(*service)) && parts.next().is_none()
}

fn read_advanced(json: &Json) -> Result<Selector, String> {
    let mut category = None;
    let mut conditions = Vec::new();
    for field in list(json, "FieldSelectors")? {
        let name = text(field, "Field").ok_or("a field selector has no `Field`")?;
        let condition = Condition {
            field: name.to_owned(),
            equals: texts(field, "Equals")?,
            starts_with: texts(field, "StartsWith")?,
            ends_with: texts(field, "EndsWith")?,
            not_equals: texts(field, "NotEquals")?,
            not_starts_with: texts(field, "NotStartsWith")?,
            not_ends_with: texts(field, "NotEndsWith")?,
        };
        known(field)?;
        match (name, condition.equals.as_slice()) {
            ("eventCategory", [value]) => category = Some(value.clone()),
            ("eventCategory", _) => return Err("`eventCategory` is not one value".to_owned()),
            _ => conditions.push(condition),
        }
    }
    Ok(Selector {
        category: category.ok_or("an advanced selector has no `eventCategory`")?,
        conditions,
    })
}

/// An operator that is not known could take something away.
fn known(field: &Json) -> Result<(), String> {
    let Json::Object(members) = field else {
        return Err("a field selector is no object".to_owned());
    };
    let operators = [
        "Field",
        "Equals",
        "StartsWith",
        "EndsWith",
        "NotEquals",
        "NotStartsWith",
        "NotEndsWith",
    ];
    match members.iter().find(|(name, _)| !operators.contains(&name.as_str())) {
        Some((name, _)) => Err(format!("operator `{name}` of a field selector is not known")),
        None => Ok(()),
    }
}

fn condition(field: &str, equals: &[&str]) -> Condition {
    Condition {
        field: field.to_owned(),
        equals: equals.iter().map(|value| (*value).to_owned()).collect(),
        ..Condition::default()
    }
}

fn odd(trail: &str, fault: String) -> TrailsError {
    TrailsError::Odd {
        trail: trail.to_owned(),
        fault,
    }
}

fn text<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    json.member(name).and_then(Json::text)
}

fn truth(json: &Json, name: &str) -> Option<bool> {
    match json.member(name) {
        Some(Json::Bool(truth)) => Some(*truth),
        _ => None,
    }
}

fn list<'j>(json: &'j Json, name: &str) -> Result<&'j [Json], String> {
    match json.member(name) {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::List(values)) => Ok(values),
        Some(other) => Err(format!("`{name}` is no list but {}", other.kind())),
    }
}

fn texts(json: &Json, name: &str) -> Result<Vec<String>, String> {
    let values = list(json, name)?.iter();
    let texts = values.map(|value| value.text().map(str::to_owned));
    let texts: Option<Vec<String>> = texts.collect();
    texts.ok_or_else(|| format!("`{name}` has a value that is no text"))
}
