//! Past calls, one by one, for a replay.

use std::collections::BTreeSet;

use arrow::array::Array;
use arrow::array::BooleanArray;
use arrow::array::RecordBatch;
use arrow::array::StringArray;

use super::columns::Column;
use super::columns::Columns;
use super::columns::Unreadable;
use super::evidence::AnalysisError;
use super::evidence::each_batch;
use super::evidence::each_batch_with;
use super::evidence::listed;
use super::structures::Structures;
use super::structures::TextLists;
use super::structures::text;
use crate::iam::Confidence;
use crate::policy::CallNeed;
use crate::policy::NeedKind;
use crate::policy::PrincipalKey;
use crate::policy::Replay;
use crate::policy::ReplayedCall;
use crate::policy::Window;
use crate::policy::evaluation::CredentialKind;
use crate::policy::evaluation::RecordFields;
use crate::policy::evaluation::UserIdentity;
use crate::query::EvidenceQuery;
use crate::query::ParamText;
use crate::query::QuerySession;

/// The users, roles and root users that made calls in a window.
pub async fn callers(session: &QuerySession, window: Window) -> Result<BTreeSet<PrincipalKey>, AnalysisError> {
    let bounds = [("since", window.since), ("until", window.until)];
    let mut callers = BTreeSet::new();
    each_batch(session, EvidenceQuery::Callers, &bounds, |batch| {
        let columns = Columns::new(batch);
        let (arns, ids) = (columns.texts("principal_arn")?, columns.texts("principal_id")?);
        callers.extend((0..batch.num_rows()).map(|row| PrincipalKey {
            arn: arns.text(row).unwrap_or_default().to_owned(),
            unique_id: ids.text(row).filter(|id| !id.is_empty()).map(str::to_owned),
        }));
        Ok(())
    })
    .await?;
    Ok(callers)
}

/// Replays the calls of a window; of these principals, by ARN, or of all. Calls of others may come, too.
pub async fn replay(
    session: &QuerySession,
    window: Window,
    principals: Option<&BTreeSet<PrincipalKey>>,
    replay: &mut Replay<'_>,
) -> Result<(), AnalysisError> {
    let bounds = [("since", window.since), ("until", window.until)];
    let mut values = listed(principals);
    values.push(("parts".to_owned(), ParamText::Text(replay.parts().names().join("\n"))));
    each_batch_with(session, EvidenceQuery::Calls, &bounds, values, |batch| {
        Ok(read(batch, replay)?)
    })
    .await
}

/// The columns of one batch.
struct Calls {
    times: Column,
    created_at: Column,
    mfa: Column,
    texts: Vec<Column>,
}

/// Columns of texts, in the order of [`Calls::call`].
const TEXTS: [&str; 21] = [
    "event_id",
    "event_source",
    "event_name",
    "aws_region",
    "serving_region",
    "model_id",
    "inference_region",
    "principal_arn",
    "principal_id",
    "credential_kind",
    "user_identity_type",
    "user_identity_account_id",
    "user_identity_user_name",
    "user_identity_invoked_by",
    "session_issuer_arn",
    "session_id",
    "source_identity",
    "source_ip_address",
    "user_agent",
    "vpc_endpoint_id",
    "tls_version",
];
const PARAMETERS: &str = "request_parameters";

fn read(batch: &RecordBatch, replay: &mut Replay<'_>) -> Result<(), Unreadable> {
    let columns = Columns::new(batch);
    let texts = TEXTS.iter().chain([&PARAMETERS]).map(|name| columns.texts(name));
    let calls = Calls {
        times: columns.times("event_time")?,
        created_at: columns.times("session_created_at")?,
        mfa: columns.booleans("mfa_authenticated")?,
        texts: texts.collect::<Result<_, _>>()?,
    };
    let needs = Needs::new(batch)?;
    let owners = Owners::new(batch)?;
    for row in 0..batch.num_rows() {
        let of_row = needs.of(row);
        if let Some(call) = calls.call(row, &of_row) {
            let owners = owners.of(row);
            replay.add(&ReplayedCall { owners, ..call });
        }
    }
    Ok(())
}

