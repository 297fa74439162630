//! Key files, secrets sealed as the server seals them, and a look from outside at whether every one of them opens. The one part
//! of the support that knows the vault: a secret that nobody sealed could not be opened by anybody.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use cartwright::database::Pool;
use cartwright::vault::{KeyRing, Place, Vault};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{cluster::Folder, token};

/// Writes a key file, or another in its place.
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

/// A vault with these keys, on the database of the running server.
pub async fn vault(pool: &Pool, lines: &[&str]) -> Vault {
    let ring = KeyRing::parse(&lines.join("\n")).expect("keys");
    Vault::open_with(ring, pool.clone()).await.expect("a vault")
}

/// So many carts with an access token and a minted one beside it, all sealed by the first key. Their tokens, one a cart.
pub async fn seed(pool: &Pool, vault: &Vault, carts: usize) -> Vec<String> {
    let (mut ids, mut hosts, mut secrets, mut minted, mut tokens) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..carts {
        let (id, token) = (Uuid::now_v7(), token());
        let host = format!("seed-{}.myshopify.com", id.simple());
        let sealed = SecretString::from(token.as_str());
        secrets.push(vault.seal(&Place::access_token(id, &host), &sealed).await.expect("sealed"));
        minted.push(vault.seal(&Place::minted_token(id, &host), &sealed).await.expect("sealed"));
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

/// How many parts [`closed_in`] knows.
pub const PARTS: usize = 16;

/// Every place where something does not open; and how much was looked at.
pub async fn closed(pool: &Pool, vault: &Vault) -> (usize, Vec<String>) {
    closed_in(pool, vault, None).await
}

/// The same in one part of all rows, for whoever looks again and again.
pub async fn closed_in(pool: &Pool, vault: &Vault, part: Option<usize>) -> (usize, Vec<String>) {
    let rows: Vec<(Uuid, String, String, String, Vec<u8>)> = sqlx::query_as(
        "select * from (
            select id, 'secret', credential_kind, store_host, secret from carts where secret is not null
            union all select id, 'minted', '', store_host, minted_token from carts where minted_token is not null
            union all select id, 'unsaved', '', store_host, secret from unsaved_credentials) every
         where $1::int is null or get_byte(uuid_send(id), 15) % $2 = $1",
    )
    .bind(part.map(|part| i32::try_from(part % PARTS).expect("few")))
    .bind(i32::try_from(PARTS).expect("few"))
    .fetch_all(pool)
    .await
    .expect("the secrets");
    let opens = |(id, column, kind, host, sealed): &(Uuid, String, String, String, Vec<u8>)| {
        let place = match (&column[..], &kind[..]) {
            ("minted", _) => Place::minted_token(*id, host),
            ("unsaved", _) => Place::unsaved(*id, host),
            (_, "access_token") => Place::access_token(*id, host),
            _ => Place::client_secret(*id, host),
        };
        vault.open(&place, sealed).is_ok_and(|secret| !secret.expose_secret().is_empty())
    };
    let closed = rows.iter().filter(|row| !opens(row)).map(|row| format!("{} {}", row.1, row.0)).collect();
    (rows.len(), closed)
}
