//! The account of an import.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::ReadSource;
use super::rows::statement_count;
use crate::policy::snapshot::Format;
use crate::policy::snapshot::PrincipalKind;
use crate::policy::snapshot::Problem;
use crate::policy::snapshot::Severity;

/// What became of the listed sources. `listed = imported + known + rejected + other`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportBalance {
    /// Sources found: files, and folders of `iam-collect`; the pages of one answer are one source.
    pub listed: u64,
    /// Files that hold further pages of a source that counts already.
    pub further_pages: u64,
    /// Sources that are in the store now.
    pub imported: u64,
    /// Sources that the store, or this run, had already.
    pub known: u64,
    /// Sources that could not be read, with their reasons in `rejects`.
    pub rejected: u64,
    /// Files in a folder that are something else.
    pub other: u64,
    /// Imported sources by what they hold.
    pub by_format: BTreeMap<Format, u64>,
    /// Accounts of the imported sources.
    pub accounts: BTreeSet<String>,
    /// Imported users, groups and roles.
    pub principals: BTreeMap<PrincipalKind, u64>,
    /// Principals whose permissions are not known.
    pub unknown_principals: u64,
    /// Imported versions of policies.
    pub policies: u64,
    /// Their statements.
    pub statements: u64,
    /// Imported attachments.
    pub attachments: u64,
    /// Imported credentials.
    pub credentials: u64,
    /// Imported roots, units and accounts of organizations.
    pub nodes: u64,
    /// What could not be understood in imported sources.
    pub problems: Vec<SourceProblem>,
    /// URI and reason of rejected sources.
    pub rejects: Vec<(String, String)>,
    /// What could not be listed: URI or path, and why.
    pub unlisted: Vec<(String, String)>,
}

/// Something that could not be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// URI of the source.
    pub source: String,
    /// What it is.
    pub problem: Problem,
}

impl ImportBalance {
    /// Whether everything that was listed could be read.
    pub fn is_complete(&self) -> bool {
        let has_gap = |told: &SourceProblem| told.problem.severity == Severity::Gap;
        self.rejected == 0 && self.unlisted.is_empty() && !self.problems.iter().any(has_gap)
    }

    pub(super) fn reject(&mut self, uri: String, reason: String) {
        self.rejected += 1;
        self.rejects.push((uri, reason));
    }

    pub(super) fn count(&mut self, source: &ReadSource, is_new: bool) {
        let further_pages = source.files.saturating_sub(1);
        self.listed = self.listed.saturating_sub(further_pages);
        self.further_pages += further_pages;
        if !is_new {
            self.known += 1;
            return;
        }
        let snapshot = &source.snapshot;
        self.imported += 1;
        *self.by_format.entry(snapshot.format).or_default() += 1;
        self.accounts.extend(snapshot.accounts().into_iter().map(str::to_owned));
        for principal in &snapshot.principals {
            *self.principals.entry(principal.kind).or_default() += 1;
            self.unknown_principals += u64::from(!principal.gaps.is_empty());
        }
        self.policies += count(&snapshot.policies);
        self.statements += snapshot.policies.iter().map(statement_count).sum::<u64>();
        self.attachments += count(&snapshot.attachments);
        self.credentials += count(&snapshot.credentials);
        self.nodes += count(&snapshot.nodes);
        self.problems
            .extend(snapshot.problems.iter().map(|problem| SourceProblem {
                source: source.uri.clone(),
                problem: problem.clone(),
            }));
    }
}

fn count<T>(items: &[T]) -> u64 {
    items.iter().map(|_| 1).sum()
}
