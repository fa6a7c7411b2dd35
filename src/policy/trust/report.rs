//! Trust against use: what came out for each role.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::caller::Caller;
use super::caller::Neighbourhood;
use super::chain::Chain;
use super::log::CallerUse;
use super::log::PartUse;
use super::log::RoleLog;
use super::log::TrustLog;
use super::part::Part;
use super::part::PartKind;
use super::part::PartPlace;
use super::remark::Remark;
use super::remark::remarks;
use super::trimmed::RemovedPart;
use super::trimmed::TrimmedTrust;
use super::trimmed::trimmed;
use crate::iam::arn::account_of_arn;
use crate::iam::arn::is_reserved;
use crate::iam::arn::is_service_linked;
use crate::iam::document::Document;
use crate::iam::document::Statement;
use crate::policy::diff::Differ;
use crate::policy::diff::Subject;
use crate::policy::estate::Member;
use crate::policy::snapshot::Policy;
use crate::policy::usage::PrincipalKey;
use crate::policy::usage::PrincipalUse;
use crate::policy::usage::Usage;

/// Trust against use.
#[derive(Debug)]
pub struct TrustReport<'a> {
    /// Roles in the order of their ARNs.
    pub roles: Vec<RoleTrust<'a>>,
    /// Ways to them over other roles.
    pub chains: BTreeMap<Chain, CallerUse>,
}

/// One role.
#[derive(Debug)]
pub struct RoleTrust<'a> {
    /// ARN.
    pub role_arn: String,
    /// The role in the snapshot.
    pub member: Option<Member<'a>>,
    /// Its trust policy.
    pub trust: Option<&'a Policy>,
    /// What the policy names, in the order of the document; then what no part of it explains.
    pub parts: Vec<PartReport<'a>>,
    /// Who took it or tried to.
    pub callers: BTreeMap<Caller, CallerUse>,
    /// The policy without what nobody used, if something goes.
    pub trimmed: Option<TrimmedTrust>,
}

/// A principal of a trust policy, or one of several values of a condition.
#[derive(Debug)]
pub struct PartReport<'a> {
    /// Position of the statement, from 1; `None` for what no part explains.
    pub statement_number: Option<usize>,
    /// `Sid` of the statement.
    pub sid: Option<&'a str>,
    /// What it is.
    pub kind: Option<PartKind>,
    /// The principal, or operator, key and value.
    pub text: Option<String>,
    /// Whether someone came.
    pub verdict: PartVerdict,
    /// Those who came, or may have come by it.
    pub callers: BTreeMap<Caller, CallerUse>,
    /// Their calls together.
    pub uses: CallerUse,
    /// What one should know of it.
    pub remarks: Vec<Remark>,
}

/// What the logs prove of a part of a trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartVerdict {
    /// Someone came by it.
    Used,
    /// Nobody did, and someone who did would have been seen.
    Unused,
    /// Nothing can be said; why.
    Unknown(String),
    /// Sessions that no part of the present policy explains.
    Unexplained,
}

impl<'a> TrustReport<'a> {
    /// What came out for the roles that are wanted.
    pub fn of(log: TrustLog<'a>, (usage, differ): (&Usage, &mut Differ<'a>), is_wanted: impl Fn(&str) -> bool) -> Self {
        let chains = log.chains.chains();
        let neighbours = log.neighbours();
        let wanted = log.roles.into_iter().filter(|(arn, _)| is_wanted(arn));
        let roles = wanted.map(|(arn, role)| RoleTrust::of(arn, role, usage, (neighbours, differ)));
        let roles: Vec<RoleTrust<'a>> = roles.collect();
        Self {
            chains: chains
                .into_iter()
                .filter(|(chain, _)| is_wanted(&chain.role_arn))
                .collect(),
            roles,
        }
    }
}

/// Whether a role made calls in the window, whoever had taken it.
fn is_active(arn: &str, member: Option<&Member<'_>>, usage: &Usage) -> bool {
    let key = PrincipalKey {
        arn: arn.to_owned(),
        unique_id: member.and_then(|member| member.principal.unique_id.clone()),
    };
    let mut own = usage.of_arn(arn).filter(|(other, _)| other.may_be(&key));
    own.any(|(_, deeds)| deeds.last_seen.is_some())
}

/// Whether the logs show a later role of the name.
fn is_replaced(arn: &str, member: &Member<'_>, usage: &Usage) -> bool {
    let key = PrincipalKey {
        arn: arn.to_owned(),
        unique_id: member.principal.unique_id.clone(),
    };
    let mut others = usage.of_arn(arn).filter(|(other, _)| !other.may_be(&key));
    others.any(|(_, deeds)| deeds.outlives(member.principal.created_at))
}

impl<'a> RoleTrust<'a> {
    fn of(
        role_arn: String,
        mut role: RoleLog<'a>,
        usage: &Usage,
        (neighbours, differ): (&Neighbourhood<'_>, &mut Differ<'a>),
    ) -> Self {
        let document = role.trust.and_then(|trust| trust.document.as_ref().ok());
        let mut unused = BTreeSet::new();
        let mut parts = Vec::new();
        let silence = Silence::of(&role_arn, &role, usage);
        for (part, uses) in std::mem::take(&mut role.parts) {
            let statement = document.and_then(|document| statement_at(document, part.number));
            let Some(statement) = statement else { continue };
            let verdict = silence.verdict(&role, (&part, &uses), statement, differ);
            if verdict == PartVerdict::Unused {
                unused.insert((part.number, part.place));
            }
            parts.push(part_report(part, uses, (statement, verdict), neighbours));
        }
        if !role.unexplained.callers.is_empty() {
            parts.push(unexplained(&role));
        }
        let is_kept_by_aws = is_service_linked(&role_arn) || is_reserved(&role_arn);
        let document = document.filter(|_| !is_kept_by_aws);
        Self {
            trimmed: document.and_then(|document| TrimmedTrust::of(document, unused)),
            member: role.member,
            trust: role.trust,
            parts,
            callers: role.callers,
            role_arn,
        }
    }
}

