//! `tlsDetails`, taken apart once per distinct text, as `userIdentity` is.

use super::columns::DictionaryColumn;
use super::columns::Interner;
use super::columns::empty;
use super::extra::ExtraMembers;
use super::nested::Value;
use super::scan::SyntaxError;
use super::scan::ValueKind;

/// Members of `tlsDetails` and their columns, in the order in which they are written back.
pub(crate) const TLS_MEMBERS: [(&str, &str); 4] = [
    ("tlsVersion", "tls_version"),
    ("cipherSuite", "tls_cipher_suite"),
    ("clientProvidedHostHeader", "tls_client_provided_host_header"),
    ("keyExchange", "tls_key_exchange"),
];

/// All distinct `tlsDetails` of a row buffer.
#[derive(Debug, Default)]
pub(crate) struct TlsTable {
    texts: Interner,
    columns: [DictionaryColumn; 4],
    entries: Vec<TlsEntry>,
}

/// What rows need to know of a `tlsDetails` besides its columns.
#[derive(Debug, Clone)]
pub(crate) struct TlsEntry {
    /// Whether it is `{}`.
    pub(crate) is_empty: bool,
    /// Members without a column.
    pub(crate) extra: Option<String>,
    /// Whether a member name stands twice.
    pub(crate) repeats_a_member: bool,
}

impl TlsTable {
    /// Number of the `tlsDetails` with this exact text.
    pub(crate) fn intern(&mut self, text: &[u8], value: &Value<'_>) -> Result<usize, SyntaxError> {
        let (code, is_new) = self.texts.intern(text);
        if is_new {
            self.push(value)?;
        }
        Ok(usize::try_from(code).unwrap_or_default())
    }

    pub(crate) fn entry(&self, index: usize) -> Option<&TlsEntry> {
        self.entries.get(index)
    }

    /// Columns in the order of [`TLS_MEMBERS`].
    pub(crate) fn columns(&self) -> &[DictionaryColumn; 4] {
        &self.columns
    }

    pub(crate) fn bytes(&self) -> usize {
        self.texts.bytes() * 2
    }

    /// Forgets everything, but keeps memory for as much again.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.columns.iter_mut().for_each(DictionaryColumn::clear);
        empty(&mut self.entries);
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), SyntaxError> {
        let mut values = [const { None }; TLS_MEMBERS.len()];
        let mut is_named = [false; TLS_MEMBERS.len()];
        let mut extra = ExtraMembers::default();
        let mut entry = TlsEntry {
            is_empty: true,
            extra: None,
            repeats_a_member: false,
        };
        value.members(|key, member| {
            entry.is_empty = false;
            let index = TLS_MEMBERS.iter().position(|(name, _)| *name == key);
            if let Some(is_named) = index.and_then(|index| is_named.get_mut(index)) {
                entry.repeats_a_member |= *is_named;
                *is_named = true;
            }
            match index.and_then(|index| values.get_mut(index)) {
                Some(slot) if member.kind == ValueKind::String => *slot = member.string(),
                _ => entry.repeats_a_member |= !extra.add(key, member.text()),
            }
        })?;
        for (column, value) in self.columns.iter_mut().zip(&values) {
            if let Some(value) = value {
                column.set(self.entries.len(), value);
            }
        }
        entry.extra = extra.object();
        self.entries.push(entry);
        Ok(())
    }
}
