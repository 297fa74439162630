// The interpreted address below API URL. The script may show only what the server would show, and nothing where it
// would refuse.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { field, stage } from './support/browser.js';
import { root } from './support/server.js';

const at = stage();

const corpus = readFileSync(join(root, 'tests/data/addresses.tsv'), 'utf8').split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => line.split('\t'))
  .map(([typed, expected]) => ({ typed: unescape(typed), expected }));

/** Resolves the escapes named in the file's first line: \t \n \r \u{…} and \\. */
function unescape(text) {
  const plain = { t: '\t', n: '\n', r: '\r', 0: '\0', '\\': '\\' };
  return text.replace(/\\(?:u\{([0-9a-f]+)\}|(.))/gi, (_, code, one) => (code ? String.fromCodePoint(parseInt(code, 16)) : plain[one] ?? one));
}

test('script and server agree on every address of the corpus', async (t) => {
  const page = await at.visit(t);
  await page.clock.install();
  await page.goto('/admin/ecommerce/shopify/new');
  assert.ok(corpus.length > 150, String(corpus.length));
  const counts = { shown: 0, refused: 0 };
  const wrong = [];
  for (const { typed, expected } of corpus) {
    await field(page, 'API URL').fill(typed);
    await page.clock.fastForward(300);
    const shown = await page.evaluate(() => {
      const line = document.getElementById('api_url-n');
      return line.hidden ? null : line.innerText.trim();
    });
    const { value, line, outcome } = await page.evaluate(ask);
    counts[line ? 'shown' : 'refused'] += 1;
    if (shown !== line) wrong.push({ typed, expected, shown, line });
    // A browser removes line breaks from such a field before anyone sees them. No form may contain U+0000.
    const wanted = typed.includes('\0') ? 'refused whole' : expected.replace(/^ok\+\w+/, 'ok');
    if (value === typed && outcome !== wanted) wrong.push({ typed, expected, outcome });
  }
  assert.deepEqual(wrong, []);
  t.diagnostic(`${counts.shown} addresses understood, ${counts.refused} refused`);
  assert.ok(counts.shown > 30 && counts.refused > 100, JSON.stringify(counts));
});

/** Runs in the page: how the server interprets the form. Without a name it is refused, so nothing is saved. */
async function ask() {
  const form = document.getElementById('editor');
  const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
  const text = await answer.text();
  if (answer.status === 400) return { value: form.elements.api_url.value, line: null, outcome: 'refused whole' };
  const [, hidden, words] = /<p class="line ok" id="api_url-n"( hidden)?>.*?<span>(.*?)<\/span><\/p>/s.exec(text);
  const line = hidden ? null : words.replace(/<[^>]*>/g, '').replace(/&#39;/g, "'").trim();
  const handle = line && /connect to (\S+?)\.myshopify\.com/.exec(line)[1];
  return {
    value: form.elements.api_url.value,
    line,
    outcome: handle ? `ok:${handle}` : /id="api_url-e" data-class="(\w+)"/.exec(text)?.[1],
  };
}
