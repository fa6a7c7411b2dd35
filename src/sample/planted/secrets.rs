//! Reads of secrets that stand out from the workloads' own.

use super::super::SampleError;
use super::super::call::Call;
use super::super::caller::Caller;
use super::super::estate::PROD;
use super::super::moment::Moment;
use super::super::stage::Place;
use super::super::stage::Stage;
use super::super::workload::people::ADMINISTRATOR_PROD;
use super::super::workload::people::DEVELOPER_PROD;
use super::super::workload::secret_read;
use super::Entry;

pub(super) const SCENES: [Entry; 5] = [
    (4, 21, 10, administrator_reads_on_a_weekend),
    (4, 11, 30, developer_is_denied),
    (6, 16, 45, batch_read),
    (7, 8, 30, parameters_by_path),
    (10, 3, 0, rotation),
];

/// The same secret by name and by ARN: two texts, one secret.
fn administrator_reads_on_a_weekend(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&ADMINISTRATOR_PROD, None, time)?;
    for (seconds, call) in [(60, BY_NAME), (75, BY_ARN)] {
        let place = Place::new("eu-west-1", time.plus(seconds));
        stage.labelled(Some("secret_read_by_person"), &session.caller, &call, place)?;
    }
    Ok(())
}

const BY_NAME: Call = secret_read!(
    "prod/payments/stripe-key",
    "arn:aws:secretsmanager:<region>:<account>:secret:prod/payments/stripe-key-Ef3Gh4"
);
const BY_ARN: Call = secret_read!(
    "arn:aws:secretsmanager:<region>:<account>:secret:prod/payments/stripe-key-Ef3Gh4",
    "arn:aws:secretsmanager:<region>:<account>:secret:prod/payments/stripe-key-Ef3Gh4"
);

/// A denied read carries no parameters; the secret stands only in the message.
fn developer_is_denied(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&DEVELOPER_PROD, None, time)?;
    let call = Call::read("secretsmanager", "GetSecretValue").secret("prod/payments/stripe-key").fails(
        "AccessDenied",
        "User: <caller> is not authorized to perform: secretsmanager:GetSecretValue on resource: prod/payments/stripe-key with an explicit deny in an identity-based policy",
    );
    for attempt in 0..5 {
        let place = Place::new("eu-west-1", time.plus(60 + attempt * 8));
        stage.labelled(Some("denied_attempt"), &session.caller, &call, place)?;
    }
    Ok(())
}

fn batch_read(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&ADMINISTRATOR_PROD, None, time)?;
    let call = Call::read("secretsmanager", "BatchGetSecretValue")
        .request(r#"{"secretIdList":["prod/checkout/db","prod/payments/db","prod/search/cluster"]}"#)
        .secret("prod/checkout/db,prod/payments/db,prod/search/cluster");
    stage.labelled(
        Some("secret_read_by_person"),
        &session.caller,
        &call,
        Place::new("eu-west-1", time.plus(90)),
    )
}

/// Everything under a path; which parameters came back is not in the record.
fn parameters_by_path(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let session = stage.open(&DEVELOPER_PROD, None, time)?;
    let call = Call::read("ssm", "GetParametersByPath")
        .request(r#"{"path":"/prod/inventory/","recursive":true,"withDecryption":true}"#)
        .resources(r#"{"accountId":"<account>","ARN":"arn:aws:ssm:<region>:<account>:parameter/prod/inventory/"}"#)
        .secret("/prod/inventory/");
    stage.labelled(
        Some("secret_read_by_person"),
        &session.caller,
        &call,
        Place::new("eu-west-1", time.plus(45)),
    )
}

/// A service event: no caller, no `type` in `userIdentity`.
fn rotation(stage: &mut Stage<'_>, time: Moment) -> Result<(), SampleError> {
    let caller = Caller::service_event("secretsmanager.amazonaws.com", &PROD);
    for (seconds, name) in [(0, "RotationStarted"), (40, "RotationSucceeded")] {
        let call = Call::write("secretsmanager", name)
            .additional(r#""SecretId":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/checkout/db-Ab1Cd2""#);
        let mut event = stage.event(&caller, &call, Place::new("eu-west-1", time.plus(seconds)));
        event.event_type = "AwsServiceEvent";
        stage
            .recorder
            .tally
            .plant("service_event_without_identity_type", &event);
        stage.recorder.record(&event)?;
    }
    Ok(())
}
