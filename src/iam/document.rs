//! IAM policy documents, read strictly and written back as they were.
//!
//! What a document says is kept element by element, with the form of each (one value or a list) and their order, so that
//! an edited document differs from the present one only where it was edited. What cannot be understood is never
//! guessed: the statement is kept as it stands and named as unreadable. What a statement grants is left to `policy`.

mod condition;
mod print;
mod read;

pub use condition::ConditionBlock;
pub use condition::ConditionValue;

use std::collections::BTreeSet;

use super::json::Json;

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `Version`; a document without one is of 2008.
    pub version: Option<Version>,
    /// `Id`.
    pub id: Option<String>,
    /// `Statement`.
    pub statements: OneOrMany<Entry>,
    order: Vec<&'static str>,
}

/// Version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, in which policy variables such as `${aws:username}` are plain text.
    Of2008,
    /// `2012-10-17`.
    Of2012,
}

/// One value, or a list of any length: IAM takes both, and what was written is what is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOrMany<T> {
    /// A value that stands alone.
    One(T),
    /// A list, perhaps with one value or none.
    Many(Vec<T>),
}

/// A statement, or what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A statement whose every element is understood.
    Readable(Statement),
    /// A statement that cannot be understood: it may grant or deny anything.
    Unreadable {
        /// The statement as it stands.
        json: Json,
        /// What is wrong with it.
        error: StatementError,
    },
}

/// A statement whose every element is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<String>,
    /// `Effect`.
    pub effect: Effect,
    /// `Action` or `NotAction`.
    pub actions: Scope<OneOrMany<String>>,
    /// `Resource` or `NotResource`; trust policies have neither.
    pub resources: Option<Scope<OneOrMany<String>>>,
    /// `Principal` or `NotPrincipal`; identity policies have neither.
    pub principals: Option<Scope<PrincipalSet>>,
    /// `Condition`; a statement without one has an empty list.
    pub conditions: Vec<ConditionBlock>,
    order: Vec<&'static str>,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// An element that exists in a plain and in a `Not` form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope<T> {
    /// `Action`, `Resource`, `Principal`: what is named.
    Only(T),
    /// `NotAction`, `NotResource`, `NotPrincipal`: everything but what is named.
    AllBut(T),
}

/// Who a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalSet {
    /// `"*"`.
    Everyone,
    /// Principals by their kind, in the order of the document.
    Named(Vec<(PrincipalType, OneOrMany<String>)>),
}

/// Kind of a principal in a policy document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalType {
    /// `AWS`: accounts, users, roles and sessions.
    Aws,
    /// `Service`: AWS services.
    Service,
    /// `Federated`: identity providers.
    Federated,
    /// `CanonicalUser`: the S3 name of an account.
    CanonicalUser,
}

/// Why a whole document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There is no text.
    #[error("the policy document is missing")]
    Missing,
    /// The text is neither JSON nor percent-encoded JSON.
    #[error("the policy document is no JSON: {reason}")]
    NotJson {
        /// What the parser says.
        reason: String,
    },
    /// The JSON is no object.
    #[error("the policy document is {found}, not an object")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// An element beside the statements is wrong.
    #[error("the policy document's {0}")]
    Element(ElementError),
}

/// Why a statement cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("statement {number}{}: {cause}", self.named())]
pub struct StatementError {
    /// Position in the document, from 1.
    pub number: usize,
    /// `Sid`, if it has one.
    pub sid: Option<String>,
    /// The element and what is wrong with it.
    pub cause: ElementError,
}

/// An element and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("element `{element}` {fault}")]
pub struct ElementError {
    /// Name of the element, with the names below it, as `Condition.StringEquals`; empty for the statement itself.
    pub element: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an element.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The language asks for the element.
    #[error("is missing")]
    Missing,
    /// Which of the two holds is not defined.
    #[error("stands twice")]
    Repeated,
    /// The language has no such element.
    #[error("is unknown")]
    Unknown,
    /// A value of another type is needed.
    #[error("is {found}, not {wanted}")]
    WrongType {
        /// The type found.
        found: &'static str,
        /// The type needed.
        wanted: &'static str,
    },
    /// Two elements of which the language takes one.
    #[error("stands beside `{other}`")]
    Excluded {
        /// The other element.
        other: &'static str,
    },
    /// A text that the language does not know.
    #[error("has the unknown value `{value}`")]
    UnknownValue {
        /// The text.
        value: String,
    },
}

