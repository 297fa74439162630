// Right-to-left names are isolated: they reorder no word, digit or sign next to them.
import assert from 'node:assert/strict';

/** Fails for right-to-left text that is neither in an element with its own direction nor, as plain text, between isolates. */
export async function isolated(page) {
  const found = await page.evaluate(() => {
    const turns = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]/;
    const bare = (text) => turns.test(text.replace(/\u2068[^\u2066-\u2069]*\u2069/g, ''));
    const offenders = bare(document.title) ? [`title: ${document.title}`] : [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { nodeValue, parentElement } = texts.currentNode;
      if (bare(nodeValue) && !parentElement.closest('bdi, [dir=auto]')) offenders.push(`${parentElement.outerHTML.slice(0, 200)}`);
    }
    for (const one of document.querySelectorAll('[aria-label], [alt], [title], input:not([type=hidden], [type=checkbox])')) {
      for (const name of ['aria-label', 'alt', 'title']) if (bare(one.getAttribute(name) ?? '')) offenders.push(`${name}: ${one.getAttribute(name)}`);
      if (one.matches('input') && turns.test(one.value) && one.dir !== 'auto') offenders.push(`the field ${one.id}`);
    }
    for (const one of document.querySelectorAll('bdi')) {
      if (getComputedStyle(one).unicodeBidi !== 'isolate') offenders.push(`a style turns ${one.outerHTML}`);
    }
    return offenders;
  });
  assert.deepEqual(found, [], 'right-to-left names are isolated');
}

/** The words of one line in visual order, from the left. */
export async function seen(element, words) {
  const places = await element.evaluate((one, words) => words.map((word) => {
    const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const at = texts.currentNode.nodeValue.indexOf(word);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(texts.currentNode, at);
      range.setEnd(texts.currentNode, at + word.length);
      return { word, left: range.getBoundingClientRect().left };
    }
    return { word, left: NaN };
  }), words);
  for (const { word, left } of places) assert.ok(left >= 0, `${word} is missing`);
  return places.sort((one, other) => one.left - other.left).map(({ word }) => word);
}
