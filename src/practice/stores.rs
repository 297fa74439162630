//! The practice stores and their secrets, shared by the proxy, the pages and the tests. Secrets are random and new at
//! each start. The number of a shop is derived from its handle, so that a saved cart finds the same shop after a
//! restart.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::{
    cases::{CASES, Case},
    endpoint::Endpoint,
    scenario::Scenario,
};

/// Maximum number of issued tokens that a store keeps valid; the oldest is dropped first.
const MINTED: usize = 100;

/// The permissions of a correctly configured app.
const SCOPES: [&str; 17] = [
    "write_assigned_fulfillment_orders",
    "write_customers",
    "read_discounts",
    "write_fulfillments",
    "read_gdpr_data_request",
    "read_gift_cards",
    "write_inventory",
    "write_locations",
    "write_merchant_managed_fulfillment_orders",
    "write_orders",
    "read_payment_terms",
    "write_product_listings",
    "write_products",
    "read_channels",
    "read_shipping",
    "write_third_party_fulfillment_orders",
    "write_custom_fulfillment_services",
];

/// One store as Shopify knows it.
#[derive(Clone, Debug)]
pub struct PracticeStore {
    /// The digits of `gid://shopify/Shop/{digits}`.
    pub shop_id: u64,
    pub name: String,
    /// The `publicDisplayName`, such as `Basic`.
    pub plan: String,
    pub currency: String,
    pub time_zone: String,
    /// The permissions granted to the app. On the wire, a `write_…` is listed with its `read_…`.
    pub scopes: Vec<String>,
    pub app_title: String,
    /// Names of the active locations. Their numbers are derived from their positions.
    pub locations: Vec<String>,
    pub access_token: SecretString,
    pub client_id: String,
    pub client_secret: SecretString,
    pub scenario: Scenario,
    /// Replaces the scenario for the token exchange, once the connection is established.
    pub on_exchange: Option<Scenario>,
    /// Replaces the scenario for the second request, once the connection is established.
    pub on_customers: Option<Scenario>,
    /// Replaces the scenario for the list of locations, once the connection is established.
    pub on_locations: Option<Scenario>,
}

impl PracticeStore {
    /// The sample shop under this handle, with its own secrets and without problems.
    pub fn sample(handle: &str) -> Self {
        Self {
            shop_id: shop_id(handle),
            name: "Northwind Tea".to_owned(),
            plan: "Basic".to_owned(),
            currency: "GBP".to_owned(),
            time_zone: "Europe/London".to_owned(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            app_title: "Order Time".to_owned(),
            locations: locations(handle),
            access_token: format!("shpat_{}", random_hex()).into(),
            client_id: random_hex(),
            client_secret: format!("shpss_{}", random_hex()).into(),
            scenario: Scenario::Well,
            on_exchange: None,
            on_customers: None,
            on_locations: None,
        }
    }

    #[must_use]
    pub fn with(mut self, scenario: Scenario) -> Self {
        self.scenario = scenario;
        self
    }

    pub(super) fn scenario_at(&self, endpoint: Endpoint) -> &Scenario {
        let own = match endpoint {
            Endpoint::Exchange => self.on_exchange.as_ref(),
            Endpoint::CustomerVisibility => self.on_customers.as_ref(),
            Endpoint::Locations => self.on_locations.as_ref(),
            _ => None,
        };
        own.unwrap_or(&self.scenario)
    }
}

#[derive(Default)]
struct StoreTable {
    stores: HashMap<String, Arc<PracticeStore>>,
    minted: HashMap<String, VecDeque<SecretString>>,
}

/// Stores by handle, in lower case. Cheap to clone; every clone sees the same stores.
#[derive(Clone)]
pub struct Stores {
    known: Arc<Mutex<StoreTable>>,
    changes: watch::Sender<u64>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stores")
    }
}

impl Default for Stores {
    fn default() -> Self {
        Self { known: Arc::default(), changes: watch::Sender::new(0) }
    }
}

impl Stores {
    /// The named stores for a new user: one per case.
    pub fn newcomer() -> Self {
        let stores = Self::default();
        for case in Self::cases() {
            stores.put(case.handle, PracticeStore::sample(case.handle).with(case.scenario.clone()));
        }
        stores
    }

