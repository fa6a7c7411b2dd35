//! Decoded rows, waiting to be sorted and written.

mod arrays;
mod days;

use crate::event;
use crate::event::CredentialKind;
use crate::iam;
use crate::iam::PassedRolePath;

use super::columns::ABSENT;
use super::columns::DictionaryColumn;
use super::columns::ListColumn;
use super::columns::TextColumn;
use super::columns::empty;
use super::cuts::Cuts;
use super::event_keys::EventKeys;
use super::fields::Draft;
use super::fields::FIELDS;
use super::fields::Field;
use super::fields::Form;
use super::identities::IdentityTable;
use super::leaves::CONTAINER_COUNT;
use super::parameters;
use super::resources::ResourcesColumn;
use super::scan::SyntaxError;
use super::scan::ValueKind;
use super::tls::TlsTable;

pub use days::DayRows;

/// Bit of `field_shape` for the first container of `userIdentity` that is present but empty; field nulls are below.
pub(crate) const CONTAINER_SHIFT: u32 = 40;
/// Bit of `field_shape` for `tlsDetails` that is present but empty.
pub(crate) const TLS_SHIFT: u32 = CONTAINER_SHIFT + 6;

const _: () = assert!(CONTAINER_COUNT == 6, "`TLS_SHIFT` follows the containers");

/// Codes, offsets and flags of one row in all columns, without its text.
const BYTES_PER_ROW: usize = 400;

/// Entry of a row that has none.
const NO_ENTRY: usize = usize::MAX;

const CREDENTIAL_KINDS: [CredentialKind; 6] = [
    CredentialKind::LongTerm,
    CredentialKind::Temporary,
    CredentialKind::Console,
    CredentialKind::Service,
    CredentialKind::Federated,
    CredentialKind::None,
];

/// Decoded rows of any number of objects.
#[derive(Debug)]
pub struct RowBuffer {
    keys: EventKeys,
    event_keys: Vec<Option<u128>>,
    object_rows: Vec<u32>,
    objects: Vec<String>,
    record_indexes: Vec<i64>,
    times: Vec<Option<i64>>,
    dictionaries: Vec<DictionaryColumn>,
    texts: Vec<TextColumn>,
    booleans: Vec<Vec<Option<bool>>>,
    serving_regions: DictionaryColumn,
    credential_kinds: Vec<i32>,
    identities: IdentityTable,
    /// Entry in `identities` of every row, or [`NO_ENTRY`].
    identity_rows: Vec<usize>,
    tls: TlsTable,
    /// Entry in `tls` of every row, or [`NO_ENTRY`].
    tls_rows: Vec<usize>,
    resources: ResourcesColumn,
    passed_roles: ListColumn,
    passed_role_arns: TextColumn,
    passed_role_paths: Vec<OperationPaths>,
    extra: TextColumn,
    raw_records: TextColumn,
    shapes: Vec<i64>,
}

/// Where the requests of one operation hand over roles.
#[derive(Debug, Clone, Copy)]
struct OperationPaths {
    /// Code of its event source.
    event_source: i32,
    paths: &'static [PassedRolePath],
}

impl RowBuffer {
    /// Makes an empty buffer; `keys` decide what [`RowBuffer::event_keys`] gives.
    pub fn new(keys: EventKeys) -> Self {
        Self {
            keys,
            event_keys: Vec::new(),
            object_rows: Vec::new(),
            objects: Vec::new(),
            record_indexes: Vec::new(),
            times: Vec::new(),
            dictionaries: FIELDS.iter().map(|_| DictionaryColumn::default()).collect(),
            texts: FIELDS.iter().map(|_| TextColumn::default()).collect(),
            booleans: FIELDS.iter().map(|_| Vec::new()).collect(),
            serving_regions: DictionaryColumn::default(),
            credential_kinds: Vec::new(),
            identities: IdentityTable::default(),
            identity_rows: Vec::new(),
            tls: TlsTable::default(),
            tls_rows: Vec::new(),
            resources: ResourcesColumn::default(),
            passed_roles: ListColumn::default(),
            passed_role_arns: TextColumn::default(),
            passed_role_paths: Vec::new(),
            extra: TextColumn::default(),
            raw_records: TextColumn::default(),
            shapes: Vec::new(),
        }
    }

