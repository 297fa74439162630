//! A server with its database, administrators and Shopify stand-in, each in a separate folder or process.

use cartwright::{
    accounts::BrowserSecret,
    practice::{Options, Practice, PracticeStore, Scenario},
};
use secrecy::ExposeSecret;

use super::{
    browser::{Browser, PASSWORD},
    cluster::Folder,
    process::{Server, cartwright, run},
};

/// The field order is the drop order: the server before its database and its stand-in.
pub struct World {
    pub server: Server,
    pub folder: Folder,
    pub shopify: Practice,
    /// One signed-in browser per administrator.
    pub people: Vec<Browser>,
}

/// Starts a Shopify stand-in for tests and writes its CA certificate into the data folder; returns that file's path.
pub async fn shopify(folder: &Folder) -> (Practice, String) {
    let practice = Practice::start(Options::test()).await.expect("a free port");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, practice.ca_pem()).expect("a file");
    (practice, file.display().to_string())
}

impl World {
    /// Starts a world with this many signed-in administrators and the integration turned on.
    pub async fn with(people: usize) -> Self {
        let folder = Folder::new();
        let (shopify, ca_file) = shopify(&folder).await;
        let mut serve = cartwright(folder.path(), &["serve"]);
        serve.env("CARTWRIGHT_EGRESS_PROXY", shopify.proxy_url()).env("CARTWRIGHT_EGRESS_CA_FILE", ca_file);
        Self::around(folder, shopify, Server::start(serve), people).await
    }

    /// As [`Self::with`], around a server that the test started itself.
    pub async fn around(folder: Folder, shopify: Practice, server: Server, people: usize) -> Self {
        let mut first = set_up(&server).await;
        let switch = first.get("/admin/ecommerce/switch?to=add").await.expect("switch page");
        let on = first.submit(&switch.form("Turn on and add a cart")).await.expect("an answer");
        assert_eq!(on.status(), 303, "{}", on.html);
        let mut browsers = vec![first];
        for number in 1..people {
            let email = format!("admin{number}@northwind.example");
            add_user(&folder, &email);
            browsers.push(Browser::sign_in(server.address, &email).await);
        }
        Self { server, folder, shopify, people: browsers }
    }

    /// Adds this many signed-in administrators directly in the database, because hashing their passwords would take too
    /// long.
    pub async fn crowd(&self, people: usize) -> Vec<Browser> {
        let mut database = self.folder.connect().await;
        let mut browsers = Vec::new();
        for number in 0..people {
            let id = uuid::Uuid::new_v4();
            let user = "insert into users (id, email, name, role, password_hash) \
                select $1, $2, 'Sam Lee', role, password_hash from users limit 1";
            let email = format!("crowd{number}@northwind.example");
            sqlx::query(user).bind(id).bind(email).execute(&mut database).await.expect("a user");
            let secret = BrowserSecret::generate();
            let session = "insert into sessions (id_hash, user_id) values ($1, $2)";
            sqlx::query(session).bind(secret.hash()).bind(id).execute(&mut database).await.expect("a session");
            browsers.push(Browser::with_cookie(self.server.address, "cartwright", &secret.to_cookie()));
        }
        browsers
    }

    /// Opens a store with this behaviour and returns its token.
    pub fn store(&self, handle: &str, scenario: Scenario) -> String {
        let store = self.shopify.stores().put(handle, PracticeStore::sample(handle).with(scenario));
        store.access_token.expose_secret().to_owned()
    }
}

/// Follows the set-up link; returns the browser of the new administrator.
pub async fn set_up(server: &Server) -> Browser {
    let mut browser = Browser::new(server.address);
    let link = browser.get(&server.set_up_link()).await.expect("set-up link redirects");
    let page = browser.get(link.location()).await.expect("the set-up page");
    let form = page.form("Create my account").fill("name", "Priya Shah").fill("email", "priya@northwind.example");
    let answer = browser.submit(&form.fill("password", PASSWORD)).await.expect("an answer");
    assert_eq!(answer.status(), 303, "{}", answer.html);
    browser
}

/// Runs `cartwright users add` on this folder.
pub fn add_user(folder: &Folder, email: &str) {
    let file = folder.path().join(format!("password-of-{email}"));
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("a file");
    let mut command = cartwright(folder.path(), &["users", "add", "--email", email, "--name", "Sam Lee"]);
    command.arg("--password-file").arg(file);
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}
