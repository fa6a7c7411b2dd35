//! The `Principal` and `NotPrincipal` elements.
//!
//! User guide, "AWS JSON policy elements: Principal". How a statement names a principal decides what else its grant needs:
//! see [`Naming`].

use super::request::Principal;
use super::request::PrincipalKind;
use super::truth::Truth;
use crate::iam::arn::is_account_id;
use crate::iam::document::PrincipalSet;
use crate::iam::document::PrincipalType;

/// In which ways an element names a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Naming {
    /// The user or session itself, or everybody: in the same account nothing else need allow.
    pub(super) directly: Truth,
    /// The role of a session, or the user behind a federated user: a boundary and session policies still limit.
    pub(super) by_origin: Truth,
    /// The account: its own policies decide.
    pub(super) by_account: Truth,
}

/// One of the names by which a request is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name<'p> {
    Account(&'p str),
    Itself(&'p str),
    Origin(&'p str),
    Service(&'p str),
    Provider(&'p str),
}

/// How a set of a `Principal` element names a principal.
pub(super) fn naming(set: &PrincipalSet, principal: &Principal) -> Naming {
    let mut naming = Naming::NONE;
    match set {
        PrincipalSet::Everyone => naming.directly = Truth::True,
        PrincipalSet::Named(named) => {
            for (kind, texts) in named {
                for text in texts.texts() {
                    naming = naming.or(naming_by(*kind, text, principal));
                }
            }
        }
    }
    naming
}

/// Whether a set of a `NotPrincipal` element leaves a principal out, so that the statement is about it.
///
/// "Depending on the service that you include in your policy, AWS might validate the account first and then the user": only
/// a principal of which every name is in the set is exempt for certain, and only one without any is not exempt for certain.
pub(super) fn is_left_out(set: &PrincipalSet, principal: &Principal) -> Truth {
    let PrincipalSet::Named(named) = set else {
        return Truth::False;
    };
    let is_named = |name: &Name<'_>| {
        let texts = named
            .iter()
            .flat_map(|(kind, texts)| texts.texts().map(|text| (*kind, text)));
        Truth::any(texts.map(|(kind, text)| name.is_meant(kind, text)))
    };
    let is_canonical = naming(set, principal).by_account;
    let names: Vec<Truth> = names(principal).iter().map(is_named).collect();
    let all = Truth::all(names.iter().copied());
    let any = Truth::any(names.iter().copied()).or(is_canonical);
    match (all, any) {
        // Nobody that AWS knows has no names, and can be named by nothing but everybody.
        (Truth::True, _) if names.is_empty() => naming(set, principal).any().negated(),
        (Truth::True, _) => Truth::False,
        (_, Truth::False) => Truth::True,
        _ => Truth::Unknown,
    }
}

impl Naming {
    const NONE: Self = Self {
        directly: Truth::False,
        by_origin: Truth::False,
        by_account: Truth::False,
    };

    /// Names it itself, if at all.
    pub(super) fn directly(truth: Truth) -> Self {
        Self {
            directly: truth,
            ..Self::NONE
        }
    }

    /// Whether it names the principal in any way.
    pub(super) fn any(self) -> Truth {
        self.directly.or(self.by_origin).or(self.by_account)
    }

    fn or(self, other: Self) -> Self {
        Self {
            directly: self.directly.or(other.directly),
            by_origin: self.by_origin.or(other.by_origin),
            by_account: self.by_account.or(other.by_account),
        }
    }
}

impl Name<'_> {
    /// Whether one principal of a policy means this name.
    fn is_meant(&self, kind: PrincipalType, text: &str) -> Truth {
        let is_meant = match (self, kind) {
            (Self::Account(account), PrincipalType::Aws) => text == "*" || account_of(text) == Some(*account),
            (Self::Itself(arn) | Self::Origin(arn), PrincipalType::Aws) => text == "*" || text == *arn,
            (Self::Service(name), PrincipalType::Service) => text == "*" || text == *name,
            (Self::Service(_) | Self::Provider(_), PrincipalType::Aws) => text == "*",
            (Self::Provider(name), PrincipalType::Federated) => text == "*" || text == *name,
            _ => false,
        };
        Truth::from(is_meant)
    }
}

fn names(principal: &Principal) -> Vec<Name<'_>> {
    let account = principal.account_id().map(Name::Account);
    let own: Vec<Name<'_>> = match &principal.kind {
        PrincipalKind::Root { .. } | PrincipalKind::Anonymous => Vec::new(),
        PrincipalKind::User { arn } => vec![Name::Itself(arn)],
        PrincipalKind::RoleSession { role_arn, session_arn } => vec![Name::Origin(role_arn), Name::Itself(session_arn)],
        PrincipalKind::FederatedUser { arn, user_arn } => vec![Name::Origin(user_arn), Name::Itself(arn)],
        PrincipalKind::Federated { provider } => vec![Name::Provider(provider)],
        PrincipalKind::Service { names } => names.iter().map(|name| Name::Service(name)).collect(),
    };
    account.into_iter().chain(own).collect()
}

