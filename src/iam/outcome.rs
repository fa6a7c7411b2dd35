//! What one record says about IAM actions.

use std::borrow::Cow;

use super::catalogue::ActionId;
use super::denial::Denial;
use super::rule::Confidence;
use super::rule::Provenance;

/// The fields of a record that tell which actions it needed; texts as they stand in the record.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// `eventType`; an absent one counts as `AwsApiCall`.
    pub event_type: Option<&'a str>,
    /// `eventSource`.
    pub event_source: &'a str,
    /// `eventName`.
    pub event_name: &'a str,
    /// `userIdentity.type`.
    pub identity_type: Option<&'a str>,
    /// `errorCode`.
    pub error_code: Option<&'a str>,
    /// `errorMessage`.
    pub error_message: Option<&'a str>,
    /// `requestParameters` as JSON.
    pub request_parameters: Option<&'a str>,
    /// `additionalEventData` as JSON.
    pub additional_event_data: Option<&'a str>,
    /// ARNs of `resources`.
    pub resource_arns: &'a [&'a str],
    /// Roles and instance profiles that the request hands to a service.
    pub passed_role_arns: &'a [&'a str],
    /// Account whose resources the call is about: `recipientAccountId`.
    pub account_id: Option<&'a str>,
    /// `awsRegion`.
    pub region: Option<&'a str>,
}

/// What a record says about IAM actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// Whether actions were needed, and if none, why.
    pub verdict: Verdict,
    /// How the call ended.
    pub attempt: Attempt,
    /// How sure the mapping is.
    pub confidence: Confidence,
    /// Where the mapping comes from.
    pub provenance: Provenance,
    /// The actions, primary ones first; each at most once.
    pub actions: Vec<UsedAction<'a>>,
    /// What the error message says about the refusal.
    pub denial: Option<Denial>,
}

/// Whether a record is about IAM actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The call needed the actions.
    Actions,
    /// The call needs no permission.
    Permissionless {
        /// Why.
        reason: &'static str,
    },
    /// Callers need no credentials, so that no principal used a permission.
    Unauthenticated,
    /// The event is no call that a principal was authorised for.
    NotIam {
        /// Why.
        reason: &'static str,
    },
    /// The facts do not know the operation; it may have needed any action of the service.
    Unmapped {
        /// What is unknown.
        reason: &'static str,
    },
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attempt {
    /// Without an error.
    Succeeded,
    /// Refused for lack of permission: an attempt, never a use.
    Denied,
    /// With another error, as wrong parameters or throttling.
    Failed,
}

/// Relation of an action to the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Every such call needs it.
    Primary,
    /// Needed only with certain parameters or resources.
    Conditional,
    /// May be needed besides, in another service or for a role; the absence of proof is no proof of disuse.
    Dependent,
}

/// What shows that the call needed an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The call itself.
    Call,
    /// A parameter of the request; its name.
    Parameter(&'static str),
    /// The error message, which names the action.
    Message,
    /// The role that the request hands over.
    PassedRole,
    /// The answer, which S3 gives to those alone who have the permission.
    Answer,
    /// Nothing; the call may have needed it.
    Possible,
    /// Nothing, but a service may have used it with the caller's rights; the prefix of the service.
    ForwardAccess(&'static str),
}

/// An action that a call needed or may have needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedAction<'a> {
    /// Position in the catalogue; `None` for an action that only the error message knows.
    pub id: Option<ActionId>,
    /// Full name; hostile text if `id` is `None`.
    pub name: Cow<'static, str>,
    /// Relation to the call.
    pub class: Class,
    /// What shows it.
    pub proof: Proof,
    /// Resources it was used on, in the order of the resource types; empty if none can be named.
    pub resources: Vec<UsedResource<'a>>,
    /// Resource types that every use needs and for which the record names no resource.
    pub missing_types: Vec<&'static str>,
}

/// A resource that an action was used on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedResource<'a> {
    /// ARN; hostile text.
    pub arn: Cow<'a, str>,
    /// Type within the service, as `bucket`; empty if the error message names the resource.
    pub resource_type: &'static str,
    /// Where the ARN stands or how it was made.
    pub origin: ResourceOrigin,
}

