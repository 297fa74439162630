//! Key files, seeded secrets, and a check that every stored secret opens. The only support module that uses the vault
//! directly, because only the vault can seal secrets that later open.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use cartwright::database::Pool;
use cartwright::vault::{Binding, KeyRing, Place, Vault};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{cluster::Folder, token};

/// Writes or atomically replaces a key file.
pub fn key_file(folder: &Path, lines: &[&str]) -> PathBuf {
    let (path, new) = (folder.join("ring"), folder.join("ring.new"));
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new).expect("a file");
    file.write_all(lines.join("\n").as_bytes()).expect("written");
    std::fs::rename(&new, &path).expect("in place");
    path
}

pub fn name(line: &str) -> String {
    KeyRing::parse(line).expect("a key").active().name()
}

pub fn pool(folder: &Folder) -> Pool {
    Pool::new([folder.options()])
}

/// Opens a vault with these keys on the database of the running server.
pub async fn vault(pool: &Pool, lines: &[&str]) -> Vault {
    let ring = KeyRing::parse(&lines.join("\n")).expect("keys");
    Vault::open_with(ring, pool.clone()).await.expect("a vault")
}

/// Inserts this many carts, each with a sealed access token and an issued token, under the first key; returns their
/// tokens.
pub async fn seed(pool: &Pool, vault: &Vault, carts: usize) -> Vec<String> {
    let (mut ids, mut hosts, mut secrets, mut minted, mut tokens) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..carts {
        let (id, token) = (Uuid::now_v7(), token());
        let key = format!("seed-{}", id.simple());
        let host = format!("{key}.myshopify.com");
        let store = Binding { platform: "shopify", key: &key, host: &host, generation: 1 };
        let sealed = SecretString::from(token.as_str());
        secrets.push(vault.seal(&Place::access_token(id, store), &sealed));
        minted.push(vault.seal(&Place::minted_token(id, store), &sealed));
        ids.push(id);
        hosts.push(host);
        tokens.push(token);
    }
    sqlx::query(
        "insert into carts (id, platform, submission_id, website_name, store_host, is_active, status, credential_kind, secret,
            secret_added_by, secret_added_at, credential_fingerprint, token_fingerprint, minted_token, minted_ends_at, updated_by)
         select id, 'shopify', id, host, host, false, 'draft', 'access_token', secret, 'Seed', now(), '', '', minted,
            now() + interval '1 day', 'Seed'
         from unnest($1::uuid[], $2::text[], $3::bytea[], $4::bytea[]) as r (id, host, secret, minted)",
    )
    .bind(ids)
    .bind(hosts)
    .bind(secrets)
    .bind(minted)
    .execute(pool)
    .await
    .expect("seeded");
    tokens
}

/// Row, column, kind, platform, key, host, generation and sealed secret.
type SealedRow = (Uuid, String, String, String, String, String, i64, Vec<u8>);

/// Number of parts into which [`closed_in`] divides the rows.
pub const PARTS: usize = 16;

/// Returns the number of secrets checked, and every place whose secret does not open.
pub async fn closed(pool: &Pool, vault: &Vault) -> (usize, Vec<String>) {
    closed_in(pool, vault, None).await
}

/// As [`closed`], for one part of the rows; for repeated checks.
pub async fn closed_in(pool: &Pool, vault: &Vault, part: Option<usize>) -> (usize, Vec<String>) {
    let rows: Vec<SealedRow> = sqlx::query_as(
        "select * from (
            select id, 'secret', credential_kind, platform, store_key, store_host, secret_version, secret from carts where secret is not null
            union all select id, 'minted', '', platform, store_key, store_host, secret_version, minted_token from carts where minted_token is not null
            union all select id, 'unsaved', '', platform, store_key, store_host, 0, secret from unsaved_credentials) every
         where $1::int is null or get_byte(uuid_send(id), 15) % $2 = $1",
    )
    .bind(part.map(|part| i32::try_from(part % PARTS).expect("fits")))
    .bind(i32::try_from(PARTS).expect("fits"))
    .fetch_all(pool)
    .await
    .expect("the secrets");
    let opens = |(id, column, kind, platform, key, host, generation, sealed): &SealedRow| {
        let store = Binding { platform, key, host, generation: *generation };
        let place = match (&column[..], &kind[..]) {
            ("minted", _) => Place::minted_token(*id, store),
            ("unsaved", _) => Place::unsaved(*id, store),
            (_, "access_token") => Place::access_token(*id, store),
            _ => Place::client_secret(*id, store),
        };
        vault.open(&place, sealed).is_ok_and(|secret| !secret.expose_secret().is_empty())
    };
    let closed = rows.iter().filter(|row| !opens(row)).map(|row| format!("{} {}", row.1, row.0)).collect();
    (rows.len(), closed)
}
