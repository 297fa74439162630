// Checks a page at desktop and small phone size, and its colours in light and dark. Any violation, and anything that axe
// cannot decide, fails. Then measures it at every phone width.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fitsPhones } from './phone.js';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** The rules whose result depends on colours. In the dark theme nothing else differs from the light one. */
const COLOURS = ['color-contrast', 'link-in-text-block'];
const SIZES = [{ width: 1280, height: 900 }, { width: 320, height: 640 }];

/** Checks the current state of a page, or only `within` an element that overlays the rest. */
export async function look(page, within = 'html') {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(source);
  for (const viewport of SIZES) {
    await page.setViewportSize(viewport);
    const { asked, there } = await page.evaluate(() => ({ asked: document.scrollingElement.scrollWidth, there: innerWidth }));
    assert.ok(asked <= there, `${viewport.width} px: the page is ${asked} px wide`);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const runOnly = colorScheme === 'light' ? { type: 'tag', values: TAGS } : { type: 'rule', values: COLOURS };
      const found = await page.evaluate(async ({ runOnly, within }) => {
        const { violations, incomplete } = await window.axe.run(within, { runOnly, resultTypes: ['violations', 'incomplete'] });
        const tell = (kind) => ({ id, nodes }) => `${kind} ${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ')}`;
        return [...violations.map(tell('violation')), ...incomplete.map(tell('undecided'))];
      }, { runOnly, within });
      assert.deepEqual(found, [], `${viewport.width} px, ${colorScheme}`);
    }
  }
  await fitsPhones(page);
}
