use super::*;
use crate::alerts::TrustedHosts;

fn flags() -> ServeFlags {
    ServeFlags {
        database: DatabaseFlags { data_dir: Some("/tmp/cartwright".into()), ..DatabaseFlags::default() },
        ..ServeFlags::default()
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let wrong = ServeFlags {
        listen: Some("nowhere".into()),
        public_url: Some("ftp://x".into()),
        trusted_proxies: Some("everybody, 10.0.0.1/8".into()),
        egress_proxy: Some("https://proxy:1".into()),
        egress_ca_file: Some("/does/not/exist".into()),
        egress_addresses: Some("10.0.0.7, 8.8.8.8".into()),
        support_address: Some("call us".into()),
        smtp_url: Some("smtp://sam:canary@mail.example.com".into()),
        mail_from: Some("alerts@orders.example.com".into()),
        alert_hosts: Some("hooks.internal, 10.0.0.1".into()),
        key_file: Some("/does/not/exist".into()),
        product_name: Some("x".repeat(41)),
        activity_keep: Some("0 months".into()),
        drain: Some("five".into()),
        metrics_listen: Some("9464".into()),
        database: DatabaseFlags {
            database_url: Some("mysql://x".into()),
            log: Some("a=b=c".into()),
            ..DatabaseFlags::default()
        },
        ..ServeFlags::default()
    };
    let SettingProblems(problems) = wrong.check().expect_err("every setting is invalid");
    let variables: std::collections::BTreeSet<_> = problems.iter().map(|problem| problem.variable).collect();
    let expected = [
        "CARTWRIGHT_ACTIVITY_KEEP",
        "CARTWRIGHT_ALERT_HOSTS",
        "CARTWRIGHT_DRAIN",
        "CARTWRIGHT_EGRESS_ADDRESSES",
        "CARTWRIGHT_EGRESS_CA_FILE",
        "CARTWRIGHT_EGRESS_PROXY",
        "CARTWRIGHT_KEY_FILE",
        "CARTWRIGHT_LISTEN",
        "CARTWRIGHT_LOG",
        "CARTWRIGHT_METRICS_LISTEN",
        "CARTWRIGHT_PRODUCT_NAME",
        "CARTWRIGHT_PUBLIC_URL",
        "CARTWRIGHT_SMTP_URL",
        "CARTWRIGHT_SUPPORT_ADDRESS",
        "CARTWRIGHT_TRUSTED_PROXIES",
        "DATABASE_URL",
    ];
    assert_eq!(variables.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(problems.len(), expected.len() + 1, "both invalid proxies are reported");
}

#[test]
fn practice_store_is_refused_on_a_public_server() {
    let public = |practice, url: &str| ServeFlags { practice, public_url: Some(url.into()), ..flags() }.check();
    let SettingProblems(problems) = public(true, "https://orders.example.com").expect_err("both");
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!(problem.variable, "CARTWRIGHT_PRACTICE");
    assert!(problem.problem.contains("cannot be used on a public server"), "{problem:?}");
    public(false, "https://orders.example.com").expect("no practice store");
    public(true, "http://127.0.0.1:8080").expect("on this machine alone");
}

#[test]
fn a_secret_setting_can_stand_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        Some(path.display().to_string())
    };
    let read = ServeFlags {
        egress_proxy_file: file("proxy", "http://sam:canary@proxy.example.com:3128\n"),
        smtp_url_file: file("smtp", "smtps://sam:canary@mail.example.com\n"),
        mail_from: Some("alerts@orders.example.com".into()),
        ..flags()
    };
    let read = read.check().expect("two files");
    assert!(read.egress.proxy.is_some() && read.alerts.mail.is_some());
    let database = DatabaseFlags {
        database_url_file: file("url", "postgres://sam:canary@one.example.com,two.example.com/carts\n"),
        ..DatabaseFlags::default()
    };
    assert!(matches!(database.clone().check(), Ok(Database::Url { servers, owner: None }) if servers.len() == 2));
    let two_roles = DatabaseFlags {
        migrate_database_url_file: file("owner", "postgres://owner:canary@one.example.com/carts\n"),
        ..database
    };
    let owner = match two_roles.check() {
        Ok(Database::Url { owner: Some(owner), .. }) => owner,
        other => panic!("the owner is read from its file: {other:?}"),
    };
    assert_eq!(owner[0].get_username(), "owner");
    for (flags, variable, words) in [
        (ServeFlags { egress_proxy_file: file("empty", " \n"), ..flags() }, "CARTWRIGHT_EGRESS_PROXY_FILE", "is empty"),
        (
            ServeFlags { smtp_url_file: Some("/does/not/exist".into()), ..flags() },
            "CARTWRIGHT_SMTP_URL_FILE",
            "cannot be read",
        ),
        (
            ServeFlags {
                egress_proxy: Some("http://proxy:1".into()),
                egress_proxy_file: file("other", "http://proxy:2"),
                ..flags()
            },
            "CARTWRIGHT_EGRESS_PROXY_FILE",
            "set one of them",
        ),
    ] {
        let SettingProblems(problems) = flags.check().expect_err(variable);
        assert_eq!((problems.len(), problems[0].variable), (1, variable));
        assert!(problems[0].to_string().contains(words), "{}", problems[0]);
    }
}

