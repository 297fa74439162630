// Keyboard actions.
import assert from 'node:assert/strict';

/** Presses Tab until the target is focused. Every stop must show its focus; after the last, it leaves the page. */
export async function tabTo(page, target, most = 60) {
  const wanted = await target.first().elementHandle();
  for (let n = 0; n < most; n += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate((wanted) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      const seen = document.activeElement === document.body || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2);
      return { words: document.activeElement.outerHTML.slice(0, 80), seen, there: document.activeElement === wanted };
    }, wanted);
    assert.ok(stop.seen, `no outline on ${stop.words}`);
    if (stop.there) return;
  }
  assert.fail(`Tab did not reach ${target}`);
}

export const isFocused = async (target) => (await target.count()) > 0 && target.first().evaluate((one) => one === document.activeElement);

export async function waitForFocus(target) {
  await target.first().waitFor();
  await target.first().page().waitForFunction((one) => one === document.activeElement, await target.first().elementHandle());
}
