//! Reads the OpenAPI document for the page: only what our own generator writes.

use serde_json::Value;

use super::example::{self, schema_of};

const SCHEMAS: &str = "#/components/schemas/";
/// The methods in the order in which one path lists them.
const METHODS: [&str; 4] = ["get", "post", "patch", "delete"];

/// One method on one path.
#[derive(Debug)]
pub struct ReferenceOperation {
    /// The operation's id, and its anchor on the page.
    pub id: String,
    pub method: String,
    pub path: String,
    pub title: String,
    pub paragraphs: Vec<String>,
    pub access: OperationAccess,
    pub parameters: Vec<ReferenceField>,
    pub body: Option<FieldType>,
    /// Successful results; problems have one shape and their own section.
    pub results: Vec<ReferenceResult>,
    /// Statuses of problems.
    pub problems: Vec<String>,
    pub example: String,
}

/// What a caller needs.
#[derive(Debug, PartialEq, Eq)]
pub enum OperationAccess {
    Open,
    AnyKey,
    Scope(String),
}

#[derive(Debug)]
pub struct ReferenceResult {
    pub status: String,
    pub description: String,
    pub body: Option<FieldType>,
}

/// An object of the bodies, or a set of values.
#[derive(Debug)]
pub struct ReferenceObject {
    pub name: String,
    pub description: String,
    pub fields: Vec<ReferenceField>,
    pub values: Vec<String>,
}

#[derive(Debug)]
pub struct ReferenceField {
    pub name: String,
    /// Where a parameter is: `path`, `query` or `header`; empty for a field.
    pub place: String,
    pub kind: FieldType,
    /// For parameters and the fields of requests; a field of a result without it may be absent.
    pub is_required: bool,
    pub description: String,
}

/// A type in words, with the object that it refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldType {
    pub before: String,
    pub object: Option<String>,
    pub after: String,
}

impl FieldType {
    fn words(words: impl Into<String>) -> Self {
        Self { before: words.into(), ..Self::default() }
    }

    pub(super) fn of(schema: &Value) -> Self {
        if let Some(name) = schema["$ref"].as_str().and_then(|place| place.strip_prefix(SCHEMAS)) {
            return Self { object: Some(name.to_owned()), ..Self::default() };
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(all) = schema[choice].as_array() {
                return Self::one_of(all);
            }
        }
        let types = types(schema);
        let after = if types.contains(&"null") { " or null" } else { "" };
        let main = types.into_iter().find(|name| *name != "null").unwrap_or("any value");
        let mut found = match main {
            "array" => {
                let item = Self::of(&schema["items"]);
                Self { before: format!("list of {}", item.before), ..item }
            }
            "string" => Self::words(text(schema)),
            "integer" | "number" => Self::words(number(schema, main)),
            other => Self::words(other),
        };
        found.after.push_str(after);
        found
    }

    fn one_of(all: &[Value]) -> Self {
        let mut others = all.iter().filter(|one| types(one) != ["null"]);
        let mut found = others.next().map(Self::of).unwrap_or_default();
        for other in others {
            let other = Self::of(other);
            for part in [" or ", &other.before, other.object.as_deref().unwrap_or_default()] {
                found.after.push_str(part);
            }
        }
        if all.iter().any(|one| types(one) == ["null"]) {
            found.after.push_str(" or null");
        }
        found
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn text(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    }
    match schema["format"].as_str() {
        Some("date-time") => "time (RFC 3339)".into(),
        _ => "string".into(),
    }
}

fn number(schema: &Value, name: &str) -> String {
    match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        (Some(from), Some(to)) => format!("{name} from {from} to {to}"),
        _ => name.to_owned(),
    }
}

/// All operations, by path and method in the order of the document.
pub fn operations(document: &Value, origin: &str) -> Vec<ReferenceOperation> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        let methods = METHODS.into_iter().filter_map(|method| Some((method, item.get(method)?)));
        methods.map(|(method, operation)| read_operation(document, origin, method, path, operation))
    });
    operations.collect()
}

fn read_operation(document: &Value, origin: &str, method: &str, path: &str, operation: &Value) -> ReferenceOperation {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let (good, problems): (Vec<_>, Vec<_>) = responses.partition(|(status, _)| !status.starts_with(['4', '5']));
    let results = good.into_iter().map(|(status, response)| ReferenceResult {
        status: status.clone(),
        description: sentence(&response["description"]),
        body: schema_of(response).map(FieldType::of),
    });
    ReferenceOperation {
        id: sentence(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        title: sentence(&operation["summary"]),
        paragraphs: paragraphs(&operation["description"]),
        access: access(operation),
        parameters: operation["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
        body: schema_of(&operation["requestBody"]).map(FieldType::of),
        results: results.collect(),
        problems: problems.into_iter().map(|(status, _)| status.clone()).collect(),
        example: example::curl(document, origin, method, path, operation),
    }
}

fn access(operation: &Value) -> OperationAccess {
    match operation["security"].as_array().and_then(|all| all.first()) {
        None => OperationAccess::Open,
        Some(need) => match need["key"].as_array().and_then(|scopes| scopes.first()).and_then(Value::as_str) {
            None => OperationAccess::AnyKey,
            Some(scope) => OperationAccess::Scope(scope.to_owned()),
        },
    }
}

fn parameter(parameter: &Value) -> ReferenceField {
    ReferenceField {
        name: sentence(&parameter["name"]),
        place: sentence(&parameter["in"]),
        kind: FieldType::of(&parameter["schema"]),
        is_required: parameter["required"] == true,
        description: sentence(&parameter["description"]),
    }
}

/// All objects and sets of values, by name.
pub fn objects(document: &Value) -> Vec<ReferenceObject> {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    schemas.map(|(name, schema)| object(name, schema)).collect()
}

fn object(name: &str, schema: &Value) -> ReferenceObject {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(name, field)| ReferenceField {
        name: name.clone(),
        place: String::new(),
        kind: FieldType::of(field),
        is_required: required.contains(&name.as_str()),
        description: sentence(&field["description"]),
    });
    ReferenceObject {
        name: name.to_owned(),
        description: sentence(&schema["description"]),
        fields: fields.collect(),
        values: schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

/// A text on one line.
fn sentence(text: &Value) -> String {
    text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn paragraphs(text: &Value) -> Vec<String> {
    let paragraphs = text.as_str().unwrap_or_default().split("\n\n").map(|part| sentence(&part.into()));
    paragraphs.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(schema: &Value) -> String {
        let FieldType { before, object, after } = FieldType::of(schema);
        format!("{before}{}{after}", object.unwrap_or_default())
    }

    #[test]
    fn types_are_told_in_words() {
        let reference = json!({ "$ref": "#/components/schemas/Cart" });
        for (schema, expected) in [
            (json!({ "type": "string" }), "string"),
            (json!({ "type": ["string", "null"], "format": "date-time" }), "time (RFC 3339) or null"),
            (json!({ "type": "integer", "minimum": 1, "maximum": 100 }), "integer from 1 to 100"),
            (json!({ "type": "string", "enum": ["a", "b"] }), "a, b"),
            (json!({ "type": ["array", "null"], "items": { "type": "string" } }), "list of string or null"),
            (json!({ "type": "array", "items": reference.clone() }), "list of Cart"),
            (json!({ "oneOf": [{ "type": "null" }, reference.clone()] }), "Cart or null"),
            (reference, "Cart"),
        ] {
            assert_eq!(words(&schema), expected, "{schema}");
        }
    }
}
