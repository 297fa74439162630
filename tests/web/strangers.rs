//! Every route without a session: redirect to the sign-in page, 401, or 404. Routes that are open to everyone are
//! listed by name, so that a new one is a deliberate decision.

use axum::http::{Method, StatusCode};
use cartwright::web::admin::guard::Access;
use sqlx::PgPool;

use crate::support::{
    Answer, Browser, ORIGIN, TestApp,
    dump::dump,
    routes::{Blanks, Door, doors},
};

/// Routes that are open to everyone on purpose.
const OPEN: [&str; 13] = [
    "GET /",
    "GET /-/live",
    "GET /-/ready",
    "GET /-/metrics",
    "GET /.well-known/security.txt",
    "GET /static/{name}",
    "GET /help",
    "GET /help/api",
    "GET /set-up/{code}",
    "GET /set-up",
    "POST /set-up",
    "GET /sign-in",
    "POST /sign-in",
];

fn is_open(door: &Door) -> bool {
    OPEN.contains(&door.name().as_str())
}

#[track_caller]
fn assert_sent_to_sign_in(answer: &Answer, name: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{name}: {}", answer.text());
    assert!(answer.location() == "/sign-in" || answer.location().starts_with("/sign-in?"), "{name}: {answer:?}");
    assert!(answer.body.is_empty(), "{name}: {}", answer.text());
}

/// A site with a cart, and a browser without a session.
async fn outside(pool: PgPool) -> (TestApp, Vec<Door>, Browser) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let doors = doors(&Blanks::make(&app, &priya).await);
    app.practice.journal().clear();
    let stranger = app.browser();
    (app, doors, stranger)
}

#[sqlx::test]
async fn open_routes_are_exactly_the_listed_ones(pool: PgPool) {
    let (_, doors, _) = outside(pool).await;
    let open: Vec<String> = doors.iter().filter(|door| door.access == Access::Open).map(Door::name).collect();
    assert_eq!(open, OPEN);
}

