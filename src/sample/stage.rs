//! Where calls become records: fills in what follows from caller, call, place and time, and hands the record on.

use super::SampleError;
use super::call::Call;
use super::caller::Caller;
use super::estate::GLOBAL_REGION;
use super::event::Event;
use super::event::ObjectText;
use super::moment::Moment;
use super::random::Random;
use super::recorder::Recorder;
use super::template::Expander;

/// The address of the NAT gateway through which calls leave that do not go through a VPC endpoint.
const NAT_ADDRESS: &str = "192.0.2.17";
/// The services for which the VPCs have endpoints.
const ENDPOINT_SERVICES: [&str; 5] = ["s3", "kms", "secretsmanager", "ssm", "sts"];

/// When and in which region a call happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) region: &'a str,
    pub(super) time: Moment,
}

impl<'a> Place<'a> {
    /// A place in the estate.
    pub(super) const fn new(region: &'a str, time: Moment) -> Self {
        Self { region, time }
    }

    /// The same region, later.
    pub(super) const fn plus(self, seconds: i64) -> Self {
        Self {
            time: self.time.plus(seconds),
            ..self
        }
    }
}

/// The texts of a call with their placeholders replaced.
struct Texts {
    request: String,
    response: String,
    resources: String,
    additional: String,
    host: String,
    error: Option<(String, String)>,
    secrets: Vec<String>,
    passed_roles: Vec<String>,
}

/// The random generator and the recorder, which every step of the generator needs together.
#[derive(Debug)]
pub(super) struct Stage<'r> {
    pub(super) random: Random,
    pub(super) recorder: &'r mut Recorder,
    pub(super) full_tokens: bool,
}