impl Document {
    /// Reads a document from JSON text, percent-encoded as IAM's API gives it or plain.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        read::text(text)
    }

    /// Reads a document from a value: an object, or a string that holds one.
    pub fn from_json(json: &Json) -> Result<Self, DocumentError> {
        match json {
            Json::Text(text) => read::text(text),
            other => read::document(other),
        }
    }

    /// A document of the present language version.
    pub fn of(statements: Vec<Statement>) -> Self {
        Self {
            version: Some(Version::Of2012),
            id: None,
            statements: OneOrMany::Many(statements.into_iter().map(Entry::Readable).collect()),
            order: Vec::new(),
        }
    }

    /// The statements that can be read, each with its position from 0.
    pub fn readable(&self) -> impl Iterator<Item = (usize, &Statement)> {
        let entries = self.statements.as_slice().iter().enumerate();
        entries.filter_map(|(position, entry)| match entry {
            Entry::Readable(statement) => Some((position, statement)),
            Entry::Unreadable { .. } => None,
        })
    }

    /// What is wrong with the other statements.
    pub fn unreadable(&self) -> impl Iterator<Item = &StatementError> {
        self.statements.as_slice().iter().filter_map(|entry| match entry {
            Entry::Unreadable { error, .. } => Some(error),
            Entry::Readable(_) => None,
        })
    }

    /// The services that statements which allow name as principals.
    pub fn trusted_services(&self) -> BTreeSet<String> {
        let allowing = self.readable().map(|(_, statement)| statement);
        let named = allowing
            .filter(|statement| statement.effect == Effect::Allow)
            .filter_map(|statement| match &statement.principals {
                Some(Scope::Only(PrincipalSet::Named(named))) => Some(named),
                _ => None,
            });
        let services = named.flatten().filter(|(kind, _)| *kind == PrincipalType::Service);
        services
            .flat_map(|(_, names)| names.texts().map(str::to_owned))
            .collect()
    }

    /// Whether every statement can be read.
    pub fn is_complete(&self) -> bool {
        self.unreadable().next().is_none()
    }
}

impl Statement {
    /// A statement without resources, principals, conditions and `Sid`.
    pub fn new(effect: Effect, actions: Scope<OneOrMany<String>>) -> Self {
        Self {
            sid: None,
            effect,
            actions,
            resources: None,
            principals: None,
            conditions: Vec::new(),
            order: Vec::new(),
        }
    }
}

impl Statement {
    /// Operators of its conditions that IAM does not have.
    pub fn unknown_operators(&self) -> impl Iterator<Item = &str> {
        let unknown = self.conditions.iter().filter(|block| !block.has_known_operator());
        unknown.map(|block| block.operator.as_str())
    }
}

impl Effect {
    /// `Allow` or `Deny`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl PrincipalType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Aws, Self::Service, Self::Federated, Self::CanonicalUser];

    /// The name in a document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Service => "Service",
            Self::Federated => "Federated",
            Self::CanonicalUser => "CanonicalUser",
        }
    }
}

impl Version {
    /// The text in a document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Of2008 => "2008-10-17",
            Self::Of2012 => "2012-10-17",
        }
    }
}

impl<T> OneOrMany<T> {
    /// The values.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl OneOrMany<String> {
    /// The values as texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.as_slice().iter().map(String::as_str)
    }
}

impl<T> Scope<T> {
    /// What is named, whether it is meant or excepted.
    pub fn named(&self) -> &T {
        match self {
            Self::Only(named) | Self::AllBut(named) => named,
        }
    }

    /// Whether this is the `Not` form.
    pub fn is_negated(&self) -> bool {
        matches!(self, Self::AllBut(_))
    }
}

impl StatementError {
    fn named(&self) -> String {
        let sid = self.sid.as_ref().filter(|sid| !sid.is_empty());
        sid.map_or_else(String::new, |sid| format!(" (`{sid}`)"))
    }
}

#[cfg(test)]
mod tests;