fn naming_by(kind: PrincipalType, text: &str, principal: &Principal) -> Naming {
    let mut naming = Naming::NONE;
    match kind {
        // `{"AWS": "*"}` is equivalent to `"*"` (section "All principals").
        PrincipalType::Aws if text == "*" => naming.directly = Truth::True,
        PrincipalType::Aws => match (account_of(text), is_unique_id(text)) {
            (Some(account), _) => {
                let is_own = Truth::from(principal.account_id() == Some(account));
                // An account's ARN is that of its root user.
                let way = if principal.is_root() {
                    &mut naming.directly
                } else {
                    &mut naming.by_account
                };
                *way = is_own;
            }
            (None, true) => {
                let is_same = is_unique_id_of(text, principal);
                match principal.kind {
                    PrincipalKind::RoleSession { .. } => naming.by_origin = is_same,
                    _ => naming.directly = is_same,
                }
            }
            (None, false) => {
                for name in names(principal) {
                    match name {
                        Name::Itself(arn) if arn == text => naming.directly = Truth::True,
                        Name::Origin(arn) if arn == text => naming.by_origin = Truth::True,
                        _ => {}
                    }
                }
            }
        },
        PrincipalType::Service => {
            let is_meant = |name: &Name<'_>| name.is_meant(kind, text);
            naming.directly = Truth::any(names(principal).iter().map(is_meant));
        }
        PrincipalType::Federated => match &principal.kind {
            PrincipalKind::Federated { provider } => {
                naming.directly = Truth::from(text == "*" || text == provider);
            }
            // A session may have come from a provider, which its ARN does not say.
            PrincipalKind::RoleSession { .. } => naming.directly = Truth::Unknown,
            _ => {}
        },
        PrincipalType::CanonicalUser => {
            let is_own = match &principal.canonical_user {
                Some(canonical_user) => Truth::from(canonical_user == text),
                None if principal.account_id().is_some() => Truth::Unknown,
                None => Truth::False,
            };
            let way = if principal.is_root() {
                &mut naming.directly
            } else {
                &mut naming.by_account
            };
            *way = is_own;
        }
    }
    naming
}

/// The account that a principal of a policy names: its id, or the ARN of its root user.
fn account_of(text: &str) -> Option<&str> {
    if is_account_id(text) {
        return Some(text);
    }
    let (partition, rest) = text.strip_prefix("arn:")?.split_once(':')?;
    let account = rest.strip_prefix("iam::")?.strip_suffix(":root")?;
    (partition.starts_with("aws") && is_account_id(account)).then_some(account)
}

