//! What an API call looks like in CloudTrail, apart from who makes it, when and where: the tables of the workloads and
//! of the planted scenes are written in these terms.

/// One kind of API call. Texts are JSON templates, see [`super::template`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// The service label before `.amazonaws.com`.
    pub(super) service: &'static str,
    /// `eventName`.
    pub(super) name: &'static str,
    pub(super) read_only: bool,
    /// Whether it is a data event, recorded only where data events are switched on.
    pub(super) data: bool,
    pub(super) request: &'static str,
    pub(super) response: &'static str,
    /// The elements of `resources`; empty when the field is absent.
    pub(super) resources: &'static str,
    /// The members of `additionalEventData`; empty when the field is absent.
    pub(super) additional: &'static str,
    /// The host the client named, when it is not `service.region.amazonaws.com`.
    pub(super) host: &'static str,
    /// The secret or parameters that the call reads, as the request names them, separated by commas.
    pub(super) secret: &'static str,
    /// The ARNs of the roles that the call passes to a service.
    pub(super) passes: &'static [&'static str],
    pub(super) failure: Option<Failure>,
    /// The service that makes this call on the caller's behalf.
    pub(super) via: Option<&'static str>,
    /// The call that a service makes on the caller's behalf because of this one.
    pub(super) then: Option<&'static Call>,
}

/// Why a call failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

impl Call {
    /// A management event that only reads.
    pub(super) const fn read(service: &'static str, name: &'static str) -> Self {
        Self {
            service,
            name,
            read_only: true,
            data: false,
            request: "null",
            response: "null",
            resources: "",
            additional: "",
            host: "",
            secret: "",
            passes: &[],
            failure: None,
            via: None,
            then: None,
        }
    }

    /// A management event that changes something.
    pub(super) const fn write(service: &'static str, name: &'static str) -> Self {
        Self {
            read_only: false,
            ..Self::read(service, name)
        }
    }

    /// The same call as a data event.
    pub(super) const fn data(self) -> Self {
        Self { data: true, ..self }
    }

    pub(super) const fn request(self, request: &'static str) -> Self {
        Self { request, ..self }
    }

    pub(super) const fn response(self, response: &'static str) -> Self {
        Self { response, ..self }
    }

    pub(super) const fn resources(self, resources: &'static str) -> Self {
        Self { resources, ..self }
    }

    pub(super) const fn additional(self, additional: &'static str) -> Self {
        Self { additional, ..self }
    }

    pub(super) const fn host(self, host: &'static str) -> Self {
        Self { host, ..self }
    }

    pub(super) const fn secret(self, secret: &'static str) -> Self {
        Self { secret, ..self }
    }

    pub(super) const fn passes(self, passes: &'static [&'static str]) -> Self {
        Self { passes, ..self }
    }

    pub(super) const fn fails(self, code: &'static str, message: &'static str) -> Self {
        Self {
            failure: Some(Failure { code, message }),
            ..self
        }
    }

    pub(super) const fn via(self, service: &'static str) -> Self {
        Self {
            via: Some(service),
            ..self
        }
    }

    pub(super) const fn then(self, call: &'static Call) -> Self {
        Self {
            then: Some(call),
            ..self
        }
    }

    /// Whether CloudTrail records the call in us-east-1 wherever it is made from.
    pub(super) fn is_global(&self) -> bool {
        matches!(
            self.service,
            "account" | "cloudfront" | "iam" | "organizations" | "route53"
        ) || self.host == "sts.amazonaws.com"
    }

    /// `eventSource`.
    pub(super) fn event_source(&self) -> String {
        format!("{}.amazonaws.com", self.service)
    }
}
