//! The disk of the log is full: service continues. A closed log pipe is tested in tests/cli.rs.

use std::{fs::File, process::Stdio};

use super::support::{
    cluster::Folder,
    http,
    process::{Server, cartwright},
    token,
    world::{World, shopify},
};

#[tokio::test(flavor = "multi_thread")]
async fn full_log_disk_does_not_stop_service() {
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let mut serve = cartwright(folder.path(), &["serve"]);
    // Several lines per request.
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
