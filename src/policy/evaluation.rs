//! What policies come to for one request: allowed, denied, or not to be known.
//!
//! The rules are those of the IAM user guide, "Policy evaluation logic", with its sections "How AWS enforcement code logic
//! evaluates requests to allow or deny access" (within one account), "Cross-account policy evaluation logic" and
//! "Principal", "Condition", "Condition operators", "Variables" of the policy reference; for service and resource control
//! policies those of the Organizations user guide. What they do not say is not guessed: it is unknown. So is what depends on
//! a condition key, a policy or a name that is not known. [`Truth`] says how unknowns combine.
//!
//! Not looked at: access control lists and public access blocks of S3, grants of KMS keys, Lake Formation, and services that
//! decide by rules of their own.

mod condition;
mod context;
mod decision;
mod keys;
mod layer;
mod operator;
mod pattern;
mod policy_set;
mod principal;
mod request;
mod resource_control;
mod statement;
mod tally;
mod truth;
mod value;

pub use context::CredentialKind;
pub use context::RecordFields;
pub use context::RequestedAction;
pub use context::UserIdentity;
pub use context::context_of;
pub use context::context_of_asked;
pub use context::kind_of_arn;
pub use context::tagged_kinds;
pub use decision::Decision;
pub use decision::Effectiveness;
pub use decision::Layer;
pub use decision::Missing;
pub use decision::StatementPlace;
pub use keys::ContextKeys;
pub use keys::KeyState;
pub use layer::evaluate_layer;
pub use policy_set::Level;
pub use policy_set::NamedPolicy;
pub use policy_set::PolicySet;
pub use policy_set::Stated;
pub use request::Principal;
pub use request::PrincipalKind;
pub use request::Request;
pub use request::Resource;
pub use request::ResourceName;
pub use resource_control::is_resource_controlled;
pub use truth::Truth;
pub(super) use value::moment;

use std::collections::BTreeSet;

use tally::Finding;
use tally::Scan;
use tally::Tally;

/// What the root user of a bucket's account may do whatever the bucket's policy denies (S3 API reference,
/// "PutBucketPolicy").
const BUCKET_RESCUE: [&str; 3] = ["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"];

/// Decides a request.
pub fn evaluate<'a>(request: &Request, policies: &PolicySet<'a>) -> Decision<'a> {
    Layers::of(request, policies).decide(request)
}

/// What each layer says; a layer that has no say in the request is left out.
struct Layers<'a> {
    /// `None` for those whose permissions no policy of an identity holds.
    identity: Option<Tally<'a>>,
    /// Boundary and session policies: each must allow what the identity's policies grant.
    limits: Vec<Tally<'a>>,
    /// Service control policies by level and the policy of the endpoint: each must allow everything.
    gates: Vec<Tally<'a>>,
    /// Those that can only deny.
    resource_control: Vec<Tally<'a>>,
    resource: Tally<'a>,
}

/// How the account of the resource and its kind make the grants count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Situation {
    /// Principal and resource are of one account.
    is_same_account: bool,
    /// The policies of the account do not suffice without the resource's: KMS keys and roles to assume.
    needs_resource_policy: bool,
}

impl<'a> Layers<'a> {
    fn of(request: &Request, policies: &PolicySet<'a>) -> Self {
        let is_identity = has_identity_policies(&request.principal);
        let scan = Scan {
            request,
            has_boundary: match &policies.boundary {
                _ if !is_identity => Truth::False,
                Stated::Known(boundary) => Truth::from(boundary.is_some()),
                Stated::Unknown => Truth::Unknown,
            },
        };
        let mut gates = service_control(scan, policies);
        gates.extend(optional(scan, Layer::Endpoint, &policies.endpoint));
        Self {
            identity: is_identity.then(|| match &policies.identity {
                Stated::Known(identity) => scan.tally(Layer::Identity, identity),
                Stated::Unknown => Tally::unknown(Layer::Identity, &Missing::Layer(Layer::Identity)),
            }),
            limits: limits(scan, policies),
            gates,
            resource_control: resource_control(scan, policies),
            resource: resource(scan, policies),
        }
    }