impl Calls {
    fn call<'c>(&'c self, row: usize, needs: &'c [CallNeed<'c>]) -> Option<ReplayedCall<'c>> {
        let mut texts = self.texts.iter().map(|column| column.text(row));
        let mut next = || texts.next().flatten();
        let (event_id, event_source, event_name) = (next(), next(), next());
        let (aws_region, serving_region) = (next(), next());
        let (model_id, inference_region) = (next(), next());
        let (principal_arn, principal_id) = (next().unwrap_or_default(), next());
        let credential_kind = credential_kind(next());
        let (kind, account_id, user_name) = (next(), next(), next());
        let (invoked_by, session_issuer_arn, session_id) = (next(), next(), next());
        let (source_identity, source_ip_address, user_agent) = (next(), next(), next());
        let (vpc_endpoint_id, tls_version, parameters) = (next(), next(), next());
        let is_session = kind == Some("AssumedRole");
        Some(ReplayedCall {
            fields: RecordFields {
                event_time: self.times.time(row).unwrap_or_default(),
                event_source: event_source.unwrap_or_default(),
                event_name: event_name.unwrap_or_default(),
                aws_region,
                identity: UserIdentity {
                    kind,
                    principal_id: session_id,
                    arn: (!is_session).then_some(principal_arn),
                    account_id,
                    invoked_by,
                    session_issuer_arn,
                    ..UserIdentity::default()
                },
                user_name,
                credential_kind,
                session_created_at: self.created_at.time(row),
                mfa_authenticated: self.mfa.boolean(row),
                source_identity,
                source_ip_address,
                user_agent,
                vpc_endpoint_id,
                tls_version,
                request_parameters: None,
                resource_arn: None,
            },
            parameters,
            principal_arn,
            principal_id,
            serving_region,
            model_id,
            inference_region,
            event_id: event_id.unwrap_or_default(),
            needs,
            owners: Vec::new(),
        })
    }
}

/// A kind of credentials by its name in the store.
pub(super) fn credential_kind(name: Option<&str>) -> CredentialKind {
    let kinds = [
        CredentialKind::LongTerm,
        CredentialKind::Temporary,
        CredentialKind::Console,
        CredentialKind::Service,
        CredentialKind::Federated,
    ];
    let found = kinds.into_iter().find(|kind| Some(kind.as_str()) == name);
    found.unwrap_or(CredentialKind::None)
}

/// The column of the resources that records name, with their owners.
struct Owners<'b> {
    resources: Structures<'b>,
    arns: &'b StringArray,
    accounts: &'b StringArray,
}

impl<'b> Owners<'b> {
    fn new(batch: &'b RecordBatch) -> Result<Self, Unreadable> {
        let resources = Structures::new(batch, "resources")?;
        Ok(Self {
            arns: resources.texts("arn")?,
            accounts: resources.texts("account_id")?,
            resources,
        })
    }

    /// ARNs with the accounts that own them.
    fn of(&self, row: usize) -> Vec<(&'b str, &'b str)> {
        let elements = self.resources.elements(row);
        let pairs = elements.filter_map(|element| Some((text(self.arns, element)?, text(self.accounts, element)?)));
        pairs.collect()
    }
}

/// The column of the actions that calls needed.
struct Needs<'b> {
    needs: Structures<'b>,
    actions: &'b StringArray,
    is_proven: &'b BooleanArray,
    verdicts: &'b StringArray,
    confidences: &'b StringArray,
    resources: TextLists<'b>,
    origins: TextLists<'b>,
}

impl<'b> Needs<'b> {
    fn new(batch: &'b RecordBatch) -> Result<Self, Unreadable> {
        let needs = Structures::new(batch, "needs")?;
        Ok(Self {
            actions: needs.texts("action")?,
            is_proven: needs.booleans("is_proven")?,
            verdicts: needs.texts("verdict")?,
            confidences: needs.texts("confidence")?,
            resources: needs.text_lists("resources")?,
            origins: needs.text_lists("resource_origins")?,
            needs,
        })
    }

    fn of(&self, row: usize) -> Vec<CallNeed<'b>> {
        self.needs.elements(row).map(|element| self.need(element)).collect()
    }

    fn need(&self, element: usize) -> CallNeed<'b> {
        let action = text(self.actions, element);
        let is_proven = self.is_proven.is_valid(element) && self.is_proven.value(element);
        let confidence = text(self.confidences, element).and_then(Confidence::named);
        let is_sure = confidence.is_none_or(Confidence::is_certain);
        let kind = match action {
            Some(_) if is_proven && is_sure => NeedKind::Certain,
            Some(_) => NeedKind::Possible,
            None if text(self.verdicts, element) == Some("unmapped") => NeedKind::Unmapped,
            None => NeedKind::Nothing,
        };
        let origins = self.origins.of(element);
        let is_proof = origins.map(|origin| !matches!(origin, "template" | "names"));
        CallNeed {
            kind,
            action: action.unwrap_or_default(),
            resources: self.resources.of(element).zip(is_proof).collect(),
        }
    }
}
