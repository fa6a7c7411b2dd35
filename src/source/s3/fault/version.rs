//! Which version of an object a fault is about: one may take the place of another between listing and reading.

use std::borrow::Cow;

use super::Fault;
use crate::source::ObjectRef;

/// What tells a version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    etag: Box<str>,
    size: u64,
    last_modified: Option<i64>,
}

impl Fault {
    /// The same about a version that is not the one that was listed.
    pub(in crate::source::s3) fn of_version(self, object: &ObjectRef) -> Self {
        Self {
            newer: Some(Box::new(Version {
                etag: object.etag.clone(),
                size: object.size,
                last_modified: object.last_modified,
            })),
            ..self
        }
    }

    /// The object that it is about: the one that was listed, or what has taken its place since.
    pub fn object<'o>(&self, listed: &'o ObjectRef) -> Cow<'o, ObjectRef> {
        match self.newer.as_deref().cloned() {
            None => Cow::Borrowed(listed),
            Some(Version {
                etag,
                size,
                last_modified,
            }) => Cow::Owned(ObjectRef {
                etag,
                size,
                last_modified,
                ..listed.clone()
            }),
        }
    }
}
