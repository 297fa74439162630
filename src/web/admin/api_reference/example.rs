//! A `curl` command for an operation, and the body that it sends.

use serde_json::{Map, Value, json};

/// Levels of objects in an example body.
const DEPTH_MAX: usize = 4;

/// A command that a shell runs as it is, once `CARTWRIGHT_API_KEY` is set and the id is put in.
pub fn curl(document: &Value, origin: &str, method: &str, path: &str, operation: &Value) -> String {
    let mut lines = vec![match method {
        "get" => "curl".to_owned(),
        _ => format!("curl -X {}", method.to_uppercase()),
    }];
    if operation["security"].as_array().is_some_and(|needs| !needs.is_empty()) {
        lines.push("-H \"Authorization: Bearer $CARTWRIGHT_API_KEY\"".into());
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    for header in parameters.filter(|one| one["in"] == "header" && one["required"] == true) {
        lines.push(format!("-H '{}: \"…\"'", header["name"].as_str().unwrap_or_default()));
    }
    if let Some(schema) = schema_of(&operation["requestBody"]) {
        lines.push("-H 'Content-Type: application/json'".into());
        lines.push(format!("-d '{}'", value(document, schema, 0)));
    }
    let path = path.split('/').map(|part| if part.starts_with('{') { "CART_ID" } else { part });
    lines.push(format!("{origin}{}", path.collect::<Vec<_>>().join("/")));
    lines.join(" \\\n  ")
}

/// The schema of the JSON body of a request or a response.
pub(super) fn schema_of(message: &Value) -> Option<&Value> {
    message["content"].as_object()?.values().next()?.get("schema")
}

/// The example of a schema: its own, else one of its type.
fn value(document: &Value, schema: &Value, depth: usize) -> Value {
    let named = schema.get("example").or_else(|| schema.get("examples").and_then(|all| all.get(0)));
    if let Some(example) = named.or_else(|| schema.get("enum").and_then(|all| all.get(0))) {
        return example.clone();
    }
    if let Some(place) = schema["$ref"].as_str() {
        let found = document.pointer(place.trim_start_matches('#')).unwrap_or(&Value::Null);
        return value(document, found, depth);
    }
    let choices = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|name| schema[name].as_array()).flatten();
    if let Some(choice) = choices.clone().find(|one| one["type"] != "null") {
        return value(document, choice, depth);
    }
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    let kind = match &schema["type"] {
        Value::Array(all) => all.first().and_then(Value::as_str),
        one => one.as_str(),
    };
    match kind {
        Some("object") => object(document, schema, depth),
        Some("array") => json!([value(document, &schema["items"], depth + 1)]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        Some("string") => json!("…"),
        _ => Value::Null,
    }
}

/// The required fields of an object, and those with an example.
fn object(document: &Value, schema: &Value, depth: usize) -> Value {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let fields = schema["properties"].as_object().into_iter().flatten();
    let shown = fields.filter(|(name, field)| required.contains(&json!(name)) || field.get("example").is_some());
    let shown = shown.map(|(name, field)| (name.clone(), value(document, field, depth + 1)));
    Value::Object(shown.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_sends_the_key_the_required_headers_and_a_body() {
        let document = json!({ "components": { "schemas": { "Ask": {
            "type": "object", "required": ["min_seconds"],
            "properties": { "min_seconds": { "type": "integer", "minimum": 300 }, "note": { "type": "string" } },
        } } } });
        let operation = json!({
            "security": [{ "key": ["tokens:issue"] }],
            "parameters": [{ "in": "header", "name": "If-Match", "required": true }],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Ask" } } } },
        });
        let command = curl(&document, "https://orders.example", "post", "/api/v1/carts/{cart}/token", &operation);
        assert_eq!(
            command.replace(" \\\n  ", " "),
            "curl -X POST -H \"Authorization: Bearer $CARTWRIGHT_API_KEY\" -H 'If-Match: \"…\"' \
             -H 'Content-Type: application/json' -d '{\"min_seconds\":300}' \
             https://orders.example/api/v1/carts/CART_ID/token"
        );
    }
}
