//! How workloads get their credentials: one way in per kind of workload.

use super::SampleError;
use super::assume::Assumption;
use super::call::Call;
use super::caller::BROWSER;
use super::caller::Caller;
use super::caller::SessionFacts;
use super::caller::on_behalf_of;
use super::estate::Account;
use super::estate::MARIA;
use super::estate::Person;
use super::estate::Role;
use super::estate::unique_id;
use super::moment::HOUR;
use super::moment::Moment;
use super::stage::Place;
use super::stage::Stage;
use super::workload::BOTO;
use super::workload::Entry;
use super::workload::GO;
use super::workload::Workload;
use super::workload::containers::CLUSTER_ISSUER;

/// After this many calls a workload gets new credentials, so that busy estates have many sessions.
const CALLS_PER_SESSION: u32 = 250;

/// The VPC endpoint of the workloads' network.
const VPC_ENDPOINT: &str = "vpce-0a1b2c3d4e5f67890";

/// A session that calls can be made with.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) caller: Caller,
    pub(super) region: &'static str,
    expires: Moment,
    calls_left: u32,
}

impl Session {
    /// Whether the session can make a call at `time`.
    pub(super) fn is_usable(&self, time: Moment) -> bool {
        self.calls_left > 0 && time < self.expires
    }

    /// Counts a call.
    pub(super) const fn spend(&mut self) {
        self.calls_left = self.calls_left.saturating_sub(1);
    }
}

