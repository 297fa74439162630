//! The user's own account and the user administration.

use time::Duration;

use super::{LONG, NOW, complaint, draw, field, shell, viewer};
use crate::accounts::{Presence, Role};
use crate::web::admin::account::{AccountPage, SessionLine};
use crate::web::admin::confirm::{ConfirmPasswordPage, PendingAction};
use crate::web::admin::fields::FormField;
use crate::web::admin::filters::Moment;
use crate::web::admin::shell::Shell;
use crate::web::admin::users::{New, RolePage, UserLine, Users, deactivation::Deactivation, link::Link};

fn account(shell: Shell, browsers: usize) -> AccountPage {
    let line = |browser: &str, ip: &str, minutes, is_this| SessionLine {
        handle: format!("handle-{minutes}"),
        browser: browser.into(),
        ip: ip.into(),
        last_seen: Moment::new(NOW - Duration::minutes(minutes), NOW),
        since: Moment::exactly(NOW - Duration::minutes(minutes + 30)),
        is_this,
    };
    let mut sessions = vec![
        line("Chrome on Windows", "203.0.113.7", 0, true),
        line("Safari on iPhone", "198.51.100.20", 120, false),
        line("An unknown browser", "2001:db8:1234:5678:9abc:def0:1234:5678", 600, false),
    ];
    sessions.truncate(browsers);
    AccountPage {
        shell,
        name: field("Priya Shah"),
        email: field("priya@northwind.example"),
        current_password: None,
        new_password: None,
        sessions,
    }
}

fn wrong_account() -> AccountPage {
    let wrong =
        |value: &str, class, sentence| FormField { complaint: Some(complaint(class, sentence)), ..field(value) };
    AccountPage {
        name: wrong("", "PERSON_NAME", "Enter your name"),
        email: wrong(LONG, "EMAIL_FORM", "Enter an email address like priya@northwind.example"),
        current_password: Some(complaint("PASSWORD_WRONG", "That is not your current password")),
        new_password: Some(complaint("PASSWORD_TOO_SHORT", "Password must be at least 8 characters")),
        ..account(shell(), 3)
    }
}

pub(super) fn pages() -> Vec<(String, String)> {
    let line = |name: &str, email: &str, role, presence, is_you| UserLine {
        id: "0198f3c0f00070008000000000000001".into(),
        name: name.into(),
        email: email.into(),
        role,
        presence,
        last_seen: match presence {
            Presence::Away(Some(at)) => Some(Moment::new(at, NOW)),
            _ => None,
        },
        is_you,
    };
    let priya = line("Priya Shah", "priya@northwind.example", Role::Administrator, Presence::SignedIn, true);
    let away = Presence::Away(Some(NOW - Duration::hours(3)));
    let everybody = vec![
        priya.clone(),
        line("Sam Lee", "sam@northwind.example", Role::Viewer, away, false),
        line("Ana Ruiz", "ana@agency.example", Role::Viewer, Presence::Invited, false),
        line("Tom West", "tom@northwind.example", Role::Administrator, Presence::Off, false),
        line("Kim New", "kim@northwind.example", Role::Viewer, Presence::Away(None), false),
        line(LONG, &format!("{}@northwind.example", "x".repeat(60)), Role::Viewer, Presence::Invited, false),
    ];
    let edit = |person: &UserLine, complaint| {
        draw(&RolePage { shell: shell(), role: person.role, person: person.clone(), complaint })
    };
    let last = complaint("ROLE_KEPT", "There must be one administrator. Make somebody else one first.");
    let deactivation = |refused| draw(&Deactivation { shell: shell(), person: everybody[3].clone(), refused });
    let wrong =
        |value: &str, class, sentence| FormField { complaint: Some(complaint(class, sentence)), ..field(value) };
    let new = |name, email, role| draw(&New { shell: shell(), name, email, role });
    let confirm = |password| {
        let fields = vec![("name", LONG.to_owned()), ("email", "ana@agency.example".into()), ("role", "viewer".into())];
        let (action, cancel) = ("/admin/users/new".into(), "/admin/users".into());
        draw(&ConfirmPasswordPage {
            shell: shell(),
            pending: PendingAction { text: "add a user".into(), action, fields, cancel },
            password,
        })
    };
    vec![
        ("account".into(), draw(&account(shell(), 3))),
        ("account-viewer".into(), draw(&account(viewer(), 1))),
        ("account-wrong".into(), draw(&wrong_account())),
        ("users".into(), draw(&Users { shell: shell(), people: everybody.clone() })),
        ("users-alone".into(), draw(&Users { shell: shell(), people: vec![priya.clone()] })),
        ("user-new".into(), new(FormField::default(), FormField::default(), Role::Viewer)),
        (
            "user-new-wrong".into(),
            new(
                wrong("", "PERSON_NAME", "Enter a name"),
                wrong("sam@northwind.example", "EMAIL_TAKEN", "Someone with this email address can already sign in"),
                Role::Administrator,
            ),
        ),
        ("user".into(), edit(&everybody[1], None)),
        ("user-invited".into(), edit(&everybody[2], None)),
        ("user-off".into(), edit(&everybody[3], None)),
        ("user-long".into(), edit(&everybody[5], None)),
        ("user-refused".into(), edit(&everybody[3], Some(last.clone()))),
        ("user-you".into(), edit(&priya, None)),
        (
            "user-link".into(),
            draw(&Link {
                shell: shell(),
                name: "Ana Ruiz".into(),
                first_name: "Ana".into(),
                url: format!("https://orders.northwind.example/set-up/{}", "A".repeat(43)),
            }),
        ),
        ("user-deactivation".into(), deactivation(None)),
        ("user-deactivation-refused".into(), deactivation(Some(last.sentence.clone()))),
        ("confirm".into(), confirm(None)),
        ("confirm-wrong".into(), confirm(Some(complaint("PASSWORD_WRONG", "That is not your current password")))),
    ]
}
