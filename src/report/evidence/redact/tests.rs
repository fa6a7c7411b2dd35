use super::*;

use proptest::prelude::*;

fn redacted(text: &str) -> String {
    Redaction::Standard.text(text).into_owned()
}

/// Each text becomes the other, which stays as it is.
fn assert_redacted(pairs: &[(&str, &str)]) {
    for (text, wanted) in pairs {
        assert_eq!(redacted(text), *wanted, "{text}");
        assert_eq!(redacted(wanted), *wanted);
    }
}

#[test]
fn access_key_ids_keep_their_ends() {
    assert_eq!(redacted("AKIAEXAMPLEBACKUP001"), "AKIA...P001");
    assert_eq!(redacted("user/ASIAEXAMPLE000000042."), "user/ASIA...0042.");
    assert_eq!(redacted("AROAEXAMPLEROLE00001:session"), "AROAEXAMPLEROLE00001:session");
}

#[test]
fn names_of_secrets_and_resources_stay() {
    for text in [
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/payments/stripe-key-Ef3Gh4",
        "prod/payments/db",
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_AdministratorAccess_0123456789abcdef",
        "aws-cli/2.17.0 md/awscrt#0.20 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11",
        "9b74c9897bac770ffc029102a200c5de9b74c989",
        "User: arn:aws:sts::111122223333:assumed-role/x/y is not authorized to perform: iam:PassRole",
        "{\"bucketName\":\"logs\",\"key\":\"a/b\"}",
        "[\"eu-west-1\"]",
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn secrets_go_wherever_they_stand() {
    let token =
        "IQoJb3JpZ2luX2VjEA4aCWV1LXdlc3QtMSJHMEUCIQDx9Qf2bB3yC7h8Kq0Zl4Jv5n6M1o2P3q4R5s6T7u8V9w0X1y2Z3a4B5c6D7e8F9";
    for (text, wanted) in [
        (token.to_owned(), "[redacted]"),
        (
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".replace("EXAMPLEKEY", "3XAMPLEKEY"),
            "[redacted]",
        ),
        (
            "failed: password=hunter2, retry".to_owned(),
            "failed: password=[redacted], retry",
        ),
        (
            "Password: hunter2 was wrong".to_owned(),
            "Password: [redacted] was wrong",
        ),
        ("token=\"two words\" rest".to_owned(), "token=[redacted]\" rest"),
        ("https://me:hunter2@host/x".to_owned(), "https://me:[redacted]@host/x"),
        ("git ghp_0123456789abcdefABCDEF".to_owned(), "git [redacted]"),
        ("jwt eyJhbGciOi.eyJzdWIi.c2ln".to_owned(), "jwt [redacted]"),
        ("x -----BEGIN RSA PRIVATE KEY-----\nMII".to_owned(), "x [redacted]"),
        (
            "GET /?X-Amz-Security-Token=abc&x=1".to_owned(),
            "GET /?X-Amz-Security-Token=[redacted]&x=1",
        ),
        (
            "{\"masterUserPassword\":\"x\",\"environment\":{\"variables\":{\"A\":\"b\"}},\"name\":\"n\"}".to_owned(),
            "{\"masterUserPassword\":\"[redacted]\",\"environment\":\"[redacted]\",\"name\":\"n\"}",
        ),
        (
            "{\"type\":\"SecureString\",\"value\":\"v\",\"list\":[{\"text\":\"token=t\"}]}".to_owned(),
            "{\"type\":\"SecureString\",\"value\":\"[redacted]\",\"list\":[{\"text\":\"token=[redacted]\"}]}",
        ),
    ] {
        assert_eq!(redacted(&text), wanted, "{text}");
    }
}

#[test]
fn secrets_go_from_json_inside_of_text_and_from_credentials_with_a_scheme() {
    assert_redacted(&[
        (
            r#"failed: {"password":"hunter2","user":"me"}"#,
            r#"failed: {"password":"[redacted]","user":"me"}"#,
        ),
        (
            r#"failed: {"password" : "hun\"ter2\\", "a": 1}"#,
            r#"failed: {"password" : "[redacted]", "a": 1}"#,
        ),
        (
            r#"body "{\"password\":\"hunter2\",\"user\":\"me\"}""#,
            r#"body "{\"password\":\"[redacted]\",\"user\":\"me\"}""#,
        ),
        ("got {'secret': 'hunter2'}", "got {'secret': '[redacted]'}"),
        (
            r#"got {"pin":1234,"secret":null,"token":""}"#,
            r#"got {"pin":"[redacted]","secret":null,"token":""}"#,
        ),
        (
            r#"got {"credentials":{"a":["}",{"b":"hunter2"}]},"c":1}"#,
            r#"got {"credentials":"[redacted]","c":1}"#,
        ),
        (r#"cut {"password":"hunter2"#, r#"cut {"password":"[redacted]"#),
        (
            "Authorization: Basic dXNlcjpwdw was sent",
            "Authorization: Basic [redacted] was sent",
        ),
        ("authorization=bearer  abc, x", "authorization=bearer  [redacted], x"),
        (
            "Authorization: AWS4-HMAC-SHA256 Credential=abc/s3, Signature=0f0f",
            "Authorization: AWS4-HMAC-SHA256 [redacted], Signature=[redacted]",
        ),
        (
            r#"x {"type":"SecureString","value":"hunter2"}"#,
            r#"x {"type":"SecureString","value":"[redacted]"}"#,
        ),
    ]);
}

#[test]
fn values_go_that_stand_beside_the_name_of_a_secret() {
    assert_redacted(&[
        (
            r#"{"parameters":[{"parameterKey":"DBPassword","parameterValue":"hunter2"},{"parameterKey":"Size","parameterValue":"3"}]}"#,
            r#"{"parameters":[{"parameterKey":"DBPassword","parameterValue":"[redacted]"},{"parameterKey":"Size","parameterValue":"3"}]}"#,
        ),
        (
            r#"{"optionSettings":[{"optionName":"DB_PASSWORD","namespace":"n","value":"hunter2"}]}"#,
            r#"{"optionSettings":[{"optionName":"DB_PASSWORD","namespace":"n","value":"[redacted]"}]}"#,
        ),
        (
            r#"{"tags":[{"key":"apiKey","value":"k"},{"key":"Environment","value":"prod"},{"key":"Name","value":"web"}]}"#,
            r#"{"tags":[{"key":"apiKey","value":"[redacted]"},{"key":"Environment","value":"prod"},{"key":"Name","value":"web"}]}"#,
        ),
        (
            r#"{"name":"secretArn","value":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"}"#,
            r#"{"name":"secretArn","value":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"}"#,
        ),
        (
            "ParameterKey=DBPassword,ParameterValue=hunter2",
            "ParameterKey=DBPassword,ParameterValue=[redacted]",
        ),
        (
            r#"cut [{"Key":"token","Value":"abc"#,
            r#"cut [{"Key":"token","Value":"[redacted]"#,
        ),
    ]);
}

#[test]
fn passwords_go_from_command_lines_and_queries() {
    assert_redacted(&[
        (
            "login --password hunter2 --user me",
            "login --password [redacted] --user me",
        ),
        ("login --password 'two words' x", "login --password '[redacted]' x"),
        ("x -Password hunter2; y", "x -Password [redacted]; y"),
        ("--api-key abc", "--api-key [redacted]"),
        ("mysqldump -uroot -phunter2! db", "mysqldump -uroot -p[redacted] db"),
        ("/usr/bin/mysql -h x -phunter2", "/usr/bin/mysql -h x -p[redacted]"),
        ("sshpass -p hunter2 ssh me@x", "sshpass -p [redacted] ssh me@x"),
        ("redis-cli -a hunter2 ping", "redis-cli -a [redacted] ping"),
        ("curl -u me:hunter2 https://x", "curl -u me:[redacted] https://x"),
        (
            "curl --user \"me:hunter2\" https://x",
            "curl --user \"me:[redacted]\" https://x",
        ),
        ("GET /cb?authCode=abc&x=1", "GET /cb?authCode=[redacted]&x=1"),
    ]);
    for text in [
        "docker run -p 8080:80 -v /a:/b image",
        "mysql -p -u root",
        "curl -u me https://x",
        "login --password --user me",
        "aws secretsmanager get-secret-value --secret-id prod/db --version-stage AWSCURRENT",
        "mkdir -p /var/lib && psql -p 5432",
        "the password was wrong",
        "ssh -p 22 me@x",
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn secrets_go_from_json_that_is_too_deep_to_be_read() {
    let deep = |inner: &str| format!("{}{inner}{}", "{\"a\":[".repeat(200), "]}".repeat(200));
    let text = deep(r#"{"masterUserPassword":"hunter2","name":"n"}"#);
    assert!(serde_json::from_str::<Value>(&text).is_err());
    assert_eq!(
        redacted(&text),
        deep(r#"{"masterUserPassword":"[redacted]","name":"n"}"#)
    );
}

#[test]
fn nothing_goes_when_redaction_is_off() {
    let text = "password=hunter2 AKIAEXAMPLEBACKUP001";
    assert_eq!(Redaction::Off.text(text), text);
    assert_eq!(Redaction::of_name("standard-3"), Some(Redaction::Standard));
    assert_eq!(Redaction::of_name("other"), None);
}

proptest! {
    #[test]
    fn any_text_can_be_redacted_and_again(text in any::<String>()) {
        let once = redacted(&text);
        prop_assert_eq!(redacted(&once), once);
    }

    #[test]
    fn text_with_names_of_secrets_can_be_redacted_and_again(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "password", "pin", "\"", "'", ":", ": ", "=", "\\", " ", "{", "}", "[", "]", ",", "Basic", "x", "value",
                "SecureString", "null", "[redacted]", "é", "key", "--token", "-p", "-pa", "mysql", "curl", "-u", "sshpass", ";",
            ]),
            0..24,
        ),
    ) {
        let once = redacted(&parts.concat());
        prop_assert_eq!(redacted(&once), once);
    }

    #[test]
    fn no_access_key_id_survives(before in "[ -~é]{0,12}", key in "AKIA[A-Z0-9]{16}", after in "[ ,;:\"'é]?") {
        let text = format!("{before} {key}{after}");
        prop_assert!(!redacted(&text).contains(&key));
    }
}

#[test]
fn lists_of_arguments_elements_of_xml_and_quotes_as_numbers_hide_nothing() {
    assert_redacted(&[
        (
            r#"{"command":["curl","-u","bob:hunter2","http://x"]}"#,
            r#"{"command":["curl","-u","bob:[redacted]","http://x"]}"#,
        ),
        (
            r#"["mysql","-phunter2","-h","x","--password","hunter2"]"#,
            r#"["mysql","-p[redacted]","-h","x","--password","[redacted]"]"#,
        ),
        (r#"["tool","--token","--verbose"]"#, r#"["tool","--token","--verbose"]"#),
        (
            "<user>bob</user><password>hunter2</password>",
            "<user>bob</user><password>[redacted]</password>",
        ),
        (
            "AccountName=a;AccountKey=abc==;x",
            "AccountName=a;AccountKey=[redacted];x",
        ),
        (
            r"x {\u0022password\u0022:\u0022hunter2\u0022}",
            r#"x {"password":"[redacted]"}"#,
        ),
        (
            r#"body: {"password":"ab\u0022cd"}"#,
            r#"body: {"password":"[redacted]"}"#,
        ),
        (
            r"x {\u0022user\u0022:\u0022bob\u0022}",
            r"x {\u0022user\u0022:\u0022bob\u0022}",
        ),
    ]);
}
