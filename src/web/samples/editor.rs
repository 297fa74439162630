//! The editor of a cart: new, with complaints, saved, replacing its secret, and with the result of a test.

use time::Duration;

use super::guide::guide;
use super::settings::{self, other_settings, settings_section};
use super::verdicts::test_view;
use super::{LONG, NOW, complaint, draw, field, head, shell, viewer, with_banner};
use crate::carts::Status;
use crate::causes::Class;
use crate::web::admin::ecommerce::shopify::Kind;
use crate::web::admin::ecommerce::shopify::editor::view::guide::Guide;
use crate::web::admin::ecommerce::shopify::editor::view::practice_panel::{PracticeCase, PracticePanel};
use crate::web::admin::ecommerce::shopify::editor::{
    form_state::{AddressHint, EditorForm, SavedSecret, SecretState, SecretView},
    view::general::{General, Stage},
};
use crate::web::admin::ecommerce::shopify::programs::{ProgramUseView, ProgramsLine};
use crate::web::admin::fields::FormField;
use crate::web::admin::filters::Moment;
use crate::web::admin::shell::Shell;

pub(super) fn pages() -> Vec<(String, String)> {
    let named = |name: &str, page: &General| (name.to_owned(), draw(page));
    let mut pages = vec![
        named("editor-new", &new_editor()),
        named(
            "editor-new-practice",
            &General {
                shell: Shell { practice: true, ..shell() },
                practice: wrong_editor(Kind::AccessToken).practice,
                ..new_editor()
            },
        ),
        named("editor-wrong", &wrong_editor(Kind::AccessToken)),
        named("editor-wrong-client", &wrong_editor(Kind::ClientCredentials)),
        named("editor-saved", &saved_editor(Kind::AccessToken)),
        named("editor-saved-client", &saved_editor(Kind::ClientCredentials)),
        named(
            "editor-banner",
            &General {
                shell: with_banner("Northwind Tea is saved and connected.", ""),
                ..saved_editor(Kind::AccessToken)
            },
        ),
        named("editor-replacing", &replacing_editor()),
        named("editor-viewer", &General { shell: viewer(), ..saved_editor(Kind::AccessToken) }),
        named("editor-viewer-client", &General { shell: viewer(), ..saved_editor(Kind::ClientCredentials) }),
    ];
    pages.extend(settings::pages());
    for class in Class::ALL {
        pages.push(named(&format!("test-{}", class.as_str()), &received_editor(class)));
    }
    pages
}

/// A new cart with nothing typed.
pub(super) fn new_editor() -> General {
    General {
        shell: shell(),
        cart: None,
        form: EditorForm { active: true, submission: "sub-1".into(), ..EditorForm::default() },
        stage: Stage::Loaded,
        test: None,
        settings: None,
        programs: None,
        guide: Guide { handle: None, token_done: [false; 4], ..guide(false) },
        practice: None,
    }
}

/// Two programs of which one has a long name; without counts, the last one.
pub(super) fn programs_line(has_counts: bool) -> ProgramsLine {
    let program = |name: &str, minutes, times_a_day| ProgramUseView {
        name: name.into(),
        last: Moment::new(NOW - Duration::minutes(minutes), NOW),
        times_a_day,
    };
    let mut programs = vec![program("sync-prod", 2, 14)];
    if has_counts {
        programs.extend([program(LONG, 200, 1), program("sync-test", 20_000, 0)]);
    }
    ProgramsLine { programs, has_counts, offers_key: false }
}

