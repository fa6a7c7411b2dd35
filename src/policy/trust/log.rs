//! What the calls that assumed roles show, role by role.

use std::collections::BTreeMap;

use super::call::AssumeCall;
use super::caller::Caller;
use super::caller::Neighbourhood;
use super::chain::ChainLog;
use super::part::Part;
use super::part::parts_of;
use crate::iam::document::Document;
use crate::policy::estate::Member;
use crate::policy::evaluation::Truth;
use crate::policy::remembered::Remembered;
use crate::policy::snapshot::Policy;
use crate::policy::snapshot::PrincipalKind;

/// Events that are named for each caller.
const SAMPLES: usize = 3;

/// Gathers the calls that assumed roles.
#[derive(Debug)]
pub struct TrustLog<'a> {
    neighbours: &'a Neighbourhood<'a>,
    pub(super) roles: BTreeMap<String, RoleLog<'a>>,
    pub(super) chains: ChainLog,
    asked: AskedOfCalls,
    remembered: Remembered<Vec<(usize, Truth)>>,
}

/// What is known of one role.
#[derive(Debug, Default)]
pub(super) struct RoleLog<'a> {
    /// The role in the snapshot.
    pub(super) member: Option<Member<'a>>,
    /// Its trust policy, and the parts of that.
    pub(super) trust: Option<&'a Policy>,
    pub(super) parts: Vec<(Part, PartUse)>,
    pub(super) callers: BTreeMap<Caller, CallerUse>,
    /// Calls that no part of the trust policy explains.
    pub(super) unexplained: PartUse,
}

/// What calls show of a part.
#[derive(Debug, Clone, Default)]
pub(super) struct PartUse {
    /// Calls that it certainly fits.
    pub(super) calls: u64,
    /// Calls that it may fit.
    pub(super) possible: u64,
    /// Of both, by caller.
    pub(super) callers: BTreeMap<Caller, CallerUse>,
}

/// What one caller did with a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerUse {
    /// Calls that were given the role.
    pub sessions: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Sessions whose call had an external id.
    pub with_external_id: u64,
    /// Sessions of callers with an MFA device.
    pub with_mfa: u64,
    /// Sessions whose call set a source identity.
    pub with_source_identity: u64,
    /// First call: microseconds since 1970-01-01T00:00:00Z.
    pub first_seen: Option<i64>,
    /// Last call.
    pub last_seen: Option<i64>,
    /// Ids of the newest events, the newest first.
    samples: Vec<(i64, String)>,
}

/// Parts of the calls that some trust policy asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AskedOfCalls {
    time: bool,
    session: bool,
    network: bool,
    tags: bool,
}

/// Beginnings of what asks for a part, in documents in lower case.
const TIME: [&str; 2] = ["aws:currenttime", "aws:epochtime"];
const SESSION: [&str; 5] = [
    ":assumed-role/",
    "aws:tokenissuetime",
    "aws:userid",
    "sts:rolesessionname",
    "aws:multifactorauthage",
];
const NETWORK: [&str; 5] = [
    "aws:securetransport",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:useragent",
    "aws:vpcsourceip",
];
const TAGS: [&str; 2] = ["aws:requesttag/", "aws:tagkeys"];

impl<'a> TrustLog<'a> {
    /// A log of calls, with the roles among these principals.
    pub fn new(neighbours: &'a Neighbourhood<'a>, members: impl Iterator<Item = Member<'a>>) -> Self {
        let roles = members.filter(|member| member.principal.kind == PrincipalKind::Role);
        let mut asked = AskedOfCalls::default();
        let roles = roles.map(|member| {
            let trust = member.trust();
            let document = trust.and_then(|trust| trust.document.as_ref().ok());
            document.iter().for_each(|document| asked.add(document));
            let parts = document.map(parts_of).unwrap_or_default();
            let log = RoleLog {
                member: Some(member),
                trust,
                parts: parts.into_iter().map(|part| (part, PartUse::default())).collect(),
                ..RoleLog::default()
            };
            (member.principal.arn.clone(), log)
        });
        Self {
            neighbours,
            roles: roles.collect(),
            chains: ChainLog::default(),
            asked,
            remembered: Remembered::default(),
        }
    }

    /// Who is who.
    pub(super) fn neighbours(&self) -> &'a Neighbourhood<'a> {
        self.neighbours
    }

    /// What the trust policies ask for of the calls.
    pub fn asked(&self) -> AskedOfCalls {
        self.asked
    }

    /// Adds a call.
    pub fn add(&mut self, call: &AssumeCall<'_>) {
        let call = &self.neighbours.as_known(call);
        let caller = Caller::of(call, self.neighbours);
        let role = self.roles.entry(call.role_arn.to_owned()).or_default();
        role.callers.entry(caller.clone()).or_default().add(call);
        if !call.is_granted {
            return;
        }
        self.chains.add(call, &caller);
        let key = self.asked.key(call);
        let fits = match self.remembered.get(&key) {
            Some(fits) => fits.clone(),
            None => {
                let fits = role.fits(call, self.neighbours);
                self.remembered.keep(key, fits.clone(), size_of_val(fits.as_slice()));
                fits
            }
        };
        if fits.is_empty() {
            role.unexplained.add(call, &caller, Truth::True);
        }
        for (index, truth) in fits {
            if let Some((_, part_use)) = role.parts.get_mut(index) {
                part_use.add(call, &caller, truth);
            }
        }
    }
}

