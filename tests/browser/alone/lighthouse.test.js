// Lighthouse on the main pages, on phone and desktop: 100 of 100 for accessibility, best practices and search engines
// (except indexing, which admin pages opt out of). Runs alone because its performance score is a timing: 100 on an idle
// machine; here it is only reported, unless it drops so far that the page must be at fault.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import lighthouse, { desktopConfig } from 'lighthouse';
import { cart, launch, stage } from '../support/browser.js';

/** Attempts per page: a busy machine may spoil one, and Lighthouse may lose its own trace, but not every time. */
const LOOKS = 5;

/** Minimum score of each category. */
const LEAST = { performance: 0.9, accessibility: 1, 'best-practices': 1, seo: 1 };

describe('Lighthouse', () => {
  let saved;
  const at = stage({ furnish: async (page) => { saved = await cart(page, 'practice-plus', 'Northwind Tea', { active: true }); } });

  const pages = {
    'sign-in': { path: () => '/sign-in', stranger: true },
    'the list': { path: () => '/admin/ecommerce' },
    'the editor, new': { path: () => '/admin/ecommerce/shopify/new' },
    'the editor': { path: () => saved },
    health: { path: () => saved.replace(/general$/, 'health') },
  };

  for (const [name, { path, stranger = false }] of Object.entries(pages)) {
    for (const [device, config] of [['phone', undefined], ['desk', desktopConfig]]) {
      test(`${name}, ${device}`, async (t) => {
        const cookie = at.state.cookies.map((one) => `${one.name}=${one.value}`).join('; ');
        const headers = stranger ? {} : { Cookie: cookie };
        let found;
        for (let look = 0; look < LOOKS; look += 1) {
          found = await judge(`${at.server.origin}${path()}`, headers, config);
          t.diagnostic(`performance ${found.performance}`);
          if (Object.keys(found.short).length === 0) return;
        }
        assert.deepEqual(found.short, {}, JSON.stringify(found.why, null, 1));
      });
    }
  }
});

/** Returns the categories below their minimum and the audits that cost them. */
async function judge(url, extraHeaders, config) {
  const port = await freePort();
  const browser = await launch({ flags: [`--remote-debugging-port=${port}`] });
  try {
    const options = { port, extraHeaders, onlyCategories: Object.keys(LEAST), skipAudits: ['is-crawlable'], logLevel: 'error' };
    const { lhr } = await lighthouse(url, options, config);
    if (lhr.runtimeError) return { performance: 'not seen', short: { lighthouse: lhr.runtimeError.code }, why: [] };
    assert.equal(lhr.finalDisplayedUrl, url, 'the page itself, not the sign-in');
    const short = Object.values(lhr.categories).filter(({ id, score }) => score < LEAST[id]);
    const why = short.flatMap((category) => category.auditRefs)
      .filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 1)
      .map(({ id }) => `${id}: ${lhr.audits[id].displayValue ?? lhr.audits[id].title}`);
    const of100 = (score) => Math.round(score * 100);
    return {
      performance: of100(lhr.categories.performance.score),
      short: Object.fromEntries(short.map(({ id, score }) => [id, of100(score)])),
      why,
    };
  } finally {
    await browser.close();
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}
