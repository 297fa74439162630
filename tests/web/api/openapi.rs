//! The OpenAPI document is the contract: generated, published in `docs/openapi.json`, and never narrowed.

use std::collections::BTreeSet;

use axum::http::Method;
use cartwright::{
    api_keys::Scope,
    web::api::v1::{openapi, table::table},
};
use serde_json::Value;
use sqlx::PgPool;

use super::name_of;
use crate::support::TestApp;

const PUBLISHED: &str = "docs/openapi.json";

fn published() -> Value {
    serde_json::from_str(&std::fs::read_to_string(PUBLISHED).expect(PUBLISHED)).expect("JSON")
}

/// Method and path of each operation.
fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().expect("operations").keys();
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// What a consumer relies on: operations with their statuses, fields that are always there, and values of lists.
fn promises(document: &Value) -> BTreeSet<String> {
    let mut found = operations(document);
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            for status in
                operation["responses"].as_object().expect("responses").keys().filter(|status| *status < &"3".to_owned())
            {
                found.insert(format!("{} {path} answers {status}", method.to_uppercase()));
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                found.insert(format!("{} {path} takes {}", method.to_uppercase(), parameter["name"]));
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        promises_of(name, schema, &mut found);
    }
    found
}

fn promises_of(place: &str, schema: &Value, found: &mut BTreeSet<String>) {
    for field in schema["required"].as_array().into_iter().flatten() {
        found.insert(format!("{place} has {field}"));
    }
    for value in schema["enum"].as_array().into_iter().flatten() {
        found.insert(format!("{place} may be {value}"));
    }
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                promises_of(&format!("{place}.{name}"), member, found);
            }
        }
        Value::Array(members) => {
            for (at, member) in members.iter().enumerate() {
                promises_of(&format!("{place}.{at}"), member, found);
            }
        }
        _ => {}
    }
}

#[test]
fn document_has_exactly_the_endpoints_of_the_table() {
    let rows: BTreeSet<_> = table().iter().map(name_of).collect();
    assert_eq!(operations(&openapi::document(&table())), rows);
}

#[test]
fn published_document_is_current() {
    let current = format!("{:#}\n", openapi::document(&table()));
    if std::env::var_os("OPENAPI").is_some_and(|value| value == "renew") {
        std::fs::write(PUBLISHED, &current).expect(PUBLISHED);
    }
    let published = std::fs::read_to_string(PUBLISHED).unwrap_or_default();
    assert!(published == current, "run OPENAPI=renew cargo test --test web openapi, and read the diff");
}

#[test]
fn nothing_that_was_published_disappears() {
    let (published, current) = (promises(&published()), promises(&openapi::document(&table())));
    let gone: Vec<_> = published.difference(&current).collect();
    assert!(gone.is_empty(), "consumers rely on these: {gone:#?}");
}

#[test]
fn disappearance_of_each_promise_is_noticed() {
    let published = published();
    let all = promises(&published);
    assert!(all.contains("GET /api/v1/key") && all.contains("GET /api/v1/key answers 200"), "{all:#?}");
    assert!(all.contains("Key has \"ends_at\"") && all.contains("Scope may be \"carts:read\""), "{all:#?}");
    let without = |change: fn(&mut Value)| {
        let mut changed = published.clone();
        change(&mut changed);
        all.difference(&promises(&changed)).count()
    };
    assert_eq!(without(|_| {}), 0);
    assert!(without(|document| drop(document["paths"]["/api/v1/key"].as_object_mut().unwrap().remove("get"))) > 0);
    assert!(without(|document| document["components"]["schemas"]["Key"]["required"] = Value::Array(Vec::new())) > 0);
    assert!(
        without(|document| drop(document["components"]["schemas"]["Scope"]["enum"].as_array_mut().unwrap().pop())) > 0
    );
}

#[test]
fn document_names_every_scope() {
    let document = openapi::document(&table());
    let named: Vec<_> = Scope::ALL.iter().map(|scope| Value::from(scope.as_str())).collect();
    assert_eq!(document["components"]["schemas"]["Scope"]["enum"], Value::Array(named));
}

#[sqlx::test]
async fn document_is_served_without_a_key(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let answer = app.program_without_key().get("/api/v1/openapi.json").await;
    assert_eq!(answer.json(), openapi::document(&table()));
    let tag = answer.header("etag").expect("a tag");
    let knock = app.program_without_key().knock(Method::GET, "/api/v1/openapi.json");
    assert_eq!(knock.header("if-none-match", tag).send().await.status, 304);
}