    /// "If the code finds even one explicit deny that applies, the code returns a final decision of Deny." Then one `Allow`
    /// is needed everywhere where one must be.
    fn decide(&self, request: &Request) -> Decision<'a> {
        let denied = Truth::any(self.all().map(|tally| tally.deny.truth));
        if denied == Truth::True
            && let Some(by) = self.all().find_map(|tally| tally.deny.place)
        {
            return Decision::ExplicitlyDenied { by };
        }
        let situations = Situation::of(request);
        let mut outcomes = situations.iter().map(|situation| self.is_allowed(request, *situation));
        let first = outcomes.next().unwrap_or(Truth::Unknown);
        let allowed = outcomes.fold(first, Truth::agreed);
        match (denied, allowed) {
            (_, Truth::False) => Decision::ImplicitlyDenied {
                at: self.refusing(request, &situations),
            },
            (Truth::False, Truth::True) => Decision::Allowed {
                by: self.granting(request),
            },
            _ => Decision::Unknown {
                missing: self.missing(request, denied, allowed, first),
            },
        }
    }

    fn is_allowed(&self, request: &Request, situation: Situation) -> Truth {
        Truth::all(self.gates.iter().map(|gate| gate.allow.truth)).and(self.is_granted(request, situation))
    }

    /// The part in which policies of the identity and of the resource stand for or limit each other.
    fn is_granted(&self, request: &Request, situation: Situation) -> Truth {
        let resource = &self.resource;
        if request.principal.account_id().is_none() {
            return resource.allow.truth;
        }
        // "By default, all requests are implicitly denied with the exception of the AWS account root user."
        let own = self.identity.as_ref().map_or(Truth::True, |tally| tally.allow.truth);
        let within_limits = Truth::all(self.limits.iter().map(|limit| limit.allow.truth));
        if !situation.is_same_account {
            // "The request is allowed only if both evaluations return a decision of Allow."
            return within_limits.and(own).and(resource.allow.truth);
        }
        let by_account = match situation.needs_resource_policy {
            true => resource.by_account.truth.and(own),
            false => own,
        };
        let limited = within_limits.and(resource.by_origin.truth.or(by_account));
        resource.directly.truth.or(limited)
    }

    /// The first layer that does not allow.
    fn refusing(&self, request: &Request, situations: &[Situation]) -> Layer {
        let is_refused = |tally: &&Tally<'_>| tally.allow.truth == Truth::False;
        if let Some(gate) = self.gates.iter().find(is_refused) {
            return gate.layer;
        }
        let needs_resource = situations
            .iter()
            .all(|it| !it.is_same_account || it.needs_resource_policy);
        let is_unnamed = self.resource.allow.truth == Truth::False;
        if request.principal.account_id().is_none() || (needs_resource && is_unnamed) {
            return Layer::Resource;
        }
        let is_own = |tally: &&Tally<'_>| tally.allow.truth == Truth::False;
        match self.identity.as_ref().filter(is_own) {
            Some(identity) if self.resource.by_origin.truth == Truth::False => identity.layer,
            _ => self
                .limits
                .iter()
                .find(is_refused)
                .map_or(Layer::Identity, |limit| limit.layer),
        }
    }

    /// The statement that grants: of the resource if it names the principal itself, else of the identity.
    fn granting(&self, request: &Request) -> Option<StatementPlace<'a>> {
        let own = self.identity.as_ref().and_then(|tally| tally.allow.place);
        if request.principal.is_root() {
            return self.resource.allow.place;
        }
        let direct = self.resource.directly.place;
        direct.or(own).or(self.resource.allow.place)
    }

    fn missing(&self, request: &Request, denied: Truth, allowed: Truth, first: Truth) -> BTreeSet<Missing<'a>> {
        let mut missing = BTreeSet::new();
        let mut add = |finding: &Finding<'a>| {
            if finding.truth == Truth::Unknown {
                missing.extend(finding.missing.iter().cloned());
            }
        };
        if denied == Truth::Unknown {
            self.all().for_each(|tally| add(&tally.deny));
        }
        if allowed == Truth::Unknown {
            let others = self.identity.iter().chain(&self.limits).chain(&self.gates);
            others.for_each(|tally| add(&tally.allow));
            add(&self.resource.directly);
            add(&self.resource.by_origin);
            add(&self.resource.by_account);
        }
        let is_one_sided = allowed == Truth::Unknown && (first != Truth::Unknown || missing.is_empty());
        if is_one_sided {
            missing.insert(match request.resource.name {
                ResourceName::Unknown | ResourceName::Unnamed | ResourceName::Like(_) => Missing::ResourceName,
                _ => Missing::ResourceAccount,
            });
        }
        missing
    }

    fn all(&self) -> impl Iterator<Item = &Tally<'a>> {
        let own = self.gates.iter().chain(&self.resource_control).chain([&self.resource]);
        own.chain(&self.identity).chain(&self.limits)
    }
}