impl Stage<'_> {
    /// Opens a session of `workload` and records how. A renewed session stays in its region, and on its EC2 instance.
    ///
    /// # Errors
    /// Fails when a log file cannot be written.
    pub(super) fn open(
        &mut self,
        workload: &'static Workload,
        previous: Option<&Session>,
        time: Moment,
    ) -> Result<Session, SampleError> {
        let drawn = self.random.pick(workload.regions).copied().unwrap_or("eu-west-1");
        let region = previous.map_or(drawn, |session| session.region);
        let caller = self.enter(workload, previous, Place::new(region, time))?;
        let agent = if caller.agent.is_empty() {
            workload.agent.to_owned()
        } else {
            caller.agent.clone()
        };
        let expires = time.plus(workload.session_hours * HOUR);
        Ok(Session {
            caller: Caller { agent, ..caller },
            region,
            expires,
            calls_left: CALLS_PER_SESSION,
        })
    }

    fn enter(
        &mut self,
        workload: &'static Workload,
        previous: Option<&Session>,
        place: Place<'_>,
    ) -> Result<Caller, SampleError> {
        match &workload.entry {
            Entry::Instance(role) => self.open_instance(role, previous, place),
            Entry::Function { role, function } => self.open_function(role, function, place),
            Entry::Task(role) => self.open_task(role, place),
            Entry::ServiceAccount { role, subject } => self.open_service_account(role, subject, place),
            Entry::Pod {
                role,
                namespace,
                service_account,
                node,
            } => {
                self.ask_for_pod_credentials(node, place)?;
                self.open_pod(role, namespace, service_account, place.plus(1))
            }
            Entry::Repository { role, subject } => self.open_repository(role, subject, place),
            Entry::PermissionSet { role, people } => {
                let person = self.random.pick(people).copied().unwrap_or(&MARIA);
                self.open_permission_set(role, person, place)
            }
            Entry::CrossAccount {
                role,
                from,
                session_name,
            } => {
                let source = self.open(from, None, place.time)?;
                self.assume_across(
                    &source.caller,
                    &Assumption {
                        role,
                        session_name,
                        place: place.plus(1),
                    },
                )
            }
            Entry::Outsider {
                role,
                account_id,
                external_id,
                ip,
            } => {
                let principal_id = format!("{}:collector", unique_id("AROA", account_id));
                let outsider = Caller::outsider(account_id, &principal_id, role.account).from(ip, workload.agent);
                let assumption = Assumption {
                    role,
                    session_name: "collector",
                    place,
                };
                let credentials = self.assume_from_outside(&outsider, &assumption, *external_id)?;
                Ok(Caller::session(role, &assumption.session(&credentials.access_key_id)).from(ip, workload.agent))
            }
            Entry::ServiceLinked { role, service } => self.open_service_linked(role, service, place),
            Entry::LongTermKey(user) => {
                let key = user.keys.first().map_or("", |key| key.id);
                Ok(Caller::user(user, key).from(user.ip, workload.agent))
            }
            Entry::Service { service, account } => Ok(Caller::service(service, account)),
        }
    }

    fn open_instance(
        &mut self,
        role: &'static Role,
        previous: Option<&Session>,
        place: Place<'_>,
    ) -> Result<Caller, SampleError> {
        let (name, ip) = match previous {
            Some(session) => (session.caller.session_name.clone(), session.caller.ip.clone()),
            None => (format!("i-0{}", self.random.hex(16)), self.private_address()),
        };
        let assumption = Assumption {
            role,
            session_name: &name,
            place,
        };
        let credentials = self.assume_by_service("ec2.amazonaws.com", &assumption, "")?;
        let instance_arn = format!("arn:aws:ec2:{}:{}:instance/{name}", place.region, role.account.id);
        let facts = SessionFacts {
            from_instance_metadata: true,
            in_scope_of_json: Some(scope_of("AWS::EC2::Instance", &instance_arn)),
            ..assumption.session(&credentials.access_key_id)
        };
        Ok(Caller {
            ip,
            vpc_endpoint_id: Some(VPC_ENDPOINT),
            ..Caller::session(role, &facts)
        })
    }

    fn open_function(&mut self, role: &'static Role, function: &str, place: Place<'_>) -> Result<Caller, SampleError> {
        let assumption = Assumption {
            role,
            session_name: function,
            place,
        };
        let credentials = self.assume_by_service("lambda.amazonaws.com", &assumption, "")?;
        let function_arn = format!(
            "arn:aws:lambda:{}:{}:function:{function}",
            place.region, role.account.id
        );
        let facts = SessionFacts {
            in_scope_of_json: Some(scope_of("AWS::Lambda::Function", &function_arn)),
            ..assumption.session(&credentials.access_key_id)
        };
        let ip = format!("198.51.100.{}", self.random.between(10, 90));
        Ok(Caller {
            ip,
            ..Caller::session(role, &facts)
        })
    }

    fn open_task(&mut self, role: &'static Role, place: Place<'_>) -> Result<Caller, SampleError> {
        let name = self.random.hex(32);
        let assumption = Assumption {
            role,
            session_name: &name,
            place,
        };
        let credentials = self.assume_by_service("ecs-tasks.amazonaws.com", &assumption, "")?;
        let caller = Caller::session(role, &assumption.session(&credentials.access_key_id));
        Ok(Caller {
            ip: self.private_address(),
            vpc_endpoint_id: Some(VPC_ENDPOINT),
            ..caller
        })
    }

    fn open_service_account(
        &mut self,
        role: &'static Role,
        subject: &str,
        place: Place<'_>,
    ) -> Result<Caller, SampleError> {
        let provider = format!("arn:aws:iam::{}:oidc-provider/{CLUSTER_ISSUER}", role.account.id);
        let name = format!("botocore-session-{}", self.random.between(1_780_000_000, 1_799_999_999));
        let ip = self.private_address();
        let holder = Caller::web_identity(&provider, subject, role.account).from(&ip, BOTO);
        let assumption = Assumption {
            role,
            session_name: &name,
            place,
        };
        let credentials = self.assume_with_token(&holder, &assumption, (&provider, subject))?;
        let facts = SessionFacts {
            federation_json: Some(federation(&provider)),
            ..assumption.session(&credentials.access_key_id)
        };
        Ok(Caller {
            ip,
            vpc_endpoint_id: Some(VPC_ENDPOINT),
            ..Caller::session(role, &facts)
        })
    }

    /// The agent on the node asks for a pod's credentials with the node's own role.
    fn ask_for_pod_credentials(&mut self, node: &'static Role, place: Place<'_>) -> Result<(), SampleError> {
        let node_caller = self.open_instance(node, None, place)?;
        let agent = Caller {
            agent: GO.to_owned(),
            ..node_caller
        };
        let call = Call::read("eks-auth", "AssumeRoleForPodIdentity")
            .request(r#"{"clusterName":"prod","token":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#);
        self.call(&agent, &call, place)
    }

    fn open_pod(
        &mut self,
        role: &'static Role,
        namespace: &str,
        service_account: &str,
        place: Place<'_>,
    ) -> Result<Caller, SampleError> {
        let pod = format!("{service_account}-{}", self.random.hex(10));
        let name = format!("eks-prod-{pod}-{}", self.random.uuid());
        let tags = pod_tags(place.region, role.account, &[namespace, service_account, &pod]);
        let assumption = Assumption {
            role,
            session_name: &name,
            place,
        };
        let credentials = self.assume_by_service("pods.eks.amazonaws.com", &assumption, &tags)?;
        let caller = Caller::session(role, &assumption.session(&credentials.access_key_id));
        Ok(Caller {
            ip: self.private_address(),
            vpc_endpoint_id: Some(VPC_ENDPOINT),
            ..caller
        })
    }

    fn open_repository(&mut self, role: &'static Role, subject: &str, place: Place<'_>) -> Result<Caller, SampleError> {
        let provider = format!(
            "arn:aws:iam::{}:oidc-provider/token.actions.githubusercontent.com",
            role.account.id
        );
        let ip = format!("198.51.100.{}", self.random.between(100, 190));
        let holder = Caller::web_identity(&provider, subject, role.account).from(&ip, CREDENTIALS_ACTION);
        let assumption = Assumption {
            role,
            session_name: "GitHubActions",
            place,
        };
        let credentials = self.assume_with_token(&holder, &assumption, (&provider, subject))?;
        let facts = SessionFacts {
            federation_json: Some(federation(&provider)),
            ..assumption.session(&credentials.access_key_id)
        };
        Ok(Caller {
            ip,
            ..Caller::session(role, &facts)
        })
    }

    fn open_permission_set(
        &mut self,
        role: &'static Role,
        person: &'static Person,
        place: Place<'_>,
    ) -> Result<Caller, SampleError> {
        let assumption = Assumption {
            role,
            session_name: person.email,
            place,
        };
        let credentials = self.assume_with_assertion(person, &assumption)?;
        let facts = SessionFacts {
            on_behalf_of_json: Some(on_behalf_of(person)),
            ..assumption.session(&credentials.access_key_id)
        };
        let visitor = Caller::session(role, &facts).from(person.ip, BROWSER);
        let sign_in = self.sign_in_event(&visitor, "Success", "No", place.plus(2));
        self.recorder.record(&sign_in)?;
        Ok(Caller {
            from_console: true,
            ..visitor
        })
    }

    fn open_service_linked(
        &mut self,
        role: &'static Role,
        service: &'static str,
        place: Place<'_>,
    ) -> Result<Caller, SampleError> {
        let name = format!("{}-session", service.split('.').next().unwrap_or("service"));
        let assumption = Assumption {
            role,
            session_name: &name,
            place,
        };
        self.assume_by_service(service, &assumption, "")?;
        Ok(Caller::session(role, &assumption.session("")).through(service))
    }

    fn private_address(&mut self) -> String {
        format!("10.20.{}.{}", self.random.below(64), self.random.between(4, 250))
    }
}

