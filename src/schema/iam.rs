//! Columns of the tables of IAM snapshots: who was there, which policies there were, and what was attached to what.
//!
//! Every row says by `source_id` which source it is from, and by `snapshot_time` of when.

use super::ledger::Form;
use super::ledger::LedgerColumn;
use super::ledger::always;
use super::ledger::optional;

const SOURCE_ID: LedgerColumn = always(
    "source_id",
    Form::Text,
    "the source that says so; `iam_sources` lists them",
);
const SNAPSHOT_TIME: LedgerColumn = always("snapshot_time", Form::Timestamp, "when the snapshot was taken");
const ACCOUNT_ID: LedgerColumn = optional("account_id", Form::Text, "account in the ARN");

pub(super) const SOURCE_COLUMNS: &[LedgerColumn] = &[
    always(
        "source_id",
        Form::Text,
        "SHA-256 of the source, lower-case hex; the same source is imported once",
    ),
    SNAPSHOT_TIME,
    always("source", Form::Text, "URI of the file or folder"),
    always("format", Form::Text, "what it holds, told from its content"),
    always("accounts", Form::TextList, "accounts that it lists something of"),
    always(
        "is_complete",
        Form::Boolean,
        "false when something in it could not be read",
    ),
    always("principals", Form::Integer, "rows of `iam_principals`"),
    always("policies", Form::Integer, "rows of `iam_policies`"),
    always("statements", Form::Integer, "rows of `iam_statements`"),
    always("attachments", Form::Integer, "rows of `iam_attachments`"),
    always("credentials", Form::Integer, "rows of `iam_credentials`"),
    always("nodes", Form::Integer, "rows of `iam_organization`"),
    always(
        "problems",
        Form::Text,
        "what could not be understood, as a JSON list of objects with `severity`, `place` and `message`",
    ),
    always("imported_at", Form::Timestamp, "start of the run that imported it"),
    always(
        "run_id",
        Form::Text,
        "the run that imported it; the same in `store history`",
    ),
    always(
        "content",
        Form::Bytes,
        "the file as it was; of a folder its files as a JSON object by path",
    ),
];

pub(super) const PRINCIPAL_COLUMNS: &[LedgerColumn] = &[
    SOURCE_ID,
    SNAPSHOT_TIME,
    ACCOUNT_ID,
    always("principal_arn", Form::Text, "ARN with the path; joins `events`"),
    always("kind", Form::Text, "`user`, `group` or `role`"),
    always("name", Form::Text, "name without the path"),
    always("path", Form::Text, "path, `/` at least"),
    optional("unique_id", Form::Text, "id that is never used again, unlike the name"),
    optional("created_at", Form::Timestamp, "when it was made"),
    optional(
        "last_used_at",
        Form::Timestamp,
        "when a role was last used, as IAM says",
    ),
    optional("last_used_region", Form::Text, "where it was last used, as IAM says"),
    optional(
        "boundary_arn",
        Form::Text,
        "ARN of the policy that bounds its permissions",
    ),
    always(
        "instance_profiles",
        Form::TextList,
        "ARNs of the instance profiles of a role",
    ),
    always("tags", Form::Text, "tags as a JSON object"),
    always(
        "gaps",
        Form::TextList,
        "why its permissions are not known from this snapshot; empty when they are",
    ),
];

pub(super) const POLICY_COLUMNS: &[LedgerColumn] = &[
    SOURCE_ID,
    SNAPSHOT_TIME,
    ACCOUNT_ID,
    always(
        "policy_id",
        Form::Text,
        "ARN; of an inline or trust policy the principal's ARN, `#` and the policy's name",
    ),
    always(
        "kind",
        Form::Text,
        "`inline`, `trust`, `managed`, `aws-managed`, `service-control`, `resource-control` or `other-organization`",
    ),
    always("name", Form::Text, "name without the path"),
    optional("version_id", Form::Text, "version; inline policies have none"),
    always("is_default", Form::Boolean, "whether this version is in force"),
    optional("created_at", Form::Timestamp, "when this version was made"),
    always(
        "origin",
        Form::Text,
        "`snapshot`, or `facts` for a policy of AWS that the snapshot names without its document",
    ),
    always("document", Form::Text, "the document as it was found"),
    optional("error", Form::Text, "why the document cannot be read"),
];