impl Situation {
    /// All that may be the case.
    fn of(request: &Request) -> Vec<Self> {
        let resource = &request.resource;
        let is_same_account = match (&resource.name, &resource.account_id) {
            (name, _) if name.is_nothing() => vec![true],
            (_, Some(account)) => vec![request.principal.account_id() == Some(account)],
            (_, None) => vec![true, false],
        };
        let needs_resource_policy = match &resource.name {
            ResourceName::Nothing | ResourceName::Unnamed => vec![false],
            ResourceName::Arn(arn) => vec![needs_resource_policy(&request.action, arn)],
            ResourceName::Unknown if statement::is_trust_action(&request.action) => vec![true],
            ResourceName::Unknown if service_of(&request.action) == "kms" => vec![true, false],
            ResourceName::Unknown | ResourceName::Like(_) => vec![false],
        };
        let pairs = is_same_account.into_iter().flat_map(|is_same_account| {
            let needs = needs_resource_policy.iter();
            needs.map(move |needs_resource_policy| Self {
                is_same_account,
                needs_resource_policy: *needs_resource_policy,
            })
        });
        pairs.collect()
    }
}

/// "IAM role trust policies and KMS key policies are exceptions to this logic, because they must explicitly allow access for
/// principals."
fn needs_resource_policy(action: &str, arn: &str) -> bool {
    let of_service = |service: &str| arn.split(':').nth(2) == Some(service);
    match service_of(action).as_str() {
        "kms" => of_service("kms") && arn.contains(":key/"),
        "sts" => of_service("iam") && arn.contains(":role/") && statement::is_trust_action(action),
        _ => false,
    }
}

fn service_of(action: &str) -> String {
    let service = action.split_once(':').map_or(action, |(service, _)| service);
    service.to_ascii_lowercase()
}

/// Whether permissions come from policies of an identity: of users, roles and those who act for users.
fn has_identity_policies(principal: &Principal) -> bool {
    match principal.kind {
        PrincipalKind::User { .. } | PrincipalKind::RoleSession { .. } | PrincipalKind::FederatedUser { .. } => true,
        PrincipalKind::Root { .. }
        | PrincipalKind::Federated { .. }
        | PrincipalKind::Service { .. }
        | PrincipalKind::Anonymous => false,
    }
}

/// A layer of one policy or none.
fn optional<'a>(scan: Scan<'_>, layer: Layer, policy: &Stated<Option<NamedPolicy<'a>>>) -> Option<Tally<'a>> {
    match policy {
        Stated::Known(None) => None,
        Stated::Known(Some(policy)) => Some(scan.tally(layer, &[*policy])),
        Stated::Unknown => Some(Tally::unknown(layer, &Missing::Layer(layer))),
    }
}

