//! `userIdentity`, taken apart once per distinct text.
//!
//! A session makes many calls and its `userIdentity` is the same text in each of them, so rows share one entry per text.

use std::borrow::Cow;

use crate::event;
use crate::event::CredentialKind;
use crate::event::UserIdentity;
use crate::iam;

use super::columns::DictionaryColumn;
use super::columns::empty;
use super::cuts::Cuts;
use super::extra::ExtraMembers;
use super::known::KnownObjects;
use super::leaves::CONTAINER_COUNT;
use super::leaves::Container;
use super::leaves::LEAVES;
use super::leaves::LeafForm;
use super::leaves::NESTED_CONTAINERS;
use super::leaves::leaf_of;
use super::nested::Value;
use super::nested::truth;
use super::scan::SyntaxError;
use super::scan::ValueKind;

/// Columns derived from `userIdentity` as a whole.
pub(crate) const PRINCIPAL_COLUMNS: [&str; 4] = ["principal_arn", "principal_type", "session_name", "via_service"];

/// All distinct identities of a row buffer.
#[derive(Debug)]
pub(crate) struct IdentityTable {
    texts: KnownObjects,
    /// Text and JSON leaves; empty columns for the other forms.
    leaves: Vec<DictionaryColumn>,
    moments: Vec<Vec<Option<i64>>>,
    truths: Vec<Vec<Option<bool>>>,
    principals: [DictionaryColumn; 4],
    in_scope_of: DictionaryColumn,
    entries: Vec<Entry>,
}

/// What rows need to know of an identity besides its columns.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Credential kind of a call outside and inside a console session.
    pub(crate) credential_kinds: [CredentialKind; 2],
    /// Bit of every container that is present but empty.
    pub(crate) empty_containers: u8,
    /// Members without a column, nested as in the record.
    pub(crate) extra: Option<String>,
    /// Whether a member name stands twice.
    pub(crate) repeats_a_member: bool,
}

impl Default for IdentityTable {
    fn default() -> Self {
        Self {
            texts: KnownObjects::new("\"userIdentity\":{", "},\"eventTime\""),
            leaves: LEAVES.iter().map(|_| DictionaryColumn::default()).collect(),
            moments: LEAVES.iter().map(|_| Vec::new()).collect(),
            truths: LEAVES.iter().map(|_| Vec::new()).collect(),
            principals: Default::default(),
            in_scope_of: DictionaryColumn::default(),
            entries: Vec::new(),
        }
    }
}

impl IdentityTable {
    /// Appends a text to that which is parsed, as [`KnownObjects::copy`] says.
    pub(crate) fn copy(&mut self, text: &[u8], base: usize, work: &mut Vec<u8>, cuts: &mut Cuts) {
        self.texts.copy(text, base, work, cuts);
    }

    /// Number of the identity with this exact text, in a record of a region.
    ///
    /// An account lies in one partition, so that any of its regions tells it.
    pub(crate) fn intern(
        &mut self,
        text: &[u8],
        value: &Value<'_>,
        region: Option<&str>,
    ) -> Result<usize, SyntaxError> {
        let (code, is_new) = self.texts.intern(text, value);
        let index = usize::try_from(code).unwrap_or_default();
        if is_new {
            self.push(&Parsed::read(value)?, region.map(iam::partition));
        }
        Ok(index)
    }

    pub(crate) fn entry(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.texts.bytes() * 2 + self.entries.len() * 256
    }

    /// Forgets everything, but keeps memory for as much again.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.leaves.iter_mut().for_each(DictionaryColumn::clear);
        self.moments.iter_mut().for_each(empty);
        self.truths.iter_mut().for_each(empty);
        self.principals.iter_mut().for_each(DictionaryColumn::clear);
        self.in_scope_of.clear();
        empty(&mut self.entries);
    }

    /// Column of one leaf with text.
    pub(crate) fn leaf(&self, index: usize) -> Option<&DictionaryColumn> {
        self.leaves.get(index)
    }

    pub(crate) fn moment(&self, leaf: usize, identity: usize) -> Option<i64> {
        *self.moments.get(leaf)?.get(identity)?
    }

    pub(crate) fn truth(&self, leaf: usize, identity: usize) -> Option<bool> {
        *self.truths.get(leaf)?.get(identity)?
    }

    /// Columns in the order of [`PRINCIPAL_COLUMNS`].
    pub(crate) fn principals(&self) -> &[DictionaryColumn; 4] {
        &self.principals
    }

    pub(crate) fn in_scope_of(&self) -> &DictionaryColumn {
        &self.in_scope_of
    }

    /// Account of the caller.
    pub(crate) fn account_id(&self, identity: usize) -> Option<&str> {
        const ACCOUNT: usize = leaf_of("user_identity_account_id");
        self.leaves.get(ACCOUNT)?.value_at(identity)
    }

    fn push(&mut self, parsed: &Parsed<'_>, partition: Option<&str>) {
        let identity = UserIdentity {
            partition,
            ..parsed.identity()
        };
        let principal = event::principal(&identity);
        let number = self.entries.len();
        let values = [
            principal.arn.as_deref(),
            Some(principal.kind.as_str()),
            principal.session_name,
            principal.via_service,
        ];
        for (column, value) in self.principals.iter_mut().zip(values) {
            set(column, number, value);
        }
        set(&mut self.in_scope_of, number, parsed.in_scope_of);
        for (index, value) in parsed.leaves.iter().enumerate() {
            let (text, moment, truth) = match value {
                Some(LeafValue::Text(text)) => (Some(text.as_ref()), None, None),
                Some(LeafValue::Moment(moment)) => (None, Some(*moment), None),
                Some(LeafValue::Truth(truth)) => (None, None, Some(*truth)),
                None => (None, None, None),
            };
            if let Some(column) = self.leaves.get_mut(index) {
                set(column, number, text);
            }
            if let Some(column) = self.moments.get_mut(index) {
                column.push(moment);
            }
            if let Some(column) = self.truths.get_mut(index) {
                column.push(truth);
            }
        }
        self.entries.push(Entry {
            credential_kinds: [
                event::credential_kind(&identity, false),
                event::credential_kind(&identity, true),
            ],
            empty_containers: parsed.empty_containers,
            extra: parsed.extra(),
            repeats_a_member: parsed.repeats_a_member,
        });
    }
}

