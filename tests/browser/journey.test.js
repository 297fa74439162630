// From the one-time link to a cart that is edited, broken, mended and deleted: by visible words alone, with script and without.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  PRIYA, cart, complaint, createAdministrator, draft, field, fillIn, heading, region, save, savedAs, signIn, stage,
  testConnection, turnOn, verdict,
} from './support/browser.js';

for (const javaScriptEnabled of [true, false]) {
  const context = { javaScriptEnabled };

  describe(`a newcomer, script ${javaScriptEnabled ? 'on' : 'off'}`, () => {
    const at = stage({ prepare: false, context });

    test('comes from the set-up link to a connected cart', async (t) => {
      const page = await at.visit(t);
      await createAdministrator(page, at.server.setUpLink);
      await page.getByText('Welcome, Priya.').waitFor();

      await page.getByText(PRIYA.name).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByText('You are signed out.').waitFor();
      await signIn(page);
      await heading(page, 'Admin');

      await page.getByRole('link', { name: 'Ecommerce Integration' }).click();
      await heading(page, 'Ecommerce Integration');
      assert.equal(await page.getByRole('checkbox', { name: 'Active', exact: true }).isChecked(), false);
      await turnOn(page);
      const tiles = page.getByRole('main').getByRole('heading', { level: 2 });
      assert.deepEqual(await tiles.allInnerTexts(), ['Shopify', 'BigCommerce', 'WooCommerce', 'Magento', 'Volusion', 'Shift4Shop']);
      assert.equal(await page.getByText('Not available yet').count(), 5);
      await page.getByRole('link', { name: 'Add Shopify', exact: true }).click();

      await heading(page, /^ECommerce Integration Editor\s*: Shopify$/);
      await field(page, 'Website Name').fill('Northwind Tea');
      await fillIn(page, 'practice-tea');
      assert.deepEqual(await testConnection(page), { outcome: 'connected', class: 'CONNECTED', title: 'Connected to Northwind Tea' });
      await region(page).getByText('All 17 permissions are in place.').waitFor();
      await savedAs(page, 'Northwind Tea is saved and connected.');
      assert.match(await page.title(), /^Saved – Northwind Tea – /);

      await page.getByRole('link', { name: 'See all carts' }).click();
      const row = page.getByRole('row', { name: /Northwind Tea/ });
      await row.getByText('Connected', { exact: true }).waitFor();
      await row.getByText('On', { exact: true }).waitFor();
      assert.equal(await page.getByRole('checkbox', { name: 'Active', exact: true }).isChecked(), true);
    });
  });

  describe(`an administrator, script ${javaScriptEnabled ? 'on' : 'off'}`, () => {
    const at = stage({ context });

    test('renames a cart, tests it with the saved token, switches it off and on', async (t) => {
      const page = await at.visit(t);
      await cart(page, 'practice-plus', 'Plus', { active: true });
      await field(page, 'Website Name').fill('Plus and more');
      assert.equal((await testConnection(page)).class, 'CONNECTED');
      assert.equal(await field(page, 'Website Name').inputValue(), 'Plus and more');
      await savedAs(page, 'Plus and more is saved.');
      await page.getByRole('checkbox', { name: 'Active', exact: true }).uncheck();
      await savedAs(page, 'Plus and more is inactive.');
      await heading(page, /Plus and more/);
      await page.getByText('Turned off by Priya Shah').waitFor();
      await page.getByRole('checkbox', { name: 'Active', exact: true }).check();
      await save(page);
      await page.getByText('Turned off by Priya Shah').waitFor({ state: 'detached' });
      await page.getByRole('main').getByText('Connected', { exact: true }).first().waitFor();
    });
  });
}
