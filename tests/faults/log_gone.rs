//! Nobody listens to what the server says: the log's disk is full, the reader of its output has gone. Service goes on.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use super::support::{
    browser::Browser,
    cluster::Folder,
    http,
    process::{Server, cartwright},
    token,
    world::{World, shopify},
};

/// With a log line for each request.
fn talkative(folder: &Folder) -> Command {
    let mut serve = cartwright(folder.path(), &["serve"]);
    serve.env("CARTWRIGHT_LOG", "trace");
    serve
}

async fn saves(person: &mut Browser, handle: &str) {
    let form = person.new_cart("Save", handle, &token()).await;
    assert_eq!(person.submit(&form).await.expect("an answer").status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_log_stops_nobody() {
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let mut serve = talkative(&folder);
    serve.stderr(Stdio::from(File::options().write(true).open("/dev/full").expect("Linux")));
    let world = World::around(folder, shopify, Server::start(serve), 1).await;
    let mut person = world.people[0].clone();
    for number in 0..5 {
        saves(&mut person, &format!("shop-{number}")).await;
    }
    assert_eq!(http::get(person.address, "//odd").await.expect("an answer").status, 400);
    assert!(world.server.stop().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_any_more_stops_nobody() {
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut serve = talkative(&folder);
    serve.stderr(writer);
    drop(reader);
    let server = Server::start(serve);
    let world = World::around(folder, shopify, server, 1).await;
    let mut person = world.people[0].clone();
    for number in 0..5 {
        saves(&mut person, &format!("shop-{number}")).await;
    }
    assert_eq!(http::get(person.address, "/-/ready").await.expect("an answer").status, 200);
    assert!(world.server.stop().0.success());
}