/// Where a resource ARN comes from, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceOrigin {
    /// `resources` of the record.
    Record,
    /// The error message.
    Message,
    /// The ARN of the role that the request hands over.
    PassedRole,
    /// A known parameter holds its parts.
    Template,
    /// A parameter is an ARN of the right kind.
    Parameter,
    /// Parameters bear the names of the variables of the ARN's format.
    Names,
}

impl Outcome<'_> {
    /// An outcome that names no action.
    pub(super) fn without_actions(attempt: Attempt, verdict: Verdict) -> Self {
        let (confidence, provenance) = match verdict {
            Verdict::Unmapped { .. } => (Confidence::Unresolved, Provenance::Nothing),
            _ => (Confidence::Curated, Provenance::Curated),
        };
        Self {
            verdict,
            attempt,
            confidence,
            provenance,
            actions: Vec::new(),
            denial: None,
        }
    }

    /// Whether the call used an action of it for certain: none unless it succeeded, and its mapping leaves no doubt.
    pub fn is_used(&self, action: &UsedAction<'_>) -> bool {
        self.attempt == Attempt::Succeeded && self.confidence.is_certain() && action.is_proven()
    }

    /// The actions that it used for certain.
    pub fn proven(&self) -> impl Iterator<Item = &UsedAction<'_>> {
        self.actions.iter().filter(|action| self.is_used(action))
    }
}

impl Outcome<'_> {
    /// Whether every resource that is taken from the record is an ARN of `resources` as it stands there.
    pub fn names_records_whole(&self, call: &Call<'_>) -> bool {
        let resources = self.actions.iter().flat_map(|action| &action.resources);
        let mut recorded = resources.filter(|resource| resource.origin == ResourceOrigin::Record);
        recorded.all(|resource| call.resource_arns.contains(&&*resource.arn))
    }
}

impl UsedAction<'_> {
    /// Whether the record shows that the call needed the action.
    pub fn is_proven(&self) -> bool {
        !matches!(self.proof, Proof::Possible | Proof::ForwardAccess(_))
    }
}

impl Verdict {
    /// Name in reports and in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::Permissionless { .. } => "permissionless",
            Self::Unauthenticated => "unauthenticated",
            Self::NotIam { .. } => "not-iam",
            Self::Unmapped { .. } => "unmapped",
        }
    }

    /// Why no action was needed or found; empty if there are actions.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Actions => "",
            Self::Unauthenticated => "callers need no credentials",
            Self::Permissionless { reason } | Self::NotIam { reason } | Self::Unmapped { reason } => reason,
        }
    }
}

impl ResourceOrigin {
    /// Whether the ARN itself stands in the record. One that is made of names is a hint: a path, an account or a version may
    /// be missing in it.
    pub fn is_proof(self) -> bool {
        !matches!(self, Self::Template | Self::Names)
    }

    /// Name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Message => "message",
            Self::PassedRole => "passed-role",
            Self::Template => "template",
            Self::Parameter => "parameter",
            Self::Names => "names",
        }
    }
}

impl Attempt {
    /// How a call with this error ended.
    pub fn of(error_code: Option<&str>, error_message: Option<&str>) -> Self {
        const REFUSALS: [&str; 4] = ["AccessDenied", "Unauthorized", "NotAuthorized", "AuthorizationError"];
        let (code, message) = (error_code.unwrap_or_default(), error_message.unwrap_or_default());
        if code.is_empty() && message.is_empty() {
            return Self::Succeeded;
        }
        let is_refused = code == "Forbidden"
            || REFUSALS.iter().any(|refusal| code.contains(refusal))
            || message.contains("not authorized to perform");
        match is_refused {
            true => Self::Denied,
            false => Self::Failed,
        }
    }

    /// Name in reports and in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

impl Class {
    /// Name in reports and in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Conditional => "conditional",
            Self::Dependent => "dependent",
        }
    }
}

impl Proof {
    /// Text in reports and in SQL; empty if there is none.
    pub fn text(self) -> Cow<'static, str> {
        let plain = match self {
            Self::Call => "call",
            Self::Parameter(name) => return Cow::Owned(format!("parameter {name}")),
            Self::Message => "error message",
            Self::PassedRole => "passed role",
            Self::Answer => "answer: no such key",
            Self::Possible => "none",
            Self::ForwardAccess(prefix) => {
                return Cow::Owned(format!("none; {prefix}.amazonaws.com may use it for the caller"));
            }
        };
        Cow::Borrowed(plain)
    }
}
