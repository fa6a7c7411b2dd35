//! One thing that was looked at.

use crate::source::Fault;

/// What was looked at, what was found, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) status: Status,
    /// Bucket, folder or part of the machine.
    pub(super) subject: String,
    pub(super) found: String,
    pub(super) remedy: Option<String>,
}

/// How good or bad it is, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Ok,
    /// A run works, but something is to be looked at.
    Warning,
    /// A run fails, or reads nothing.
    Failure,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

impl Check {
    pub(super) fn ok(name: &'static str, subject: &str, found: impl Into<String>) -> Self {
        Self {
            name,
            status: Status::Ok,
            subject: subject.to_owned(),
            found: found.into(),
            remedy: None,
        }
    }

    pub(super) fn warning(name: &'static str, subject: &str, found: impl Into<String>, remedy: &str) -> Self {
        Self {
            status: Status::Warning,
            remedy: Some(remedy.to_owned()),
            ..Self::ok(name, subject, found)
        }
    }

    pub(super) fn failure(name: &'static str, subject: &str, found: impl Into<String>, remedy: &str) -> Self {
        Self {
            status: Status::Failure,
            ..Self::warning(name, subject, found, remedy)
        }
    }

    /// What a bucket answered instead.
    pub(super) fn fault(name: &'static str, subject: &str, fault: &Fault) -> Self {
        let (found, remedy) = fault.found_and_remedy();
        Self {
            status: Status::Failure,
            remedy: remedy.map(str::to_owned),
            ..Self::ok(name, subject, found)
        }
    }

    /// For people, on one line.
    pub(super) fn sentence(&self) -> String {
        let remedy = self
            .remedy
            .as_ref()
            .map_or_else(String::new, |remedy| format!("; {remedy}"));
        format!("{}: `{}`: {}{remedy}", self.name, self.subject, self.found)
    }
}
