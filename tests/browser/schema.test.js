// Validates every GraphQL document that we send against Shopify's own schemas. Shopify refuses a whole document for one
// wrong field.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import {
  NoDeprecatedCustomRule, TypeInfo, buildClientSchema, getNamedType, parse, specifiedRules, validate, visit, visitWithTypeInfo,
} from 'graphql';
import { root } from './support/server.js';

const schemas = fileURLToPath(new URL('node_modules/@shopify/dev-mcp/dist/data/', import.meta.url));
const versions = readdirSync(schemas).flatMap((name) => /^admin_(\d{4}-\d\d)\.json\.gz$/.exec(name)?.[1] ?? []).sort();
const ours = readFileSync(join(root, 'src/platforms/shopify/mod.rs'), 'utf8');
const pinned = /API_VERSION: &str = "([^"]+)"/.exec(ours)[1];
const documents = readdirSync(join(root, 'src'), { recursive: true })
  .filter((name) => name.endsWith('.graphql'))
  .map((name) => join(root, 'src', name));

const load = (version) => JSON.parse(gunzipSync(readFileSync(join(schemas, `admin_${version}.json.gz`))));

/** The pinned version, its two predecessors and the newest available one. */
function checked() {
  const at = versions.indexOf(pinned);
  assert.ok(at >= 2, `@shopify/dev-mcp has ${versions}, and we ask for ${pinned}`);
  return [...new Set([...versions.slice(at - 2, at + 1), versions.at(-1)])];
}

for (const version of checked()) {
  test(`our documents are valid for Admin API ${version}`, (t) => {
    const { data, offline_scopes: scopes } = load(version);
    const schema = buildClientSchema(data, { assumeValid: true });
    assert.ok(documents.length >= 2, 'too few documents');
    for (const path of documents) {
      const name = relative(root, path);
      const document = parse(readFileSync(path, 'utf8'));
      const wrong = validate(schema, document, [...specifiedRules, NoDeprecatedCustomRule]);
      assert.deepEqual(wrong.map((error) => error.message), [], `${name} against ${version}`);
      if (version === pinned) for (const line of access(schema, document, scopes.items)) t.diagnostic(`${name}: ${line}`);
    }
  });
}

/** The access that Shopify requires per field and type of a document. A change here changes the permissions that we need. */
function access(schema, document, items) {
  const key = ({ typeName, fieldName }) => (fieldName ? `${typeName}.${fieldName}` : typeName);
  const asked = new Map(items.filter((item) => item.requiredAccess).map((item) => [key(item), item.requiredAccess]));
  const info = new TypeInfo(schema);
  const lines = new Set();
  visit(document, visitWithTypeInfo(info, {
    Field() {
      const [parent, field, type] = [info.getParentType(), info.getFieldDef(), getNamedType(info.getType())];
      for (const name of [`${parent.name}.${field.name}`, type.name]) {
        if (asked.has(name)) lines.add(`${name} needs ${asked.get(name)}`);
      }
    },
  }));
  return lines;
}

test('Shopify still supports the pinned version', (t) => {
  const [, day, time] = /API_VERSION_ENDS_AT: OffsetDateTime = datetime!\((\S+) (\S+) UTC\)/.exec(ours);
  const end = new Date(`${day}T${time}Z`);
  const days = Math.floor((end - Date.now()) / 86_400_000);
  t.diagnostic(`Admin API ${pinned} is served until ${end.toISOString().slice(0, 10)}: ${days} more days`);
  assert.ok(days >= 0, `support of ${pinned} ended on ${day}: raise API_VERSION`);
});
