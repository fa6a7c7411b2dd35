//! The policies that have a say in a request.

use crate::iam::document::Document;

/// The policies that have a say in a request, or that it is not known which.
#[derive(Debug, Clone)]
pub struct PolicySet<'a> {
    /// Of the user, its groups, or the role.
    pub identity: Stated<Vec<NamedPolicy<'a>>>,
    /// The policy that bounds the permissions of the user or role; `None` when nothing does.
    pub boundary: Stated<Option<NamedPolicy<'a>>>,
    /// Policies passed with the session; `None` when none were.
    pub session: Stated<Option<Vec<NamedPolicy<'a>>>>,
    /// Service control policies of the principal's account, level by level; no levels where none are in force.
    pub service_control: Stated<Vec<Level<'a>>>,
    /// Resource control policies of the resource's account, level by level; no levels where none are in force.
    pub resource_control: Stated<Vec<Level<'a>>>,
    /// Of the resource; `None` when it has none.
    pub resource: Stated<Option<NamedPolicy<'a>>>,
    /// Of the VPC endpoint that the request came through; `None` when it came another way, or the policy lets all through.
    pub endpoint: Stated<Option<NamedPolicy<'a>>>,
    /// The management account of the organization, which no control policy binds; `None` without an organization.
    pub management_account_id: Option<&'a str>,
}

/// Something that is known, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated<T> {
    /// Known.
    Known(T),
    /// Not known.
    Unknown,
}

/// A policy with the name that decisions give as their reason.
#[derive(Debug, Clone, Copy)]
pub struct NamedPolicy<'a> {
    /// Name or id.
    pub name: &'a str,
    /// The document; `None` when it cannot be read.
    pub document: Option<&'a Document>,
}

/// What is attached to one node on the way from the root of an organization to an account, both included.
#[derive(Debug, Clone)]
pub struct Level<'a> {
    /// Id of the root, unit or account.
    pub node: &'a str,
    /// The policies.
    pub policies: Vec<NamedPolicy<'a>>,
}

impl PolicySet<'_> {
    /// No policies at all.
    pub fn none() -> Self {
        Self {
            identity: Stated::Known(Vec::new()),
            boundary: Stated::Known(None),
            session: Stated::Known(None),
            service_control: Stated::Known(Vec::new()),
            resource_control: Stated::Known(Vec::new()),
            resource: Stated::Known(None),
            endpoint: Stated::Known(None),
            management_account_id: None,
        }
    }

    /// Nothing is known.
    pub fn unknown() -> Self {
        Self {
            identity: Stated::Unknown,
            boundary: Stated::Unknown,
            session: Stated::Unknown,
            service_control: Stated::Unknown,
            resource_control: Stated::Unknown,
            resource: Stated::Unknown,
            endpoint: Stated::Unknown,
            management_account_id: None,
        }
    }
}

impl<'a> NamedPolicy<'a> {
    /// A policy that can be read.
    pub fn new(name: &'a str, document: &'a Document) -> Self {
        Self {
            name,
            document: Some(document),
        }
    }
}
