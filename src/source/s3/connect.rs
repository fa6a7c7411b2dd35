//! Clients: credentials, regions and the options of the command line.

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::Region;
use aws_config::SdkConfig;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_sdk_s3::types::RequestPayer;
use aws_types::service_config::ServiceConfigKey;

use super::bucket::Bucket;
use super::fault::Failure;
use super::fault::FaultKind;
use super::fault::Verb;
use crate::source::history::AWS;

const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Time to the first byte of an answer; a body that stalls later is ended by the SDK.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Where to ask for a bucket's region when nothing names one.
const DEFAULT_REGION: &str = "us-east-1";

/// How buckets are reached, besides what environment and configuration files of AWS say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Options {
    /// Role to assume first.
    pub role_arn: Option<String>,
    /// External id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Another endpoint than AWS's own.
    pub endpoint_url: Option<String>,
    /// Whether the bucket stands in the path of URLs, not in the host name.
    pub path_style: bool,
    /// Whether the caller pays for requests.
    pub request_payer: bool,
    /// Named profile.
    pub profile: Option<String>,
    /// Region of the bucket; found out when it is not given.
    pub region: Option<String>,
}

/// Credentials and settings that all buckets of a run share.
#[derive(Debug)]
pub(in crate::source) struct Connection {
    config: SdkConfig,
    options: S3Options,
}

impl Connection {
    /// Gathers the settings; credentials are asked for with the first request.
    pub(in crate::source) async fn new(options: &S3Options) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .read_timeout(ANSWER_TIME)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            // Repeats are decided in one place, with a budget for the whole run.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let mut config = loader.load().await;
        if config.region().is_none() {
            config = config.into_builder().region(Region::new(DEFAULT_REGION)).build();
        }
        if let Some(profile) = &options.profile {
            let provider = of_profile(profile, &config);
            config = config.into_builder().credentials_provider(provider).build();
        }
        if let Some(role) = &options.role_arn {
            let mut provider = AssumeRoleProvider::builder(role)
                .session_name("trimtrail")
                .configure(&config);
            if let Some(external_id) = &options.external_id {
                provider = provider.external_id(external_id);
            }
            let provider = SharedCredentialsProvider::new(provider.build().await);
            config = config.into_builder().credentials_provider(provider).build();
        }
        Self {
            config,
            options: options.clone(),
        }
    }

    /// Settings that all requests share.
    pub(super) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The service that knows who the caller is; another endpoint for buckets is asked in its place.
    pub(super) fn token_service(&self) -> aws_sdk_sts::Client {
        let mut builder = aws_sdk_sts::config::Builder::from(&self.config);
        if let Some(endpoint) = &self.options.endpoint_url {
            builder = builder.endpoint_url(endpoint);
        }
        aws_sdk_sts::Client::from_conf(builder.build())
    }

    /// A bucket, in the region where it lies.
    pub(in crate::source) async fn bucket(&self, name: &str) -> Arc<Bucket> {
        let mut client = self.client(None);
        let is_elsewhere = self.options.endpoint_url.is_none() && self.options.region.is_none();
        let mut refusal = None;
        if is_elsewhere {
            match region_of(&client, name).await {
                Ok(Some(region)) => client = self.client(Some(region)),
                Ok(None) => {}
                Err(failure) => {
                    if let Some(region) = failure.region {
                        client = self.client(Some(region));
                    }
                    // A profile says only the first time why it cannot be used.
                    let is_lost = self.options.profile.is_some() && failure.fault.kind == FaultKind::Credentials;
                    refusal = is_lost.then_some(failure.fault);
                }
            }
        }
        let payer = self.options.request_payer.then_some(RequestPayer::Requester);
        let bucket = Bucket::new((name.to_owned(), self.endpoint()), client, payer);
        Arc::new(bucket.refusing(refusal))
    }

    /// The service that buckets are asked of, by the command line or the configuration files and environment of AWS. What these name
    /// for S3 alone comes before what they name for all services
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    fn endpoint(&self) -> String {
        let of_s3 = ServiceConfigKey::builder()
            .service_id("S3")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        let of_s3 = || self.config.service_config()?.load_config(of_s3.ok()?);
        let of_all = || self.config.endpoint_url().map(str::to_owned);
        let named = self.options.endpoint_url.clone().or_else(of_s3).or_else(of_all);
        named.map_or_else(|| AWS.to_owned(), |url| url.trim_end_matches('/').to_owned())
    }

    fn client(&self, region: Option<String>) -> Client {
        let mut builder = Builder::from(&self.config);
        if let Some(region) = region {
            builder = builder.region(Region::new(region));
        }
        if let Some(endpoint) = &self.options.endpoint_url {
            builder = builder.endpoint_url(endpoint);
        }
        if self.options.path_style {
            builder = builder.force_path_style(true);
        }
        Client::from_conf(builder.build())
    }
}

/// The credentials of a profile that the user names, alone: the default chain would ask the environment first, and that gives way
/// to `--profile` (<https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-authentication.html#cli-chap-authentication-precedence>).
fn of_profile(profile: &str, config: &SdkConfig) -> SharedCredentialsProvider {
    let provider_config = ProviderConfig::without_region().with_region(config.region().cloned());
    let builder = ProfileFileCredentialsProvider::builder().profile_name(profile);
    SharedCredentialsProvider::new(builder.configure(&provider_config).build())
}

/// Asks for the region of a bucket, which is answered to everybody, also with a refusal.
async fn region_of(client: &Client, name: &str) -> Result<Option<String>, Failure> {
    let answer = client.head_bucket().bucket(name).send().await;
    let answer = answer.map_err(|error| Failure::from_sdk(Verb::Head, &error))?;
    Ok(answer.bucket_region)
}
