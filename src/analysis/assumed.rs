//! Calls that assumed roles, one by one.

use arrow::array::RecordBatch;

use super::calls::credential_kind;
use super::columns::Column;
use super::columns::Columns;
use super::columns::Unreadable;
use super::evidence::AnalysisError;
use super::evidence::each_batch_with;
use crate::policy::AskedOfCalls;
use crate::policy::AssumeCall;
use crate::policy::AssumeParameters;
use crate::policy::Window;
use crate::policy::evaluation::RecordFields;
use crate::policy::evaluation::UserIdentity;
use crate::query::EvidenceQuery;
use crate::query::ParamText;
use crate::query::QuerySession;

/// Gives every call of a window that assumed a role, or tried to, in no order.
pub async fn each_assumption(
    session: &QuerySession,
    window: Window,
    asked: AskedOfCalls,
    mut add: impl FnMut(&AssumeCall<'_>),
) -> Result<(), AnalysisError> {
    let bounds = [("since", window.since), ("until", window.until)];
    let parts = ParamText::Text(asked.names().join("\n"));
    let values = vec![("parts".to_owned(), parts)];
    each_batch_with(session, EvidenceQuery::AssumeCalls, &bounds, values, |batch| {
        let calls = Calls::new(batch)?;
        for row in 0..batch.num_rows() {
            if let Some(call) = calls.call(row) {
                add(&call);
            }
        }
        Ok(())
    })
    .await
}

/// The columns of one batch.
struct Calls {
    times: Column,
    created_at: Column,
    mfa: Column,
    is_granted: Column,
    has_parameters: Column,
    texts: Vec<Column>,
}

/// Columns of texts, in the order of [`Calls::call`].
const TEXTS: [&str; 28] = [
    "event_id",
    "event_name",
    "aws_region",
    "role_arn",
    "principal_arn",
    "credential_kind",
    "user_identity_type",
    "user_identity_principal_id",
    "user_identity_account_id",
    "user_identity_user_name",
    "user_identity_invoked_by",
    "identity_provider",
    "session_issuer_arn",
    "session_source_identity",
    "external_id",
    "source_identity",
    "serial_number",
    "tags",
    "audience",
    "issuer",
    "caller_key",
    "issued_key",
    "session_arn",
    "session_name",
    "source_ip_address",
    "user_agent",
    "vpc_endpoint_id",
    "tls_version",
];

impl Calls {
    fn new(batch: &RecordBatch) -> Result<Self, Unreadable> {
        let columns = Columns::new(batch);
        let texts = TEXTS.iter().map(|name| columns.texts(name));
        Ok(Self {
            times: columns.times("event_time")?,
            created_at: columns.times("session_created_at")?,
            mfa: columns.booleans("mfa_authenticated")?,
            is_granted: columns.booleans("is_granted")?,
            has_parameters: columns.booleans("has_parameters")?,
            texts: texts.collect::<Result<_, _>>()?,
        })
    }

    fn call(&self, row: usize) -> Option<AssumeCall<'_>> {
        let mut texts = self.texts.iter().map(|column| column.text(row));
        let mut next = || texts.next().flatten();
        let (event_id, event_name, aws_region) = (next(), next(), next());
        let (role_arn, caller_arn) = (next()?, next());
        let credential_kind = credential_kind(next());
        let (kind, principal_id, account_id) = (next(), next(), next());
        let (user_name, invoked_by, provider) = (next(), next(), next());
        let (session_issuer_arn, session_source_identity) = (next(), next());
        let (external_id, source_identity, serial_number, tags) = (next(), next(), next(), next());
        let (audience, issuer, caller_key, issued_key) = (next(), next(), next(), next());
        let (session_arn, session_name) = (next(), next());
        let (source_ip_address, user_agent, vpc_endpoint_id, tls_version) = (next(), next(), next(), next());
        let is_session = matches!(kind, Some("AssumedRole" | "FederatedUser"));
        let parameters = AssumeParameters {
            session_name,
            external_id,
            source_identity,
            serial_number,
            tags,
        };
        Some(AssumeCall {
            fields: RecordFields {
                event_time: self.times.time(row).unwrap_or_default(),
                event_source: "sts.amazonaws.com",
                event_name: event_name.unwrap_or_default(),
                aws_region,
                identity: UserIdentity {
                    kind,
                    principal_id,
                    arn: if is_session { session_arn } else { caller_arn },
                    account_id,
                    invoked_by,
                    session_issuer_arn,
                    ..UserIdentity::default()
                },
                user_name,
                credential_kind,
                session_created_at: self.created_at.time(row),
                mfa_authenticated: self.mfa.boolean(row),
                source_identity: session_source_identity,
                source_ip_address,
                user_agent,
                vpc_endpoint_id,
                tls_version,
                request_parameters: None,
                resource_arn: None,
            },
            parameters: (self.has_parameters.boolean(row) == Some(true)).then_some(parameters),
            role_arn,
            caller_arn,
            provider,
            audience,
            issuer,
            is_granted: self.is_granted.boolean(row) == Some(true),
            event_id: event_id.unwrap_or_default(),
            caller_key,
            issued_key,
        })
    }
}
