//! Random walks of two users over everything that handles a store's address or secret, against a Shopify stand-in that
//! records what each host received. After every step: no secret reached a host other than those it was entered for, and
//! every cart that is shown as *Connected* has a credential that Shopify would accept now.
//!
//!     CARTWRIGHT_WALKS=10000 cargo test --test web model       the long run
//!     CARTWRIGHT_WALK_SEED=0x1234 cargo test --test web model  repeats one walk; a failure prints this and its steps

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
};

use cartwright::practice::RecordedRequest;
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::{PRIYA, SAM},
    expose,
};

const STORES: [&str; 3] = ["northwind-tea", "northwind-b2b", "old-store"];
/// Number of walks unless `CARTWRIGHT_WALKS` sets it.
const WALKS: u64 = 24;
const STEPS: usize = 16;
const KINDS: [Kind; 2] = [Kind::Token, Kind::Client];
/// Maximum number of pages that a user leaves open.
const TABS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Token,
    Client,
}

impl Kind {
    const fn option(self) -> &'static str {
        match self {
            Self::Token => "Access Token",
            Self::Client => "Client ID and Client secret",
        }
    }

    const fn field(self) -> &'static str {
        match self {
            Self::Token => "Access Token",
            Self::Client => "Client secret",
        }
    }
}

/// xorshift64*: the same walk for the same seed on every machine.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let sides = u64::try_from(sides).expect("few sides");
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides).expect("less than the sides")
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

/// The steps of one walk in words. Dropped by a panic, it prints how to repeat the walk.
struct Walk {
    seed: u64,
    steps: Vec<String>,
}

impl Drop for Walk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again: CARTWRIGHT_WALK_SEED={:#x} cargo test --test web model", self.seed);
            for (at, step) in self.steps.iter().enumerate() {
                eprintln!("{:3} {step}", at + 1);
            }
        }
    }
}

fn host(handle: &str) -> String {
    format!("{handle}.myshopify.com")
}

/// Finds the store of an address by this test's own rules: only spellings of [`STORES`] are ever typed.
fn handle_of(address: &str) -> Option<&'static str> {
    let address = address.to_lowercase();
    STORES.into_iter().find(|handle| address.contains(handle))
}

fn spelled(dice: &mut Dice, handle: &str) -> String {
    match dice.roll(8) {
        0 => handle.to_owned(),
        1 => host(handle),
        2 => format!("https://{}", host(handle)),
        3 => format!("https://{}/admin", host(handle)),
        4 => format!("https://admin.shopify.com/store/{handle}/orders"),
        5 => format!("{}.", host(handle)),
        6 => host(handle).to_uppercase(),
        _ => format!("  HTTP://{}/?utm=1 ", host(handle)),
    }
}

/// A user, and the user's open pages.
struct Person {
    name: &'static str,
    browser: Browser,
    tabs: Vec<Page>,
}

struct World {
    app: TestApp,
    people: [Person; 2],
    /// Each secret that was entered, and the hosts that it was entered for.
    entered: BTreeMap<String, BTreeSet<String>>,
    /// Tokens and Client secrets that no store accepts any more, or never did.
    others: [Vec<String>; 2],
    made: usize,
}

impl World {
    async fn new(pool: PgPool) -> Self {
        let app = TestApp::start(pool).await;
        let priya = app.priya_with_integration_on().await;
        let sam = app.sign_in_as(&SAM).await;
        let person = |name, browser| Person { name, browser, tabs: Vec::new() };
        let people = [person(PRIYA.name, priya), person(SAM.name, sam)];
        Self { app, people, entered: BTreeMap::new(), others: [Vec::new(), Vec::new()], made: 0 }
    }

    /// Resets everything to the initial state except the activity.
    async fn reset(&mut self) {
        for statement in ["delete from unsaved_credentials", "delete from carts", "delete from jobs"] {
            self.run(statement).await;
        }
        for store in STORES {
            self.app.open_store(store);
        }
        for person in &mut self.people {
            person.tabs.clear();
        }
        self.app.practice.journal().clear();
        (self.entered, self.others) = (BTreeMap::new(), KINDS.map(|kind| vec![self.new_secret(kind)]));
    }

