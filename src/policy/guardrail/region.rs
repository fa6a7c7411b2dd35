//! A service control policy that denies what is not asked of the regions in use.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::CONTROL_POLICY_CHARACTERS;
use super::CallSum;
use super::fits;
use super::is_bound;
use crate::event::is_global_service;
use crate::iam::Facts;
use crate::iam::action_matches;
use crate::iam::document::ConditionBlock;
use crate::iam::document::ConditionValue;
use crate::iam::document::Document;
use crate::iam::document::Effect;
use crate::iam::document::OneOrMany;
use crate::iam::document::Scope;
use crate::iam::document::Statement;

/// What answers from one region, or from none, whoever asks from where: Organizations user guide, "Deny access to AWS based
/// on the requested AWS Region"; and of the services that came later those of accounts and billing.
const GLOBAL: &[&str] = &[
    "a4b:*",
    "account:*",
    "acm:*",
    "artifact:*",
    "aws-marketplace-management:*",
    "aws-marketplace:*",
    "aws-portal:*",
    "billing:*",
    "billingconductor:*",
    "budgets:*",
    "ce:*",
    "chime:*",
    "cloudfront:*",
    "config:*",
    "consolidatedbilling:*",
    "cur:*",
    "directconnect:*",
    "ec2:DescribeRegions",
    "ec2:DescribeTransitGateways",
    "ec2:DescribeVpnGateways",
    "fms:*",
    "freetier:*",
    "globalaccelerator:*",
    "health:*",
    "iam:*",
    "importexport:*",
    "invoicing:*",
    "kms:*",
    "mobileanalytics:*",
    "networkmanager:*",
    "organizations:*",
    "payments:*",
    "pricing:*",
    "route53-recovery-cluster:*",
    "route53-recovery-control-config:*",
    "route53-recovery-readiness:*",
    "route53:*",
    "route53domains:*",
    "s3:GetAccountPublic*",
    "s3:ListAllMyBuckets",
    "s3:ListMultiRegionAccessPoints",
    "s3:PutAccountPublic*",
    "savingsplans:*",
    "shield:*",
    "sts:*",
    "support:*",
    "supportplans:*",
    "sustainability:*",
    "tax:*",
    "trustedadvisor:*",
    "waf-regional:*",
    "waf:*",
    "wafv2:*",
    "wellarchitected:*",
];

/// The invocation of models of Bedrock.
const INVOKING: &str = "bedrock:InvokeModel*";
/// Through these a model may answer from any of their regions, which a policy over regions is asked for, too: AWS re:Post, "How do I
/// resolve the AccessDeniedException error when I use an inference profile", with the statement that leaves them alone.
const PROFILES: [&str; 2] = [
    "arn:*:bedrock:*:*:application-inference-profile/*",
    "arn:*:bedrock:*:*:inference-profile/*",
];

/// The calls of a window by region, and what else tells of regions, without those that a region policy leaves alone.
#[derive(Debug, Clone)]
pub struct RegionUses<'f> {
    facts: &'f Facts,
    /// By region.
    pub regions: BTreeMap<String, RegionUse>,
    /// Patterns of global services that were called beside the known ones.
    others: BTreeSet<String>,
    /// Whether models were invoked through inference profiles, which ask other regions.
    pub has_profiles: bool,
}

/// What was called in one region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegionUse {
    /// How often an action was used for certain.
    pub uses: u64,
    /// By whom.
    pub principals: BTreeSet<String>,
    /// The last: microseconds since 1970-01-01T00:00:00Z.
    pub last_seen: Option<i64>,
}

impl<'f> RegionUses<'f> {
    /// No calls yet.
    pub fn new(facts: &'f Facts) -> Self {
        Self {
            facts,
            regions: BTreeMap::new(),
            others: BTreeSet::new(),
            has_profiles: false,
        }
    }

