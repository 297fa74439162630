// No layout shift: hints that appear while a user types or copies move nothing, so that a click hits the button under
// the pointer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cart, field, stage } from './support/browser.js';

const NEW = '/admin/ecommerce/shopify/new';
const SIZES = [{ width: 1366, height: 768 }, { width: 390, height: 800 }, { width: 320, height: 640 }];
const ADDRESSES = [
  'northwind-tea',
  'https://northwind-tea.myshopify.com/admin',
  `https://${'northwind-tea-and-spices-'.repeat(3).slice(0, 63).replace(/-$/, 'x')}.myshopify.com`,
  'https://key:password@northwind-tea.myshopify.com/admin',
];
const saved = {};
const at = stage({ furnish: async (page) => { saved.tea = await cart(page, 'practice-plus', 'Northwind Tea', { active: true }); } });

/** Position and size of every visible control, from the top of the page. */
const places = (page) => page.evaluate(() => [...document.querySelectorAll('main :is(button, input, a, summary)')]
  .filter((one) => one.checkVisibility())
  .map((one) => {
    const box = one.getBoundingClientRect();
    return `${one.textContent.trim() || one.id}: ${[box.left, box.top + scrollY, box.width, box.height].map(Math.round)}`;
  }));

for (const viewport of SIZES) {
  test(`at ${viewport.width} px an interpreted address causes no layout shift`, async (t) => {
    const page = await at.visit(t, NEW, { viewport });
    const before = await places(page);
    for (const address of ADDRESSES) {
      await field(page, 'API URL').fill(address);
      await page.getByText("We'll connect to").filter({ visible: true }).waitFor();
      assert.deepEqual(await places(page), before, address);
      const [line, slot] = await page.evaluate(() => [document.querySelector('#api_url-n span').getBoundingClientRect(), document.querySelector('.slot').getBoundingClientRect()].map((one) => one.bottom));
      if (address.length < 60) assert.ok(line <= slot + 1, `${address} is cut off`);
      await field(page, 'API URL').fill('');
      await page.getByText("We'll connect to").filter({ visible: true }).waitFor({ state: 'hidden' });
      assert.deepEqual(await places(page), before, 'after clearing the field');
    }
  });

  test(`at ${viewport.width} px a changed address of a saved cart causes no layout shift`, async (t) => {
    const page = await at.visit(t, saved.tea, { viewport });
    const before = await places(page);
    await field(page, 'API URL').fill('https://northwind-b2b.myshopify.com/admin');
    await page.getByText('You changed the address after this test. Test again.').waitFor();
    await page.getByText("We'll connect to northwind-b2b.myshopify.com").waitFor();
    assert.deepEqual(await places(page), before);
  });
}

test('a corrected address causes no layout shift', async (t) => {
  const page = await at.visit(t, NEW);
  await field(page, 'API URL').fill('https://www.northwindtea.com');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('alert').getByText('There is a problem').waitFor();
  const before = await places(page);
  await field(page, 'API URL').fill('northwind-tea');
  await page.getByText("We'll connect to northwind-tea.myshopify.com").waitFor();
  assert.deepEqual(await places(page), before);
});

for (const name of ['Test Connection', 'Save']) {
  test(`${name} can be clicked while the address is interpreted`, async (t) => {
    const page = await at.visit(t, NEW, { viewport: SIZES[0] });
    const button = page.getByRole('button', { name, exact: true });
    await button.scrollIntoViewIfNeeded();
    const box = await button.boundingBox();
    await field(page, 'API URL').focus();
    await page.keyboard.type('northwind-tea');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.getByText("We'll connect to northwind-tea.myshopify.com").waitFor();
    await page.mouse.up();
    await page.getByRole('alert').getByText('There is a problem').waitFor();
  });
}

test('copying causes no layout shift', async (t) => {
  const page = await at.visit(t, NEW);
  const step = page.getByText('Choose 17 permissions').filter({ visible: true }).first();
  await step.click();
  const copy = page.getByRole('button', { name: 'Copy all 17', exact: true }).filter({ visible: true });
  const places = () => page.evaluate(() => [...document.querySelectorAll('.side button')].filter((one) => one.checkVisibility()).map((one) => JSON.stringify(one.getBoundingClientRect())));
  const before = await places();
  await copy.click();
  await page.locator('.side').getByText(/^(Copied|Not copied)$/).waitFor();
  assert.deepEqual(await places(), before);
});
