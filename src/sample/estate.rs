//! The organization: accounts, regions, people and the shapes of roles, users and policies.

use super::random::Random;
use super::random::hash;

/// The organization's id, second folder of every key that the organization trail writes.
pub(super) const ORGANIZATION: &str = "o-exampleorgid";
/// The central log bucket.
pub(super) const LOG_BUCKET: &str = "example-org-cloudtrail-logs";
/// The organization trail, and the trail that the prod account runs beside it for two hours.
pub(super) const ORGANIZATION_TRAIL: &str = "example-org-trail";
/// Where CloudTrail records IAM, Organizations, CloudFront, Route 53, sign-in and the global STS endpoint.
pub(super) const GLOBAL_REGION: &str = "us-east-1";
/// The regions where the organization runs workloads.
pub(super) const WORKLOAD_REGIONS: [&str; 3] = ["eu-central-1", "eu-west-1", "us-west-2"];
/// The region where nobody is expected.
pub(super) const UNEXPECTED_REGION: &str = "ap-southeast-1";

/// An account of the organization.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) purpose: &'static str,
    /// Whether the trail records S3 data events for this account.
    pub(super) data_events: bool,
}

pub(super) static MANAGEMENT: Account = Account {
    id: "123456789012",
    name: "management",
    purpose: "organization, Identity Center, root",
    data_events: false,
};
pub(super) static LOG_ARCHIVE: Account = Account {
    id: "210987654321",
    name: "log-archive",
    purpose: "the central log bucket",
    data_events: false,
};
pub(super) static SECURITY: Account = Account {
    id: "444455556666",
    name: "security",
    purpose: "posture scanner, GuardDuty",
    data_events: false,
};
pub(super) static PROD: Account = Account {
    id: "111122223333",
    name: "prod",
    purpose: "the shop",
    data_events: true,
};
pub(super) static DEV: Account = Account {
    id: "777788889999",
    name: "dev",
    purpose: "sandboxes",
    data_events: false,
};

/// All accounts, in the order in which reports name them.
pub(super) static ACCOUNTS: [&Account; 5] = [&MANAGEMENT, &LOG_ARCHIVE, &SECURITY, &PROD, &DEV];

/// The monitoring vendor's account, which must present an external id.
pub(super) const VENDOR_ACCOUNT: &str = "888877776666";
/// The external id agreed with the vendor.
pub(super) const VENDOR_EXTERNAL_ID: &str = "vendor-7f3c9a";
/// A partner's account, trusted without an external id.
pub(super) const PARTNER_ACCOUNT: &str = "555566667777";

/// A person of the company.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) email: &'static str,
    pub(super) ip: &'static str,
    /// The Identity Center user id.
    pub(super) user_id: &'static str,
}

pub(super) static MARIA: Person = Person {
    email: "maria.lopez@example.com",
    ip: "203.0.113.21",
    user_id: "02a5f4c4-5001-70d6-0000-000000000001",
};
pub(super) static JONAS: Person = Person {
    email: "jonas.weber@example.com",
    ip: "203.0.113.34",
    user_id: "02a5f4c4-5001-70d6-0000-000000000002",
};
pub(super) static AISHA: Person = Person {
    email: "aisha.khan@example.com",
    ip: "203.0.113.47",
    user_id: "02a5f4c4-5001-70d6-0000-000000000003",
};
pub(super) static TOM: Person = Person {
    email: "tom.becker@example.com",
    ip: "203.0.113.58",
    user_id: "02a5f4c4-5001-70d6-0000-000000000004",
};
pub(super) static LI: Person = Person {
    email: "li.na@example.com",
    ip: "203.0.113.63",
    user_id: "02a5f4c4-5001-70d6-0000-000000000005",
};

/// An IAM role as the snapshot shows it.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) account: &'static Account,
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    /// The trust policy, JSON.
    pub(super) trust: &'static str,
    /// When it was created; [`Role::young`] roles are created inside the window instead.
    pub(super) created: &'static str,
    /// The day of the window on which the role is created.
    pub(super) created_on_day: Option<i64>,
    /// ARNs of the attached managed policies.
    pub(super) managed: &'static [&'static str],
    /// Names and JSON of the inline policies.
    pub(super) inline: &'static [(&'static str, &'static str)],
    pub(super) boundary: Option<&'static str>,
    pub(super) instance_profile: bool,
    /// Time and region of the last use before the window.
    pub(super) used_before: Option<(&'static str, &'static str)>,
}

