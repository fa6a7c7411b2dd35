//! One CloudTrail record: its fields, and its JSON text with the fields in CloudTrail's order.

use std::fmt::Write as _;

use super::moment::Moment;

/// A record before it becomes text. Fields that hold JSON say so; all others are plain text and escaped on the way out.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) identity_json: String,
    /// Who acts, session name removed: a role, user or root ARN, a service name, the ARN of another account, or the
    /// principal id of a token's holder; empty when the record names nobody.
    pub(super) principal: String,
    pub(super) time: Moment,
    pub(super) source: String,
    pub(super) name: String,
    pub(super) region: String,
    pub(super) ip: String,
    pub(super) agent: String,
    /// Code and message; the code is empty when the record has none.
    pub(super) error: Option<(String, String)>,
    pub(super) request_json: String,
    pub(super) response_json: String,
    pub(super) additional_json: Option<String>,
    /// Sign-ins have none.
    pub(super) request_id: Option<String>,
    pub(super) event_id: String,
    pub(super) read_only: bool,
    pub(super) resources_json: Option<String>,
    pub(super) event_type: &'static str,
    pub(super) data: bool,
    /// `recipientAccountId`.
    pub(super) account: String,
    pub(super) shared_event_id: Option<String>,
    pub(super) vpc_endpoint_id: Option<String>,
    pub(super) addendum_json: Option<String>,
    pub(super) service_details_json: Option<String>,
    pub(super) tls_host: Option<String>,
    pub(super) from_console: bool,
    /// The secrets that the call reads, as the request names them.
    pub(super) secrets: Vec<String>,
    pub(super) passed_roles: Vec<String>,
    /// The region that served an STS call, when it is not `region`.
    pub(super) serving_region: Option<String>,
    /// Whether CloudTrail records the call in us-east-1 wherever it is made from.
    pub(super) global: bool,
}

impl Event {
    /// The record as one JSON object.
    pub(super) fn json(&self) -> String {
        let mut object = ObjectText::new(1536);
        object.text("eventVersion", self.version());
        object.raw("userIdentity", &self.identity_json);
        object.text("eventTime", &self.time.iso());
        object.text("eventSource", &self.source);
        object.text("eventName", &self.name);
        object.text("awsRegion", &self.region);
        object.text("sourceIPAddress", &self.ip);
        object.text("userAgent", &self.agent);
        if let Some((code, message)) = &self.error {
            // A failed sign-in has a message and no code.
            object.optional_text("errorCode", Some(code.as_str()).filter(|code| !code.is_empty()));
            object.text("errorMessage", message);
        }
        object.raw("requestParameters", &self.request_json);
        object.raw("responseElements", &self.response_json);
        object.optional_raw("additionalEventData", self.additional_json.as_deref());
        object.optional_text("requestID", self.request_id.as_deref());
        object.text("eventID", &self.event_id);
        self.push_classification(&mut object);
        object.finish()
    }

    fn push_classification(&self, object: &mut ObjectText) {
        object.raw("readOnly", if self.read_only { "true" } else { "false" });
        object.optional_raw("resources", self.resources_json.as_deref());
        object.text("eventType", self.event_type);
        object.raw("managementEvent", if self.data { "false" } else { "true" });
        object.text("recipientAccountId", &self.account);
        object.optional_text("sharedEventID", self.shared_event_id.as_deref());
        object.optional_text("vpcEndpointId", self.vpc_endpoint_id.as_deref());
        if self.vpc_endpoint_id.is_some() {
            object.text("vpcEndpointAccountId", &self.account);
        }
        object.optional_raw("addendum", self.addendum_json.as_deref());
        object.optional_raw("serviceEventDetails", self.service_details_json.as_deref());
        object.text("eventCategory", if self.data { "Data" } else { "Management" });
        if let Some(host) = &self.tls_host {
            let mut tls = ObjectText::new(160);
            tls.text("tlsVersion", "TLSv1.3");
            tls.text("cipherSuite", "TLS_AES_128_GCM_SHA256");
            tls.text("clientProvidedHostHeader", host);
            object.raw("tlsDetails", &tls.finish());
        }
        if self.from_console {
            object.text("sessionCredentialFromConsole", "true");
        }
    }

    /// Services move to a new record version at different times.
    fn version(&self) -> &'static str {
        match self.source.as_str() {
            "sts.amazonaws.com" | "signin.amazonaws.com" => "1.08",
            "iam.amazonaws.com" | "organizations.amazonaws.com" => "1.09",
            "ec2.amazonaws.com" | "ssm.amazonaws.com" => "1.10",
            _ => "1.11",
        }
    }
}

/// A JSON object under construction, members in the order they are pushed.
#[derive(Debug)]
pub(super) struct ObjectText(String);

impl ObjectText {
    /// An empty object with room for `capacity` bytes.
    pub(super) fn new(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self(text)
    }

    /// Adds a string member.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        push_string(&mut self.0, value);
    }

    /// Adds a member whose value is JSON already.
    pub(super) fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.0.push_str(json);
    }

    /// Adds a string member unless it is absent.
    pub(super) fn optional_text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// Adds a JSON member unless it is absent.
    pub(super) fn optional_raw(&mut self, key: &str, json: Option<&str>) {
        if let Some(json) = json {
            self.raw(key, json);
        }
    }

    /// The finished object.
    pub(super) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_string(&mut self.0, key);
        self.0.push(':');
    }
}

/// Appends `value` as a JSON string.
fn push_string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                // Writing to a `String` cannot fail.
                let _written = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::ObjectText;

    #[test]
    fn strings_are_escaped_and_members_keep_their_order() {
        let mut object = ObjectText::new(16);
        object.text("b", "quote \" slash \\ escape \u{1b}");
        object.raw("a", "null");
        object.optional_text("absent", None);
        assert_eq!(object.finish(), r#"{"b":"quote \" slash \\ escape \u001b","a":null}"#);
    }
}