pub(super) const STATEMENT_COLUMNS: &[LedgerColumn] = &[
    SOURCE_ID,
    SNAPSHOT_TIME,
    ACCOUNT_ID,
    always("policy_id", Form::Text, "the policy; joins `iam_policies`"),
    optional("version_id", Form::Text, "version of the policy"),
    always("is_default", Form::Boolean, "whether this version is in force"),
    always("statement_number", Form::Integer, "position in the document, from 1"),
    optional("sid", Form::Text, "`Sid`"),
    optional("effect", Form::Text, "`Effect`: `Allow` or `Deny`"),
    optional("actions", Form::TextList, "`Action`"),
    optional("not_actions", Form::TextList, "`NotAction`"),
    optional("resources", Form::TextList, "`Resource`"),
    optional("not_resources", Form::TextList, "`NotResource`"),
    optional("principals", Form::Text, "`Principal` as JSON"),
    optional("not_principals", Form::Text, "`NotPrincipal` as JSON"),
    optional("condition", Form::Text, "`Condition` as JSON"),
    always("statement", Form::Text, "the whole statement as JSON"),
    optional(
        "error",
        Form::Text,
        "why the statement cannot be read; the columns of its elements are null then",
    ),
];

pub(super) const ATTACHMENT_COLUMNS: &[LedgerColumn] = &[
    SOURCE_ID,
    SNAPSHOT_TIME,
    optional("account_id", Form::Text, "account of the target"),
    always(
        "target",
        Form::Text,
        "ARN of the principal, or id of the account, unit or root of an organization",
    ),
    always(
        "kind",
        Form::Text,
        "`inline`, `managed`, `boundary`, `trust`, `group`, `service-control`, `resource-control` or `other-organization`",
    ),
    always("attached", Form::Text, "the policy, or the ARN of the group"),
];

pub(super) const CREDENTIAL_COLUMNS: &[LedgerColumn] = &[
    SOURCE_ID,
    SNAPSHOT_TIME,
    ACCOUNT_ID,
    always("principal_arn", Form::Text, "ARN of the user or root"),
    always("user_name", Form::Text, "name; `<root_account>` for the root user"),
    optional("user_created_at", Form::Timestamp, "when the user was made"),
    always(
        "kind",
        Form::Text,
        "`password`, `access-key-1`, `access-key-2`, `certificate-1` or `certificate-2`",
    ),
    optional(
        "is_active",
        Form::Boolean,
        "whether it can be used; null where the report does not say",
    ),
    optional("changed_at", Form::Timestamp, "when it was made or last changed"),
    optional("last_used_at", Form::Timestamp, "when it was last used"),
    optional("last_used_region", Form::Text, "where it was last used"),
    optional("last_used_service", Form::Text, "for which service it was last used"),
    optional("next_change_at", Form::Timestamp, "when a password must be changed"),
    optional("mfa_active", Form::Boolean, "whether the user has an MFA device"),
];

pub(super) const NODE_COLUMNS: &[LedgerColumn] = &[
    SOURCE_ID,
    SNAPSHOT_TIME,
    optional("organization_id", Form::Text, "id of the organization"),
    always("node_id", Form::Text, "id of the root, unit or account"),
    always("kind", Form::Text, "`root`, `unit` or `account`"),
    optional("name", Form::Text, "name"),
    optional("parent_id", Form::Text, "id of the root or unit above it"),
    always(
        "is_management",
        Form::Boolean,
        "whether it is the management account, which no policy of the organization binds",
    ),
];
