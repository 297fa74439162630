//! Out of file descriptors: no busy loop, waiting clients are served once descriptors are free, and the log is not
//! flooded.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use tokio::{net::TcpStream, task::JoinSet, time::sleep};

use super::support::{http, until, world::World};

const WATCHED: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn server_without_descriptors_does_not_spin_and_recovers() {
    let world = World::with(1).await;
    let (address, pid) = (world.server.address, world.server.pid());
    let Some(open) = world.server.descriptors() else { return };
    let open = u64::try_from(open).expect("fits");
    let maximum = getrlimit(Resource::Nofile).maximum;
    // Two more descriptors, which the crowd takes.
    let before = prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(open + 2), maximum });
    let Ok(before) = before else {
        println!("skipped: this process may not change another's limits");
        return;
    };
    let mut crowd = Vec::new();
    for _ in 0..20 {
        crowd.push(TcpStream::connect(address).await.expect("connection is queued"));
    }
    let mut waiting = JoinSet::new();
    for _ in 0..5 {
        waiting.spawn(async move { http::get(address, "/-/live").await.expect("response arrives").status });
    }
    let busy = world.server.busy();
    sleep(WATCHED).await;
    let spent = world.server.busy().saturating_sub(busy);
    assert!(spent < WATCHED / 3, "{spent:?} CPU time in {WATCHED:?}");
    prlimit(Some(pid), Resource::Nofile, before).expect("limit is restored");
    drop(crowd);
    assert_eq!(waiting.join_all().await, [200; 5]);
    let person = world.people[0].clone();
    until(Duration::from_secs(10), "the server recovers", || {
        let mut person = person.clone();
        async move { person.get("/admin/ecommerce").await.is_ok_and(|page| page.status() == 200) }
    })
    .await;
    let (status, _, errors) = world.server.stop();
    assert!(status.success(), "{errors}");
    let told = errors.lines().filter(|line| line.contains("cannot accept connections")).count();
    assert!((1..=20).contains(&told), "logged {told} times: {errors}");
}

/// A server with a low descriptor limit accepts fewer connections and reserves descriptors for its database.
#[tokio::test(flavor = "multi_thread")]
async fn low_descriptor_limit_reserves_some_for_the_database() {
    use super::support::{cluster::Folder, process::Server, process::cartwright, world::shopify};
    let folder = Folder::new();
    let (shopify, _) = shopify(&folder).await;
    let serve = cartwright(folder.path(), &["serve"]);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 128; exec \"$0\" serve"]).arg(serve.get_program());
    limited.env_clear().envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.stdin(std::process::Stdio::null());
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let world = World::around(folder, shopify, Server::start(limited), 1).await;
    let address = world.server.address;
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(TcpStream::connect(address).await.expect("a connection"));
    }
    let mut person = world.people[0].clone();
    for _ in 0..20 {
        let page = person.get("/admin/ecommerce").await.expect("complete page");
        assert_eq!(page.status(), 200);
    }
    assert_eq!(http::get(address, "/-/ready").await.expect("an answer").status, 200);
    let (status, _, errors) = world.server.stop();
    assert!(status.success() && !errors.contains("cannot be accepted"), "{errors}");
}
