//! How buckets are reached, as typed.

use clap::Args;

use crate::source::S3Options;

const HEADING: &str = "Buckets";

/// Options for sources in buckets.
#[derive(Debug, Clone, Default, Args)]
pub struct S3Args {
    /// Read the objects named in this file, one `s3://bucket/key` a line, or JSON: event notifications, also as SNS and SQS wrap them; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = HEADING, conflicts_with = "inventory")]
    pub keys_from: Option<String>,
    /// Read the objects that an S3 Inventory lists: path or URI of its `manifest.json`
    #[arg(long, value_name = "MANIFEST", help_heading = HEADING)]
    pub inventory: Option<String>,
    /// Days before the last listed one that are listed again, as CloudTrail redelivers for 30 days
    #[arg(long, value_name = "DAYS", default_value = "30", help_heading = HEADING)]
    pub look_back: u16,
    /// How the buckets are reached.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// Options for reaching buckets.
#[derive(Debug, Clone, Default, Args)]
pub struct ConnectionArgs {
    /// Named profile [default: as the AWS CLI chooses it]
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    pub profile: Option<String>,
    /// Region of the bucket [default: found out]
    #[arg(long, value_name = "REGION", help_heading = HEADING)]
    pub aws_region: Option<String>,
    /// Role to assume first
    #[arg(long, value_name = "ARN", help_heading = HEADING)]
    pub role_arn: Option<String>,
    /// External id that the role's trust policy asks for
    #[arg(long, value_name = "ID", help_heading = HEADING, requires = "role_arn")]
    pub external_id: Option<String>,
    /// Endpoint of another S3-compatible service
    #[arg(long, value_name = "URL", help_heading = HEADING)]
    pub endpoint_url: Option<String>,
    /// Put the bucket into the path of URLs, as other services often want it
    #[arg(long, help_heading = HEADING)]
    pub path_style: bool,
    /// Pay for the requests, where the bucket's owner does not
    #[arg(long, help_heading = HEADING)]
    pub request_payer: bool,
}

impl ConnectionArgs {
    /// As `source` takes them.
    pub(in crate::cli) fn options(&self) -> S3Options {
        S3Options {
            role_arn: self.role_arn.clone(),
            external_id: self.external_id.clone(),
            endpoint_url: self.endpoint_url.clone(),
            path_style: self.path_style,
            request_payer: self.request_payer,
            profile: self.profile.clone(),
            region: self.aws_region.clone(),
        }
    }
}