/// Whether a principal of a policy is what remains of a user or role that was deleted.
fn is_unique_id(text: &str) -> bool {
    let is_prefixed = text.starts_with("AIDA") || text.starts_with("AROA");
    is_prefixed && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_unique_id_of(text: &str, principal: &Principal) -> Truth {
    match (&principal.kind, &principal.unique_id) {
        (PrincipalKind::User { .. } | PrincipalKind::RoleSession { .. }, Some(id)) => Truth::from(id == text),
        (PrincipalKind::User { .. }, None) if text.starts_with("AIDA") => Truth::Unknown,
        (PrincipalKind::RoleSession { .. }, None) if text.starts_with("AROA") => Truth::Unknown,
        _ => Truth::False,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::document::OneOrMany;

    const ROLE: &str = "arn:aws:iam::111122223333:role/team/reader";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/reader/ann";

    fn session() -> Principal {
        Principal::new(PrincipalKind::RoleSession {
            role_arn: ROLE.to_owned(),
            session_arn: SESSION.to_owned(),
        })
    }

    fn named(kind: PrincipalType, texts: &[&str]) -> PrincipalSet {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        PrincipalSet::Named(vec![(kind, OneOrMany::Many(texts))])
    }

    fn ways(kind: PrincipalType, text: &str, principal: &Principal) -> [Truth; 3] {
        let naming = naming(&named(kind, &[text]), principal);
        [naming.directly, naming.by_origin, naming.by_account]
    }

    #[test]
    fn a_session_is_named_by_itself_its_role_and_its_account() {
        use Truth::{False, True, Unknown};
        for (kind, text, wanted) in [
            (PrincipalType::Aws, SESSION, [True, False, False]),
            (PrincipalType::Aws, "*", [True, False, False]),
            (PrincipalType::Aws, ROLE, [False, True, False]),
            (PrincipalType::Aws, "111122223333", [False, False, True]),
            (
                PrincipalType::Aws,
                "arn:aws:iam::111122223333:root",
                [False, False, True],
            ),
            (
                PrincipalType::Aws,
                "arn:aws:iam::444455556666:root",
                [False, False, False],
            ),
            (
                PrincipalType::Aws,
                "arn:aws:iam::111122223333:role/reader",
                [False, False, False],
            ),
            (
                PrincipalType::Aws,
                "arn:aws:iam::111122223333:role/team/*",
                [False, False, False],
            ),
            (PrincipalType::Aws, "AROAEXAMPLE", [False, Unknown, False]),
            (PrincipalType::Aws, "AIDAEXAMPLE", [False, False, False]),
            (PrincipalType::Service, "ec2.amazonaws.com", [False, False, False]),
            (
                PrincipalType::Federated,
                "cognito-identity.amazonaws.com",
                [Unknown, False, False],
            ),
            (PrincipalType::CanonicalUser, "79a5", [False, False, Unknown]),
        ] {
            assert_eq!(ways(kind, text, &session()), wanted, "{text}");
        }
    }

    #[test]
    fn other_principals_are_named_by_their_kind() {
        use Truth::{False, True};
        let root = Principal::new(PrincipalKind::Root {
            account_id: "111122223333".to_owned(),
        });
        assert_eq!(ways(PrincipalType::Aws, "111122223333", &root), [True, False, False]);
        let service = Principal::new(PrincipalKind::Service {
            names: vec![
                "logs.amazonaws.com".to_owned(),
                "logs.eu-west-1.amazonaws.com".to_owned(),
            ],
        });
        assert_eq!(
            ways(PrincipalType::Service, "logs.amazonaws.com", &service),
            [True, False, False]
        );
        assert_eq!(ways(PrincipalType::Service, "sns.amazonaws.com", &service), [False; 3]);
        assert_eq!(ways(PrincipalType::CanonicalUser, "79a5", &service), [False; 3]);
        let provider = Principal::new(PrincipalKind::Federated {
            provider: "cognito-identity.amazonaws.com".to_owned(),
        });
        let by_provider = ways(PrincipalType::Federated, "cognito-identity.amazonaws.com", &provider);
        assert_eq!(by_provider, [True, False, False]);
        let mut owner = session();
        owner.canonical_user = Some("79a5".to_owned());
        owner.unique_id = Some("AROAEXAMPLE".to_owned());
        assert_eq!(ways(PrincipalType::CanonicalUser, "79a5", &owner), [False, False, True]);
        assert_eq!(ways(PrincipalType::Aws, "AROAEXAMPLE", &owner), [False, True, False]);
        assert_eq!(ways(PrincipalType::Aws, "AROAOTHER", &owner), [False; 3]);
    }

    #[test]
    fn only_who_is_named_in_full_is_exempt_for_certain() {
        let left_out = |texts: &[&str]| is_left_out(&named(PrincipalType::Aws, texts), &session());
        assert_eq!(left_out(&[SESSION, ROLE, "111122223333"]), Truth::False);
        assert_eq!(left_out(&["*"]), Truth::False);
        assert_eq!(left_out(&[ROLE, "111122223333"]), Truth::Unknown);
        assert_eq!(left_out(&[SESSION]), Truth::Unknown);
        assert_eq!(
            left_out(&["444455556666", "arn:aws:iam::111122223333:role/x"]),
            Truth::True
        );
        assert_eq!(is_left_out(&PrincipalSet::Everyone, &session()), Truth::False);
        let anonymous = Principal::new(PrincipalKind::Anonymous);
        assert_eq!(
            is_left_out(&named(PrincipalType::Aws, &[ROLE]), &anonymous),
            Truth::True
        );
        assert_eq!(
            is_left_out(&named(PrincipalType::Aws, &["*"]), &anonymous),
            Truth::False
        );
    }
}
