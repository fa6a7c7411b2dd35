//! What a snapshot holds.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::iam::document::Document;
use crate::iam::document::DocumentError;

/// What one file, or one folder that belongs together, says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What kind of file it is.
    pub format: Format,
    /// When it was made, if it says so: microseconds since 1970-01-01T00:00:00Z.
    pub generated_at: Option<i64>,
    /// Users, groups and roles by ARN.
    pub principals: Vec<Principal>,
    /// Policies by id and version.
    pub policies: Vec<Policy>,
    /// What is attached to what.
    pub attachments: Vec<Attachment>,
    /// Passwords, access keys and certificates.
    pub credentials: Vec<Credential>,
    /// Roots, units and accounts of an organization.
    pub nodes: Vec<OrganizationNode>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
    /// Whether its last page says that another one follows.
    pub lacks_pages: bool,
    /// Managed policies of which it says how many users, groups and roles have them.
    pub attachment_counts: BTreeMap<String, usize>,
    /// Managed policies of which it says how many users and roles they bound.
    pub boundary_counts: BTreeMap<String, usize>,
}

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `aws iam get-account-authorization-details`.
    AuthorizationDetails,
    /// `aws iam get-credential-report`, or the CSV in it.
    CredentialReport,
    /// Policies of an organization with their targets.
    OrganizationPolicies,
    /// The folder of an account or organization as `iam-collect` writes it.
    Collected,
}

/// A user, group or role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// User, group or role.
    pub kind: PrincipalKind,
    /// ARN with the path.
    pub arn: String,
    /// Account in the ARN.
    pub account_id: Option<String>,
    /// Name without the path.
    pub name: String,
    /// Path, `/` at least.
    pub path: String,
    /// Id that is never used again, unlike the name: `AROA…`, `AIDA…`, `AGPA…`.
    pub unique_id: Option<String>,
    /// When it was made.
    pub created_at: Option<i64>,
    /// When a role was last used, or the password of a user, as IAM says.
    pub last_used_at: Option<i64>,
    /// Where it was last used.
    pub last_used_region: Option<String>,
    /// ARN of the policy that bounds its permissions.
    pub boundary_arn: Option<String>,
    /// ARNs of the instance profiles of a role.
    pub instance_profiles: Vec<String>,
    /// Tags in order.
    pub tags: Vec<(String, String)>,
    /// Why its permissions cannot be known from this snapshot; empty when they can.
    pub gaps: Vec<String>,
}

/// Kinds of principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
}

/// One version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// ARN; for an inline or trust policy the principal's ARN, `#` and the policy's name.
    pub id: String,
    /// Where it counts.
    pub kind: PolicyKind,
    /// Name without the path.
    pub name: String,
    /// Account in the ARN.
    pub account_id: Option<String>,
    /// Version, as `v3`; inline policies have none.
    pub version_id: Option<String>,
    /// Whether this version is in force.
    pub is_default: bool,
    /// When this version was made.
    pub created_at: Option<i64>,
    /// Where the document comes from.
    pub origin: Origin,
    /// The document as JSON, as it was found.
    pub text: String,
    /// The document, or why it cannot be read.
    pub document: Result<Document, DocumentError>,
}

/// Kinds of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// Part of one principal.
    Inline,
    /// Who may assume a role.
    Trust,
    /// A managed policy of the account.
    Managed,
    /// A managed policy of AWS.
    AwsManaged,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// Another kind of policy of an organization, which grants and denies nothing.
    OtherOrganization,
}

/// Where a document comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The snapshot.
    Snapshot,
    /// The facts: the snapshot names a policy of AWS without its document.
    Facts,
}

/// That something counts for something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    /// ARN of the principal, or id of the account, unit or root.
    pub target: String,
    /// How it counts.
    pub kind: AttachmentKind,
    /// Id of the policy, or ARN of the group.
    pub attached: String,
}

/// How something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttachmentKind {
    /// An inline policy.
    Inline,
    /// A managed policy.
    Managed,
    /// A policy that bounds the principal's permissions.
    Boundary,
    /// A role's trust policy.
    Trust,
    /// A group that a user is in.
    Group,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// Another kind of policy of an organization.
    OtherOrganization,
}

