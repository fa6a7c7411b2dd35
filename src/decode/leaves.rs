//! The members of `userIdentity` that have columns of their own.

/// An object inside `userIdentity` whose members have columns of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    UserIdentity,
    SessionContext,
    SessionIssuer,
    Attributes,
    WebIdFederationData,
    OnBehalfOf,
}

/// Number of containers.
pub(crate) const CONTAINER_COUNT: usize = 6;

/// Name and parent of every container but the first, in the order of [`Container`].
pub(crate) const NESTED_CONTAINERS: [(Container, &str, Container); CONTAINER_COUNT - 1] = [
    (Container::SessionContext, "sessionContext", Container::UserIdentity),
    (Container::SessionIssuer, "sessionIssuer", Container::SessionContext),
    (Container::Attributes, "attributes", Container::SessionContext),
    (
        Container::WebIdFederationData,
        "webIdFederationData",
        Container::SessionContext,
    ),
    (Container::OnBehalfOf, "onBehalfOf", Container::UserIdentity),
];

/// How a leaf of `userIdentity` is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafForm {
    Text,
    Json,
    Time,
    BooleanText,
}

/// A member of a container with a column of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf {
    pub(crate) container: Container,
    pub(crate) json_name: &'static str,
    pub(crate) column: &'static str,
    pub(crate) form: LeafForm,
}

/// All leaves, in the order in which they are written back.
pub(crate) const LEAVES: [Leaf; 23] = [
    leaf(Container::UserIdentity, "type", "user_identity_type", LeafForm::Text),
    leaf(
        Container::UserIdentity,
        "principalId",
        "user_identity_principal_id",
        LeafForm::Text,
    ),
    leaf(Container::UserIdentity, "arn", "user_identity_arn", LeafForm::Text),
    leaf(
        Container::UserIdentity,
        "accountId",
        "user_identity_account_id",
        LeafForm::Text,
    ),
    leaf(
        Container::UserIdentity,
        "accessKeyId",
        "user_identity_access_key_id",
        LeafForm::Text,
    ),
    leaf(
        Container::UserIdentity,
        "userName",
        "user_identity_user_name",
        LeafForm::Text,
    ),
    leaf(
        Container::UserIdentity,
        "invokedBy",
        "user_identity_invoked_by",
        LeafForm::Text,
    ),
    leaf(
        Container::UserIdentity,
        "identityProvider",
        "user_identity_identity_provider",
        LeafForm::Text,
    ),
    leaf(
        Container::UserIdentity,
        "credentialId",
        "user_identity_credential_id",
        LeafForm::Text,
    ),
    leaf(Container::SessionIssuer, "type", "session_issuer_type", LeafForm::Text),
    leaf(
        Container::SessionIssuer,
        "principalId",
        "session_issuer_principal_id",
        LeafForm::Text,
    ),
    leaf(Container::SessionIssuer, "arn", "session_issuer_arn", LeafForm::Text),
    leaf(
        Container::SessionIssuer,
        "accountId",
        "session_issuer_account_id",
        LeafForm::Text,
    ),
    leaf(
        Container::SessionIssuer,
        "userName",
        "session_issuer_user_name",
        LeafForm::Text,
    ),
    leaf(
        Container::WebIdFederationData,
        "federatedProvider",
        "session_web_id_federated_provider",
        LeafForm::Text,
    ),
    leaf(
        Container::WebIdFederationData,
        "attributes",
        "session_web_id_attributes",
        LeafForm::Json,
    ),
    leaf(
        Container::Attributes,
        "creationDate",
        "session_creation_date",
        LeafForm::Time,
    ),
    leaf(
        Container::Attributes,
        "mfaAuthenticated",
        "session_mfa_authenticated",
        LeafForm::BooleanText,
    ),
    leaf(
        Container::SessionContext,
        "sourceIdentity",
        "session_source_identity",
        LeafForm::Text,
    ),
    leaf(
        Container::SessionContext,
        "ec2RoleDelivery",
        "session_ec2_role_delivery",
        LeafForm::Text,
    ),
    leaf(
        Container::SessionContext,
        "assumedRoot",
        "session_assumed_root",
        LeafForm::BooleanText,
    ),
    leaf(Container::OnBehalfOf, "userId", "on_behalf_of_user_id", LeafForm::Text),
    leaf(
        Container::OnBehalfOf,
        "identityStoreArn",
        "on_behalf_of_identity_store_arn",
        LeafForm::Text,
    ),
];

const fn leaf(container: Container, json_name: &'static str, column: &'static str, form: LeafForm) -> Leaf {
    Leaf {
        container,
        json_name,
        column,
        form,
    }
}

/// Position of the leaf with a column; of no leaf, the code does not compile.
pub(crate) const fn leaf_of(column: &str) -> usize {
    let mut index = 0;
    let mut rest: &[Leaf] = &LEAVES;
    while let Some((leaf, behind)) = rest.split_first() {
        if is_same(leaf.column.as_bytes(), column.as_bytes()) {
            return index;
        }
        rest = behind;
        index += 1;
    }
    assert!(index < LEAVES.len(), "no leaf has the column");
    index
}

const fn is_same(mut left: &[u8], mut right: &[u8]) -> bool {
    while let (Some((left_byte, left_rest)), Some((right_byte, right_rest))) = (left.split_first(), right.split_first())
    {
        if *left_byte != *right_byte {
            return false;
        }
        (left, right) = (left_rest, right_rest);
    }
    left.is_empty() && right.is_empty()
}