impl Stage<'_> {
    /// Records a call, and the calls that services make because of it.
    ///
    /// # Errors
    /// Fails when a log file cannot be written.
    pub(super) fn call(&mut self, caller: &Caller, call: &Call, place: Place<'_>) -> Result<(), SampleError> {
        self.labelled(None, caller, call, place)
    }

    /// Records a call as a planted one, under `label` in the expected answers.
    ///
    /// # Errors
    /// Fails when a log file cannot be written.
    pub(super) fn labelled(
        &mut self,
        label: Option<&'static str>,
        caller: &Caller,
        call: &Call,
        place: Place<'_>,
    ) -> Result<(), SampleError> {
        let event = self.event(caller, call, place);
        if let Some(label) = label {
            self.recorder.tally.plant(label, &event);
        }
        self.recorder.record(&event)?;
        match call.then {
            Some(next) if call.failure.is_none() => self.call(caller, next, place),
            _ => Ok(()),
        }
    }

    /// The record of a call.
    pub(super) fn event(&mut self, caller: &Caller, call: &Call, place: Place<'_>) -> Event {
        let texts = self.texts(caller, call, place);
        let via = call.via.or(caller.invoked_by);
        let is_global = call.is_global();
        let endpoint = caller
            .vpc_endpoint_id
            .filter(|_| ENDPOINT_SERVICES.contains(&call.service));
        Event {
            identity_json: caller.identity_json(call.via),
            principal: caller.principal.clone(),
            time: place.time,
            source: call.event_source(),
            name: call.name.to_owned(),
            region: if is_global { GLOBAL_REGION } else { place.region }.to_owned(),
            ip: address(caller, via, endpoint.is_some()),
            agent: via.map_or_else(|| caller.agent.clone(), ToOwned::to_owned),
            error: texts.error,
            request_json: texts.request,
            response_json: texts.response,
            additional_json: self.additional(call, &texts.additional, via, place.region),
            request_id: Some(self.request_id(call.service)),
            event_id: self.random.uuid(),
            read_only: call.read_only,
            resources_json: (!texts.resources.is_empty()).then(|| format!("[{}]", texts.resources)),
            event_type: "AwsApiCall",
            data: call.data,
            account: caller.account.id.to_owned(),
            shared_event_id: None,
            vpc_endpoint_id: endpoint.map(ToOwned::to_owned),
            addendum_json: None,
            service_details_json: None,
            tls_host: via.is_none().then_some(texts.host),
            from_console: caller.from_console,
            secrets: texts.secrets,
            passed_roles: texts.passed_roles,
            serving_region: (call.service == "sts" && is_global).then(|| place.region.to_owned()),
            global: is_global,
        }
    }

    fn texts(&mut self, caller: &Caller, call: &Call, place: Place<'_>) -> Texts {
        let names = [
            ("account", caller.account.id),
            ("region", place.region),
            ("session", &caller.session_name),
            ("caller", &caller.arn),
            ("service", call.service),
        ];
        let mut expander = Expander::new(&mut self.random, place.time, &names);
        let host = if call.host.is_empty() {
            default_host(call.service)
        } else {
            call.host
        };
        let secrets = call.secret.split(',').filter(|name| !name.is_empty());
        Texts {
            request: expander.expand(call.request),
            response: expander.expand(call.response),
            resources: expander.expand(call.resources),
            additional: expander.expand(call.additional),
            host: expander.expand(host),
            error: call
                .failure
                .map(|failure| (failure.code.to_owned(), expander.expand(failure.message))),
            secrets: secrets.map(|name| expander.expand(name)).collect(),
            passed_roles: call.passes.iter().map(|role| expander.expand(role)).collect(),
        }
    }

    fn request_id(&mut self, service: &str) -> String {
        match service {
            "s3" => self.random.base32(16),
            _ => self.random.uuid(),
        }
    }

    /// `additionalEventData`: what the call says, or what S3 and STS always add.
    fn additional(&mut self, call: &Call, own: &str, via: Option<&str>, region: &str) -> Option<String> {
        if !own.is_empty() {
            return Some(format!("{{{own}}}"));
        }
        match (call.service, via) {
            ("s3", _) => Some(self.transfer_details()),
            ("sts", None) => {
                let mut details = ObjectText::new(96);
                details.text("endpointType", if call.is_global() { "global" } else { "regional" });
                details.text("awsServingRegion", region);
                let mut additional = ObjectText::new(128);
                additional.raw("RequestDetails", &details.finish());
                Some(additional.finish())
            }
            _ => None,
        }
    }

    fn transfer_details(&mut self) -> String {
        // S3 writes some counts as floats; readers must take both.
        let received = *self.random.pick(&["0", "0.0", "0.0"]).unwrap_or(&"0");
        let sent = self.random.between(300, 90_000);
        let mut additional = ObjectText::new(320);
        additional.text("SignatureVersion", "SigV4");
        additional.text("CipherSuite", "TLS_AES_128_GCM_SHA256");
        additional.raw("bytesTransferredIn", received);
        additional.text("SSEApplied", "Default_SSE_S3");
        additional.text("AuthenticationMethod", "AuthHeader");
        additional.text("x-amz-id-2", &format!("{}=", self.random.alphanumeric(75)));
        additional.raw("bytesTransferredOut", &sent.to_string());
        additional.finish()
    }
}

/// The source address: a service's name, the private address behind an endpoint, or the public one.
fn address(caller: &Caller, via: Option<&str>, through_endpoint: bool) -> String {
    match (via, caller.vpc_endpoint_id) {
        (Some(service), _) => service.to_owned(),
        (None, Some(_)) if !through_endpoint => NAT_ADDRESS.to_owned(),
        (None, _) => caller.ip.clone(),
    }
}

/// The host that clients of a service name.
fn default_host(service: &str) -> &'static str {
    match service {
        "iam" => "iam.amazonaws.com",
        "organizations" => "organizations.us-east-1.amazonaws.com",
        "ecr" => "api.ecr.<region>.amazonaws.com",
        "eks-auth" => "eks-auth.<region>.api.aws",
        _ => "<service>.<region>.amazonaws.com",
    }
}