impl RoleLog<'_> {
    /// The parts that a call fits or may fit.
    fn fits(&self, call: &AssumeCall<'_>, neighbours: &Neighbourhood<'_>) -> Vec<(usize, Truth)> {
        let truths = self.parts.iter().map(|(part, _)| part.fits(call, neighbours));
        let fits = truths.enumerate().filter(|(_, truth)| *truth != Truth::False);
        fits.collect()
    }

    /// When the role was last given to anybody.
    pub(super) fn last_taken(&self) -> Option<i64> {
        let taken = self.callers.values().filter(|it| it.sessions > 0);
        taken.filter_map(|it| it.last_seen).max()
    }
}

impl PartUse {
    fn add(&mut self, call: &AssumeCall<'_>, caller: &Caller, truth: Truth) {
        match truth {
            Truth::True => self.calls += 1,
            Truth::Unknown => self.possible += 1,
            Truth::False => return,
        }
        self.callers.entry(caller.clone()).or_default().add(call);
    }

    /// Of all callers together.
    pub(super) fn sums(&self) -> CallerUse {
        let mut sums = CallerUse::default();
        self.callers.values().for_each(|caller| sums.merge(caller));
        sums
    }
}

impl CallerUse {
    /// Ids of the newest events, the newest first.
    pub fn event_ids(&self) -> impl Iterator<Item = &str> {
        self.samples.iter().map(|(_, id)| id.as_str())
    }

    fn add(&mut self, call: &AssumeCall<'_>) {
        self.merge(&Self::of(call));
    }

    /// One call.
    pub(super) fn of(call: &AssumeCall<'_>) -> Self {
        let time = call.fields.event_time;
        let parameters = call.parameters.unwrap_or_default();
        let one = |is_so: bool| u64::from(is_so && call.is_granted);
        Self {
            sessions: one(true),
            refused: u64::from(!call.is_granted),
            with_external_id: one(parameters.external_id.is_some()),
            with_mfa: one(call.has_mfa()),
            with_source_identity: one(parameters.source_identity.is_some()),
            first_seen: Some(time),
            last_seen: Some(time),
            samples: vec![(time, call.event_id.to_owned())],
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.refused += other.refused;
        self.with_external_id += other.with_external_id;
        self.with_mfa += other.with_mfa;
        self.with_source_identity += other.with_source_identity;
        self.first_seen = match (self.first_seen, other.first_seen) {
            (Some(own), Some(theirs)) => Some(own.min(theirs)),
            (own, theirs) => own.or(theirs),
        };
        self.last_seen = self.last_seen.max(other.last_seen);
        for (time, id) in &other.samples {
            // Of equal moments the first id counts, whatever the order in which calls come.
            let is_before = |(at, known): &(i64, String)| (*at > *time) || (*at == *time && known < id);
            let position = self.samples.partition_point(is_before);
            if position < SAMPLES {
                self.samples.insert(position, (*time, id.clone()));
                self.samples.truncate(SAMPLES);
            }
        }
    }
}

impl AskedOfCalls {
    /// The names of the parts that the store is asked for.
    pub fn names(self) -> Vec<&'static str> {
        let named = [(self.session, "session"), (self.network, "network")];
        let asked = named.into_iter().filter(|(is_asked, _)| *is_asked);
        asked.map(|(_, name)| name).collect()
    }

    fn add(&mut self, document: &Document) {
        let text = document.to_value().to_string().to_lowercase();
        let has = |names: &[&str]| names.iter().any(|name| text.contains(name));
        self.time |= has(&TIME);
        self.session |= has(&SESSION);
        self.network |= has(&NETWORK);
        self.tags |= has(&TAGS);
    }

    /// What is the same for calls that are alike for all trust policies.
    pub(super) fn key(self, call: &AssumeCall<'_>) -> Vec<u8> {
        let fields = &call.fields;
        let identity = &fields.identity;
        let parameters = call.parameters.unwrap_or_default();
        let principal_id = match self.session {
            true => identity.principal_id,
            false => call.unique_id(),
        };
        let tags = match self.tags {
            true => parameters.tags,
            false => parameters.tags.map(|_| ""),
        };
        let mut key = Vec::with_capacity(512);
        for text in [
            Some(call.role_arn),
            call.caller_arn,
            call.provider,
            call.audience,
            call.issuer,
            principal_id,
            tags,
            parameters.session_name,
            parameters.external_id,
            parameters.source_identity,
            parameters.serial_number.map(|_| ""),
            Some(fields.event_name),
            Some(fields.credential_kind.as_str()),
            fields.aws_region,
            fields.user_name,
            fields.source_identity,
            fields.source_ip_address,
            fields.user_agent,
            fields.vpc_endpoint_id,
            fields.tls_version,
            identity.kind,
            identity.arn,
            identity.account_id,
            identity.invoked_by,
            identity.session_issuer_arn,
        ] {
            // A text has its length before it, so that texts do not run together.
            let text = text.map(str::as_bytes);
            key.extend(
                text.map_or(u64::MAX, |text| text.len().try_into().unwrap_or(u64::MAX))
                    .to_le_bytes(),
            );
            key.extend(text.unwrap_or_default());
        }
        let time = self.time.then_some(fields.event_time);
        let flags = fields.mfa_authenticated.map(i64::from);
        let left_out = call.parameters.is_none().then_some(1);
        for number in [time, fields.session_created_at, flags, left_out] {
            key.extend(number.unwrap_or(i64::MIN).to_le_bytes());
        }
        key
    }
}
