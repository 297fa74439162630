//! The cluster on disk, `DATA_DIR/postgres`. It is created under another name and renamed when complete, so that a
//! power failure during the first start leaves no incomplete cluster under the final name. Root writes no file inside
//! it: the folder belongs to another account, which could have placed a symbolic link there.

use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use rustix::fs::{Mode, OFlags};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::io::AsyncWriteExt;

use super::binaries::{Binaries, SearchPaths};
use super::{EmbeddedError, Owner, socket};

/// Name of the database and of its owner role, which applies migrations. The role is not a superuser.
pub const OWNER: &str = "cartwright";
/// The runtime role, which serves requests. It owns nothing, so an injected SQL statement cannot change rows of the
/// audit log.
pub const RUNTIME: &str = "cartwright_runtime";
/// The superuser that `initdb` creates.
const SUPERUSER: &str = "postgres";
/// Maximum length of `PG_VERSION` in bytes: a major version and a line end.
const VERSION_MAX_LEN: u64 = 16;

/// A complete cluster, with everything needed to run it.
#[derive(Debug)]
pub struct Cluster {
    pub data_dir: PathBuf,
    pub folder: PathBuf,
    pub socket: PathBuf,
    pub owner: Owner,
    pub binaries: Binaries,
}

impl Cluster {
    /// Opens the cluster of a data folder, or creates it if there is none. The caller holds the start lock.
    pub async fn open(data_dir: &Path, places: &SearchPaths) -> Result<Self, EmbeddedError> {
        let folder = data_dir.join("postgres");
        let made = version(&folder)?;
        let owner = Owner::of(&folder)?;
        let binaries = Binaries::find(places, &owner, made.as_deref().map(|made| (folder.as_path(), made))).await?;
        owner.reach(data_dir, &binaries.program("postgres")).await?;
        if made.is_none() {
            make(data_dir, &folder, &owner, &binaries).await?;
        }
        let socket = socket::folder(&folder, &owner)?;
        Ok(Self { data_dir: data_dir.to_owned(), folder, socket, owner, binaries })
    }

    /// Connection options for a role: socket, database and user. The machine's other `PG*` variables have no effect.
    pub fn options(&self, role: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket)
            .port(socket::PORT)
            .username(role)
            .database(OWNER)
            .ssl_mode(PgSslMode::Disable)
    }

    /// Creates the runtime role in a cluster of an earlier version, which had only the owner role. The caller holds the
    /// start lock.
    pub async fn ensure_runtime_role(&self) -> Result<(), EmbeddedError> {
        let made = async {
            let mut owner = PgConnection::connect_with(&self.options(OWNER)).await?;
            let has_role = "select exists (select from pg_roles where rolname = $1)";
            let has_role: bool = sqlx::query_scalar(has_role).bind(RUNTIME).fetch_one(&mut owner).await?;
            owner.close().await.ok();
            if !has_role {
                let mut superuser = PgConnection::connect_with(&self.options(SUPERUSER)).await?;
                sqlx::query(AssertSqlSafe(format!("create role {RUNTIME} login"))).execute(&mut superuser).await?;
                superuser.close().await.ok();
            }
            Ok::<_, sqlx::Error>(())
        };
        made.await.map_err(|cause| EmbeddedError::Making { said: cause.to_string() })
    }
}

/// The major version that created the cluster; `None` if there is no cluster.
fn version(folder: &Path) -> Result<Option<String>, EmbeddedError> {
    match read_version(&folder.join("PG_VERSION")) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(EmbeddedError::folder(folder)(cause)),
        Err(_) if folder.symlink_metadata().is_ok() => Err(EmbeddedError::NotACluster { folder: folder.to_owned() }),
        Err(_) => Ok(None),
    }
}

/// Reads `PG_VERSION`. Root may read it in another account's folder, so it follows no symbolic link, does not block on
/// a pipe, and reads at most [`VERSION_MAX_LEN`] bytes.
fn read_version(file: &Path) -> std::io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = std::fs::File::from(rustix::fs::open(file, flags, Mode::empty())?);
    let mut text = String::new();
    file.take(VERSION_MAX_LEN).read_to_string(&mut text)?;
    Ok(text)
}

async fn make(data_dir: &Path, folder: &Path, owner: &Owner, binaries: &Binaries) -> Result<(), EmbeddedError> {
    let new = data_dir.join("postgres.new");
    if new.symlink_metadata().is_ok() {
        std::fs::remove_dir_all(&new).map_err(EmbeddedError::folder(&new))?;
    }
    std::fs::DirBuilder::new().mode(0o700).create(&new).map_err(EmbeddedError::folder(&new))?;
    owner.give(&new).map_err(EmbeddedError::folder(&new))?;
    initialise(&new, owner, binaries).await?;
    create_role_and_database(&new, owner, binaries).await?;
    std::fs::rename(&new, folder).map_err(EmbeddedError::folder(folder))?;
    // Syncs the parent folder, so that the rename survives a power failure like the data does.
    let parent = std::fs::File::open(data_dir).and_then(|parent| parent.sync_all());
    parent.map_err(EmbeddedError::folder(data_dir))
}

/// Runs `initdb` with the first locale that this machine supports. All of them use UTF-8, but plain C, the last choice,
/// does not match *Öl* with *öl*.
async fn initialise(new: &Path, owner: &Owner, binaries: &Binaries) -> Result<(), EmbeddedError> {
    let built_in: &[&str] = &["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"];
    let locales: &[&[&str]] =
        if binaries.major >= 17 { &[built_in] } else { &[&["--locale=C.UTF-8"], &["--locale=C"]] };
    let program = binaries.program("initdb");
    let mut said = String::new();
    for locale in locales {
        let mut initdb = owner.command(&program);
        initdb.args(["--username", SUPERUSER, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"]);
        initdb.args(["--data-checksums", "--no-instructions"]).args(*locale).arg("--pgdata").arg(new);
        let output = initdb.kill_on_drop(true).output().await;
        let output = output.map_err(|cause| EmbeddedError::Run { program: program.clone(), cause })?;
        if output.status.success() {
            return Ok(());
        }
        said = ending(&output);
        if !said.contains("locale") {
            break;
        }
    }
    Err(EmbeddedError::Making { said })
}

/// Creates our roles and database in Postgres's single-user mode, before the server runs for the first time.
async fn create_role_and_database(new: &Path, owner: &Owner, binaries: &Binaries) -> Result<(), EmbeddedError> {
    let program = binaries.program("postgres");
    let broken = |cause| EmbeddedError::Run { program: program.clone(), cause };
    let mut single = owner.command(&program);
    single.arg("--single").arg("-D").arg(new).args(["-c", "exit_on_error=on", "postgres"]).kill_on_drop(true);
    single.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = single.spawn().map_err(broken)?;
    let wishes =
        format!("create role {OWNER} login;\ncreate role {RUNTIME} login;\ncreate database {OWNER} owner {OWNER};\n");
    let mut stdin = child.stdin.take().expect("stdin was asked for as a pipe");
    // Ignores a broken pipe: if the program ended early, its output is reported below.
    let _ = stdin.write_all(wishes.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.map_err(broken)?;
    if output.status.success() { Ok(()) } else { Err(EmbeddedError::Making { said: ending(&output) }) }
}

/// The last lines of a failed program's error output.
fn ending(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { output.status.to_string() } else { lines[lines.len().saturating_sub(4)..].join(" / ") }
}
