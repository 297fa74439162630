//! The server's memory holds no copy of a secret after its use. Reading another process's memory takes root, because
//! the server is not dumpable; without root the test is skipped and says so.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    time::Duration,
};

use cartwright::practice::PracticeStore;
use secrecy::ExposeSecret;

use super::support::{process::Server, skip, until, world::World};

/// Returns every place in the process's writable memory that contains the text.
fn places(server: &Server, text: &str) -> io::Result<Vec<String>> {
    let pid = server.pid().as_raw_nonzero();
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mut memory = File::open(format!("/proc/{pid}/mem"))?;
    let mut found = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
        let name = words.nth(3).unwrap_or("(heap of a thread)");
        if !rights.starts_with("rw") || name.starts_with("[vv") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("a range");
        let number = |hex| u64::from_str_radix(hex, 16).expect("an address");
        let (from, to) = (number(from), number(to));
        let mut bytes = vec![0; usize::try_from(to - from).expect("it fits")];
        // The region was unmapped meanwhile.
        if memory.seek(SeekFrom::Start(from)).and_then(|_| memory.read_exact(&mut bytes)).is_err() {
            continue;
        }
        let here = bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
        if here > 0 {
            found.push(format!("{here} in {name} {range}"));
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_holds_no_secret_after_a_save() {
    let world = World::with(1).await;
    let mut person = world.people[0].clone();
    if places(&world.server, "x").is_err() {
        skip("reading the server's memory takes root, which this is not");
        return;
    }
    let store = world.shopify.stores().put("northwind", PracticeStore::sample("northwind"));
    let secret = store.access_token.expose_secret().to_owned();
    // Control: a text that is no secret is found.
    assert!(!places(&world.server, "cartwright").expect("root").is_empty());

    let page = person.test("northwind", &secret).await;
    assert_eq!(page.class().as_deref(), Some("CONNECTED"), "{}", page.html);
    let form = person.new_cart("Save", "northwind", &secret).await;
    let saved = person.submit(&form).await.expect("an answer");
    assert_eq!(saved.status(), 303, "{}", saved.html);
    let page = person.get(saved.location()).await.expect("the editor");
    let tested = person.submit(&page.form("Test Connection")).await.expect("complete page");
    assert_eq!(tested.class().as_deref(), Some("CONNECTED"), "{}", tested.html);

    let server = &world.server;
    let secret = &secret;
    until(Duration::from_secs(20), "the secret is wiped", || async move {
        let places = places(server, secret).expect("root");
        if !places.is_empty() {
            println!("{places:?}");
        }
        places.is_empty()
    })
    .await;
}
