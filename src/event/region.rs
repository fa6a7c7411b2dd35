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
    event_source.strip_suffix(".amazonaws.com").is_some_and(|service| {
        matches!(
            service,
            "account"
                | "artifact"
                | "aws-portal"
                | "billing"
                | "billingconsole"
                | "budgets"
                | "ce"
                | "cloudfront"
                | "consolidatedbilling"
                | "cur"
                | "domains"
                | "globalaccelerator"
                | "health"
                | "iam"
                | "importexport"
                | "invoicing"
                | "networkmanager"
                | "organizations"
                | "payments"
                | "pricing"
                | "route53-recovery-control-config"
                | "route53-recovery-readiness"
                | "route53"
                | "route53domains"
                | "savingsplans"
                | "shield"
                | "signin"
                | "support"
                | "supportplans"
                | "sustainability"
                | "taxconsole"
                | "taxsettings"
                | "trustedadvisor"
                | "waf"
        )
    })
}

/// The region that records global services in a partition, by the partition's name in ARNs.
///
/// `None` for partitions of which it is not published.
pub fn global_home(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("us-east-1"),
        "aws-us-gov" => Some("us-gov-west-1"),
        "aws-cn" => Some("cn-north-1"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iam_is_global_and_sts_and_s3_are_not() {
        for event_source in [
            "iam.amazonaws.com",
            "route53-recovery-readiness.amazonaws.com",
            "waf.amazonaws.com",
        ] {
            assert!(is_global_service(event_source), "{event_source}");
        }
        for event_source in [
            "sts.amazonaws.com",
            "s3.amazonaws.com",
            "iam",
            "iam.amazonaws.com.example",
        ] {
            assert!(!is_global_service(event_source), "{event_source}");
        }
    }
}
