use time::macros::datetime;

use super::*;

fn server(url: &str) -> Result<MailServer, MailServerError> {
    MailServer::parse(url, "Order Time <alerts@orders.example.com>")
}

#[test]
fn server_is_parsed_and_its_password_is_not_shown() {
    let wrapped = server("smtps://sam%40acme:c%40nary@mail.example.com").expect("valid");
    assert_eq!((wrapped.to_string().as_str(), wrapped.is_wrapped), ("mail.example.com:465", true));
    let (user, password) = wrapped.user.as_ref().expect("a user");
    assert_eq!((user.as_str(), password.expose_secret()), ("sam@acme", "c@nary"));
    let started = server("smtp://sam:canary@mail.example.com:2525?tls=required").expect("valid");
    assert_eq!((started.to_string().as_str(), started.is_wrapped), ("mail.example.com:2525", false));
    let mail = Mail::new(&Arc::new(started), "https://orders.example.com", None).expect("a transport");
    let printed = format!("{wrapped:?} {mail:?}");
    assert!(!printed.contains("nary") && !printed.contains("sam"), "{printed}");
}

#[test]
fn mail_is_always_encrypted_and_errors_omit_the_password() {
    use MailServerError::{From, Shape, User};
    for (url, error) in [
        ("smtp://sam:canary@mail.example.com", Shape),
        ("smtp://sam:canary@mail.example.com?tls=opportunistic", Shape),
        ("smtp://sam:canary@mail.example.com?tls=required&x=1", Shape),
        ("https://sam:canary@mail.example.com", Shape),
        ("mail.example.com:25", Shape),
        ("smtps://sam:canary@mail.example.com/inbox", Shape),
        ("smtps://", Shape),
        ("smtps://canary@mail.example.com", User),
        ("smtps://sam:canary%0d%0aRSET@mail.example.com", User),
        ("smtps://sam:canary%4@mail.example.com", User),
    ] {
        let found = server(url).expect_err(url);
        assert_eq!(found, error, "{url}");
        assert!(!format!("{found} {found:?}").contains("canary"));
    }
    for from in ["", "alerts", "a@b\r\nBcc: x@y", "Ordér <alerts@orders.example.com>"] {
        assert_eq!(MailServer::parse("smtps://mail.example.com", from).map(drop), Err(From), "{from:?}");
    }
}

#[test]
fn line_end_in_a_name_adds_no_header() {
    let mail = Mail::new(&Arc::new(server("smtps://mail.example.com").expect("valid")), "http://127.0.0.1:8080", None);
    let mail = mail.expect("a transport");
    let letter = EmailText { subject: "Tea\r\nBcc: evil@example.com\r\n\r\nx".into(), text: "Hello.\nBye.".into() };
    let thread = EmailThread { id: "a@b".into(), goes_on_from: Some("c@d".into()) };
    let at = datetime!(2026-11-21 08:54:40 UTC);
    let (_, bytes) = mail.message("priya@northwind.example", &letter, &thread, at).expect("a message");
    let text = String::from_utf8(bytes).expect("ASCII");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    for line in [
        "To: priya@northwind.example",
        "Subject: Tea Bcc: evil@example.com x",
        "Message-ID: <a@b>",
        "In-Reply-To: <c@d>",
        "References: <c@d>",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
        "Date: Sat, 21 Nov 2026 08:54:40 +0000",
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert_eq!(body.trim_end(), "Hello.\r\nBye.");
    for to in ["a@b\r\nRCPT TO:<x@y>", "a", ""] {
        assert!(mail.message(to, &letter, &thread, at).is_none(), "{to:?}");
    }
}