const CREDENTIALS_ACTION: &str = "aws-sdk-js/3.850.0 ua/2.1 os/linux#6.11.0-1018-azure lang/js md/nodejs#20.19.4 \
     api/sts#3.850.0 configure-aws-credentials-for-github-actions";

fn federation(provider: &str) -> String {
    format!(r#"{{"federatedProvider":"{provider}","attributes":{{}}}}"#)
}

fn scope_of(issuer_type: &str, issued_to: &str) -> String {
    format!(r#"{{"issuerType":"{issuer_type}","credentialsIssuedTo":"{issued_to}"}}"#)
}

/// The session tags that EKS sets, as further members of the request.
fn pod_tags(region: &str, account: &Account, names: &[&str; 3]) -> String {
    let [namespace, service_account, pod] = names;
    let cluster = format!("arn:aws:eks:{region}:{}:cluster/prod", account.id);
    let tags = [
        ("eks-cluster-arn", cluster.as_str()),
        ("eks-cluster-name", "prod"),
        ("kubernetes-namespace", namespace),
        ("kubernetes-service-account", service_account),
        ("kubernetes-pod-name", pod),
    ];
    let list: Vec<String> = tags
        .iter()
        .map(|(key, value)| format!(r#"{{"key":"{key}","value":"{value}"}}"#))
        .collect();
    let keys: Vec<String> = tags.iter().map(|(key, _)| format!("\"{key}\"")).collect();
    format!(
        r#","tags":[{}],"transitiveTagKeys":[{}],"durationSeconds":43200"#,
        list.join(","),
        keys.join(",")
    )
}
