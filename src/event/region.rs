//! Where a call was really served.
//!
//! Global services are recorded in one region (us-east-1 in the `aws` partition) whoever calls them from wherever, so
//! `awsRegion` says nothing about them
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events>).

/// Serving region of global services.
pub const GLOBAL_REGION: &str = "aws-global";

/// Whether calls to an event source are recorded in one region for the whole partition.
///
/// STS is not among them: its records state the serving region themselves.
pub fn is_global_service(event_source: &str) -> bool {
    GLOBAL_EVENT_SOURCES.binary_search(&event_source).is_ok()
}

/// Sorted, for binary search.
const GLOBAL_EVENT_SOURCES: &[&str] = &[
    "account.amazonaws.com",
    "artifact.amazonaws.com",
    "aws-portal.amazonaws.com",
    "billing.amazonaws.com",
    "billingconsole.amazonaws.com",
    "budgets.amazonaws.com",
    "ce.amazonaws.com",
    "cloudfront.amazonaws.com",
    "consolidatedbilling.amazonaws.com",
    "cur.amazonaws.com",
    "domains.amazonaws.com",
    "globalaccelerator.amazonaws.com",
    "health.amazonaws.com",
    "iam.amazonaws.com",
    "importexport.amazonaws.com",
    "invoicing.amazonaws.com",
    "networkmanager.amazonaws.com",
    "organizations.amazonaws.com",
    "payments.amazonaws.com",
    "pricing.amazonaws.com",
    "route53-recovery-control-config.amazonaws.com",
    "route53-recovery-readiness.amazonaws.com",
    "route53.amazonaws.com",
    "route53domains.amazonaws.com",
    "savingsplans.amazonaws.com",
    "shield.amazonaws.com",
    "signin.amazonaws.com",
    "support.amazonaws.com",
    "supportplans.amazonaws.com",
    "sustainability.amazonaws.com",
    "taxconsole.amazonaws.com",
    "taxsettings.amazonaws.com",
    "trustedadvisor.amazonaws.com",
    "waf.amazonaws.com",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_sorted_so_that_every_entry_is_found() {
        assert!(GLOBAL_EVENT_SOURCES.is_sorted());
        assert!(GLOBAL_EVENT_SOURCES.iter().all(|source| is_global_service(source)));
        assert!(!is_global_service("sts.amazonaws.com") && !is_global_service("s3.amazonaws.com"));
    }
}