    /// Forgets all rows and objects, but keeps memory for as many again.
    pub fn clear(&mut self) {
        if self.rows() == 0 {
            // The columns hold nothing, and the memory that they have was used before.
            self.objects.clear();
            return;
        }
        empty(&mut self.event_keys);
        empty(&mut self.object_rows);
        empty(&mut self.objects);
        empty(&mut self.record_indexes);
        empty(&mut self.times);
        self.dictionaries.iter_mut().for_each(DictionaryColumn::clear);
        self.texts.iter_mut().for_each(TextColumn::clear);
        self.booleans.iter_mut().for_each(empty);
        self.serving_regions.clear();
        empty(&mut self.credential_kinds);
        self.identities.clear();
        empty(&mut self.identity_rows);
        self.tls.clear();
        empty(&mut self.tls_rows);
        self.resources.clear();
        self.passed_roles.clear();
        self.passed_role_arns.clear();
        empty(&mut self.passed_role_paths);
        self.extra.clear();
        self.raw_records.clear();
        empty(&mut self.shapes);
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// Memory that the rows take, in bytes, roughly.
    pub fn bytes(&self) -> usize {
        let texts: usize = self.texts.iter().map(TextColumn::bytes).sum();
        let dictionaries: usize = self.dictionaries.iter().map(DictionaryColumn::bytes).sum();
        let others = self.extra.bytes() + self.raw_records.bytes() + self.resources.bytes() + self.tls.bytes();
        texts + dictionaries + others + self.identities.bytes() + self.rows() * BYTES_PER_ROW
    }

    /// Identity of every row's event for [`EventKeys`]; `None` for a record without `eventID`.
    pub fn event_keys(&self) -> &[Option<u128>] {
        &self.event_keys
    }

    /// Number (from [`RowBuffer::begin_object`]) of the object that every row came from.
    pub fn object_rows(&self) -> &[u32] {
        &self.object_rows
    }

    /// Time of every row, microseconds since 1970-01-01T00:00:00Z.
    pub fn times(&self) -> &[Option<i64>] {
        &self.times
    }

    /// Starts the rows of one object and returns its number in this buffer.
    pub fn begin_object(&mut self, object_key: &str) -> u32 {
        self.objects.push(object_key.to_owned());
        u32::try_from(self.objects.len() - 1).unwrap_or(u32::MAX)
    }

    /// Appends records to the text that is parsed, without the identities that are known already.
    pub(crate) fn copy(&mut self, text: &[u8], base: usize, work: &mut Vec<u8>, cuts: &mut Cuts) {
        self.identities.copy(text, base, work, cuts);
    }

    /// Takes one record of an object; `text` gives the whole record's text when it is needed.
    ///
    /// Fails, and takes nothing, only if a nested object is malformed, which the callers have ruled out.
    pub(crate) fn push<'t>(
        &mut self,
        object: u32,
        record_index: i64,
        draft: &mut Draft<'_>,
        text: impl Fn() -> &'t str,
    ) -> Result<(), SyntaxError> {
        let object_member = |field| draft.get(field).filter(|member| member.kind == ValueKind::Object);
        let identity = match object_member(Field::UserIdentity) {
            Some(member) => {
                let region = draft.content(Field::AwsRegion);
                self.identities
                    .intern(member.content.as_bytes(), &member.value, region)?
            }
            None => NO_ENTRY,
        };
        let tls = match object_member(Field::TlsDetails) {
            Some(member) => self.tls.intern(member.content.as_bytes(), &member.value)?,
            None => NO_ENTRY,
        };
        let row = self.rows();
        self.push_nested(draft, row, (identity, tls));
        self.push_derived(draft, row, identity);
        self.push_plain(draft, row);
        self.push_passed_roles(draft, row, identity);
        self.object_rows.push(object);
        self.record_indexes.push(record_index);
        self.identity_rows.push(identity);
        self.tls_rows.push(tls);
        if let Some(extra) = draft.extra.object() {
            self.extra.set(row, extra.as_bytes());
        }
        if draft.repeats_a_member {
            self.raw_records.set(row, text().as_bytes());
        }
        Ok(())
    }

    fn push_nested(&mut self, draft: &mut Draft<'_>, row: usize, (identity, tls): (usize, usize)) {
        let mut shape = draft.null_bits;
        if let Some(entry) = self.identities.entry(identity) {
            shape |= i64::from(entry.empty_containers) << CONTAINER_SHIFT;
            draft.repeats_a_member |= entry.repeats_a_member;
            if let Some(extra) = &entry.extra {
                draft.extra.add("userIdentity", extra);
            }
        } else {
            draft.keep_as_extra(Field::UserIdentity);
        }
        if let Some(entry) = self.tls.entry(tls) {
            shape |= i64::from(entry.is_empty) << TLS_SHIFT;
            draft.repeats_a_member |= entry.repeats_a_member;
            if let Some(extra) = &entry.extra {
                draft.extra.add("tlsDetails", extra);
            }
        } else {
            draft.keep_as_extra(Field::TlsDetails);
        }
        self.shapes.push(shape);
        let exact = match draft.get(Field::Resources) {
            Some(member) if member.kind == ValueKind::Array => self.resources.set(row, &member.value),
            other => other.is_none(),
        };
        if !exact {
            draft.keep_as_extra(Field::Resources);
        }
    }

