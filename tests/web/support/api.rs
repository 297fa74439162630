//! Programs in front of the whole site: API keys, and requests as a program sends them.

use axum::http::Method;
use cartwright::api_keys::{ApiKeyText, Scope};
use serde_json::Value;
use uuid::Uuid;

use super::{Answer, Browser, Knock, TestApp};

/// A program with a key.
#[derive(Clone)]
pub struct Program {
    browser: Browser,
    pub id: Uuid,
    pub key: String,
}

/// What a new key allows.
#[derive(Clone, Default)]
pub struct NewKey<'a> {
    pub scopes: &'a [Scope],
    pub carts: Option<Vec<Uuid>>,
    pub networks: Option<Vec<String>>,
}

impl TestApp {
    /// A program with a new key that has these scopes.
    pub async fn program(&self, scopes: &[Scope]) -> Program {
        self.program_with(NewKey { scopes, ..NewKey::default() }).await
    }

    pub async fn program_with(&self, NewKey { scopes, carts, networks }: NewKey<'_>) -> Program {
        let (id, key) = (Uuid::now_v7(), ApiKeyText::generate());
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).chain(["unknown"]).collect();
        sqlx::query(
            "insert into api_keys (id, name, key_hash, ending, scopes, carts, networks, created_by, ends_at)
             values ($1, 'sync-prod', $2, $3, $4, $5, $6, 'Priya Shah', now() + interval '90 days')",
        )
        .bind(id)
        .bind(key.hash())
        .bind(key.ending())
        .bind(scopes)
        .bind(carts)
        .bind(networks)
        .execute(&self.pool)
        .await
        .expect("a key");
        Program { browser: self.browser(), id, key: key.expose().to_owned() }
    }

    /// A program without a key.
    pub fn program_without_key(&self) -> Program {
        Program { browser: self.browser(), id: Uuid::nil(), key: String::new() }
    }
}

impl Program {
    /// The same program with another text as its key.
    pub fn with_key(&self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self.clone() }
    }

    /// The same program at a client with this address.
    pub fn from(&self, address: [u8; 4]) -> Self {
        Self { browser: self.browser.clone().from(address), ..self.clone() }
    }

    /// A request with the headers of a program, not those of a browser.
    pub fn knock(&self, method: Method, path: &str) -> Knock {
        let knock = self.browser.knock(method, path);
        let knock = ["referer", "origin", "sec-fetch-site", "sec-fetch-mode"].into_iter().fold(knock, Knock::without);
        if self.key.is_empty() { knock } else { knock.header("authorization", &format!("Bearer {}", self.key)) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.knock(Method::GET, path).send().await
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.knock(method, path).body("application/json", body.to_string()).send().await
    }
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Asserts that this is a problem document with this status and of this kind, as every answer that is not a result;
    /// returns the document.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> Value {
        let what = format!("{} {}: {} {}", self.method, self.path, self.status, self.text());
        assert_eq!(self.status.as_u16(), status, "{what}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{what}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{what}");
        assert!(!self.headers.contains_key("set-cookie"), "{what}");
        let body = self.json();
        let slug = body["type"].as_str().and_then(|kind| kind.rsplit_once('#')).map(|(_, slug)| slug);
        assert_eq!(slug, Some(kind), "{what}");
        assert_eq!(body["status"], status, "{what}");
        assert_eq!(body["instance"].as_str(), self.header("x-request-id"), "{what}");
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{what}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{what}");
        let seconds = body.get("retry_after").map(ToString::to_string);
        assert_eq!(seconds.as_deref(), self.header("retry-after"), "{what}");
        body
    }

    /// The problem without what differs for each request.
    #[track_caller]
    pub fn problem_text(&self) -> String {
        let id = self.header("x-request-id").expect("an id");
        self.text().replace(id, "ID")
    }
}