#[test]
fn alert_transports_are_parsed_without_leaking_passwords() {
    let with = |smtp: Option<&str>, from: Option<&str>, hosts: &str| {
        let (smtp_url, mail_from) = (smtp.map(str::to_owned), from.map(str::to_owned));
        ServeFlags { smtp_url, mail_from, alert_hosts: Some(hosts.into()), ..flags() }.check()
    };
    let (smtp, from) = (Some("smtps://sam:canary@mail.example.com"), Some("alerts@orders.example.com"));
    let ways = with(smtp, from, " Hooks.internal ,localhost,").expect("valid").alerts;
    assert_eq!(Ok(ways.trusted_hosts), TrustedHosts::parse("hooks.internal,localhost"));
    let mail = ways.mail.expect("a mail server");
    assert_eq!(mail.to_string(), "mail.example.com:465");
    for (smtp, from, hosts, variable) in [
        (smtp, None, "", "CARTWRIGHT_MAIL_FROM"),
        (None, from, "", "CARTWRIGHT_SMTP_URL"),
        (smtp, Some("alerts"), "", "CARTWRIGHT_MAIL_FROM"),
        (Some("smtp://sam:canary@mail.example.com"), from, "", "CARTWRIGHT_SMTP_URL"),
        (smtp, from, "http://hooks.internal", "CARTWRIGHT_ALERT_HOSTS"),
    ] {
        let problems = with(smtp, from, hosts).expect_err(variable);
        assert_eq!(problems.0[0].variable, variable);
        assert!(!format!("{problems} {problems:?}").contains("canary"), "{problems}");
    }
}

#[test]
fn each_invalid_egress_address_is_reported() {
    let with = |list: &str| ServeFlags { egress_addresses: Some(list.into()), ..flags() }.check();
    let config = with("8.8.4.4 [2606:4700::1111], 1.1.1.0/24").expect("public addresses");
    assert_eq!(config.egress_addresses.texts(), ["8.8.4.4", "2606:4700::1111", "1.1.1.0/24"]);
    assert!(with(" ").expect("an empty variable is not set").egress_addresses.is_empty());
    let SettingProblems(problems) = with("8.8.4.4, 10.0.0.7 proxy.example,0.0.0.0/0").expect_err("three are wrong");
    assert!(problems.iter().all(|problem| problem.variable == "CARTWRIGHT_EGRESS_ADDRESSES"), "{problems:?}");
    let named: Vec<bool> = problems
        .iter()
        .zip(["10.0.0.7", "proxy.example", "0.0.0.0/0"])
        .map(|(one, entry)| one.problem.contains(entry))
        .collect();
    assert_eq!(named, [true; 3], "{problems:?}");
}

#[test]
fn defaults_are_sufficient() {
    let config = flags().check().expect("the defaults are enough");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.product_name, "Order Time");
    assert_eq!(config.public_url, PublicUrl { origin: "http://127.0.0.1:8080".into(), host: None, is_https: false });
    assert!(!config.practice, "practice mode is off by default");
}

#[test]
fn plain_http_requires_loopback() {
    let with = |listen: &str, public: Option<&str>| {
        ServeFlags { listen: Some(listen.into()), public_url: public.map(str::to_owned), ..flags() }
            .check()
            .map(|config| config.public_url.origin)
    };
    assert!(with("0.0.0.0:8080", None).is_err());
    assert!(with("0.0.0.0:8080", Some("http://orders.example.com")).is_err());
    assert!(with("127.0.0.1:8080", Some("https://orders.example.com/path")).is_err());
    assert_eq!(with("0.0.0.0:8080", Some("https://orders.example.com/")).expect("https"), "https://orders.example.com");
    assert_eq!(with("0.0.0.0:9", Some("http://localhost:9")).expect("loopback"), "http://localhost:9");
    assert_eq!(with("localhost:9", None).expect("a name for loopback"), "http://127.0.0.1:9");
}

#[test]
fn external_database_requires_a_key_file() {
    let with = ServeFlags {
        database: DatabaseFlags { database_url: Some("postgres://x@localhost/y".into()), ..DatabaseFlags::default() },
        ..ServeFlags::default()
    };
    let SettingProblems(problems) = with.check().expect_err("replicas would create different keys");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].variable, "CARTWRIGHT_KEY_FILE");
}

#[test]
fn remote_database_requires_certificate_verification() {
    let table = [
        ("postgres://x@db.example.com/y", true),
        ("postgres://x@db.example.com/y?sslmode=require", true),
        ("postgres://x@10.0.0.5/y", true),
        ("postgres://x@db.example.com/y?sslmode=verify-full", false),
        ("postgres://x@localhost/y", false),
        ("postgres://x@127.0.0.1:5433/y", false),
        ("postgres://x@localhost/y?host=/run/postgresql", false),
    ];
    for (url, unverified) in table {
        assert_eq!(is_unverified(&url.parse().expect("a database")), unverified, "{url}");
    }
}

#[test]
fn empty_variable_counts_as_unset() {
    let empty = Some(String::new());
    let config = ServeFlags { listen: empty.clone(), egress_proxy: empty.clone(), public_url: empty, ..flags() };
    assert!(config.check().is_ok());
}

#[cfg(feature = "practice")]
#[test]
fn practice_mode_excludes_a_proxy() {
    let both = ServeFlags { practice: true, egress_proxy: Some("http://proxy.example:3128".into()), ..flags() };
    let SettingProblems(problems) = both.check().expect_err("two proxies");
    assert_eq!(problems[0].variable, "CARTWRIGHT_PRACTICE");
}
