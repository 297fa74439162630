//! Sustained load: memory and descriptors do not grow. Runs ten minutes with `CARTWRIGHT_FAULTS=long`, or as many as
//! `CARTWRIGHT_FAULTS_MINUTES` says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use cartwright::practice::Scenario;

use super::{
    storm::{Journal, Storm, Told},
    support::{is_long, world::World},
};

/// Interval between two samples.
const LOOK: Duration = Duration::from_secs(5);
/// Allowed growth from the first half to the second, for what a busy allocator keeps: in KiB, and in descriptors.
const MORE_MEMORY: u64 = 16 << 10;
const MORE_DESCRIPTORS: u64 = 24;

fn minutes() -> Duration {
    let asked = std::env::var("CARTWRIGHT_FAULTS_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    Duration::from_mins(asked.unwrap_or(10))
}

fn median(of: &[u64]) -> u64 {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_descriptors_do_not_grow_under_load() {
    if !is_long() {
        println!("only with CARTWRIGHT_FAULTS=long: it takes minutes");
        return;
    }
    let world = World::with(4).await;
    let journal = Journal::default();
    let storm = Storm::begin(&world.people[..2], &journal).await;
    let is_over = Arc::new(AtomicBool::new(false));
    // One user loads growing lists, one tests a connection, repeatedly.
    let token = world.store("practice-tea", Scenario::Well);
    let (mut reader, mut tester) = (world.people[2].clone(), world.people[3].clone());
    let (over_for_reader, over_for_tester) = (is_over.clone(), is_over.clone());
    let reading = tokio::spawn(async move {
        let mut pages = 0_u64;
        while !over_for_reader.load(Ordering::Relaxed) {
            for path in ["/admin", "/admin/ecommerce", "/admin/ecommerce/shopify/new", "/nowhere", "//odd"] {
                reader.get(path).await.expect("an answer");
                pages += 1;
            }
        }
        pages
    });
    let testing = tokio::spawn(async move {
        let mut tests = 0_u64;
        while !over_for_tester.load(Ordering::Relaxed) {
            // The limit is ten tests a minute.
            tester.test("practice-tea", &token).await;
            tests += 1;
            tokio::time::sleep(Duration::from_secs(7)).await;
        }
        tests
    });
    let (begun, long) = (Instant::now(), minutes());
    let (mut memory, mut descriptors) = (Vec::new(), Vec::new());
    while begun.elapsed() < long {
        tokio::time::sleep(LOOK).await;
        memory.push(world.server.resident());
        descriptors.push(world.server.descriptors().unwrap_or(0) as u64);
    }
    is_over.store(true, Ordering::Relaxed);
    storm.end().await;
    let (pages, tests) = (reading.await.expect("no panic"), testing.await.expect("no panic"));
    // The first quarter is the warm-up.
    let (quarter, half) = (memory.len() / 4, memory.len() / 2);
    let compare = |seen: &[u64]| (median(&seen[quarter..half]), median(&seen[half + quarter..]));
    let ((memory_before, memory_after), (open_before, open_after)) = (compare(&memory), compare(&descriptors));
    println!(
        "{long:?}: {} saves, {pages} pages, {tests} tests; memory {memory_before} → {memory_after} KiB, descriptors {open_before} → {open_after}",
        journal.count(Told::Acknowledged)
    );
    assert!(memory_after < memory_before + MORE_MEMORY, "{memory:?}");
    assert!(open_after < open_before + MORE_DESCRIPTORS, "{descriptors:?}");
    assert_eq!(journal.contradictions(&world.folder).await, Vec::<String>::new());
}