fn saved_form(kind: Kind) -> EditorForm {
    let saved = SavedSecret {
        ending: Some("1f3c".into()),
        added_by: "Priya Shah".into(),
        added_on: "2 November 2026".into(),
        renewed: (kind == Kind::ClientCredentials).then(|| Moment::new(NOW - Duration::hours(3), NOW)),
    };
    let secret = SecretView { state: SecretState::Saved, saved: Some(saved), ..SecretView::default() };
    let (access_token, client_secret) = match kind {
        Kind::AccessToken => (secret, SecretView::default()),
        Kind::ClientCredentials => (SecretView::default(), secret),
    };
    EditorForm {
        website_name: field("Northwind Tea"),
        api_url: field("https://northwind-tea.myshopify.com/admin"),
        understood: Some(AddressHint { host: "northwind-tea.myshopify.com".into(), more: None }),
        kind,
        access_token,
        client_id: field(if kind == Kind::AccessToken { "" } else { "3f6c0f9a1b2c4d5e" }),
        client_secret,
        active: true,
        submission: "sub-2".into(),
        version: Some(4),
        ..EditorForm::default()
    }
}

pub(super) fn saved_editor(kind: Kind) -> General {
    General {
        cart: Some(head(Status::Connected, None)),
        form: saved_form(kind),
        settings: Some(settings_section(other_settings())),
        programs: Some(programs_line(false)),
        guide: Guide { token_done: [true; 4], ..guide(true) },
        ..new_editor()
    }
}

fn wrong_editor(kind: Kind) -> General {
    let wrong = |class, sentence: &str| FormField {
        complaint: Some(complaint(class, sentence)),
        ..field("https://www.northwindtea.com")
    };
    let secret = |class, sentence: &str| SecretView {
        complaint: Some(complaint(class, sentence)),
        note: Some("We have not kept what you typed.".into()),
        is_warning: true,
        ..SecretView::default()
    };
    let form = EditorForm {
        website_name: FormField {
            complaint: Some(complaint(
                "NAME_TAKEN",
                "Another cart is called Northwind Tea. Enter a different Website Name",
            )),
            ..field(LONG)
        },
        api_url: wrong(
            "OWN_DOMAIN",
            "Enter the address that ends in myshopify.com, not **www.northwindtea.com**. In Shopify, go to Settings, then Domains, or copy the address from your browser while you are in Shopify admin",
        ),
        kind,
        access_token: secret(
            "TOKEN_IS_SECRET",
            "That is the API secret key. Copy the Admin API access token instead. It starts with shpat_. For an app from the Dev Dashboard, choose Client ID and Client secret",
        ),
        client_id: wrong("CLIENT_ID_EMPTY", "Enter the Client ID"),
        client_secret: secret("CLIENT_SECRET_EMPTY", "Enter the Client secret"),
        ..new_editor().form
    };
    let case = |say: &str, handle: &str| PracticeCase { say: say.into(), handle: handle.into() };
    let practice = PracticePanel {
        now: "practice-tea".into(),
        first: vec![
            case("All is well", "practice-tea"),
            case("2 permissions missing", "practice-permissions"),
            case("Paused by Shopify", "practice-paused"),
        ],
        others: vec![
            case("Shopify is down", "practice-down"),
            case("The app is not installed", "practice-not-installed"),
        ],
    };
    General {
        shell: Shell { practice: true, ..shell() },
        form,
        practice: Some(practice),
        stage: Stage::Typed,
        ..new_editor()
    }
}

fn replacing_editor() -> General {
    let mut page = saved_editor(Kind::AccessToken);
    page.form.access_token.state = SecretState::Replacing;
    page.form.access_token.note = Some("Access token, ends in 1f3c.".into());
    page
}

fn received_editor(class: Class) -> General {
    let mut page = new_editor();
    page.form = EditorForm {
        website_name: field("Northwind Tea"),
        api_url: field("northwind-tea"),
        understood: Some(understood()),
        access_token: SecretView {
            state: SecretState::Received { ending: Some("1f3c".into()) },
            ..SecretView::default()
        },
        ..page.form
    };
    page.guide = guide(false);
    page.test = Some(test_view(class, Kind::AccessToken));
    page.stage = Stage::Typed;
    page
}

fn understood() -> AddressHint {
    AddressHint { host: "northwind-tea.myshopify.com".into(), more: Some("We added .myshopify.com.".into()) }
}