    /// Pushes what is concluded from several fields: time, event key, serving region, credential kind.
    fn push_derived(&mut self, draft: &mut Draft<'_>, row: usize, identity: usize) {
        let time = draft.text(Field::EventTime).and_then(event::parse_event_time);
        if !time.is_some_and(|time| time.canonical)
            && draft
                .get(Field::EventTime)
                .is_some_and(|member| member.kind == ValueKind::String)
        {
            draft.keep_as_extra(Field::EventTime);
        }
        self.times.push(time.map(|time| time.microseconds));

        let text = |field| draft.content(field);
        let account_id = text(Field::RecipientAccountId);
        let region = text(Field::AwsRegion);
        let event_id = text(Field::EventId).filter(|event_id| !event_id.is_empty());
        self.event_keys.push(event_id.map(|event_id| {
            self.keys.key(
                (account_id.unwrap_or_default(), region.unwrap_or_default()),
                event_id,
                time.map(|time| time.microseconds),
                text(Field::EventCategory).unwrap_or_default(),
            )
        }));

        let event_source = text(Field::EventSource).unwrap_or_default();
        let sts_region = match event_source {
            "sts.amazonaws.com" => text(Field::AdditionalEventData).and_then(parameters::sts_serving_region),
            _ => None,
        };
        let serving_region = match &sts_region {
            Some(region) => Some(region.as_str()),
            None if event::is_global_service(event_source) => Some(event::GLOBAL_REGION),
            None => region,
        };
        if let Some(serving_region) = serving_region {
            self.serving_regions.set(row, serving_region);
        }

        let console_event = matches!(
            text(Field::EventType),
            Some("AwsConsoleSignIn" | "AwsConsoleSignin" | "AwsConsoleAction")
        );
        let console_session = text(Field::SessionCredentialFromConsole) == Some("true");
        let kind = self.identities.entry(identity).map(|entry| {
            let [outside, inside] = entry.credential_kinds;
            if console_event || console_session {
                inside
            } else {
                outside
            }
        });
        let code = kind.and_then(|kind| CREDENTIAL_KINDS.iter().position(|known| *known == kind));
        self.credential_kinds
            .push(code.and_then(|code| i32::try_from(code).ok()).unwrap_or(ABSENT));
    }

    /// Sets the passed roles of a row whose plain columns are set.
    fn push_passed_roles(&mut self, draft: &Draft<'_>, row: usize, identity: usize) {
        let paths = self.passed_role_paths(row);
        if paths.is_empty() {
            return;
        }
        let text = |field| draft.content(field);
        let Some(raw) = text(Field::RequestParameters) else {
            return;
        };
        let account_id = self.identities.account_id(identity);
        let account_id = account_id.or(text(Field::RecipientAccountId));
        let arns = parameters::passed_roles(raw, paths, account_id, text(Field::AwsRegion));
        if arns.is_empty() {
            return;
        }
        let mut elements = self.passed_roles.elements();
        for arn in arns {
            self.passed_role_arns.set(elements, arn.as_bytes());
            elements += 1;
        }
        self.passed_roles.set(row, elements);
    }

    /// Where the request of a row may hand over roles: looked up once per event name, as long as its source is the same.
    fn passed_role_paths(&mut self, row: usize) -> &'static [PassedRolePath] {
        let column = |field: Field| self.dictionaries.get(field as usize);
        let (Some(event_sources), Some(event_names)) = (column(Field::EventSource), column(Field::EventName)) else {
            return &[];
        };
        let Ok(name) = usize::try_from(event_names.code_at(row)) else {
            return &[];
        };
        let event_source = event_sources.code_at(row);
        match self.passed_role_paths.get(name) {
            Some(known) if known.event_source == event_source => return known.paths,
            _ => {}
        }
        let value = |column: &DictionaryColumn| column.value_at(row).unwrap_or_default().to_owned();
        let paths = iam::passed_role_paths(&value(event_sources), &value(event_names));
        let unknown = OperationPaths {
            event_source: ABSENT,
            paths: &[],
        };
        if self.passed_role_paths.len() <= name {
            self.passed_role_paths.resize(name + 1, unknown);
        }
        if let Some(slot) = self.passed_role_paths.get_mut(name) {
            *slot = OperationPaths { event_source, paths };
        }
        paths
    }

    fn push_plain(&mut self, draft: &mut Draft<'_>, row: usize) {
        for spec in draft.fields() {
            let index = spec.field as usize;
            match spec.form {
                Form::Dictionary => {
                    if let (Some(value), Some(column)) = (draft.text(spec.field), self.dictionaries.get_mut(index)) {
                        column.set(row, value);
                    }
                }
                Form::Text => {
                    if let (Some(value), Some(column)) = (draft.text(spec.field), self.texts.get_mut(index)) {
                        column.set(row, value.as_bytes());
                    }
                }
                Form::Json => {
                    if let (Some(value), Some(column)) = (draft.json(spec.field), self.texts.get_mut(index)) {
                        column.set(row, value);
                    }
                }
                Form::Boolean | Form::BooleanText => {
                    let value = draft.boolean(spec.field, spec.form);
                    if let Some(column) = self.booleans.get_mut(index) {
                        column.resize(row, None);
                        column.push(value);
                    }
                }
                Form::Special => {}
            }
        }
    }
}