/// A password, access key or certificate, as the credential report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// ARN of the user or root.
    pub principal_arn: String,
    /// Account in the ARN.
    pub account_id: Option<String>,
    /// Name; `<root_account>` for the root user.
    pub user_name: String,
    /// When the user was made.
    pub user_created_at: Option<i64>,
    /// Which credential.
    pub kind: CredentialKind,
    /// Whether it can be used; `None` where the report does not say, as for the root's password.
    pub is_active: Option<bool>,
    /// When it was made or last changed.
    pub changed_at: Option<i64>,
    /// When it was last used.
    pub last_used_at: Option<i64>,
    /// Where it was last used.
    pub last_used_region: Option<String>,
    /// For which service it was last used.
    pub last_used_service: Option<String>,
    /// When a password must be changed.
    pub next_change_at: Option<i64>,
    /// Whether the user has an MFA device.
    pub mfa_active: Option<bool>,
}

/// Kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// The console password.
    Password,
    /// The first access key.
    AccessKey1,
    /// The second access key.
    AccessKey2,
    /// The first signing certificate.
    Certificate1,
    /// The second signing certificate.
    Certificate2,
}

/// A root, unit or account of an organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrganizationNode {
    /// Id of the organization, if the file says so.
    pub organization_id: Option<String>,
    /// Id: `r-…`, `ou-…` or an account id.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// Name.
    pub name: Option<String>,
    /// Id of the root or unit above it; none for the root.
    pub parent_id: Option<String>,
    /// Whether it is the management account, which no policy of the organization binds.
    pub is_management: bool,
}

/// Kinds of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// The root.
    Root,
    /// An organizational unit.
    Unit,
    /// An account.
    Account,
}

/// Something that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where in the file.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something could not be read: someone may have permissions that the snapshot does not show.
    Gap,
    /// Something is not known to this program but takes nothing away from what is.
    Note,
}

impl Snapshot {
    /// A snapshot that says nothing yet.
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            generated_at: None,
            principals: Vec::new(),
            policies: Vec::new(),
            attachments: Vec::new(),
            credentials: Vec::new(),
            nodes: Vec::new(),
            problems: Vec::new(),
            lacks_pages: false,
            attachment_counts: BTreeMap::new(),
            boundary_counts: BTreeMap::new(),
        }
    }

    /// Accounts whose principals, policies or credentials it lists, in order.
    pub fn accounts(&self) -> BTreeSet<&str> {
        let principals = self.principals.iter().map(|principal| &principal.account_id);
        let policies = self.policies.iter().map(|policy| &policy.account_id);
        let credentials = self.credentials.iter().map(|credential| &credential.account_id);
        let all = principals.chain(policies).chain(credentials);
        all.filter_map(Option::as_deref).collect()
    }

    /// Whether something could not be read.
    pub fn has_gaps(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Gap)
    }

    pub(super) fn problem(&mut self, severity: Severity, place: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            severity,
            place: place.into(),
            message: message.into(),
        });
    }
}

impl Format {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationDetails => "authorization-details",
            Self::CredentialReport => "credential-report",
            Self::OrganizationPolicies => "organization-policies",
            Self::Collected => "iam-collect",
        }
    }
}

impl PrincipalKind {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }
}

impl PolicyKind {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Trust => "trust",
            Self::Managed => "managed",
            Self::AwsManaged => "aws-managed",
            Self::ServiceControl => "service-control",
            Self::ResourceControl => "resource-control",
            Self::OtherOrganization => "other-organization",
        }
    }
}

impl Origin {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Facts => "facts",
        }
    }
}

impl AttachmentKind {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Managed => "managed",
            Self::Boundary => "boundary",
            Self::Trust => "trust",
            Self::Group => "group",
            Self::ServiceControl => "service-control",
            Self::ResourceControl => "resource-control",
            Self::OtherOrganization => "other-organization",
        }
    }
}

impl CredentialKind {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::AccessKey1 => "access-key-1",
            Self::AccessKey2 => "access-key-2",
            Self::Certificate1 => "certificate-1",
            Self::Certificate2 => "certificate-2",
        }
    }
}

impl NodeKind {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Unit => "unit",
            Self::Account => "account",
        }
    }
}