    /// Runs a statement as the database's administrator; it may find nothing to change.
    async fn run(&self, statement: &'static str) {
        sqlx::query(statement).execute(&self.app.pool).await.expect(statement);
    }

    fn new_secret(&mut self, kind: Kind) -> String {
        self.made += 1;
        let prefix = if kind == Kind::Token { "shpat" } else { "shpss" };
        format!("{prefix}_{:032x}", self.made + 0xa1b2_c3d4)
    }

    fn secret(&self, kind: Kind, handle: &str) -> String {
        let store = self.app.practice.stores().find(handle).expect("an open store");
        expose(if kind == Kind::Token { &store.access_token } else { &store.client_secret }).to_owned()
    }

    /// Performs one random step as one of the users; returns it in words.
    async fn step(&mut self, dice: &mut Dice) -> String {
        // The limit of ten tests a minute is covered by other tests.
        self.run("delete from throttle").await;
        let who = dice.roll(2);
        let name = self.people[who].name;
        match dice.roll(16) {
            0..=2 => {
                let page = self.people[who].browser.visit("/admin/ecommerce/shopify/new").await;
                self.keep_tab(who, page, dice);
                format!("{name} opens the form of a new cart")
            }
            3 | 4 => match self.cart(dice).await {
                Some(path) => {
                    let page = self.people[who].browser.visit(&path).await;
                    self.keep_tab(who, page, dice);
                    format!("{name} opens {path}")
                }
                None => format!("{name} finds no cart to open"),
            },
            5..=11 => self.use_tab(who, dice).await,
            12 => {
                let mut list = self.people[who].browser.visit("/admin/ecommerce").await;
                if list.has_button("Test the selected carts") {
                    list.check("All carts, on every page");
                    list.press("Test the selected carts").await;
                    self.app.app.bulk_actions.drain().await.expect("the work");
                }
                format!("{name} tests all carts")
            }
            13 => match self.cart(dice).await {
                Some(path) => {
                    let words = *dice.pick(&["Disconnect", "Delete cart"]);
                    let page = self.people[who].browser.visit(&path).await;
                    page.follow(words).await.press(words).await;
                    format!("{name} presses {words} at {path}")
                }
                None => format!("{name} finds no cart to take away"),
            },
            14 => {
                let (store, kind) = (*dice.pick(&STORES), *dice.pick(&KINDS));
                let secret = self.new_secret(kind);
                self.others[kind as usize].push(self.secret(kind, store));
                self.app.practice.stores().change(store, |store| match kind {
                    Kind::Token => store.access_token = secret.clone().into(),
                    Kind::Client => store.client_secret = secret.clone().into(),
                });
                // Simulates a quarter of an hour: tests of unsaved credentials age as well, and are not repeated.
                self.run("update connection_tests set finished_at = finished_at - interval '20 minutes'").await;
                self.check_all().await;
                format!("{store} has the new secret {secret}, and all carts are checked")
            }
            _ => {
                self.check_all().await;
                "all carts are checked".into()
            }
        }
    }

    /// Makes every check due and runs it.
    async fn check_all(&self) {
        self.run("update cart_health set next_check_at = now() where next_check_at is not null").await;
        self.app.app.health.sweep().await.expect("swept");
    }

    fn keep_tab(&mut self, who: usize, page: Page, dice: &mut Dice) {
        let tabs = &mut self.people[who].tabs;
        if tabs.len() == TABS {
            tabs.remove(dice.roll(TABS));
        }
        tabs.push(page);
    }

    async fn cart(&self, dice: &mut Dice) -> Option<String> {
        let ids = "select replace(id::text, '-', '') from carts order by created_at, id";
        let ids: Vec<String> = sqlx::query_scalar(ids).fetch_all(&self.app.pool).await.expect("ids");
        (!ids.is_empty()).then(|| format!("/admin/ecommerce/shopify/{}/general", dice.pick(&ids)))
    }

