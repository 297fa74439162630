//! Limits list searches to one at a time per user in this process, because a search may read every cart. Searches of
//! other users do not wait.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

/// Whose turn it is to search.
#[derive(Clone, Debug, Default)]
pub struct SearchTurns(Arc<Mutex<HashMap<Uuid, Weak<AsyncMutex<()>>>>>);

/// Permission to search; the user's next search starts when it is dropped.
#[derive(Debug)]
pub struct SearchTurn(#[expect(dead_code, reason = "held, not read")] OwnedMutexGuard<()>);

impl SearchTurns {
    fn of(&self, person: Uuid) -> Arc<AsyncMutex<()>> {
        let mut turns = self.0.lock().expect("nobody panics here");
        if let Some(known) = turns.get(&person).and_then(Weak::upgrade) {
            return known;
        }
        turns.retain(|_, known| known.strong_count() > 0);
        let new = Arc::new(AsyncMutex::new(()));
        turns.insert(person, Arc::downgrade(&new));
        new
    }

    /// Returns the user's turn to search, if no other search of this user is running.
    pub fn try_take(&self, person: Uuid) -> Option<SearchTurn> {
        self.of(person).try_lock_owned().ok().map(SearchTurn)
    }

    /// Waits for the user's turn to search. Hold no database connection while waiting.
    pub async fn take(&self, person: Uuid) -> SearchTurn {
        SearchTurn(self.of(person).lock_owned().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_search_of_a_person_waits_and_others_do_not() {
        let (turns, priya, sam) = (SearchTurns::default(), Uuid::new_v4(), Uuid::new_v4());
        let first = turns.of(priya).try_lock_owned().unwrap();
        assert!(turns.of(priya).try_lock_owned().is_err());
        assert!(turns.of(sam).try_lock_owned().is_ok());
        drop(first);
        assert!(turns.of(priya).try_lock_owned().is_ok());
        turns.of(sam);
        assert_eq!(turns.0.lock().unwrap().len(), 1, "people who search no more are forgotten");
    }
}
