//! The records that handing out credentials leaves: the STS calls, federation, and console sign-ins.

use super::SampleError;
use super::call::Call;
use super::caller::Caller;
use super::caller::SessionFacts;
use super::estate::GLOBAL_REGION;
use super::estate::MANAGEMENT;
use super::estate::Person;
use super::estate::Role;
use super::estate::unique_id;
use super::event::Event;
use super::event::ObjectText;
use super::moment::HOUR;
use super::moment::Moment;
use super::random::Random;
use super::stage::Place;
use super::stage::Stage;

/// How long credentials are valid; no session is used for longer.
const VALID_HOURS: i64 = 12;

/// Temporary credentials just issued.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    /// JSON of `responseElements.credentials`.
    json: String,
}

/// A role about to be assumed: under which session name, where and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assumption<'a> {
    pub(super) role: &'static Role,
    pub(super) session_name: &'a str,
    pub(super) place: Place<'a>,
}

impl Assumption<'_> {
    /// What the session knows of itself when nothing special is said.
    pub(super) const fn session<'a>(&'a self, access_key_id: &'a str) -> SessionFacts<'a> {
        SessionFacts {
            name: self.session_name,
            access_key_id,
            created: self.place.time,
            mfa: false,
            federation_json: None,
            from_instance_metadata: false,
            on_behalf_of_json: None,
            in_scope_of_json: None,
        }
    }

    /// `requestParameters`, with `extra` members that start with a comma.
    fn request(&self, extra: &str) -> String {
        format!(
            r#"{{"roleArn":"{}","roleSessionName":"{}"{extra}}}"#,
            self.role.arn(),
            self.session_name
        )
    }

    /// `responseElements.assumedRoleUser`.
    fn assumed_role_user(&self) -> String {
        let (id, arn) = (self.role.id(), self.role.session_arn(self.session_name));
        format!(r#"{{"assumedRoleId":"{id}:{}","arn":"{arn}"}}"#, self.session_name)
    }

    fn resources(&self) -> String {
        let account = self.role.account.id;
        format!(
            r#"[{{"accountId":"{account}","type":"AWS::IAM::Role","ARN":"{}"}}]"#,
            self.role.arn()
        )
    }
}