    /// Changes fields of an open page and presses one of its buttons.
    async fn use_tab(&mut self, who: usize, dice: &mut Dice) -> String {
        if self.people[who].tabs.is_empty() {
            return format!("{} has no page open", self.people[who].name);
        }
        let at = dice.roll(self.people[who].tabs.len());
        let mut page = self.people[who].tabs.remove(at);
        let mut did = vec![format!("{} at {}", self.people[who].name, page.path)];
        if page.has_field("Website Name") && dice.roll(3) == 0 {
            page.fill("Website Name", &format!("Shop {}", dice.roll(9)));
            did.push("renames it".into());
        }
        if page.has_field("API URL") && (page.value("API URL").is_empty() || dice.roll(3) == 0) {
            let handle = *dice.pick(&STORES);
            let address = spelled(dice, handle);
            page.fill("API URL", &address);
            did.push(format!("types the address {address:?}"));
        }
        if page.has_field("Website Name") && page.value("Website Name").is_empty() {
            page.fill("Website Name", "Northwind");
        }
        if page.has_field("Client ID") && dice.roll(4) == 0 {
            let kind = *dice.pick(&KINDS);
            page.choose(kind.option());
            did.push(format!("chooses {kind:?}"));
        }
        for kind in KINDS {
            let is_chosen = page.has_field("Client ID") && page.is_checked(kind.option());
            if !page.has_field(kind.field()) || dice.roll(if is_chosen { 4 } else { 16 }) > 2 {
                continue;
            }
            let secret = match (dice.roll(6), handle_of(&page.value("API URL"))) {
                (0, _) => dice.pick(&self.others[kind as usize]).clone(),
                (1, _) | (_, None) => self.secret(kind, dice.pick::<&str>(&STORES)),
                (_, Some(handle)) => self.secret(kind, handle),
            };
            page.fill(kind.field(), &secret);
            did.push(format!("types {secret}"));
            if kind == Kind::Client {
                let handle = handle_of(&page.value("API URL")).unwrap_or(STORES[0]);
                let store = self.app.practice.stores().find(handle).expect("an open store");
                page.fill("Client ID", &store.client_id);
            }
        }
        if page.has_button("Save") && page.has_field("Website Name") && dice.roll(2) == 0 {
            let active = dice.roll(2) == 0;
            if !page.is_disabled("Active") {
                if active {
                    page.check("Active");
                } else {
                    page.uncheck("Active");
                }
                did.push(format!("sets Active to {active}"));
            }
        }
        let buttons = [
            "Test Connection",
            "Test Connection",
            "Save",
            "Save",
            "Replace token",
            "Replace Client secret",
            "Enter a different token",
            "Enter a different Client secret",
            "Keep the saved token",
            "Keep the saved Client secret",
            "Save my changes instead",
            "Save the changes of this tab",
            "Go back and edit",
            "Add it as a new cart",
        ];
        let there: Vec<&str> = buttons.into_iter().filter(|button| page.has_button(button)).collect();
        if there.is_empty() {
            return format!("{}, where nothing can be pressed", did.join(", "));
        }
        let button = *dice.pick(&there);
        did.push(format!("presses {button}"));
        let (_, _, fields) = page.submission(button);
        let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
        let handle = field("api_url").and_then(handle_of);
        for secret in ["access_token", "client_secret"].into_iter().filter_map(field).filter(|text| !text.is_empty()) {
            self.entered.entry(secret.to_owned()).or_default().extend(handle.map(host));
        }
        let before = self.app.practice.journal().requests().len();
        let page = page.press(button).await;
        did.push(format!("and sees {} {}", page.status.as_u16(), page.h1()));
        assert!(!page.status.is_server_error(), "{did:?}\n{page}");
        if button == "Test Connection" && page.status == 200 && page.has("section[aria-label='Connection test']") {
            did.push(page.class());
            if page.class() == "CONNECTED" {
                let handle = handle.expect("a connected store has an address");
                let asked = self.app.practice.journal().requests();
                let is_now =
                    asked[before..].iter().any(|one| one.host == host(handle) && self.is_accepted(handle, one));
                assert!(is_now, "Connected, and {handle} was not asked with a token that it accepts\n{did:?}");
            }
        }
        self.people[who].tabs.push(page);
        did.join(", ")
    }

