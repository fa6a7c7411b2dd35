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
fn global_home(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("us-east-1"),
        "aws-us-gov" => Some("us-gov-west-1"),
        "aws-cn" => Some("cn-north-1"),
        _ => None,
    }
}

/// Services besides the global ones whose only endpoint is in one region of the `aws` partition, which records their calls.
///
/// Cost management: <https://docs.aws.amazon.com/general/latest/gr/billing.html>; Device Farm:
/// <https://docs.aws.amazon.com/general/latest/gr/devicefarm.html>. The global accelerators, networks and recovery controllers
/// are called in us-west-2: <https://docs.aws.amazon.com/global-accelerator/latest/dg/logging-using-cloudtrail.html>,
/// <https://docs.aws.amazon.com/general/latest/gr/r53arc.html>, <https://docs.aws.amazon.com/general/latest/gr/nm.html>.
const OF_ONE_REGION: [(&str, &str); 12] = [
    ("bcm-dashboards", US_EAST_1),
    ("bcm-data-exports", US_EAST_1),
    ("bcm-pricing-calculator", US_EAST_1),
    ("bcm-recommended-actions", US_EAST_1),
    ("cost-optimization-hub", US_EAST_1),
    ("freetier", US_EAST_1),
    ("tax", US_EAST_1),
    ("devicefarm", US_WEST_2),
    ("globalaccelerator", US_WEST_2),
    ("networkmanager", US_WEST_2),
    ("route53-recovery-control-config", US_WEST_2),
    ("route53-recovery-readiness", US_WEST_2),
];
const US_EAST_1: &str = "us-east-1";
const US_WEST_2: &str = "us-west-2";

/// The one region that records all calls of a service in a partition; `None` if several do.
pub fn only_home(service: &str, partition: &str) -> Option<&'static str> {
    let of_one_region = OF_ONE_REGION.iter().find(|(name, _)| *name == service);
    match of_one_region {
        Some((_, home)) if partition == "aws" => Some(home),
        _ => global_home(partition).filter(|_| is_global_service(&format!("{service}.amazonaws.com"))),
    }
}

/// A region that records some calls of an action wherever they are made: those to the global endpoint of STS
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_region-endpoints.html>), those that manage
/// multi-Region access points of S3
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointCloudTrail.html>), and those of services that
/// have endpoints in few regions, or in many for some calls only: AWS Marketplace
/// (<https://docs.aws.amazon.com/general/latest/gr/aws-marketplace.html>), public registries of ECR
/// (<https://docs.aws.amazon.com/general/latest/gr/ecr-public.html>) and clusters of routing controls
/// (<https://docs.aws.amazon.com/general/latest/gr/r53arc.html>).
pub fn second_home(action: &str, partition: &str) -> Option<&'static str> {
    match action.split_once(':')? {
        _ if partition != "aws" => None,
        ("sts" | "aws-marketplace" | "ecr-public", _) => Some(US_EAST_1),
        ("route53-recovery-cluster", _) => Some(US_WEST_2),
        ("s3", name) if name.contains("MultiRegionAccessPoint") => Some(US_WEST_2),
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
    #[test]
    fn calls_that_one_region_records_are_known() {
        assert_eq!(only_home("iam", "aws"), Some("us-east-1"));
        assert_eq!(only_home("iam", "aws-cn"), Some("cn-north-1"));
        assert_eq!(only_home("tax", "aws"), Some("us-east-1"));
        assert_eq!(only_home("globalaccelerator", "aws"), Some("us-west-2"));
        for service in ["ec2", "aws-marketplace", "ecr-public", "route53-recovery-cluster"] {
            assert_eq!(only_home(service, "aws"), None, "{service}");
        }
        assert_eq!(second_home("aws-marketplace:MeterUsage", "aws"), Some("us-east-1"));
        assert_eq!(second_home("sts:AssumeRole", "aws"), Some("us-east-1"));
        assert_eq!(second_home("sts:AssumeRole", "aws-us-gov"), None);
        assert_eq!(second_home("s3:CreateMultiRegionAccessPoint", "aws"), Some("us-west-2"));
        assert_eq!(second_home("s3:CreateBucket", "aws"), None);
    }
}