impl Stage<'_> {
    /// Records `AssumeRole` by a service that hands the credentials to a workload. `extra` are further members of the
    /// request, each after a comma.
    ///
    /// # Errors
    /// Fails when a log file cannot be written.
    pub(super) fn assume_by_service(
        &mut self,
        service: &'static str,
        assumption: &Assumption<'_>,
        extra: &str,
    ) -> Result<Credentials, SampleError> {
        let credentials = self.credentials(assumption.place.time);
        let caller = Caller::service(service, assumption.role.account);
        let mut event = self.assume_event(&caller, assumption, &credentials);
        event.request_json = assumption.request(extra);
        event.shared_event_id = Some(self.random.uuid());
        self.recorder.record(&event)?;
        Ok(credentials)
    }

    /// Records `AssumeRoleWithWebIdentity` by a holder of a token that `provider` issued to `subject`.
    ///
    /// # Errors
    /// Fails when a log file cannot be written.
    pub(super) fn assume_with_token(
        &mut self,
        holder: &Caller,
        assumption: &Assumption<'_>,
        (provider, subject): (&str, &str),
    ) -> Result<Credentials, SampleError> {
        let credentials = self.credentials(assumption.place.time);
        let mut event = self.event(
            holder,
            &Call::read("sts", "AssumeRoleWithWebIdentity"),
            assumption.place,
        );
        event.request_json = assumption.request(r#","durationSeconds":43200"#);
        event.response_json = format!(
            r#"{{"subjectFromWebIdentityToken":"{subject}","credentials":{},"assumedRoleUser":{},"provider":"{provider}","audience":"sts.amazonaws.com"}}"#,
            credentials.json,
            assumption.assumed_role_user()
        );
        event.resources_json = Some(assumption.resources());
        self.recorder.record(&event)?;
        Ok(credentials)
    }

    /// Records what Identity Center does for `person`: its own event in the management account, then
    /// `AssumeRoleWithSAML`.
    ///
    /// # Errors
    /// Fails when a log file cannot be written.
    pub(super) fn assume_with_assertion(
        &mut self,
        person: &Person,
        assumption: &Assumption<'_>,
    ) -> Result<Credentials, SampleError> {
        self.record_federation(person, assumption)?;
        let credentials = self.credentials(assumption.place.time);
        let caller = Caller::saml(person, assumption.role.account);
        let mut event = self.event(
            &caller,
            &Call::read("sts", "AssumeRoleWithSAML"),
            assumption.place.plus(1),
        );
        let extra = format!(
            r#","sAMLAssertionID":"_{}","durationSeconds":43200,"principalArn":"{}""#,
            self.random.uuid(),
            saml_provider(assumption.role)
        );
        event.request_json = assumption.request(&extra);
        event.response_json = format!(
            r#"{{"subjectType":"persistent","issuer":"https://portal.sso.eu-west-1.amazonaws.com/saml/assertion/example","credentials":{},"assumedRoleUser":{},"subject":"{}","audience":"https://signin.aws.amazon.com/saml"}}"#,
            credentials.json,
            assumption.assumed_role_user(),
            person.email
        );
        event.resources_json = Some(assumption.resources());
        self.recorder.record(&event)?;
        Ok(credentials)
    }

    /// Records `AssumeRole` by a principal outside the organization, which leaves a record in the role's account.
    ///
    /// # Errors
    /// Fails when a log file cannot be written.
    pub(super) fn assume_from_outside(
        &mut self,
        outsider: &Caller,
        assumption: &Assumption<'_>,
        external_id: Option<&str>,
    ) -> Result<Credentials, SampleError> {
        let credentials = self.credentials(assumption.place.time);
        let mut event = self.assume_event(outsider, assumption, &credentials);
        let extra = external_id.map_or_else(String::new, |id| format!(r#","externalId":"{id}""#));
        event.request_json = assumption.request(&extra);
        event.shared_event_id = Some(self.random.uuid());
        if external_id.is_none() {
            self.recorder
                .tally
                .plant("assumed_from_outside_without_external_id", &event);
        }
        self.recorder.record(&event)?;
        Ok(credentials)
    }

    /// Assumes a role of another account of the organization; both accounts record it, under one shared event id.
    ///
    /// # Errors
    /// Fails when a log file cannot be written.
    pub(super) fn assume_across(&mut self, from: &Caller, assumption: &Assumption<'_>) -> Result<Caller, SampleError> {
        let role = assumption.role;
        let credentials = self.credentials(assumption.place.time);
        let mut event = self.assume_event(from, assumption, &credentials);
        event.shared_event_id = Some(self.random.uuid());
        self.recorder.record(&event)?;
        let stranger = Caller::outsider(from.account.id, &principal_id(from), role.account);
        let twin = Event {
            identity_json: stranger.identity_json(None),
            principal: stranger.principal,
            event_id: self.random.uuid(),
            account: role.account.id.to_owned(),
            from_console: false,
            ..event
        };
        self.recorder.tally.count_twin();
        self.recorder.record(&twin)?;
        let facts = SessionFacts {
            mfa: from.from_console,
            ..assumption.session(&credentials.access_key_id)
        };
        let caller = Caller::session(role, &facts).from(&from.ip, &from.agent);
        Ok(Caller {
            from_console: from.from_console,
            ..caller
        })
    }

    /// The record of a console sign-in. `outcome` is `Success` or `Failure`, `mfa_used` `Yes` or `No`.
    pub(super) fn sign_in_event(&mut self, caller: &Caller, outcome: &str, mfa_used: &str, place: Place<'_>) -> Event {
        let mut event = self.event(caller, &Call::write("signin", "ConsoleLogin"), place);
        event.event_type = "AwsConsoleSignIn";
        event.request_id = None;
        event.region = GLOBAL_REGION.to_owned();
        event.global = true;
        event.response_json = format!(r#"{{"ConsoleLogin":"{outcome}"}}"#);
        event.additional_json = Some(format!(
            r#"{{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"{mfa_used}"}}"#
        ));
        if outcome == "Failure" {
            event.error = Some((String::new(), "Failed authentication".to_owned()));
        }
        event.tls_host = Some("signin.aws.amazon.com".to_owned());
        event
    }

    /// A temporary access key id that cannot be mistaken for a real one.
    pub(super) fn temporary_key(&mut self) -> String {
        format!("ASIAEXAMPLE{}", self.random.base32(9))
    }

    /// Identity Center's own record, in the management account.
    fn record_federation(&mut self, person: &Person, assumption: &Assumption<'_>) -> Result<(), SampleError> {
        let caller = Caller::identity_center(person, &MANAGEMENT);
        let call = Call::write("sso", "Federate");
        let mut event = self.event(&caller, &call, Place::new("eu-west-1", assumption.place.time));
        let role = assumption.role;
        let permission_set = role.name.split('_').nth(1).unwrap_or(role.name);
        let account = role.account.id;
        event.event_type = "AwsServiceEvent";
        event.service_details_json = Some(format!(
            r#"{{"role_name":"{permission_set}","account_id":"{account}"}}"#
        ));
        event.tls_host = None;
        self.recorder.record(&event)
    }

    fn assume_event(&mut self, caller: &Caller, assumption: &Assumption<'_>, credentials: &Credentials) -> Event {
        let mut event = self.event(caller, &Call::read("sts", "AssumeRole"), assumption.place);
        let user = assumption.assumed_role_user();
        event.request_json = assumption.request("");
        event.response_json = format!(r#"{{"credentials":{},"assumedRoleUser":{user}}}"#, credentials.json);
        event.resources_json = Some(assumption.resources());
        event
    }

    fn credentials(&mut self, time: Moment) -> Credentials {
        let access_key_id = self.temporary_key();
        let mut token = self.random.alphanumeric(240);
        if self.full_tokens {
            token.push_str(&rest_of_token(&access_key_id, token.len()));
        }
        let token = format!("IQoJb3JpZ2luX2VjEXAMPLETOKEN{token}EXAMPLE=");
        let mut object = ObjectText::new(256);
        object.text("accessKeyId", &access_key_id);
        object.text("sessionToken", &token);
        object.text("expiration", &time.plus(VALID_HOURS * HOUR).locale_text());
        Credentials {
            access_key_id,
            json: object.finish(),
        }
    }
}

/// What a session token that has `written` characters lacks to be as long as real ones: mostly 700 to 800 characters, and
/// about 1,400 where session tags or a session policy are packed into it.
fn rest_of_token(access_key_id: &str, written: usize) -> String {
    let mut random = Random::named(0, access_key_id);
    let length = if random.below(10) == 0 {
        1420
    } else {
        usize::try_from(random.between(700, 800)).unwrap_or(700)
    };
    random.alphanumeric(length.saturating_sub(written))
}

/// The SAML provider that Identity Center keeps in every account.
fn saml_provider(role: &Role) -> String {
    format!(
        "arn:aws:iam::{}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE",
        role.account.id
    )
}

/// The principal id of a caller as another account sees it: the role's or user's id, and the session name.
fn principal_id(caller: &Caller) -> String {
    if caller.session_name.is_empty() {
        return unique_id("AIDA", &caller.principal);
    }
    format!("{}:{}", unique_id("AROA", &caller.principal), caller.session_name)
}