    /// Adds calls.
    pub fn add(&mut self, sum: &CallSum<'_>) {
        let Some(region) = sum.region else { return };
        if sum.is_routed {
            self.has_profiles |= is_bound(sum.principal_arn);
            return;
        }
        if sum.is_taking {
            return self.add_seen(sum.principal_arn, region, sum.last_seen);
        }
        if !is_bound(sum.principal_arn) {
            return;
        }
        let actions = match sum.action {
            Some(action) => vec![action.to_owned()],
            None => self
                .facts
                .services_of(sum.event_source)
                .iter()
                .map(|service| format!("{service}:*"))
                .collect(),
        };
        let is_exempt = |action: &String| GLOBAL.iter().any(|pattern| covers(pattern, action));
        if !actions.is_empty() && actions.iter().all(is_exempt) {
            return;
        }
        if is_global_service(sum.event_source) {
            let services = actions.iter().filter_map(|action| action.split(':').next());
            self.others.extend(services.map(|service| format!("{service}:*")));
            return;
        }
        self.add_seen(sum.principal_arn, region, sum.last_seen);
        if let Some(region) = self.regions.get_mut(region).filter(|_| sum.is_success) {
            region.uses += sum.calls;
        }
    }

    /// Adds a region in which a principal was seen, whatever it did there.
    pub fn add_seen(&mut self, principal_arn: &str, region: &str, at: i64) {
        if !is_bound(principal_arn) {
            return;
        }
        let region = self.regions.entry(region.to_owned()).or_default();
        region.principals.insert(principal_arn.to_owned());
        region.last_seen = region.last_seen.max(Some(at));
    }

    /// Actions that a policy leaves alone, in order.
    fn exempt(&self) -> Vec<String> {
        let mut exempt = self.others.clone();
        exempt.extend(GLOBAL.iter().map(|pattern| (*pattern).to_owned()));
        exempt.extend(self.has_profiles.then(|| INVOKING.to_owned()));
        exempt.into_iter().collect()
    }
}

/// The policy for these regions; roles whose ARNs match one of the patterns are left alone. `None` if it would be too long.
pub fn region_policy(uses: &RegionUses<'_>, regions: &BTreeSet<String>, exempt_roles: &[String]) -> Option<Document> {
    let regions: Vec<String> = regions.iter().cloned().collect();
    let by_roles = || ("aws:PrincipalArn", exempt_roles.to_vec());
    let denying = |sid: &str, actions: Scope<OneOrMany<String>>, mut but_for: Vec<(&str, Vec<String>)>| {
        let mut statement = Statement::new(Effect::Deny, actions);
        statement.sid = Some(sid.to_owned());
        statement.resources = Some(Scope::Only(OneOrMany::One("*".to_owned())));
        let elsewhere = ("aws:RequestedRegion", regions.clone());
        statement.conditions.push(block("StringNotEquals", vec![elsewhere]));
        but_for.retain(|(_, values)| !values.is_empty());
        statement
            .conditions
            .extend((!but_for.is_empty()).then(|| block("ArnNotLike", but_for)));
        statement
    };
    let all_but = Scope::AllBut(OneOrMany::Many(uses.exempt()));
    let mut statements = vec![denying("DenyOutsideOfRegionsInUse", all_but, vec![by_roles()])];
    if uses.has_profiles {
        let invoking = Scope::Only(OneOrMany::One(INVOKING.to_owned()));
        let by_profiles = (
            "bedrock:InferenceProfileArn",
            PROFILES.iter().map(|pattern| (*pattern).to_owned()).collect(),
        );
        let but_for = vec![by_roles(), by_profiles];
        statements.push(denying("DenyModelsOutsideButByProfiles", invoking, but_for));
    }
    let document = Document::of(statements);
    fits(&document, CONTROL_POLICY_CHARACTERS).then_some(document)
}

fn block(operator: &str, keys: Vec<(&str, Vec<String>)>) -> ConditionBlock {
    let keys = keys.into_iter().map(|(key, values)| {
        let values = values.into_iter().map(ConditionValue::Text).collect();
        (key.to_owned(), OneOrMany::Many(values))
    });
    ConditionBlock {
        operator: operator.to_owned(),
        keys: keys.collect(),
    }
}

/// Whether all that a pattern matches is matched by another.
fn covers(pattern: &str, action: &str) -> bool {
    pattern == action || action_matches(pattern, action)
}
