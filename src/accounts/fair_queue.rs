//! A fair queue for a scarce resource such as password hashing. Known browsers have their own lane, which gets every
//! other turn. In each lane, the network (or user) with the fewest recent turns is next, so that a network with many
//! connections does not delay the others.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::network::IpNetwork;

/// How long turns are remembered.
const MEMORY_WINDOW: Duration = Duration::from_mins(5);
/// Maximum number of networks and users whose turns are remembered.
const MEMORY_MAX: usize = 10_000;

/// Identifies a waiting caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waiter {
    /// An unknown caller from this network.
    Stranger(IpNetwork),
    /// A known user: signed in, with a valid link, or in a browser that signed in to their account before.
    Known(Uuid),
}

/// Too many hashes are waiting; retry in a few seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overloaded;

#[derive(Clone, Debug)]
pub struct FairQueue(Arc<Mutex<Lanes>>);

#[derive(Debug)]
struct Lanes {
    free: usize,
    known: Lane,
    strangers: Lane,
    was_known: bool,
}

/// One lane of the queue: waiting callers by network or user, in the order of their arrival or last turn.
#[derive(Debug)]
struct Lane {
    capacity: usize,
    /// Turns of each waiter since `had_since`.
    had: HashMap<Waiter, u32>,
    had_since: Instant,
    waiting: VecDeque<(Waiter, VecDeque<oneshot::Sender<Turn>>)>,
}

/// Permission to use the resource. On drop it passes to the next waiter.
#[derive(Debug)]
pub struct Turn(FairQueue);