    /// All cases with their labels, in display order.
    pub const fn cases() -> &'static [Case] {
        CASES
    }

    /// Opens a store, or replaces the one under this handle and revokes its issued tokens.
    pub fn put(&self, handle: &str, store: PracticeStore) -> Arc<PracticeStore> {
        let store = Arc::new(store);
        let mut known = self.lock();
        known.minted.remove(handle);
        known.stores.insert(handle.to_owned(), store.clone());
        drop(known);
        self.changes.send_modify(|count| *count += 1);
        store
    }

    pub fn find(&self, handle: &str) -> Option<Arc<PracticeStore>> {
        self.lock().stores.get(handle).cloned()
    }

    /// "Let practice-tea now be …", from the next request on. Returns whether there is such a store.
    pub fn set(&self, handle: &str, scenario: Scenario) -> bool {
        self.change(handle, |store| store.scenario = scenario)
    }

    /// Changes a store, from the next request on. Returns whether there is such a store.
    pub fn change(&self, handle: &str, change: impl FnOnce(&mut PracticeStore)) -> bool {
        let is_known = self.lock().stores.get_mut(handle).map(|store| change(Arc::make_mut(store))).is_some();
        self.changes.send_modify(|count| *count += 1);
        is_known
    }

    /// Closes a store for good. Returns whether there was one.
    pub fn remove(&self, handle: &str) -> bool {
        let mut known = self.lock();
        known.minted.remove(handle);
        let was_known = known.stores.remove(handle).is_some();
        drop(known);
        self.changes.send_modify(|count| *count += 1);
        was_known
    }

    /// Revokes the tokens issued for Client ID and Client secret. The pair itself still works.
    pub fn end_minted_tokens(&self, handle: &str) {
        self.lock().minted.remove(handle);
    }

    pub(super) fn mint(&self, handle: &str) -> SecretString {
        let token = SecretString::from(random_hex());
        let mut known = self.lock();
        let minted = known.minted.entry(handle.to_owned()).or_default();
        if minted.len() == MINTED {
            minted.pop_front();
        }
        minted.push_back(token.clone());
        token
    }

    /// Whether the store accepts this token.
    pub fn knows(&self, handle: &str, token: &str) -> bool {
        let known = self.lock();
        let own = known.stores.get(handle).map(|store| &store.access_token);
        own.into_iter().chain(known.minted.get(handle).into_iter().flatten()).any(|one| one.expose_secret() == token)
    }

    /// Notifies of every change.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, StoreTable> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A few locations, except for the stores that demonstrate more and fewer.
fn locations(handle: &str) -> Vec<String> {
    let towns = ["Bath", "Bristol", "Cardiff", "Dover", "Exeter", "Leeds", "Oxford", "York"];
    match handle {
        "practice-plus" => {
            (0..64).map(|n| format!("{} shop {}", towns[n % towns.len()], n / towns.len() + 1)).collect()
        }
        "practice-development" => vec!["London warehouse".to_owned()],
        "practice-no-orders" => Vec::new(),
        _ => ["London warehouse", "Brighton shop", "Old depot"].map(str::to_owned).to_vec(),
    }
}

/// Ten digits derived from the handle (FNV-1a).
fn shop_id(handle: &str) -> u64 {
    let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    1_000_000_000 + handle.bytes().fold(0xcbf2_9ce4_8422_2325, mix) % 9_000_000_000
}

/// 32 random hex digits.
fn random_hex() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shop_number_is_stable_and_secrets_are_new() {
        let (first, second) = (PracticeStore::sample("practice-tea"), PracticeStore::sample("practice-tea"));
        assert_eq!(first.shop_id, second.shop_id);
        assert_ne!(first.access_token.expose_secret(), second.access_token.expose_secret());
        assert_ne!(first.client_secret.expose_secret(), second.client_secret.expose_secret());
        assert!(!format!("{first:?}").contains(first.access_token.expose_secret()));
    }

    #[test]
    fn named_stores_have_distinct_shop_numbers() {
        let stores = Stores::newcomer();
        let mut numbers: Vec<u64> =
            Stores::cases().iter().map(|case| stores.find(case.handle).unwrap().shop_id).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), Stores::cases().len());
    }

    #[test]
    fn changes_are_visible_through_every_clone() {
        let stores = Stores::newcomer();
        let other = stores.clone();
        assert!(stores.set("practice-tea", Scenario::Hang));
        assert_eq!(other.find("practice-tea").unwrap().scenario, Scenario::Hang);
        assert!(!stores.set("practice-unheard-of", Scenario::Hang));
        assert!(other.remove("practice-tea"));
        assert!(stores.find("practice-tea").is_none());
    }

    #[test]
    fn revoking_issued_tokens_keeps_the_stores_own_token() {
        let stores = Stores::newcomer();
        let minted = stores.mint("practice-tea");
        assert!(stores.knows("practice-tea", minted.expose_secret()));
        stores.end_minted_tokens("practice-tea");
        assert!(!stores.knows("practice-tea", minted.expose_secret()));
        let own = stores.find("practice-tea").unwrap().access_token.clone();
        assert!(stores.knows("practice-tea", own.expose_secret()));
    }
}
