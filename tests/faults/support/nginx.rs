//! Runs nginx with `docs/examples/nginx.conf`, the file that operators copy. Only ports, addresses and certificate
//! paths are replaced.

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

/// The host name in the example.
pub const HOST: &str = "orders.example.com";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/nginx.conf");

/// A running nginx, stopped on drop.
pub struct Nginx {
    child: Child,
    folder: TempDir,
    pub https: Https,
    /// Port for plain HTTP.
    pub plain: SocketAddr,
}

impl Nginx {
    /// Starts nginx in front of at least two replicas and waits until it accepts connections.
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
            let is_over = self.child.try_wait().expect("child process").is_some();
            async move { is_over || TcpStream::connect(secure).await.is_ok() }
        };
        until(Duration::from_secs(20), "nginx takes connections", answers).await;
        let said = std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
        assert!(self.child.try_wait().expect("child process").is_none(), "nginx did not start: {said}");
    }

    /// Removes the folder for forms that exceed the memory buffer, so that writing one fails.
    pub fn forbid_files_of_forms(&self) {
        std::fs::remove_dir_all(self.folder.path().join("client_body")).expect("folder exists");
    }

    /// Returns the access and error logs.
    pub fn logs(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.folder.path().join(name)).expect("a log");
        read("access.log") + &read("error.log")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM stops the workers as well; SIGKILL would leave them running.
        kill_process(Pid::from_child(&self.child), Signal::TERM).ok();
        if wait(&mut self.child, Duration::from_secs(10)).is_none() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

/// The main configuration that includes the example; all files that nginx writes go to one folder.
fn around(folder: &Path) -> String {
    let mut lines = vec![
        "daemon off;".to_owned(),
        "worker_processes 1;".to_owned(),
        "pid nginx.pid;".to_owned(),
        "error_log error.log;".to_owned(),
        "events { worker_connections 512; }".to_owned(),
        "http {".to_owned(),
    ];
    // As root, nginx would run its workers under another account, which cannot read this folder.
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

/// The example with these texts replaced; each must occur exactly once.
fn replaced(words: &[(&str, &str)]) -> String {
    let text = std::fs::read_to_string(FILE).expect("the example");
    words.iter().fold(text, |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {FILE}");
        text.replace(from, to)
    })
}

/// Returns a port that was free a moment ago, for a server that must know its port before it starts.
pub async fn free_port() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    listener.local_addr().expect("a port")
}

/// Path of the nginx program. Debian installs it outside a user's PATH, and `scripts/test` unpacks it into a cache
/// folder.
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