    /// Whether the store accepts the request's token now.
    fn is_accepted(&self, handle: &str, request: &RecordedRequest) -> bool {
        request.token.as_ref().is_some_and(|token| self.app.practice.stores().knows(handle, expose(token)))
    }

    fn assert_secrets_stayed_where_they_were_entered_for(&self) {
        // A token that no user entered must have been issued by the store that it is sent to.
        for request in self.app.practice.journal().requests() {
            let Some(token) = &request.token else { continue };
            let handle = request.host.trim_end_matches(".myshopify.com");
            let was_entered = self.entered.contains_key(expose(token));
            assert!(
                was_entered || self.is_accepted(handle, &request),
                "another store's token reached {}",
                request.host
            );
        }
        let known = KINDS.into_iter().flat_map(|kind| STORES.map(|handle| self.secret(kind, handle)));
        let known: BTreeSet<String> = known.collect();
        for secret in known.iter().chain(self.others.iter().flatten()).chain(self.entered.keys()) {
            let allowed = self.entered.get(secret).cloned().unwrap_or_default();
            for seen in self.app.practice.journal().hosts_that_saw(secret) {
                assert!(allowed.contains(&seen), "{secret} reached {seen}; it was entered for {allowed:?}");
            }
        }
    }

    /// Checks each cart that is shown as *Connected* once more, as the server would within a quarter of an hour; the
    /// result must be the same.
    async fn assert_connected_is_true(&self) {
        // As the worker does every second.
        self.app.app.health.sweep().await.expect("swept");
        let list = self.people[0].browser.visit("/admin/ecommerce").await;
        let connected = |page: &Page| page.all("td .badge").iter().filter(|word| *word == "Connected").count();
        let shown = connected(&list);
        if shown == 0 {
            return;
        }
        let rows = list.all("tbody tr");
        let before = self.app.practice.journal().requests().len();
        self.run(
            "update cart_health set next_check_at = now() from carts
             where carts.id = cart_id and carts.is_active and carts.status = 'connected'",
        )
        .await;
        self.app.app.health.sweep().await.expect("swept");
        let asked: BTreeSet<String> =
            self.app.practice.journal().requests()[before..].iter().map(|request| request.host.clone()).collect();
        let list = self.people[0].browser.visit("/admin/ecommerce").await;
        assert_eq!(connected(&list), shown, "shown as connected and refused now: {rows:?}");
        assert_eq!(asked.len(), shown, "a cart that is shown as connected was not asked for: {rows:?}, {asked:?}");
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    Some(number.unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[sqlx::test]
async fn no_walk_sends_a_secret_elsewhere_or_shows_connected_for_nothing(pool: PgPool) {
    let mut world = World::new(pool).await;
    let walks = number("CARTWRIGHT_WALKS").unwrap_or(WALKS);
    let first = uuid::Uuid::new_v4().as_u64_pair().0 >> 8;
    let seeds = number("CARTWRIGHT_WALK_SEED").map_or(first..=first + walks - 1, |seed| seed..=seed);
    let (mut steps, mut tests, mut refused, mut connected) = (0_usize, 0_usize, 0_usize, 0_usize);
    for seed in seeds {
        let (mut dice, mut walk) = (Dice::new(seed), Walk { seed, steps: Vec::new() });
        world.reset().await;
        for _ in 0..STEPS {
            walk.steps.push("(in this step)".into());
            let step = world.step(&mut dice).await;
            tests += usize::from(step.contains("presses Test Connection"));
            refused += usize::from(step.contains("sees 422") || step.contains("sees 409"));
            connected += usize::from(step.ends_with("CONNECTED"));
            *walk.steps.last_mut().expect("just pushed") = step;
            world.assert_secrets_stayed_where_they_were_entered_for();
            world.assert_connected_is_true().await;
        }
        steps += STEPS;
    }
    println!("{steps} steps, {tests} tests of a connection, {connected} of them connected; {refused} refusals");
    if walks >= WALKS && env::var("CARTWRIGHT_WALK_SEED").is_err() {
        assert!(tests > 10 && connected > 0 && refused > 0, "the walks go where something can happen");
    }
}
