//! Key files, and the separate port for probes and metrics.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::{
    Folder, http,
    support::{
        process::{Server, Worker, cartwright, run},
        until,
        world::set_up,
    },
};

#[test]
fn generated_key_file_is_private_and_never_overwritten() {
    let folder = Folder::new();
    let generate = |name: &str| {
        let mut command = cartwright(folder.path(), &["keys", "generate", "--file"]);
        command.arg(folder.path().join(name));
        run(command)
    };
    let made = generate("new");
    assert_eq!(made.code, Some(0), "{made:?}");
    let path = folder.path().join("new");
    let key = std::fs::read_to_string(&path).expect("a file");
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o400);
    assert_eq!(key.trim().len(), 44, "base64 of 32 bytes");
    assert!(!made.stdout.contains(key.trim()) && !made.stderr.contains(key.trim()));
    symlink(folder.path().join("elsewhere"), folder.path().join("link")).expect("a link");
    for taken in ["new", "link", "missing/keys"] {
        let refused = generate(taken);
        assert_eq!(refused.code, Some(78), "{taken}: {refused:?}");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), key);
    assert!(std::fs::metadata(folder.path().join("elsewhere")).is_err());
    assert_eq!(std::fs::metadata(&path).expect("a file").nlink(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_and_worker_serve_metrics_on_a_separate_port() {
    let folder = Folder::new();
    let port = |lines: &[String]| {
        let line =
            lines.iter().find_map(|line| line.strip_prefix("Metrics are at http://")?.strip_suffix("/-/metrics"));
        line.and_then(|address| address.parse().ok())
    };
    let mut serve = cartwright(folder.path(), &["serve", "--no-worker"]);
    serve.env("CARTWRIGHT_METRICS_LISTEN", "127.0.0.1:0");
    let server = Server::start(serve);
    set_up(&server).await;
    let metrics = port(&server.lines()).expect("a line");
    let status = async |address, path: &'static str| http::get(address, path).await.expect("an answer").status;
    assert_eq!(status(server.address, "/-/metrics").await, 404);
    assert_eq!(status(server.address, "/-/ready").await, 200);
    for path in ["/-/metrics", "/-/ready", "/-/live"] {
        assert_eq!(status(metrics, path).await, 200, "{path}");
    }
    for path in ["/sign-in", "/admin", "/"] {
        assert_eq!(status(metrics, path).await, 404, "{path}");
    }
    let mut worker = cartwright(folder.path(), &["worker"]);
    worker.env("CARTWRIGHT_METRICS_LISTEN", "127.0.0.1:0");
    let worker = Worker::start(worker);
    let metrics = port(&worker.lines()).expect("a line");
    let says = async |word: &'static str| {
        let answer = http::get(metrics, "/-/metrics").await.expect("an answer");
        String::from_utf8_lossy(&answer.body).contains(word)
    };
    for word in
        ["cartwright_check_lag_seconds", "cartwright_last_sweep_timestamp_seconds", "cartwright_database_connections"]
    {
        until(std::time::Duration::from_secs(20), word, || says(word)).await;
    }
    assert!(worker.stop().success());
}
