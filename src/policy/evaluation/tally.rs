//! What the policies of one layer say about a request.

use super::decision::Layer;
use super::decision::Missing;
use super::decision::StatementPlace;
use super::policy_set::NamedPolicy;
use super::principal;
use super::principal::Naming;
use super::request::PrincipalKind;
use super::request::Request;
use super::statement;
use super::truth::Truth;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::Entry;
use crate::iam::document::Scope;
use crate::iam::document::Statement;

/// Whether some statement of a kind is about a request.
#[derive(Debug, Clone)]
pub(super) struct Finding<'a> {
    pub(super) truth: Truth,
    /// The first statement that is for certain.
    pub(super) place: Option<StatementPlace<'a>>,
    /// Why it is not known of others.
    pub(super) missing: Vec<Missing<'a>>,
}

/// What the policies of one layer say.
#[derive(Debug, Clone)]
pub(super) struct Tally<'a> {
    pub(super) layer: Layer,
    pub(super) deny: Finding<'a>,
    /// Allowed in some way.
    pub(super) allow: Finding<'a>,
    /// Allowed to the user or session itself, or to everybody.
    pub(super) directly: Finding<'a>,
    /// Allowed to the role of the session, or the user behind it.
    pub(super) by_origin: Finding<'a>,
    /// Allowed to the account.
    pub(super) by_account: Finding<'a>,
}

/// Looks through the policies of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'r> {
    pub(super) request: &'r Request,
    /// Whether a permissions boundary limits the principal.
    pub(super) has_boundary: Truth,
}

impl<'a> Finding<'a> {
    pub(super) const fn none() -> Self {
        Self {
            truth: Truth::False,
            place: None,
            missing: Vec::new(),
        }
    }

    fn add(&mut self, truth: Truth, place: StatementPlace<'a>, missing: &[Missing<'a>]) {
        match truth {
            Truth::True => self.place = self.place.or(Some(place)),
            Truth::Unknown => self.missing.extend_from_slice(missing),
            Truth::False => {}
        }
        self.truth = self.truth.or(truth);
    }

    /// What is known only to this extent.
    pub(super) fn doubted(&mut self, missing: Missing<'a>) {
        if self.truth != Truth::False {
            self.truth = Truth::Unknown;
            self.missing.push(missing);
        }
    }
}

impl<'a> Tally<'a> {
    /// A layer that says nothing.
    pub(super) fn silent(layer: Layer) -> Self {
        Self {
            layer,
            deny: Finding::none(),
            allow: Finding::none(),
            directly: Finding::none(),
            by_origin: Finding::none(),
            by_account: Finding::none(),
        }
    }

    /// A layer of which nothing is known.
    pub(super) fn unknown(layer: Layer, missing: &Missing<'a>) -> Self {
        let mut tally = Self::silent(layer);
        tally.doubt(missing);
        tally
    }

    /// Anything may stand here.
    fn doubt(&mut self, missing: &Missing<'a>) {
        for finding in [
            &mut self.deny,
            &mut self.allow,
            &mut self.directly,
            &mut self.by_origin,
            &mut self.by_account,
        ] {
            finding.truth = finding.truth.or(Truth::Unknown);
            finding.missing.push(missing.clone());
        }
    }
}

impl Scan<'_> {
    /// What the policies of a layer say.
    pub(super) fn tally<'a>(self, layer: Layer, policies: &[NamedPolicy<'a>]) -> Tally<'a> {
        let mut tally = Tally::silent(layer);
        for policy in policies {
            match policy.document {
                Some(document) => self.add_document(&mut tally, policy.name, document),
                None => tally.doubt(&Missing::Policy(layer, policy.name)),
            }
        }
        tally
    }

    fn add_document<'a>(self, tally: &mut Tally<'a>, policy: &'a str, document: &'a Document) {
        for (position, entry) in document.statements.as_slice().iter().enumerate() {
            let place = |sid: Option<&'a String>| StatementPlace {
                layer: tally.layer,
                policy,
                number: position + 1,
                sid: sid.map(String::as_str),
            };
            match entry {
                Entry::Readable(statement) => {
                    let place = place(statement.sid.as_ref());
                    self.add_statement(tally, document, statement, place);
                }
                Entry::Unreadable { error, .. } => {
                    let place = place(error.sid.as_ref());
                    tally.doubt(&Missing::Statement(place));
                }
            }
        }
    }

    fn add_statement<'a>(
        self,
        tally: &mut Tally<'a>,
        document: &'a Document,
        statement: &'a Statement,
        place: StatementPlace<'a>,
    ) {
        let mut missing = Vec::new();
        let fits = statement::fits(statement, document.version, self.request, place, &mut missing);
        if fits == Truth::False {
            return;
        }
        let naming = self.naming(statement, place, &mut missing);
        match statement.effect {
            Effect::Deny => {
                let is_meant = self.is_denied(naming);
                if is_meant == Truth::Unknown && naming.any() == Truth::True {
                    missing.push(Missing::Principal(place));
                }
                tally.deny.add(fits.and(is_meant), place, &missing);
            }
            Effect::Allow => {
                tally.allow.add(fits.and(naming.any()), place, &missing);
                tally.directly.add(fits.and(naming.directly), place, &missing);
                tally.by_origin.add(fits.and(naming.by_origin), place, &missing);
                tally.by_account.add(fits.and(naming.by_account), place, &missing);
            }
        }
    }

    /// How a statement names the principal. Those of identities and service control policies have no principal element:
    /// they are about whom they are attached to.
    fn naming<'a>(self, statement: &Statement, place: StatementPlace<'a>, missing: &mut Vec<Missing<'a>>) -> Naming {
        let names_principals = matches!(
            place.layer,
            Layer::Resource | Layer::ResourceControl(_) | Layer::Endpoint
        );
        let principal = &self.request.principal;
        let mut naming = match &statement.principals {
            None if !names_principals => return Naming::directly(Truth::True),
            Some(Scope::Only(set)) if names_principals => principal::naming(set, principal),
            Some(Scope::AllBut(set)) if names_principals => {
                let is_left_out = principal::is_left_out(set, principal);
                Naming::directly(match statement.effect {
                    // "The NotPrincipal element with a Deny effect will always deny any IAM principal that has a
                    // permissions boundary policy attached" (user guide, "Permissions boundaries").
                    Effect::Deny => is_left_out.or(self.has_boundary),
                    Effect::Allow => is_left_out,
                })
            }
            _ => {
                missing.push(Missing::Statement(place));
                return Naming::directly(Truth::Unknown);
            }
        };
        if place.layer == Layer::Endpoint && !principal.is_root() {
            // "If you specify the principal in the following format, access is granted to the AWS account root user only,
            // not all users and roles for the account" holds for gateway endpoints; interface endpoints take all.
            naming.by_account = naming.by_account.and(Truth::Unknown);
        }
        if naming.any() == Truth::Unknown {
            missing.push(Missing::Principal(place));
        }
        naming
    }

    /// Whether a `Deny` that names the principal in these ways hits it.
    fn is_denied(self, naming: Naming) -> Truth {
        match self.request.principal.kind {
            // Not written: whether the denial of a user hits the sessions that the user federated.
            PrincipalKind::FederatedUser { .. } => {
                let by_user = naming.by_origin.and(Truth::Unknown);
                naming.directly.or(by_user).or(naming.by_account)
            }
            _ => naming.any(),
        }
    }
}