fn set(column: &mut DictionaryColumn, number: usize, value: Option<&str>) {
    if let Some(value) = value {
        column.set(number, value);
    }
}

#[derive(Debug)]
enum LeafValue<'a> {
    Text(Cow<'a, str>),
    Moment(i64),
    Truth(bool),
}

/// One `userIdentity`, taken apart.
#[derive(Debug)]
struct Parsed<'a> {
    leaves: [Option<LeafValue<'a>>; LEAVES.len()],
    in_scope_of: Option<&'a str>,
    extras: [ExtraMembers; CONTAINER_COUNT],
    /// Bit of every container that is there.
    present: u8,
    /// Bit of every container that is named, whatever stands behind its name.
    named_containers: u8,
    /// Bit of every leaf that is named, whatever stands behind its name, and of `inScopeOf`.
    named_leaves: u32,
    empty_containers: u8,
    repeats_a_member: bool,
}

/// Place of `inScopeOf` behind the leaves.
const IN_SCOPE_OF: usize = LEAVES.len();

impl<'a> Parsed<'a> {
    fn read(value: &Value<'a>) -> Result<Self, SyntaxError> {
        let mut parsed = Self {
            leaves: [const { None }; LEAVES.len()],
            in_scope_of: None,
            extras: Default::default(),
            present: 0,
            named_containers: 0,
            named_leaves: 0,
            empty_containers: 0,
            repeats_a_member: false,
        };
        parsed.read_container(Container::UserIdentity, value)?;
        Ok(parsed)
    }

    fn read_container(&mut self, container: Container, value: &Value<'a>) -> Result<(), SyntaxError> {
        let bit = 1_u8 << container as u8;
        self.repeats_a_member |= self.present & bit != 0;
        self.present |= bit;
        let mut members = 0_usize;
        let mut nested = Vec::new();
        value.members(|key, member| {
            members += 1;
            let child = NESTED_CONTAINERS
                .iter()
                .find(|(_, name, parent)| *parent == container && *name == key);
            if let Some((child, ..)) = child {
                let bit = 1_u8 << *child as u8;
                self.repeats_a_member |= self.named_containers & bit != 0;
                self.named_containers |= bit;
            }
            match child {
                Some((child, ..)) if member.kind == ValueKind::Object => nested.push((*child, member)),
                _ => self.add(container, key, &member),
            }
        })?;
        if members == 0 {
            self.empty_containers |= bit;
        }
        nested
            .into_iter()
            .try_for_each(|(child, value)| self.read_container(child, &value))
    }

    fn add(&mut self, container: Container, key: &str, value: &Value<'a>) {
        let is_in_scope_of = container == Container::UserIdentity && key == "inScopeOf";
        if is_in_scope_of {
            self.name_leaf(IN_SCOPE_OF);
        }
        if is_in_scope_of && value.kind != ValueKind::Null {
            self.in_scope_of = Some(value.text());
            return;
        }
        let index = LEAVES
            .iter()
            .position(|leaf| leaf.container == container && leaf.json_name == key);
        let spec = index.and_then(|index| LEAVES.get(index));
        let (leaf, canonical) = spec.map_or((None, false), |leaf| leaf_value(leaf.form, value));
        if !canonical && let Some(extra) = self.extras.get_mut(container as usize) {
            self.repeats_a_member |= !extra.add(key, value.text());
        }
        if let Some(index) = index
            && let Some(slot) = self.leaves.get_mut(index)
        {
            *slot = leaf;
            self.name_leaf(index);
        }
    }

    /// Notes that a leaf is named, be it with null: of several of one name the columns give back one at most.
    fn name_leaf(&mut self, leaf: usize) {
        let bit = 1_u32 << leaf;
        self.repeats_a_member |= self.named_leaves & bit != 0;
        self.named_leaves |= bit;
    }

