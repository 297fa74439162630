//! nginx with the file that an operator copies, `docs/examples/nginx.conf`: only its ports, its addresses and the places of its
//! certificate are others.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use super::{https::Https, process::wait, until};

/// The name in the file.
pub const HOST: &str = "orders.example.com";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/nginx.conf");

/// A running nginx. Dropped, it ends.
pub struct Nginx {
    child: Child,
    folder: TempDir,
    pub https: Https,
    /// Its port for plain HTTP.
    pub plain: SocketAddr,
}

impl Nginx {
    /// Starts it before these replicas, two at least, and waits until it takes connections.
    pub async fn before(replicas: &[SocketAddr]) -> Self {
        let program = program();
        let folder = tempfile::Builder::new().prefix("cartwright-nginx-").tempdir().expect("a folder");
        let certificate = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("a certificate");
        let place = |name: &str| folder.path().join(name).display().to_string();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
        write("certificate", &certificate.cert.pem());
        write("key", &certificate.signing_key.serialize_pem());
        let (plain, secure) = (free_port().await, free_port().await);
        let server = |replica: &SocketAddr| format!("    server {replica} max_fails=1 fail_timeout=5s;\n");
        let others: String = replicas[1..].iter().map(server).collect();
        let site = replaced(&[
            ("server 10.0.0.11:8080 ", &format!("server {} ", replicas[0])),
            ("    server 10.0.0.12:8080 max_fails=1 fail_timeout=5s;\n", &others),
            ("listen 80;", &format!("listen {plain};")),
            ("listen 443 ssl http2;", &format!("listen {secure} ssl http2;")),
            ("/var/log/nginx/cartwright.log", &place("access.log")),
            ("/etc/ssl/orders.example.com.pem", &place("certificate")),
            ("/etc/ssl/orders.example.com.key", &place("key")),
        ]);
        write("site.conf", &site);
        write("nginx.conf", &around(folder.path()));
        let mut nginx = Command::new(program);
        nginx.arg("-p").arg(folder.path()).args(["-c", "nginx.conf"]).stdin(Stdio::null());
        let child = nginx.spawn().expect("nginx starts");
        let https = Https::new(secure, HOST, certificate.cert.der().clone());
        let mut nginx = Self { child, folder, https, plain };
        nginx.is_ready().await;
        nginx
    }

    async fn is_ready(&mut self) {
        let secure = self.https.proxy;
        let answers = || {
            let is_over = self.child.try_wait().expect("our own child").is_some();
            async move { is_over || TcpStream::connect(secure).await.is_ok() }
        };
        until(Duration::from_secs(20), "nginx takes connections", answers).await;
        let said = std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
        assert!(self.child.try_wait().expect("our own child").is_none(), "nginx did not start: {said}");
    }

    /// Takes away where it would put a form that its memory does not hold.
    pub fn forbid_files_of_forms(&self) {
        std::fs::remove_dir_all(self.folder.path().join("client_body")).expect("a folder of nginx's");
    }

    /// What it wrote down of the requests so far, in both logs.
    pub fn logs(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.folder.path().join(name)).expect("a log");
        read("access.log") + &read("error.log")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // its workers end with it, but not if it is shot
        kill_process(Pid::from_child(&self.child), Signal::TERM).ok();
        if wait(&mut self.child, Duration::from_secs(10)).is_none() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

/// What surrounds a file of `/etc/nginx/conf.d`, with everything that nginx writes in one folder.
fn around(folder: &Path) -> String {
    let mut lines = vec![
        "daemon off;".to_owned(),
        "worker_processes 1;".to_owned(),
        "pid nginx.pid;".to_owned(),
        "error_log error.log;".to_owned(),
        "events { worker_connections 512; }".to_owned(),
        "http {".to_owned(),
    ];
    // Root's workers would be somebody who may not read this folder.
    if rustix::process::geteuid().is_root() {
        lines.insert(0, "user root;".to_owned());
    }
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        lines.push(format!("{kind}_temp_path {kind};"));
    }
    lines.push(format!("include {};", folder.join("site.conf").display()));
    lines.push("}\n".to_owned());
    lines.join("\n")
}

/// The operator's file with these words replaced, each of which stands there once.
fn replaced(words: &[(&str, &str)]) -> String {
    let text = std::fs::read_to_string(FILE).expect("the example");
    words.iter().fold(text, |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {FILE}");
        text.replace(from, to)
    })
}

/// A port that was free a moment ago: for whoever has to be told before it starts.
pub async fn free_port() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    listener.local_addr().expect("a port")
}

/// Debian keeps it where only root looks, and `scripts/test` unpacks it into a folder of ours.
fn program() -> PathBuf {
    let named = std::env::var_os("NGINX_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cache = std::env::home_dir().unwrap_or_default().join(".cache");
    let caches = [PathBuf::from("/var/cache"), cache].map(|cache| cache.join("cartwright/nginx/usr/sbin"));
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from)).chain(caches);
    let found = named.or_else(|| folders.map(|folder| folder.join("nginx")).find(|file| file.exists()));
    found.expect(
        "nginx is missing: scripts/test tests fetches it, or install the package nginx, or name it in NGINX_BIN",
    )
}
