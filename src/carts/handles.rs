//! Makes the handles. They share one pool, vault, client and set of tasks.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::{
    Carts, Changes, ConnectionTests, DraftSecrets, Integration, SearchTurns, StoreLocations, Tokens, bulk::BulkActions,
    health::Health, sealing::CredentialVault,
};
use crate::{clock::Clock, database::Pool, platforms::shopify::client::ShopifyClient, vault::Vault};

/// One handle per noun, and the tasks that they start.
#[derive(Clone, Debug)]
pub struct CartHandles {
    pub carts: Carts,
    pub connection_tests: ConnectionTests,
    pub draft_secrets: DraftSecrets,
    pub health: Health,
    pub tokens: Tokens,
    pub changes: Changes,
    pub locations: StoreLocations,
    pub bulk_actions: BulkActions,
    pub integration: Integration,
    pub search_turns: SearchTurns,
    pub tasks: TaskTracker,
}

/// Makes the handles. `practices`: whether this server answers for `practice-` stores itself.
pub fn open(pool: Pool, vault: Arc<Vault>, client: Arc<ShopifyClient>, practices: bool, clock: Clock) -> CartHandles {
    let tasks = TaskTracker::new();
    let credentials = CredentialVault { pool: pool.clone(), vault: vault.clone() };
    let carts = Carts { pool: pool.clone(), credentials: credentials.clone(), practices };
    let tokens =
        Tokens { pool: pool.clone(), vault: vault.clone(), client: client.clone(), tasks: tasks.clone(), practices };
    let connection_tests = ConnectionTests {
        pool: pool.clone(),
        carts: carts.clone(),
        credentials,
        client: client.clone(),
        tasks: tasks.clone(),
        clock,
    };
    CartHandles {
        draft_secrets: DraftSecrets { pool: pool.clone(), vault },
        health: Health {
            pool: pool.clone(),
            tokens: tokens.clone(),
            client: client.clone(),
            tasks: tasks.clone(),
            practices,
            clock,
        },
        locations: StoreLocations {
            pool: pool.clone(),
            carts: carts.clone(),
            tokens: tokens.clone(),
            client,
            tasks: tasks.clone(),
            clock,
        },
        bulk_actions: BulkActions { pool: pool.clone(), tests: connection_tests.clone(), tasks: tasks.clone() },
        changes: Changes::new(pool.clone(), tasks.clone()),
        integration: Integration { pool },
        search_turns: SearchTurns::default(),
        carts,
        connection_tests,
        tokens,
        tasks,
    }
}
