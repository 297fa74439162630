// Our OpenAPI document has no error and no warning of a linter that others use.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createConfig, lint } from '@redocly/openapi-core';

test('the linter finds nothing in docs/openapi.json', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const ref = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));
  const problems = await lint({ ref, config });
  assert.deepEqual(problems.map((problem) => `${problem.severity} ${problem.ruleId}: ${problem.message} ${problem.location[0]?.pointer ?? ''}`), []);
});