impl FairQueue {
    /// `turns` is the concurrency, `capacity` the maximum number of waiters in each of the two lanes.
    pub fn new(turns: usize, capacity: usize) -> Self {
        let lane = || Lane { capacity, had: HashMap::new(), had_since: Instant::now(), waiting: VecDeque::new() };
        Self(Arc::new(Mutex::new(Lanes { free: turns, known: lane(), strangers: lane(), was_known: false })))
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Overloaded`] if the lane is full. The newest waiter of the network with the most waiters is dropped in favour
    /// of a network with fewer.
    pub async fn turn(&self, waiter: Waiter) -> Result<Turn, Overloaded> {
        let turn = {
            let mut lanes = self.0.lock().expect("lock is never poisoned");
            let is_free = lanes.free > 0;
            if is_free {
                lanes.free -= 1;
            }
            let lane = match waiter {
                Waiter::Known(_) => &mut lanes.known,
                Waiter::Stranger(_) => &mut lanes.strangers,
            };
            if is_free {
                lane.remember(waiter);
                return Ok(Turn(self.clone()));
            }
            lane.push(waiter)?
        };
        turn.await.map_err(|_| Overloaded)
    }
}

impl Lanes {
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let known = if self.was_known { None } else { self.known.pop() };
        self.was_known = known.is_some();
        known.or_else(|| self.strangers.pop()).or_else(|| self.known.pop())
    }
}

impl Lane {
    fn push(&mut self, waiter: Waiter) -> Result<oneshot::Receiver<Turn>, Overloaded> {
        if self.len() >= self.capacity {
            self.make_room(waiter)?;
        }
        let (sender, receiver) = oneshot::channel();
        match self.waiting.iter_mut().find(|(other, _)| *other == waiter) {
            Some((_, line)) => line.push_back(sender),
            None => self.waiting.push_back((waiter, VecDeque::from([sender]))),
        }
        Ok(receiver)
    }

    fn pop(&mut self) -> Option<oneshot::Sender<Turn>> {
        let turns = |(waiter, _): &(Waiter, _)| self.had.get(waiter).copied().unwrap_or_default();
        let (next, _) = self.waiting.iter().enumerate().min_by_key(|(_, one)| turns(one))?;
        let (waiter, mut line) = self.waiting.remove(next)?;
        self.remember(waiter);
        let next = line.pop_front();
        if !line.is_empty() {
            self.waiting.push_back((waiter, line));
        }
        next
    }

    fn remember(&mut self, waiter: Waiter) {
        if self.had_since.elapsed() > MEMORY_WINDOW || self.had.len() >= MEMORY_MAX {
            (self.had, self.had_since) = (HashMap::new(), Instant::now());
        }
        *self.had.entry(waiter).or_default() += 1;
    }

    fn len(&self) -> usize {
        self.waiting.iter().map(|(_, line)| line.len()).sum()
    }

    /// Removes cancelled waiters. If the lane is still full, drops the newest waiter of the network or user that has
    /// the most.
    fn make_room(&mut self, waiter: Waiter) -> Result<(), Overloaded> {
        for (_, line) in &mut self.waiting {
            line.retain(|sender| !sender.is_closed());
        }
        self.waiting.retain(|(_, line)| !line.is_empty());
        if self.len() < self.capacity {
            return Ok(());
        }
        let own = self.waiting.iter().find(|(other, _)| *other == waiter).map_or(0, |(_, line)| line.len());
        let longest = self.waiting.iter_mut().map(|(_, line)| line).max_by_key(|line| line.len()).ok_or(Overloaded)?;
        if longest.len() <= own + 1 {
            return Err(Overloaded);
        }
        longest.pop_back();
        Ok(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut lanes = self.0.0.lock().expect("lock is never poisoned");
            let next = lanes.next();
            if next.is_none() {
                lanes.free += 1;
            }
            next
        };
        // Outside the lock: if the waiter was cancelled, this turn is dropped again and goes to the next.
        if let Some(next) = next {
            next.send(Self(self.0.clone())).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn network(last: u8) -> Waiter {
        Waiter::Stranger(IpNetwork::parse(&format!("203.0.113.{last}")).expect("an address"))
    }

    type Waiting<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Turn, Overloaded>> + Send + 'a>>;

    /// Starts waiting for a turn, and asserts that it is not granted at once.
    fn wait(queue: &FairQueue, waiter: Waiter) -> Waiting<'_> {
        let mut turn: Waiting<'_> = Box::pin(queue.turn(waiter));
        assert!(turn.as_mut().now_or_never().is_none(), "{waiter:?} has to wait");
        turn
    }

    fn has_turn(waiting: &mut Waiting<'_>) -> Option<Turn> {
        waiting.as_mut().now_or_never().map(|turn| turn.expect("a turn"))
    }

    #[tokio::test]
    async fn networks_take_turns_regardless_of_connections() {
        let queue = FairQueue::new(1, 100);
        let first = queue.turn(network(1)).await.expect("free");
        let mut crowd: Vec<_> = (0..50).map(|_| wait(&queue, network(1))).collect();
        let mut other = wait(&queue, network(2));
        drop(first);
        assert!(has_turn(&mut crowd[0]).is_none());
        drop(has_turn(&mut other).expect("network without a turn"));
        assert!(has_turn(&mut crowd[0]).is_some(), "then the first waiter");
    }

    #[tokio::test]
    async fn new_network_goes_before_networks_that_had_a_turn() {
        let queue = FairQueue::new(1, 200);
        let mut turn = queue.turn(network(0)).await.expect("free");
        let mut crowd: VecDeque<_> = (0..100).map(|n| wait(&queue, network(n))).collect();
        crowd.rotate_left(1);
        for n in 0..50 {
            drop(turn);
            turn = has_turn(&mut crowd.pop_front().expect("one more")).unwrap_or_else(|| panic!("turn {n}"));
            crowd.push_back(wait(&queue, network(n + 1)));
        }
        let mut new = wait(&queue, network(200));
        for _ in 50..99 {
            drop(turn);
            turn = has_turn(&mut crowd.pop_front().expect("one more")).expect("its first turn");
        }
        drop(turn);
        assert!(has_turn(&mut new).is_some(), "before any second turn");
    }

    #[tokio::test]
    async fn known_browser_gets_every_other_turn() {
        let queue = FairQueue::new(1, 100);
        let mut turn = queue.turn(network(100)).await.expect("free");
        let mut strangers: VecDeque<_> = (0..20).map(|n| wait(&queue, network(n))).collect();
        let mut known: VecDeque<_> = (0..5).map(|n| wait(&queue, Waiter::Known(Uuid::from_u128(n)))).collect();
        for n in 0..10 {
            drop(turn);
            let line = if n % 2 == 0 { &mut known } else { &mut strangers };
            turn = has_turn(&mut line.pop_front().expect("one more")).unwrap_or_else(|| panic!("turn {n}"));
        }
    }

    #[tokio::test]
    async fn full_queue_drops_the_longest_line_for_a_new_network() {
        let queue = FairQueue::new(1, 4);
        let turn = queue.turn(network(1)).await.expect("free");
        let mut crowd: Vec<_> = (0..4).map(|_| wait(&queue, network(1))).collect();
        assert!(matches!(queue.turn(network(1)).await, Err(Overloaded)), "its own line is the longest");
        let mut others = [wait(&queue, network(2)), wait(&queue, network(2))];
        assert!(matches!(queue.turn(network(2)).await, Err(Overloaded)), "two each");
        for (place, expected) in [(3, true), (2, true), (1, false), (0, false)] {
            let gone = crowd[place].as_mut().now_or_never();
            assert_eq!(matches!(gone, Some(Err(Overloaded))), expected, "{place}");
        }
        drop(turn);
        drop(has_turn(&mut others[0]).expect("a turn"));
        assert!(has_turn(&mut crowd[0]).is_some());
    }

    #[tokio::test]
    async fn no_turn_is_lost_when_waiters_are_cancelled() {
        let queue = FairQueue::new(1, 3);
        let turn = queue.turn(network(1)).await.expect("free");
        let waiting: Vec<_> = (0..3).map(|n| wait(&queue, network(n))).collect();
        drop(waiting);
        let mut last = wait(&queue, network(9));
        drop(turn);
        let got = has_turn(&mut last).expect("a turn");
        let sent = wait(&queue, network(1));
        drop(got);
        drop(sent);
        queue.turn(network(2)).now_or_never().expect("at once").expect("free again");
    }
}