#[sqlx::test]
async fn every_other_route_redirects_to_sign_in_and_changes_nothing(pool: PgPool) {
    let (app, doors, stranger) = outside(pool).await;
    let before = dump(&app.pool).await;
    for door in doors.iter().filter(|door| !is_open(door)) {
        let knock = stranger.knock(door.method.clone(), &door.path);
        let knock = if door.is_unsafe() { knock.form(&[]) } else { knock };
        assert_sent_to_sign_in(&knock.clone().send().await, &door.name());
        let partial = knock.header("x-partial", "1").send().await;
        assert_eq!(partial.status, StatusCode::UNAUTHORIZED, "{}", door.name());
        assert!(partial.body.is_empty(), "{}: {}", door.name(), partial.text());
    }
    assert_eq!(dump(&app.pool).await, before);
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn sign_in_redirect_remembers_the_page(pool: PgPool) {
    let (_, _, stranger) = outside(pool).await;
    for method in [Method::GET, Method::HEAD] {
        let answer = stranger.knock(method, "/admin/users?page=2").send().await;
        assert_eq!(answer.location(), "/sign-in?return_to=%2Fadmin%2Fusers%3Fpage%3D2");
    }
    // After sign-in, users return to the page of the form and not to the posted address, if the page was ours.
    let pressed = stranger.knock(Method::POST, "/admin/account/theme").form(&[]);
    for (referer, location) in [
        (&*format!("{ORIGIN}/admin/activity"), "/sign-in?return_to=%2Fadmin%2Factivity"),
        ("https://evil.example/admin/activity", "/sign-in"),
        ("/admin/activity", "/sign-in"),
    ] {
        let answer = pressed.clone().header("referer", referer).send().await;
        assert_eq!(answer.location(), location, "from {referer}");
    }
}

#[sqlx::test]
async fn invalid_cookie_is_treated_as_none(pool: PgPool) {
    let (app, doors, _) = outside(pool).await;
    for value in ["", "x", &"A".repeat(43), &"A".repeat(5_000), "%00", "' or 1=1--"] {
        for door in doors.iter().filter(|door| !is_open(door) && !door.is_unsafe()) {
            let thief = app.browser();
            thief.put_cookie("cartwright", value);
            assert_sent_to_sign_in(&thief.knock(Method::GET, &door.path).send().await, &door.name());
        }
    }
}

#[sqlx::test]
async fn malformed_path_never_passes_the_guard(pool: PgPool) {
    let (app, doors, stranger) = outside(pool).await;
    let before = dump(&app.pool).await;
    for door in doors.iter().filter(|door| door.path.starts_with("/admin")) {
        let (path, last) = (door.path.as_str(), door.path.rfind('/').expect("a slash"));
        let (head, tail) = path.split_at(last);
        let refused = [
            format!("/{path}"),
            format!("{head}/{tail}"),
            format!("/.{path}"),
            format!("{head}/.{tail}"),
            format!("{head}/x/..{tail}"),
            format!("/static/..{path}"),
            format!("/static/..;{path}"),
            format!("{head}%2f{}", &tail[1..]),
            format!("{head}%2F{}", &tail[1..]),
            format!("{head}%5c{}", &tail[1..]),
            format!("{head}\\{}", &tail[1..]),
            format!("{path};x=1"),
            format!("{path}%00"),
            format!("/static/%2e%2e{path}"),
        ];
        for odd in refused.into_iter().filter(|odd| odd.starts_with('/')) {
            let answer = stranger.knock(door.method.clone(), &odd).send().await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{} {odd}: {}", door.method, answer.text());
        }
        for strange in [format!("{path}/"), path.to_uppercase(), format!("{path}%20"), format!("{path}?x=%00")] {
            let answer = stranger.knock(door.method.clone(), &strange).send().await;
            let is_out = answer.status.is_redirection() && answer.location().starts_with("/sign-in");
            assert!(is_out || answer.status == StatusCode::NOT_FOUND, "{} {strange}: {answer:?}", door.method);
        }
    }
    assert_eq!(dump(&app.pool).await, before);
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn missing_pages_are_indistinguishable_from_existing_ones(pool: PgPool) {
    let (_, _, stranger) = outside(pool).await;
    for path in
        ["/admin/users", "/admin/people", "/admin/x/y/z", "/admin/ecommerce/shopify/none/general", "/administrator"]
    {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            assert_sent_to_sign_in(&stranger.knock(method, path).send().await, path);
        }
    }
    for path in ["/x", "/.env", "/-/x", "/static/app.css", "/static/x.y", "/api", "/set-up/x/y"] {
        let answer = stranger.knock(Method::GET, path).send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text());
    }
}

#[sqlx::test]
async fn other_methods_are_refused_without_echo(pool: PgPool) {
    let (app, doors, stranger) = outside(pool).await;
    let priya = app.sign_in_as(&crate::support::cast::PRIYA).await;
    let before = dump(&app.pool).await;
    let others = ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"];
    for door in &doors {
        let has_post = doors.iter().any(|other| other.template == door.template && other.is_unsafe());
        let post = (!has_post).then_some("POST");
        for method in others.into_iter().chain(post) {
            let method: Method = method.parse().expect("a method");
            let probe = "a value that must not come back";
            let knock = stranger.knock(method.clone(), &door.path).header("x-probe", probe);
            let answer = knock.send().await;
            if is_open(door) {
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {}", door.template);
            } else {
                assert_sent_to_sign_in(&answer, &format!("{method} {}", door.template));
            }
            assert!(!answer.text().contains(probe), "{method} {}", door.template);
            let answer = priya.knock(method.clone(), &door.path).header("x-probe", probe).send().await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {}", door.template);
            assert!(!answer.text().contains(probe), "{method} {}", door.template);
        }
    }
    assert_eq!(dump(&app.pool).await, before);
    app.assert_nothing_was_called();
}
