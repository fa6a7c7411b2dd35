//! What the policies come to, and why.

use std::collections::BTreeSet;
use std::fmt;

/// What the policies come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'a> {
    /// The request succeeds.
    Allowed {
        /// The statement that grants it; `None` for the root user in its own account, which needs none.
        by: Option<StatementPlace<'a>>,
    },
    /// A statement denies it.
    ExplicitlyDenied {
        /// The statement.
        by: StatementPlace<'a>,
    },
    /// No statement denies it for certain, and at one layer where one must allow it, none does.
    ImplicitlyDenied {
        /// The layer.
        at: Layer,
    },
    /// It depends on what is not known.
    Unknown {
        /// What is not known.
        missing: BTreeSet<Missing<'a>>,
    },
}

/// Whether a request succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effectiveness {
    /// It succeeds.
    Succeeds,
    /// It fails.
    Fails,
    /// It cannot be known.
    Unknown,
}

/// Kinds of policies by what they are attached to, with the level for those of an organization: 1 is the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Of the user, its groups, or the role.
    Identity,
    /// Permissions boundary.
    Boundary,
    /// Passed with the session.
    Session,
    /// Service control policies of one level.
    ServiceControl(usize),
    /// Resource control policies of one level.
    ResourceControl(usize),
    /// Of the resource.
    Resource,
    /// Of the VPC endpoint.
    Endpoint,
}

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementPlace<'a> {
    /// The layer.
    pub layer: Layer,
    /// Name of the policy.
    pub policy: &'a str,
    /// Position in the document, from 1.
    pub number: usize,
    /// `Sid`.
    pub sid: Option<&'a str>,
}

/// Something that is not known and matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing<'a> {
    /// The value of a condition key, in the spelling of the policy.
    Key(String),
    /// The policies of a layer.
    Layer(Layer),
    /// A policy that cannot be read.
    Policy(Layer, &'a str),
    /// A statement that cannot be read, or lacks an element that its layer needs.
    Statement(StatementPlace<'a>),
    /// What AWS makes of an element, as its documentation does not say: an operator that it does not have, a value that
    /// the operator cannot read, several values without `ForAllValues` or `ForAnyValue`, a variable out of its place.
    Meaning(StatementPlace<'a>),
    /// Whether a principal element means this principal.
    Principal(StatementPlace<'a>),
    /// The service control policies that bind the principal's account.
    ServiceControls,
    /// The resource control policies that bind the resource's account.
    ResourceControls,
    /// The name of the resource.
    ResourceName,
    /// The account of the resource.
    ResourceAccount,
    /// Whether resource control policies bind the service.
    ResourceControlSupport,
}

impl Decision<'_> {
    /// Whether the request succeeds.
    pub fn effectiveness(&self) -> Effectiveness {
        match self {
            Self::Allowed { .. } => Effectiveness::Succeeds,
            Self::ExplicitlyDenied { .. } | Self::ImplicitlyDenied { .. } => Effectiveness::Fails,
            Self::Unknown { .. } => Effectiveness::Unknown,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => formatter.write_str("identity policies"),
            Self::Boundary => formatter.write_str("permissions boundary"),
            Self::Session => formatter.write_str("session policies"),
            Self::ServiceControl(level) => write!(formatter, "service control policies of level {level}"),
            Self::ResourceControl(level) => write!(formatter, "resource control policies of level {level}"),
            Self::Resource => formatter.write_str("resource policy"),
            Self::Endpoint => formatter.write_str("VPC endpoint policy"),
        }
    }
}

impl fmt::Display for StatementPlace<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: `{}` statement {}", self.layer, self.policy, self.number)?;
        match self.sid {
            Some(sid) if !sid.is_empty() => write!(formatter, " (`{sid}`)"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(formatter, "value of the condition key `{key}`"),
            Self::Layer(layer) => write!(formatter, "{layer}"),
            Self::Policy(layer, name) => write!(formatter, "{layer}: `{name}` cannot be read"),
            Self::Statement(place) => write!(formatter, "{place} cannot be read"),
            Self::Meaning(place) => write!(formatter, "{place}: what AWS makes of it is not documented"),
            Self::Principal(place) => write!(formatter, "{place}: whether it names the principal"),
            Self::ServiceControls => formatter.write_str("service control policies"),
            Self::ResourceControls => formatter.write_str("resource control policies"),
            Self::ResourceName => formatter.write_str("name of the resource"),
            Self::ResourceAccount => formatter.write_str("account of the resource"),
            Self::ResourceControlSupport => formatter.write_str("whether resource control policies bind the service"),
        }
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed { by: Some(place) } => write!(formatter, "allowed by {place}"),
            Self::Allowed { by: None } => formatter.write_str("allowed to the root user"),
            Self::ExplicitlyDenied { by } => write!(formatter, "denied by {by}"),
            Self::ImplicitlyDenied { at } => write!(formatter, "not allowed by {at}"),
            Self::Unknown { missing } => {
                formatter.write_str("not known: ")?;
                for (position, missing) in missing.iter().enumerate() {
                    let separator = if position == 0 { "" } else { "; " };
                    write!(formatter, "{separator}{missing}")?;
                }
                Ok(())
            }
        }
    }
}