    fn text(&self, leaf: usize) -> Option<&str> {
        match self.leaves.get(leaf)? {
            Some(LeafValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn identity(&self) -> UserIdentity<'_> {
        UserIdentity {
            kind: self.text(const { leaf_of("user_identity_type") }),
            principal_id: self.text(const { leaf_of("user_identity_principal_id") }),
            arn: self.text(const { leaf_of("user_identity_arn") }),
            account_id: self.text(const { leaf_of("user_identity_account_id") }),
            access_key_id: self.text(const { leaf_of("user_identity_access_key_id") }),
            invoked_by: self.text(const { leaf_of("user_identity_invoked_by") }),
            session_issuer_arn: self.text(const { leaf_of("session_issuer_arn") }),
            on_behalf_of_user_id: self.text(const { leaf_of("on_behalf_of_user_id") }),
            partition: None,
        }
    }

    /// Members without a column; most identities have none.
    fn extra(&self) -> Option<String> {
        match self.extras.iter().all(ExtraMembers::is_empty) {
            true => None,
            false => self.extra_object(Container::UserIdentity),
        }
    }

    /// Those of a container, and of nested ones inside it.
    fn extra_object(&self, container: Container) -> Option<String> {
        let mut extra = self.extras.get(container as usize)?.clone();
        for (child, name, parent) in NESTED_CONTAINERS {
            if parent == container
                && let Some(object) = self.extra_object(child)
            {
                extra.add(name, &object);
            }
        }
        extra.object()
    }
}

/// Value of a leaf, and whether the column alone gives the member back.
fn leaf_value<'a>(form: LeafForm, value: &Value<'a>) -> (Option<LeafValue<'a>>, bool) {
    let text = || Some(LeafValue::Text(Cow::Borrowed(value.text())));
    match (form, value.kind) {
        (LeafForm::Json, kind) if kind != ValueKind::Null => (text(), true),
        (LeafForm::Text, ValueKind::String) => (value.string().map(LeafValue::Text), true),
        (LeafForm::Text, ValueKind::Number | ValueKind::Boolean(_)) => (text(), false),
        (LeafForm::Time, ValueKind::String) => {
            let time = value.string().and_then(|text| event::parse_event_time(&text));
            (
                time.map(|time| LeafValue::Moment(time.microseconds)),
                time.is_some_and(|time| time.canonical),
            )
        }
        (LeafForm::BooleanText, ValueKind::String) => {
            let truth = value.string().and_then(|text| truth(&text));
            (
                truth.map(|(value, _)| LeafValue::Truth(value)),
                truth.is_some_and(|(_, spelled)| spelled),
            )
        }
        (LeafForm::BooleanText, ValueKind::Boolean(value)) => (Some(LeafValue::Truth(value)), false),
        _ => (None, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::EVENT_COLUMNS;

    fn intern(table: &mut IdentityTable, raw: &str) -> usize {
        table
            .intern(raw.as_bytes(), &Value::in_text(ValueKind::Object, raw), None)
            .unwrap()
    }

    #[test]
    fn every_leaf_has_a_column() {
        let exists = |name: &str| EVENT_COLUMNS.iter().any(|column| column.name == name);
        assert!(
            LEAVES
                .iter()
                .map(|leaf| leaf.column)
                .chain(PRINCIPAL_COLUMNS)
                .all(exists)
        );
    }

    #[test]
    fn account_without_an_arn_is_named_in_the_partition_of_the_region() {
        let raw = r#"{"type":"AWSAccount","accountId":"111122223333"}"#;
        let mut table = IdentityTable::default();
        let value = Value::in_text(ValueKind::Object, raw);
        let index = table.intern(raw.as_bytes(), &value, Some("us-gov-west-1")).unwrap();
        let [arns, ..] = table.principals();
        assert_eq!(arns.value_at(index), Some("arn:aws-us-gov:iam::111122223333:root"));
    }

    #[test]
    fn unknown_members_survive_at_their_level() {
        let raw = r#"{"type":"AssumedRole","new":1.0,"sessionContext":{"signInSessionArn":"x","attributes":{"mfaAuthenticated":true}}}"#;
        let mut table = IdentityTable::default();
        let index = intern(&mut table, raw);
        assert_eq!(
            table.entry(index).unwrap().extra.as_deref(),
            Some(r#"{"new":1.0,"sessionContext":{"signInSessionArn":"x","attributes":{"mfaAuthenticated":true}}}"#)
        );
        assert_eq!(intern(&mut table, raw), index);
    }

    #[test]
    fn empty_containers_are_remembered() {
        let raw = r#"{"type":"IAMUser","sessionContext":{"sessionIssuer":{},"webIdFederationData":{}}}"#;
        let mut table = IdentityTable::default();
        let index = intern(&mut table, raw);
        let wanted = 1 << Container::SessionIssuer as u8 | 1 << Container::WebIdFederationData as u8;
        assert_eq!(table.entry(index).unwrap().empty_containers, wanted);
    }
}
