// Bytes that a first-time visitor transfers for a page, on the wire.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cart, stage } from './support/browser.js';
import { root } from './support/server.js';

const KB = 1024;
const carts = {};
const at = stage({
  furnish: async (page) => {
    const banner = 'Wholesale is saved and connected, with limits.';
    carts.limited = await cart(page, 'practice-permissions', 'Wholesale', { active: true, banner });
  },
});

/** Opens a page with an empty cache; returns every response with its bytes on the wire, headers included. */
async function cold(t, path, options) {
  const page = await at.visit(t, undefined, options);
  const wire = await page.context().newCDPSession(page);
  await wire.send('Network.enable');
  const answers = new Map();
  wire.on('Network.responseReceived', ({ requestId, type, response }) => answers.set(requestId, { type, url: response.url, bytes: 0 }));
  wire.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => { answers.get(requestId).bytes = encodedDataLength; });
  await page.goto(path, { waitUntil: 'networkidle' });
  return [...answers.values()];
}

for (const [path, options] of [
  ['/sign-in', { stranger: true }],
  ['/help', {}],
  ['/admin', {}],
  ['/admin/account', {}],
  ['/admin/ecommerce', {}],
  ['/admin/ecommerce/add', {}],
  ['/admin/ecommerce/shopify/new', {}],
  ['the cart', {}],
  ['/admin/nowhere', {}],
]) {
  test(`${path} loads in 30 kB and 6 requests from one origin`, async (t) => {
    const answers = await cold(t, path === 'the cart' ? carts.limited : path, options);
    const bytes = answers.reduce((sum, one) => sum + one.bytes, 0);
    t.diagnostic(`${path}: ${(bytes / KB).toFixed(1)} kB, ${answers.length} requests`);
    assert.ok(answers.length > 1 && answers.length <= 6, JSON.stringify(answers));
    assert.ok(bytes <= 30 * KB, JSON.stringify(answers));
    assert.deepEqual([...new Set(answers.map((one) => new URL(one.url).origin))], [at.server.origin]);
    const page = answers.find((one) => one.type === 'Document');
    assert.ok(page.bytes > 0 && page.bytes <= 12 * KB, `the page itself: ${page.bytes}`);
  });
}

for (const [name, most] of [['app.css', 8], ['app.js', 4], ['icons.svg', 3]]) {
  test(`${name} is at most ${most} kB`, (t) => {
    const size = gzipSync(readFileSync(join(root, 'static', name)), { level: 9 }).length;
    t.diagnostic(`${name}: ${(size / KB).toFixed(1)} kB`);
    assert.ok(size <= most * KB, String(size));
  });
}
