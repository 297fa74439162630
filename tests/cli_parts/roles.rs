//! The two database roles, as an operator sets them up, and how well each protects the activity.

use super::{database_start::Ground, *};

const OWNER: &str = "order_time";
const RUNTIME: &str = "order_time_runtime";

/// A database with an owner and a role without privileges.
async fn two_roles() -> Ground {
    let ground = Ground::new().await;
    ground
        .run_sql(&[
            "create role order_time login",
            "create role order_time_runtime login",
            "create database carts owner order_time encoding 'UTF8' template template0",
            "create database other owner order_time encoding 'UTF8' template template0",
        ])
        .await;
    ground
}

/// Runs the command with the owner's address as well.
fn with_owner(ground: &Ground, arguments: &[&str], owner: &str) -> Ran {
    let mut command = ground.command(arguments, &ground.url(RUNTIME, "carts"));
    command.env("CARTWRIGHT_MIGRATE_DATABASE_URL", owner);
    run(command)
}

#[tokio::test]
async fn two_roles_migrate_and_serve() {
    let ground = two_roles().await;
    let (owner, runtime) = (ground.url(OWNER, "carts"), ground.url(RUNTIME, "carts"));
    let alone = ground.run(&["serve"], &runtime);
    assert_eq!((alone.code, alone.stdout.as_str()), (WRONG_SETTING, ""), "nobody has migrated: {alone:?}");
    for (other, words) in [
        (ground.url(OWNER, "other"), "lead to different databases"),
        (
            runtime.clone(),
            "CARTWRIGHT_MIGRATE_DATABASE_URL: it names the role order_time_runtime, as DATABASE_URL does",
        ),
        (ground.url(OWNER, "missing"), "create database missing owner order_time"),
    ] {
        let refused = with_owner(&ground, &["migrate"], &other);
        assert_eq!(refused.code, WRONG_SETTING, "{refused:?}");
        assert!(refused.stderr.contains(words) && refused.stderr.lines().count() == 1, "{words}: {}", refused.stderr);
    }
    let migrated = with_owner(&ground, &["migrate"], &owner);
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    let server = Server::start(ground.command(&["serve"], &runtime));
    set_up(&server).await;
    assert!(server.stop().0.success(), "without the owner's password");
    let doctor = ground.run(&["doctor"], &runtime);
    assert!(doctor.stdout.contains("ok    The role order_time_runtime may add to the activity"), "{doctor:?}");
    let doctor = ground.run(&["doctor"], &owner);
    assert!(doctor.stdout.contains("mend  The role order_time in DATABASE_URL owns the activity"), "{doctor:?}");
    assert!(doctor.stdout.contains("create role cartwright_runtime login"), "{doctor:?}");
    ground.end().await;
}

#[tokio::test]
async fn superuser_is_refused_before_anything_is_made_unless_allowed() {
    let ground = two_roles().await;
    let url = ground.url("postgres", "carts");
    for arguments in [&["serve"][..], &["worker"]] {
        let ran = ground.run(arguments, &url);
        assert_eq!((ran.code, ran.stdout.as_str()), (WRONG_SETTING, ""), "{arguments:?} {ran:?}");
        for words in ["the role postgres, a superuser", "Two roles", "CARTWRIGHT_ALLOW_SUPERUSER=yes"] {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        }
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
    let migrated = with_owner(&ground, &["migrate"], &ground.url(OWNER, "carts"));
    assert_eq!(migrated.code, Some(0), "nothing was made by the superuser: {migrated:?}");
    let mut allowed = ground.command(&["serve"], &url);
    allowed.env("CARTWRIGHT_ALLOW_SUPERUSER", "yes");
    assert!(Server::start(allowed).stop().0.success());
    let doctor = ground.run(&["doctor"], &url);
    assert!(doctor.stdout.contains("mend  The role postgres in DATABASE_URL is a superuser"), "{doctor:?}");
    ground.end().await;
}

#[tokio::test]
async fn activity_verify_names_the_head_and_what_was_changed() {
    let ground = two_roles().await;
    let owner = ground.url(OWNER, "carts");
    let verify = |more: &[&str]| ground.run(&[&["activity", "verify"], more].concat(), &owner);
    let empty = verify(&[]);
    assert_eq!((empty.code, empty.stdout.trim()), (Some(0), "Nothing was recorded yet."), "{empty:?}");
    let server = Server::start(ground.command(&["serve"], &owner));
    set_up(&server).await;
    assert!(server.stop().0.success());
    let intact = verify(&[]);
    assert_eq!(intact.code, Some(0), "{intact:?}");
    let (_, head) = intact.stdout.trim().split_once("Head: ").expect("a head");
    assert_eq!(verify(&["--head", head]).code, Some(0));
    let (position, _) = head.split_once(':').expect("a position");
    let other = format!("{position}:{}", "ab".repeat(32));
    let rewritten = verify(&["--head", head, "--head", &other]);
    assert_eq!(rewritten.code, Some(1));
    assert!(rewritten.stderr.starts_with("rewritten: position "), "{rewritten:?}");
    let mut owner = ground.connect(OWNER, "carts").await;
    for statement in [
        "grant update on audit_events to current_user",
        "alter table audit_events disable trigger audit_events_append_only",
        "update audit_events set actor_name = 'Ada' where id = (select event_id from audit_links where position = 1)",
    ] {
        sqlx::raw_sql(statement).execute(&mut owner).await.expect(statement);
    }
    let changed = verify(&[]);
    assert_eq!(changed.code, Some(1));
    assert!(changed.stderr.starts_with("changed: position 1, event "), "{changed:?}");
    ground.end().await;
}

#[tokio::test]
async fn activity_verify_names_a_cart_whose_secret_was_put_back() {
    let ground = two_roles().await;
    let url = ground.url(OWNER, "carts");
    assert_eq!(ground.run(&["migrate"], &url).code, Some(0));
    let mut owner = ground.connect(OWNER, "carts").await;
    for statement in [
        "insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, updated_by, secret, credential_kind,
            credential_fingerprint, secret_version)
         values (gen_random_uuid(), gen_random_uuid(), 'shopify', 'Tea', 'tea.myshopify.com', false, 'draft', '', '\\x03', 'access_token', '', 2)",
        "insert into audit_events (id, actor_kind, actor_name, event, cart_id, data, what)
         select gen_random_uuid(), 'operator', '', 'credential_replaced', id, '{\"generation\": 2}', 'carts' from carts",
    ] {
        sqlx::raw_sql(statement).execute(&mut owner).await.expect(statement);
    }
    let verify = || ground.run(&["activity", "verify"], &url);
    let intact = verify();
    assert_eq!((intact.code, intact.stderr.as_str()), (Some(0), ""), "{intact:?}");
    sqlx::raw_sql("update carts set secret_version = 1").execute(&mut owner).await.expect("an earlier row");
    let found = verify();
    assert_eq!(found.code, Some(1));
    assert!(found.stderr.starts_with("put back: the secret of cart "), "{found:?}");
    assert!(found.stderr.contains(" is of generation 1, and generation 2 is recorded"), "{found:?}");
    ground.end().await;
}