impl Role {
    /// A role created in 2025, without policies.
    pub(super) const fn new(account: &'static Account, path: &'static str, name: &'static str) -> Self {
        Self {
            account,
            path,
            name,
            trust: "",
            created: "2025-02-11T09:14:25+00:00",
            created_on_day: None,
            managed: &[],
            inline: &[],
            boundary: None,
            instance_profile: false,
            used_before: None,
        }
    }

    pub(super) const fn trust(self, trust: &'static str) -> Self {
        Self { trust, ..self }
    }

    pub(super) const fn managed(self, managed: &'static [&'static str]) -> Self {
        Self { managed, ..self }
    }

    pub(super) const fn inline(self, inline: &'static [(&'static str, &'static str)]) -> Self {
        Self { inline, ..self }
    }

    pub(super) const fn boundary(self, policy_arn: &'static str) -> Self {
        Self {
            boundary: Some(policy_arn),
            ..self
        }
    }

    pub(super) const fn instance_profile(self) -> Self {
        Self {
            instance_profile: true,
            ..self
        }
    }

    pub(super) const fn used_before(self, time: &'static str, region: &'static str) -> Self {
        Self {
            used_before: Some((time, region)),
            ..self
        }
    }

    pub(super) const fn young(self, day: i64) -> Self {
        Self {
            created_on_day: Some(day),
            ..self
        }
    }

    /// The role's ARN, path included.
    pub(super) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.account.id, self.path, self.name)
    }

    /// The ARN of one of its sessions. Paths do not occur in session ARNs.
    pub(super) fn session_arn(&self, session_name: &str) -> String {
        format!(
            "arn:aws:sts::{}:assumed-role/{}/{session_name}",
            self.account.id, self.name
        )
    }

    /// The unique id.
    pub(super) fn id(&self) -> String {
        unique_id("AROA", &self.arn())
    }
}

/// An IAM user as the snapshot and the credential report show it.
#[derive(Debug)]
pub(super) struct User {
    pub(super) account: &'static Account,
    pub(super) name: &'static str,
    pub(super) created: &'static str,
    pub(super) groups: &'static [&'static str],
    pub(super) managed: &'static [&'static str],
    pub(super) inline: &'static [(&'static str, &'static str)],
    /// When the console password was set, for users who have one.
    pub(super) password_set: Option<&'static str>,
    pub(super) mfa: bool,
    pub(super) keys: &'static [AccessKey],
    pub(super) ip: &'static str,
}

/// A long-term access key.
#[derive(Debug)]
pub(super) struct AccessKey {
    pub(super) id: &'static str,
    pub(super) rotated: &'static str,
    pub(super) active: bool,
}

impl User {
    /// The user's ARN.
    pub(super) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:user/{}", self.account.id, self.name)
    }

    /// The unique id.
    pub(super) fn id(&self) -> String {
        unique_id("AIDA", &self.arn())
    }
}

/// A customer managed policy. The last version is the default one.
#[derive(Debug)]
pub(super) struct ManagedPolicy {
    pub(super) account: &'static Account,
    pub(super) name: &'static str,
    pub(super) versions: &'static [&'static str],
}

impl ManagedPolicy {
    /// The policy's ARN.
    pub(super) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:policy/{}", self.account.id, self.name)
    }
}

/// A service control policy and what it is attached to.
#[derive(Debug)]
pub(super) struct ServiceControlPolicy {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) aws_managed: bool,
    pub(super) content: &'static str,
    /// Ids of the roots, organizational units and accounts that it is attached to.
    pub(super) targets: &'static [&'static str],
}

/// A node of the organization: id, name, kind and parent.
pub(super) static ORGANIZATION_TREE: [(&str, &str, &str, &str); 8] = [
    ("r-exam", "Root", "ROOT", ""),
    ("ou-exam-security", "security", "ORGANIZATIONAL_UNIT", "r-exam"),
    ("ou-exam-workloads", "workloads", "ORGANIZATIONAL_UNIT", "r-exam"),
    ("123456789012", "management", "ACCOUNT", "r-exam"),
    ("210987654321", "log-archive", "ACCOUNT", "ou-exam-security"),
    ("444455556666", "security", "ACCOUNT", "ou-exam-security"),
    ("111122223333", "prod", "ACCOUNT", "ou-exam-workloads"),
    ("777788889999", "dev", "ACCOUNT", "ou-exam-workloads"),
];

/// An id such as `AROAEXAMPLE…` that follows from the object's name and cannot be mistaken for a real one.
pub(super) fn unique_id(prefix: &str, name: &str) -> String {
    format!("{prefix}EXAMPLE{}", Random::seeded(hash(name)).base32(10))
}
