//! A stolen dump reveals no secret without the key. Also runs the restore drill of docs/operating.md: backup, empty
//! database, start.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use cartwright::{practice::PracticeStore, vault::KeyRing};
use secrecy::ExposeSecret;

use super::support::{
    browser::{Browser, PASSWORD},
    cluster::Folder,
    keys,
    process::{Server, cartwright, run},
    token,
    world::{World, shopify},
};

/// A Postgres client program of the running cluster, connected to its private socket.
fn program(folder: &Folder, name: &str) -> Command {
    let postmaster = folder.postmaster().expect("a running cluster").as_raw_nonzero();
    let server = std::fs::read_link(format!("/proc/{postmaster}/exe")).expect("cluster process");
    let mut command = Command::new(server.with_file_name(name));
    command.args(["--host"]).arg(folder.cluster()).args(["--port", "1"]).stdin(Stdio::null());
    command
}

fn ran(mut command: Command) -> Vec<u8> {
    let output = command.output().expect("program is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Every encoding in which a text may occur in a dump: verbatim, hex, and base64 at each of its three alignments.
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex];
    for before in 0..3 {
        let shifted = STANDARD.encode([&vec![b'-'; before], secret.as_bytes()].concat());
        // The first and last groups also encode neighbouring bytes.
        forms.push(shifted[4..shifted.len() - 4].to_owned());
    }
    forms
}

#[track_caller]
fn assert_holds_none(what: &[u8], secrets: &[String]) {
    let text = String::from_utf8_lossy(what);
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!text.contains(&form), "{form} is in the dump");
    }
}

#[test]
fn every_encoding_of_a_planted_secret_is_found() {
    let secret = token();
    for before in ["", "a", "ab", "abc"] {
        let planted = STANDARD.encode(format!("{before}{secret}and more"));
        assert!(forms(&secret).iter().any(|form| planted.contains(form.as_str())), "{before:?}");
    }
}

fn restored(folder: &Folder, key_file: &Path, shopify_proxy: &str, ca_file: &str) -> Command {
    let mut serve = cartwright(&folder.path().join("elsewhere"), &["serve"]);
    let url = folder.url().replace("1/cartwright?", "1/restored?");
    serve.env("DATABASE_URL", url).env("CARTWRIGHT_KEY_FILE", key_file);
    serve.env("CARTWRIGHT_EGRESS_PROXY", shopify_proxy).env("CARTWRIGHT_EGRESS_CA_FILE", ca_file);
    serve
}

#[tokio::test(flavor = "multi_thread")]
async fn dump_holds_no_secret() {
    let folder = Folder::new();
    let (shopify, ca_file) = shopify(&folder).await;
    let line = KeyRing::generate_line();
    let ring: PathBuf = keys::key_file(folder.path(), &[&line]);
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_KEY_FILE", &ring);
    serve.env("CARTWRIGHT_EGRESS_PROXY", shopify.proxy_url()).env("CARTWRIGHT_EGRESS_CA_FILE", &ca_file);
    let world = World::around(folder, shopify, Server::start(serve), 1).await;
    let mut person = world.people[0].clone();
    let store = world.shopify.stores().put("northwind", PracticeStore::sample("northwind"));
    let saved_token = store.access_token.expose_secret().to_owned();
    let unsaved_token = token();
    // Saved, draft and issued secrets, and the users' password.
    let form = person.new_cart("Save", "northwind", &saved_token).await;
    let saved = person.submit(&form).await.expect("an answer");
    assert_eq!(saved.status(), 303, "{}", saved.html);
    let path = saved.location().split('?').next().expect("a path").to_owned();
    person.test("northwind-new", &unsaved_token).await;
    let pool = keys::pool(&world.folder);
    let vault = keys::vault(&pool, &[&line]).await;
    let mut secrets = keys::seed(&pool, &vault, 20).await;
    secrets.extend([saved_token, unsaved_token, line.clone(), PASSWORD.to_owned()]);
    pool.close().await;

    let mut dump = program(&world.folder, "pg_dump");
    let file = world.folder.path().join("cartwright.sql");
    dump.args(["--username", "cartwright", "--no-owner", "--no-privileges", "--file"]).arg(&file).arg("cartwright");
    ran(dump);
    let dumped = std::fs::read(&file).expect("the dump");
    assert!(String::from_utf8_lossy(&dumped).contains("northwind.myshopify.com"), "the dump contains no carts");
    assert_holds_none(&dumped, &secrets);

    let mut create = program(&world.folder, "psql");
    create.args(["--username", "postgres", "--command", "create database restored owner cartwright", "postgres"]);
    ran(create);
    let mut restore = program(&world.folder, "psql");
    restore.args(["--username", "cartwright", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1", "--file"]);
    restore.arg(&file).arg("restored");
    ran(restore);
    let restored_rows = || {
        let mut look = program(&world.folder, "pg_dump");
        look.args(["--username", "cartwright", "--data-only", "--inserts", "restored"]);
        let text = String::from_utf8(ran(look)).expect("text");
        // Newer versions of pg_dump write a random token per dump.
        text.lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .collect::<String>()
    };

    // Without the key: one error line, no port opened, nothing written.
    let before = restored_rows();
    std::fs::write(world.folder.path().join("other"), KeyRing::generate_line()).expect("a file");
    let proxy = world.shopify.proxy_url();
    let refused = run(restored(&world.folder, &world.folder.path().join("other"), &proxy, &ca_file));
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(78), ""), "{refused:?}");
    assert!(refused.stderr.contains("CARTWRIGHT_KEY_FILE"), "{}", refused.stderr);
    assert_eq!(restored_rows(), before);

    // With the key: users can sign in, every secret opens, and a connection test passes.
    let server = Server::start(restored(&world.folder, &ring, &proxy, &ca_file));
    let mut person = Browser::sign_in(server.address, "priya@northwind.example").await;
    let page = person.get(&path).await.expect("the editor");
    let page = person.submit(&page.form("Test Connection")).await.expect("complete page");
    assert_eq!(page.class().as_deref(), Some("CONNECTED"), "{}", page.html);
    let options = world.folder.options().database("restored");
    let pool = cartwright::database::Pool::new([options]);
    let (looked_at, closed) = keys::closed(&pool, &keys::vault(&pool, &[&line]).await).await;
    assert!(looked_at >= 42 && closed.is_empty(), "{looked_at}: {closed:?}");
    pool.close().await;
}
