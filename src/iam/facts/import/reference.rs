//! One file of the AWS Service Reference.

use serde_json::Value;

/// What a file says about its service; lists in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceReference {
    pub(super) prefix: String,
    pub(super) version: String,
    pub(super) actions: Vec<ReferenceAction>,
    /// Name and first ARN format.
    pub(super) resources: Vec<(String, String)>,
    /// Name and type of value.
    pub(super) condition_keys: Vec<(String, String)>,
    /// Operation and the full names of the actions that it may be authorised for.
    pub(super) operations: Vec<(String, Vec<String>)>,
}

/// One action of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReferenceAction {
    pub(super) name: String,
    /// As in the pack; `None` if the file does not tell.
    pub(super) level: Option<char>,
    pub(super) resources: Vec<String>,
    pub(super) condition_keys: Vec<String>,
    /// Bits as in the pack; `None` if the file does not tell.
    pub(super) support: Option<u8>,
}

/// Why a file is no reference.
#[derive(Debug)]
pub(super) struct NoReference {
    pub(super) reason: String,
    /// Whether it may have been one before it was damaged.
    pub(super) is_damaged: bool,
}

impl NoReference {
    fn odd(text: &str) -> Self {
        Self {
            reason: format!("`{}` is no name that AWS would give", text.escape_debug()),
            is_damaged: true,
        }
    }
}

impl ServiceReference {
    /// Reads a file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, NoReference> {
        let file: Value = serde_json::from_slice(bytes).map_err(|error| NoReference {
            reason: format!("not JSON: {error}"),
            is_damaged: true,
        })?;
        let is_reference = file.get("Actions").is_some_and(Value::is_array);
        let Some(prefix) = text(&file, "Name").filter(|_| is_reference) else {
            return Err(NoReference {
                reason: "no AWS Service Reference: the members `Name` and `Actions` are missing".to_owned(),
                is_damaged: false,
            });
        };
        if !is_name(&prefix) {
            return Err(NoReference::odd(&prefix));
        }
        let version = text(&file, "Version").unwrap_or_default();
        let reference = Self {
            actions: list(&file, "Actions").filter_map(action).collect(),
            resources: list(&file, "Resources").filter_map(resource).collect(),
            condition_keys: list(&file, "ConditionKeys").filter_map(condition_key).collect(),
            operations: list(&file, "Operations")
                .filter_map(|row| operation(row, &prefix))
                .collect(),
            version,
            prefix: prefix.to_ascii_lowercase(),
        };
        match reference.odd_text() {
            Some(odd) => Err(NoReference::odd(odd)),
            None => Ok(reference),
        }
    }

    /// A text that would break the layout of a pack, or the name of an action that no policy could hold.
    fn odd_text(&self) -> Option<&String> {
        let mut actions = self.actions.iter().map(|action| &action.name);
        if let Some(odd) = actions.find(|name| !is_name(name)) {
            return Some(odd);
        }
        let is_odd = |text: &&String| text.is_empty() || text.contains([',', ';', '\t', '\n', '\r', '[', ']']);
        let names = self.actions.iter().flat_map(|action| {
            let lists = action.resources.iter().chain(&action.condition_keys);
            lists.chain([&action.name])
        });
        let pairs = self.resources.iter().chain(&self.condition_keys);
        let pair_texts = pairs.flat_map(|(name, value)| [name, value]);
        let operations = self
            .operations
            .iter()
            .flat_map(|(name, actions)| actions.iter().chain([name]));
        let version = Some(&self.version).filter(|version| !version.is_empty());
        names.chain(pair_texts).chain(operations).chain(version).find(is_odd)
    }
}

fn action(row: &Value) -> Option<ReferenceAction> {
    let properties = row
        .get("Annotations")
        .and_then(|annotations| annotations.get("Properties"));
    let is = |name: &str| properties.and_then(|properties| properties.get(name)) == Some(&Value::Bool(true));
    let supported = row.get("SupportedBy");
    let supports = |name: &str| supported.and_then(|tools| tools.get(name)) == Some(&Value::Bool(true));
    Some(ReferenceAction {
        name: text(row, "Name")?,
        level: properties.map(|_| match () {
            () if is("IsPermissionManagement") => 'P',
            () if is("IsTaggingOnly") => 'T',
            () if is("IsWrite") => 'W',
            () if is("IsList") => 'L',
            () => 'R',
        }),
        resources: list(row, "Resources")
            .filter_map(|resource| text(resource, "Name"))
            .collect(),
        condition_keys: texts(row, "ActionConditionKeys"),
        support: supported.map(|_| {
            u8::from(supports("IAM Access Analyzer Policy Generation"))
                | u8::from(supports("IAM Action Last Accessed")) << 1
        }),
    })
}

fn resource(row: &Value) -> Option<(String, String)> {
    Some((text(row, "Name")?, texts(row, "ARNFormats").into_iter().next()?))
}

fn condition_key(row: &Value) -> Option<(String, String)> {
    let value_type = texts(row, "Types").into_iter().next();
    Some((text(row, "Name")?, value_type.unwrap_or_else(|| "String".to_owned())))
}

fn operation(row: &Value, prefix: &str) -> Option<(String, Vec<String>)> {
    let actions = list(row, "AuthorizedActions").filter_map(|action| {
        let service = text(action, "Service").unwrap_or_else(|| prefix.to_owned());
        Some(format!("{service}:{}", text(action, "Name")?))
    });
    Some((text(row, "Name")?, actions.collect()))
}

fn is_name(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_fit)
}

fn list<'a>(row: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    row.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn text(row: &Value, name: &str) -> Option<String> {
    row.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn texts(row: &Value, name: &str) -> Vec<String> {
    list(row, name).filter_map(Value::as_str).map(str::to_owned).collect()
}
