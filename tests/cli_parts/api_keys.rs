//! API keys from the command line: the printed key, the list, the revocation, and what is refused.

use super::*;

fn api_keys(folder: &Folder, arguments: &[&str]) -> Ran {
    run(cartwright(folder.path(), &[&["api-keys"], arguments].concat()))
}

fn add(folder: &Folder, arguments: &[&str]) -> Ran {
    api_keys(folder, &[&["add", "--name", "sync-prod", "--scopes", "carts:read,tokens:issue"], arguments].concat())
}

#[tokio::test]
async fn key_is_printed_alone_listed_and_revoked() {
    let folder = Folder::new();
    let empty = api_keys(&folder, &["list"]);
    assert_eq!((empty.code, empty.stdout.as_str()), (Some(0), "No API keys yet.\n"), "{empty:?}");
    let made = add(&folder, &["--networks", "198.51.100.0/24", "--days", "30"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let key = made.stdout.strip_suffix('\n').expect("a line");
    assert!(
        key.len() == 40 && key.starts_with("cwk_") && key[4..].bytes().all(|b| b.is_ascii_alphanumeric()),
        "{made:?}"
    );
    assert!(made.stderr.starts_with("The key works until ") && !made.stderr.contains(key), "{}", made.stderr);
    let again = add(&folder, &[]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), ""));
    assert_eq!(again.stderr, "A key with this name works already. Rotate that one, or enter another name\n");
    let listed = api_keys(&folder, &["list"]).stdout;
    assert_eq!(listed.lines().count(), 1, "{listed}");
    assert!(!listed.contains(&key[..20]), "{listed}");
    for part in [&key[36..], "not used yet", "carts:read,tokens:issue", "all carts", "198.51.100.0/24", "sync-prod"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let id = listed.split_whitespace().next().expect("an id");
    let revoked = api_keys(&folder, &["revoke", id]);
    assert_eq!((revoked.code, revoked.stdout), (Some(0), format!("The key {id} is revoked.\n")));
    let again = api_keys(&folder, &["revoke", id]);
    assert_eq!((again.code, again.stdout), (Some(0), format!("The key {id} did not work any more.\n")));
    assert!(api_keys(&folder, &["list"]).stdout.contains("  revoked  "));
    let unknown = api_keys(&folder, &["revoke", &"0".repeat(32)]);
    assert_eq!((unknown.code, unknown.stderr), (Some(1), format!("no key has the id {}\n", "0".repeat(32))));
}

#[test]
fn rejected_key_is_explained_in_one_line() {
    let folder = Folder::new();
    let token = format!("shpat_{}", "7".repeat(32));
    for (arguments, said) in [
        (&["add", "--name", "", "--scopes", "carts:read"][..], "--name: Enter a name"),
        (&["add", "--name", &token, "--scopes", "carts:read"], "--name: That looks like an access token or a key"),
        (&["add", "--name", "x", "--scopes", "carts:all"], "--scopes: “carts:all” is not a scope"),
        (&["add", "--name", "x", "--scopes", ""], "--scopes: Choose at least one"),
        (
            &["add", "--name", "x", "--scopes", "carts:read", "--networks", "10.0.0.1/8"],
            "--networks: Line 1: “10.0.0.1/8” is not",
        ),
        (
            &["add", "--name", "x", "--scopes", "carts:read", "--days", "366"],
            "--days: Enter a number of days from 1 to 365",
        ),
        (
            &["add", "--name", "x", "--scopes", "carts:read", "--carts", "nowhere"],
            "--carts: Line 1: no cart has the ID or the store “nowhere”",
        ),
    ] {
        let ran = api_keys(&folder, arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.starts_with(said) && ran.stderr.lines().count() == 1, "{said}: {}", ran.stderr);
        assert!(!ran.stderr.contains(&token), "{}", ran.stderr);
    }
}
