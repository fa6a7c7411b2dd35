//! What one should know of a principal that a trust policy names.

use super::caller::Caller;
use super::caller::CallerKind;
use super::caller::Neighbourhood;
use super::log::CallerUse;
use super::log::PartUse;
use super::part::Part;
use super::part::PartKind;
use crate::iam::arn::account_of_arn;
use crate::iam::arn::is_account_id;
use crate::iam::document::ConditionValue;
use crate::iam::document::OneOrMany;
use crate::iam::document::Statement;

/// Callers that are named one by one.
const TOLD: usize = 5;

/// Something that one should know of a part of a trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What it is about.
    pub kind: RemarkKind,
    /// A sentence.
    pub text: String,
}

/// What remarks are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemarkKind {
    /// Everybody is trusted, or everybody but some.
    Everyone,
    /// A third party is trusted without an external id.
    NoExternalId,
    /// A whole account is trusted.
    WholeAccount,
    /// Tokens of any subject are trusted.
    NoSubject,
    /// Tokens or assertions that are meant for others are trusted.
    NoAudience,
    /// The subjects are named by a pattern.
    BroadSubject,
    /// The principal was deleted.
    Deleted,
    /// Users came without MFA.
    NoMfa,
}

impl RemarkKind {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::NoExternalId => "no-external-id",
            Self::WholeAccount => "whole-account",
            Self::NoSubject => "no-subject-condition",
            Self::NoAudience => "no-audience-condition",
            Self::BroadSubject => "broad-subject",
            Self::Deleted => "deleted-principal",
            Self::NoMfa => "user-without-mfa",
        }
    }
}

/// What one should know of a part, by kind.
pub(super) fn remarks(
    part: &Part,
    statement: &Statement,
    uses: &PartUse,
    neighbours: &Neighbourhood<'_>,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut add = |kind: RemarkKind, text: String| remarks.push(Remark { kind, text });
    let sums = uses.sums();
    let who = || who_came(uses);
    match part.kind {
        PartKind::Everyone | PartKind::AllBut => {
            let except = if part.kind == PartKind::AllBut {
                " but those named"
            } else {
                ""
            };
            let limited = match statement.conditions.is_empty() {
                true => "without a condition",
                false => "under conditions",
            };
            add(
                RemarkKind::Everyone,
                format!("everybody{except} is trusted {limited}; {}", who()),
            );
        }
        PartKind::Account => add(
            RemarkKind::WholeAccount,
            format!(
                "every user and role of the account that may call it is trusted; {}",
                who()
            ),
        ),
        PartKind::Deleted => add(
            RemarkKind::Deleted,
            "it is what is left of a user or role that was deleted".to_owned(),
        ),
        PartKind::Oidc | PartKind::Saml => token_remarks(part, statement, uses, &mut add),
        _ => {}
    }
    if let Some(account) = third_party(part, neighbours)
        && !limits(statement, "sts:ExternalId")
    {
        add(
            RemarkKind::NoExternalId,
            format!(
                "account {account} is none of the snapshots and logs, and no external id is asked for; {} of {} came without one",
                sums.sessions - sums.with_external_id,
                sessions(sums.sessions)
            ),
        );
    }
    let of_users = uses
        .callers
        .iter()
        .filter(|(caller, _)| caller.kind == CallerKind::User);
    let without_mfa: u64 = of_users.map(|(_, calls)| calls.sessions - calls.with_mfa).sum();
    if without_mfa > 0 {
        add(
            RemarkKind::NoMfa,
            format!("IAM users took it without MFA in {}", sessions(without_mfa)),
        );
    }
    remarks
}

fn token_remarks(part: &Part, statement: &Statement, uses: &PartUse, add: &mut impl FnMut(RemarkKind, String)) {
    if part.kind == PartKind::Saml {
        if !limits(statement, "saml:aud") {
            let text = "assertions for any recipient are trusted: there is no condition on `SAML:aud`";
            add(RemarkKind::NoAudience, text.to_owned());
        }
        return;
    }
    let url = part
        .text
        .split_once(":oidc-provider/")
        .map_or(part.text.as_str(), |(_, url)| url);
    if !limits(statement, &format!("{url}:aud")) {
        let text = format!("tokens for any audience are trusted: there is no condition on `{url}:aud`");
        add(RemarkKind::NoAudience, text);
    }
    let subject = format!("{url}:sub");
    // Of Cognito, the audience is the pool of the identities; its subjects are made at run time.
    if !limits(statement, &subject) {
        if part.text != "cognito-identity.amazonaws.com" {
            let text = format!(
                "tokens of any subject are trusted: there is no condition on `{subject}`; {}",
                who_came(uses)
            );
            add(RemarkKind::NoSubject, text);
        }
        return;
    }
    let patterns: Vec<&str> = values(statement, &subject)
        .filter(|value| value.contains(['*', '?']))
        .collect();
    if !patterns.is_empty() {
        let text = format!("subjects may be any of `{}`; {}", patterns.join("`, `"), who_came(uses));
        add(RemarkKind::BroadSubject, text);
    }
}

/// The account of a principal that is none of one's own.
fn third_party<'p>(part: &'p Part, neighbours: &Neighbourhood<'_>) -> Option<&'p str> {
    let is_principal = matches!(
        part.kind,
        PartKind::Account | PartKind::Role | PartKind::User | PartKind::Session
    );
    let text = part.text.as_str();
    let account = account_of_arn(text).or(Some(text).filter(|text| is_account_id(text)));
    account.filter(|account| is_principal && neighbours.is_third_party(account))
}

/// Whether a condition lets only certain values of a key through.
fn limits(statement: &Statement, key: &str) -> bool {
    let mut named = values(statement, key).peekable();
    named.peek().is_some() && named.all(|value| !value.chars().all(|character| character == '*'))
}

/// The values that conditions ask of a key. An operator that also lets a missing key through asks for nothing.
fn values<'s>(statement: &'s Statement, key: &str) -> impl Iterator<Item = &'s str> {
    let positive = statement.conditions.iter().filter(|block| {
        let operator = block.operator.to_ascii_lowercase();
        let plain = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
        let names = [
            "stringequals",
            "stringequalsignorecase",
            "stringlike",
            "arnequals",
            "arnlike",
        ];
        names.contains(&plain)
    });
    let keys = positive.flat_map(|block| &block.keys);
    let asked = keys.filter(move |(name, _)| name.eq_ignore_ascii_case(key));
    let values = asked.flat_map(|(_, values): &(String, OneOrMany<ConditionValue>)| values.as_slice());
    values.filter_map(|value| match value {
        ConditionValue::Text(text) => Some(text.as_str()),
        ConditionValue::Number(_) | ConditionValue::Bool(_) => None,
    })
}

fn who_came(uses: &PartUse) -> String {
    let mut order: Vec<(&Caller, &CallerUse)> = uses.callers.iter().collect();
    order.sort_by_key(|(caller, calls)| (std::cmp::Reverse(calls.sessions), *caller));
    let told: Vec<String> = order
        .iter()
        .take(TOLD)
        .map(|(caller, calls)| format!("`{}` ({})", caller.name, calls.sessions))
        .collect();
    match order.len().saturating_sub(TOLD) {
        _ if told.is_empty() => "nobody came".to_owned(),
        0 => format!("who came: {}", told.join(", ")),
        more => format!("who came: {} and {more} more", told.join(", ")),
    }
}

fn sessions(count: u64) -> String {
    match count {
        1 => "1 session".to_owned(),
        _ => format!("{count} sessions"),
    }
}
