//! Bringing a pack up to date with AWS Service Reference files, which AWS publishes one per service
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html>).
//!
//! A file replaces what the pack knows of the actions of its service. Curated mappings of operations stay, because the
//! reference lists every action that may be checked without telling which ones every call needs; what it lists beyond them
//! may be needed besides. It does not tell which events an operation leaves, so that those of new ones are not known.

mod operation;
mod reference;
mod tables;

use super::Facts;
use super::FactsError;
use super::Sections;
use super::pack;
use reference::NoReference;
use reference::ServiceReference;
use tables::Tables;

/// A file that may hold a service reference.
#[derive(Debug, Clone)]
pub struct ImportedFile {
    /// Name for messages.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// A new pack, and what became of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFacts {
    /// Bytes of the pack.
    pub pack: Vec<u8>,
    /// Services that were brought up to date, in order of their prefixes.
    pub services: Vec<ImportedService>,
    /// Files that were left out, in order of their names.
    pub ignored: Vec<IgnoredFile>,
}

/// A file that was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IgnoredFile {
    /// Name as given.
    pub name: String,
    /// What it is instead of a service reference.
    pub reason: String,
    /// Whether it may have been one before it was damaged.
    pub is_damaged: bool,
}

/// What changed for one service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportedService {
    /// Service prefix.
    pub prefix: String,
    /// Version of the file.
    pub version: String,
    /// Actions that the pack did not know or had as retired.
    pub added: Vec<String>,
    /// Actions that the pack had and the file does not.
    pub retired: Vec<String>,
}

/// Brings a pack up to date; `day` is the day of the import, `YYYY-MM-DD`, for reports.
///
/// The result does not depend on the order of the files. Fails if the pack is unreadable or no file is a reference.
pub fn import(base: &[u8], files: &[ImportedFile], day: &str) -> Result<ImportedFacts, FactsError> {
    let mut tables = Tables::read(&Sections::read(base)?)?;
    let mut ignored = Vec::new();
    let mut references: Vec<ServiceReference> = Vec::new();
    for file in files {
        match ServiceReference::parse(&file.bytes) {
            Ok(reference) => references.push(reference),
            Err(NoReference { reason, is_damaged }) => ignored.push(IgnoredFile {
                name: file.name.clone(),
                reason,
                is_damaged,
            }),
        }
    }
    if references.is_empty() {
        return Err(FactsError::NothingToImport);
    }
    references.sort();
    ignored.sort();
    let services = references.iter().map(|reference| tables.apply(reference)).collect();
    tables.note("imported", day);
    let (name, value) = Facts::built_in();
    tables.note(name, &value);
    for reference in &references {
        let version = format!("AWS Service Reference {}", reference.version);
        tables.note(&format!("imported {}", reference.prefix), &version);
    }
    let pack = pack::deflate(&tables.render());
    Facts::from_pack(&pack)?;
    Ok(ImportedFacts {
        pack,
        services,
        ignored,
    })
}

#[cfg(test)]
mod tests;
