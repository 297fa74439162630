//! A server with its database, its administrators and a Shopify of its own, each in a folder or process of its own.

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

/// Fields end in this order: the server before its database and its Shopify.
pub struct World {
    pub server: Server,
    pub folder: Folder,
    pub shopify: Practice,
    /// One signed-in browser an administrator.
    pub people: Vec<Browser>,
}

/// Shopify's side for tests, and the file of its certificate authority in the data folder.
pub async fn shopify(folder: &Folder) -> (Practice, String) {
    let practice = Practice::start(Options::test()).await.expect("a free port");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, practice.ca_pem()).expect("a file");
    (practice, file.display().to_string())
}

impl World {
    /// So many administrators, signed in, the integration switched on.
    pub async fn with(people: usize) -> Self {
        let folder = Folder::new();
        let (shopify, ca_file) = shopify(&folder).await;
        let mut serve = cartwright(folder.path(), &["serve"]);
        serve.env("CARTWRIGHT_EGRESS_PROXY", shopify.proxy_url()).env("CARTWRIGHT_EGRESS_CA_FILE", ca_file);
        Self::around(folder, shopify, Server::start(serve), people).await
    }

    /// The same around a server that was started in a way of its own.
    pub async fn around(folder: Folder, shopify: Practice, server: Server, people: usize) -> Self {
        let mut first = set_up(&server).await;
        let switch = first.get("/admin/ecommerce/switch?to=add").await.expect("the switch");
        let on = first.submit(&switch.form("Turn on and add a cart")).await.expect("an answer");
        assert_eq!(on.status(), 303, "{}", on.text);
        let mut browsers = vec![first];
        for number in 1..people {
            let email = format!("admin{number}@northwind.example");
            add_user(&folder, &email);
            browsers.push(Browser::sign_in(server.address, &email).await);
        }
        Self { server, folder, shopify, people: browsers }
    }

    /// So many more administrators, signed in without a password: hashing that many would be another test.
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

    /// Opens a store that behaves like this, and tells its token.
    pub fn store(&self, handle: &str, scenario: Scenario) -> String {
        let store = self.shopify.stores().put(handle, PracticeStore::sample(handle).with(scenario));
        store.access_token.expose_secret().to_owned()
    }
}

/// Follows the one-time link; the new administrator is signed in.
pub async fn set_up(server: &Server) -> Browser {
    let mut browser = Browser::new(server.address);
    let link = browser.get(&server.set_up_link()).await.expect("a way to the set-up page");
    let page = browser.get(link.location()).await.expect("the set-up page");
    let form = page.form("Create my account").fill("name", "Priya Shah").fill("email", "priya@northwind.example");
    let answer = browser.submit(&form.fill("password", PASSWORD)).await.expect("an answer");
    assert_eq!(answer.status(), 303, "{}", answer.text);
    browser
}

/// `cartwright users add`, beside whatever runs on this folder.
pub fn add_user(folder: &Folder, email: &str) {
    let file = folder.path().join(format!("password-of-{email}"));
    std::fs::write(&file, format!("{PASSWORD}\n")).expect("a file");
    let mut command = cartwright(folder.path(), &["users", "add", "--email", email, "--name", "Sam Lee"]);
    command.arg("--password-file").arg(file);
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}