impl PartVerdict {
    /// Name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Unknown(_) => "unknown",
            Self::Unexplained => "unexplained",
        }
    }

    /// Why, where the verdict does not say so itself.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Unknown(reason) => Some(reason),
            Self::Unexplained => {
                Some("the trust policy of the snapshot does not let these in: it has changed, or there is none")
            }
            Self::Used | Self::Unused => None,
        }
    }
}

impl TrimmedTrust {
    fn of(document: &Document, unused: BTreeSet<(usize, PartPlace)>) -> Option<Self> {
        let left = trimmed(document, &unused)?;
        let parts = super::part::parts_of(document);
        let gone = parts.iter().filter(|part| unused.contains(&(part.number, part.place)));
        let removed = gone.map(|part| RemovedPart {
            statement_number: part.number,
            kind: part.kind,
            text: part.text.clone(),
        });
        Some(Self {
            document: left,
            removed: removed.collect(),
            places: unused,
        })
    }
}

/// What the lack of calls by a part of the policy of one role says.
struct Silence<'a> {
    subject: Option<Subject<'a>>,
    /// The role made calls, and the logs do not show who had taken it.
    is_taken_unseen: bool,
    /// Others than STS gave out its credentials, too.
    is_taken_otherwise: bool,
}

impl<'a> Silence<'a> {
    fn of(role_arn: &str, role: &RoleLog<'a>, usage: &Usage) -> Self {
        let last_taken = role.last_taken();
        let subject = role.member.map(|member| Subject {
            key: PrincipalKey {
                arn: role_arn.to_owned(),
                unique_id: member.principal.unique_id.clone(),
            },
            member: Some(member),
            absence: None,
            is_replaced: is_replaced(role_arn, &member, usage),
            deeds: Cow::Owned(PrincipalUse {
                first_seen: last_taken,
                last_seen: last_taken,
                ..PrincipalUse::default()
            }),
        });
        let log = account_of_arn(role_arn).and_then(|account| usage.accounts.get(account));
        Self {
            subject,
            is_taken_otherwise: log.is_some_and(|log| log.is_taken_otherwise(role_arn)),
            is_taken_unseen: is_active(role_arn, role.member.as_ref(), usage) && last_taken.is_none(),
        }
    }

    fn verdict(
        &self,
        role: &RoleLog<'a>,
        (part, uses): (&Part, &PartUse),
        statement: &Statement,
        differ: &mut Differ<'a>,
    ) -> PartVerdict {
        let unknown = |reason: &str| PartVerdict::Unknown(reason.to_owned());
        if uses.calls > 0 {
            return PartVerdict::Used;
        }
        if uses.possible > 0 {
            return unknown("someone came who may have needed it");
        }
        let (Some(subject), Some(trust)) = (&self.subject, role.trust) else {
            return unknown("there is no IAM snapshot of the role");
        };
        if let Some(operator) = statement.unknown_operators().next() {
            return unknown(&format!("condition operator `{operator}` is unknown"));
        }
        if self.is_taken_unseen {
            return unknown("the role made calls, and the logs do not show who had taken it");
        }
        if self.is_taken_otherwise {
            return unknown(
                "the role was also taken by other means than STS, whose records do not say through which part",
            );
        }
        if !role.unexplained.callers.is_empty() {
            return unknown("someone came whom the trust policy of the snapshot does not let in: import a new one");
        }
        match differ.taking_seen_since(subject, trust, (part.number, statement)) {
            Ok(_) => PartVerdict::Unused,
            Err(reason) => PartVerdict::Unknown(reason.to_string()),
        }
    }
}

fn statement_at(document: &Document, number: usize) -> Option<&Statement> {
    let mut statements = document.readable();
    let found = statements.find(|(position, _)| position + 1 == number);
    found.map(|(_, statement)| statement)
}

fn part_report<'a>(
    part: Part,
    uses: PartUse,
    (statement, verdict): (&'a Statement, PartVerdict),
    neighbours: &Neighbourhood<'_>,
) -> PartReport<'a> {
    PartReport {
        statement_number: Some(part.number),
        sid: statement.sid.as_deref(),
        remarks: remarks(&part, statement, &uses, neighbours),
        uses: uses.sums(),
        callers: uses.callers,
        kind: Some(part.kind),
        text: Some(part.text),
        verdict,
    }
}

/// What no part of the policy explains.
fn unexplained<'a>(role: &RoleLog<'a>) -> PartReport<'a> {
    PartReport {
        statement_number: None,
        sid: None,
        kind: None,
        text: None,
        verdict: match role.member {
            Some(_) => PartVerdict::Unexplained,
            None => PartVerdict::Unknown("there is no IAM snapshot of the role".to_owned()),
        },
        callers: role.unexplained.callers.clone(),
        uses: role.unexplained.sums(),
        remarks: Vec::new(),
    }
}
