//! Sign-in and set-up: the pages of unauthenticated users.

use super::{LONG, complaint, draw, field, shell};
use crate::web::admin::error::SameSiteReload;
use crate::web::admin::fields::FormField;
use crate::web::admin::set_up::{SetUp, SetUpOver, SetUpPurpose};
use crate::web::admin::shell::Shell;
use crate::web::admin::sign_in::{SignIn, SignInNote};

pub(super) fn pages() -> Vec<(String, String)> {
    let sign_in = |note| SignIn {
        shell: stranger(),
        return_to: String::new(),
        resume: String::new(),
        note,
        email: FormField::default(),
        password: None,
        refused: None,
    };
    let both = complaint("SIGN_IN_REFUSED", "Check your email address and password. One of them is not right.");
    let refused = SignIn {
        email: FormField { complaint: Some(both.clone()), ..field("priya@northwind.example") },
        refused: Some(both.sentence.clone()),
        password: Some(both),
        ..sign_in(None)
    };
    let set_up = |purpose| SetUp {
        shell: stranger(),
        purpose,
        is_too_weak: false,
        name: FormField::default(),
        email: field("ana@agency.example"),
        password: Some(complaint("PASSWORD_SHORT", "Password must be at least 8 characters")),
    };
    vec![
        ("sign-in".into(), draw(&sign_in(None))),
        ("sign-in-signed-out".into(), draw(&sign_in(Some(SignInNote::SignedOut)))),
        ("sign-in-idle".into(), draw(&sign_in(Some(SignInNote::Idle)))),
        ("sign-in-expired".into(), draw(&sign_in(Some(SignInNote::Expired)))),
        ("sign-in-keeping".into(), draw(&SignIn { resume: "YWN0aW9u".into(), ..sign_in(Some(SignInNote::Idle)) })),
        ("sign-in-refused".into(), draw(&refused)),
        ("set-up".into(), draw(&set_up(SetUpPurpose::FirstAdministrator))),
        ("set-up-join".into(), draw(&set_up(SetUpPurpose::Invitation))),
        ("set-up-password".into(), draw(&set_up(SetUpPurpose::NewPassword))),
        (
            "set-up-too-weak".into(),
            draw(&SetUp { is_too_weak: true, password: None, ..set_up(SetUpPurpose::NewPassword) }),
        ),
        ("set-up-spent".into(), draw(&SetUpOver { shell: stranger(), is_already_set_up: false })),
        ("set-up-done".into(), draw(&SetUpOver { shell: stranger(), is_already_set_up: true })),
        (
            "opening".into(),
            draw(&SameSiteReload { shell: stranger(), page: LONG.into(), to: "/admin/ecommerce".into() }),
        ),
    ]
}

fn stranger() -> Shell {
    Shell { person: None, ..shell() }
}
