//! The log's disk is full: service goes on. A log that nobody reads any more is among the tests of the command line.

use std::{fs::File, process::Stdio};

use super::support::{
    cluster::Folder,
    http,
    process::{Server, cartwright},
    token,
    world::{World, shopify},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_log_stops_nobody() {
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let mut serve = cartwright(folder.path(), &["serve"]);
    // a line for each request, and more
    serve.env("CARTWRIGHT_LOG", "trace");
    serve.stderr(Stdio::from(File::options().write(true).open("/dev/full").expect("Linux")));
    let world = World::around(folder, shopify, Server::start(serve), 1).await;
    let mut person = world.people[0].clone();
    for number in 0..5 {
        let form = person.new_cart("Save", &format!("shop-{number}"), &token()).await;
        assert_eq!(person.submit(&form).await.expect("an answer").status(), 303);
    }
    assert_eq!(http::get(person.address, "//odd").await.expect("an answer").status, 400);
    assert!(world.server.stop().0.success());
}