fn limits<'a>(scan: Scan<'_>, policies: &PolicySet<'a>) -> Vec<Tally<'a>> {
    if !has_identity_policies(&scan.request.principal) {
        return Vec::new();
    }
    let session = match (&policies.session, &scan.request.principal.kind) {
        // An IAM user has no session that a policy could be passed with.
        (_, PrincipalKind::User { .. }) => None,
        // "If you do not pass a policy, then the resulting federated user session has no permissions" but those of resource
        // policies that name it (STS, "GetFederationToken").
        (Stated::Known(None), PrincipalKind::FederatedUser { .. }) => Some(Tally::silent(Layer::Session)),
        (Stated::Known(None), _) => None,
        (Stated::Known(Some(session)), _) => Some(scan.tally(Layer::Session, session)),
        (Stated::Unknown, _) => Some(Tally::unknown(Layer::Session, &Missing::Layer(Layer::Session))),
    };
    let boundary = optional(scan, Layer::Boundary, &policies.boundary);
    boundary.into_iter().chain(session).collect()
}

/// "SCPs don't affect users or roles in the management account", "SCPs do not affect any service-linked role" (Organizations
/// user guide). They bind member accounts' root users, and nobody who belongs to no account.
fn service_control<'a>(scan: Scan<'_>, policies: &PolicySet<'a>) -> Vec<Tally<'a>> {
    let principal = &scan.request.principal;
    let account = principal.account_id();
    if account.is_none() || account == policies.management_account_id || principal.is_service_linked() {
        return Vec::new();
    }
    match &policies.service_control {
        Stated::Known(levels) => {
            let levels = levels.iter().enumerate();
            levels
                .map(|(position, level)| scan.tally(Layer::ServiceControl(position + 1), &level.policies))
                .collect()
        }
        Stated::Unknown => vec![Tally::unknown(Layer::ServiceControl(1), &Missing::ServiceControls)],
    }
}

/// "RCPs don't affect resources in the management account", calls of service-linked roles, and `kms:RetireGrant`. As
/// `RCPFullAWSAccess` is attached everywhere and cannot be detached, they only deny.
fn resource_control<'a>(scan: Scan<'_>, policies: &PolicySet<'a>) -> Vec<Tally<'a>> {
    let request = scan.request;
    let owner = request.resource.account_id.as_deref();
    let is_managed = owner.is_some() && owner == policies.management_account_id;
    let is_bound = is_resource_controlled(&request.action);
    if is_managed || is_bound == Truth::False || request.principal.is_service_linked() {
        return Vec::new();
    }
    let mut tallies: Vec<Tally<'a>> = match &policies.resource_control {
        Stated::Known(levels) => {
            let levels = levels.iter().enumerate();
            levels
                .map(|(position, level)| scan.tally(Layer::ResourceControl(position + 1), &level.policies))
                .collect()
        }
        Stated::Unknown => vec![Tally::unknown(Layer::ResourceControl(1), &Missing::ResourceControls)],
    };
    if is_bound == Truth::Unknown {
        for tally in &mut tallies {
            tally.deny.doubted(Missing::ResourceControlSupport);
        }
    }
    tallies
}

fn resource<'a>(scan: Scan<'_>, policies: &PolicySet<'a>) -> Tally<'a> {
    let request = scan.request;
    if request.resource.name.is_nothing() {
        return Tally::silent(Layer::Resource);
    }
    let tally = optional(scan, Layer::Resource, &policies.resource);
    let mut tally = tally.unwrap_or_else(|| Tally::silent(Layer::Resource));
    let is_owner =
        request.principal.is_root() && request.principal.account_id() == request.resource.account_id.as_deref();
    let is_rescue = BUCKET_RESCUE
        .iter()
        .any(|action| action.eq_ignore_ascii_case(&request.action));
    if is_owner && is_rescue {
        tally.deny = Finding::none();
    }
    tally
}

#[cfg(test)]
mod tests;
