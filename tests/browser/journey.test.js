// The main journey from the set-up link to a cart that is edited, broken, repaired and deleted, through visible labels
// only, with and without script.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  PRIYA, cart, complaint, createAdministrator, draft, field, fillIn, heading, region, save, savedAs, signIn, stage,
  testConnection, turnOn, verdict,
} from './support/browser.js';

for (const javaScriptEnabled of [true, false]) {
  const context = { javaScriptEnabled };

  describe(`a newcomer, script ${javaScriptEnabled ? 'on' : 'off'}`, () => {
    const at = stage({ prepare: false, context });

    test('gets from the set-up link to a connected cart', async (t) => {
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

    test('replaces a token: blank keeps the old one, a new one is used after it passed', async (t) => {
      const page = await at.visit(t);
      const general = await cart(page, 'practice-development', 'Workshop');
      const main = page.getByRole('main');

      await page.getByRole('button', { name: 'Replace token', exact: true }).click();
      await main.getByText('The saved token keeps working until the new one has passed its test.').waitFor();
      await savedAs(page, 'Workshop is saved.');
      assert.equal((await testConnection(page)).class, 'CONNECTED');

      await page.goto(general);
      await page.getByRole('button', { name: 'Replace token', exact: true }).click();
      await field(page, 'Access Token').fill(aToken());
      await savedAs(page, 'Workshop is saved, but still uses the old access token.');
      await main.getByText(/^Token received, ends in/).waitFor();
      assert.equal((await testConnection(page)).class, 'TOKEN_REFUSED', 'the draft token is tested');
      await page.goto(general);
      await page.getByRole('button', { name: 'Keep the saved token', exact: true }).click();
      assert.equal((await testConnection(page)).class, 'CONNECTED', 'the saved token is still in use');

      await page.goto(general);
      await page.getByRole('button', { name: 'Replace token', exact: true }).click();
      await page.getByRole('button', { name: 'Keep the saved token', exact: true }).click();
      await page.getByRole('button', { name: 'Replace token', exact: true }).waitFor();

      await fillIn(page, 'practice-development');
      assert.equal((await testConnection(page)).class, 'CONNECTED');
      await savedAs(page, 'Workshop is saved.');
      await main.getByText(/^Saved\. It ends in/).waitFor();
    });

    test('never sends a saved token to another store', async (t) => {
      const page = await at.visit(t);
      const general = await cart(page, 'practice-no-orders', 'Quiet store');
      for (const press of ['Test Connection', 'Save']) {
        await page.goto(general);
        await field(page, 'Website Name').fill('Quiet store, moved');
        await field(page, 'API URL').fill('practice-alias');
        await page.getByRole('button', { name: press, exact: true }).click();
        assert.equal(await complaint(page, 'Access Token'), 'STORE_CHANGED');
        assert.equal(await region(page).count(), 0);
        assert.equal(await field(page, 'Website Name').inputValue(), 'Quiet store, moved');
        assert.match(await field(page, 'API URL').inputValue(), /practice-alias/);
      }
    });

    test('sees which permissions are missing, and saves with that limit', async (t) => {
      const page = await at.visit(t);
      await draft(page, 'practice-permissions', 'Wholesale');
      assert.deepEqual(await testConnection(page), {
        outcome: 'limited', class: 'SCOPES_MISSING', title: 'Connected, but 2 permissions are missing',
      });
      await region(page).getByText(/read_payment_terms/).first().waitFor();
      const copy = region(page).getByRole('button', { name: 'Copy the 2 missing permissions', exact: true });
      assert.equal(await copy.isVisible(), javaScriptEnabled, 'a button that needs script is hidden without it');
      await savedAs(page, 'Wholesale is saved and connected, with limits.');
      await page.getByRole('link', { name: 'See all carts' }).click();
      const row = page.getByRole('row', { name: /Wholesale/ });
      await row.getByText('Needs attention', { exact: true }).waitFor();
      await row.getByText('2 permissions missing', { exact: true }).waitFor();
    });

    test('cannot turn on a cart whose store is paused: it is a draft', async (t) => {
      const page = await at.visit(t);
      await draft(page, 'practice-paused', 'Paused store');
      assert.deepEqual(await testConnection(page), {
        outcome: 'not-connected', class: 'STORE_FROZEN', title: 'This store is paused by Shopify',
      });
      const active = page.getByRole('checkbox', { name: 'Active', exact: true });
      for (const attempt of ['new', 'saved']) {
        await active.check();
        await savedAs(page, 'Paused store is saved as a draft.');
        await page.getByText('It turns on when the test passes.').waitFor();
        await page.getByRole('main').getByText('Draft', { exact: true }).waitFor();
        await page.reload();
        assert.equal(await active.isChecked(), true, `a draft stays ticked as active, ${attempt}`);
        await page.getByText('Test failed: This store is paused by Shopify').waitFor();
      }
    });

    test('tests a pair of Client ID and Client secret', async (t) => {
      const page = await at.visit(t);
      await draft(page, 'practice-client', 'Dashboard store');
      assert.equal(await page.getByRole('radio', { name: 'Client ID and Client secret' }).isChecked(), true);
      assert.match(await field(page, 'Client ID').inputValue(), /^[0-9a-f]{32}$/);
      assert.equal((await testConnection(page)).class, 'CONNECTED');
      await savedAs(page, 'Dashboard store is saved and connected.');
    });

    test('keeps all input when a field is invalid', async (t) => {
      const page = await at.visit(t, '/admin/ecommerce/shopify/new');
      for (const press of ['Test Connection', 'Save']) {
        await page.goto('/admin/ecommerce/shopify/new');
        await field(page, 'Website Name').fill('  Northwind & “Söhne” <b>');
        await field(page, 'API URL').fill('https://www.northwindtea.com/shop?a=1&b="2"');
        await page.getByRole('checkbox', { name: 'Active', exact: true }).uncheck();
        await page.getByRole('button', { name: press, exact: true }).click();
        assert.equal(await complaint(page, 'API URL'), 'OWN_DOMAIN');
        assert.equal(await complaint(page, 'Access Token'), 'TOKEN_EMPTY');
        assert.match(await page.title(), /^Error: /);
        assert.equal(await field(page, 'Website Name').inputValue(), '  Northwind & “Söhne” <b>');
        assert.equal(await field(page, 'API URL').inputValue(), 'https://www.northwindtea.com/shop?a=1&b="2"');
        assert.equal(await page.getByRole('checkbox', { name: 'Active', exact: true }).isChecked(), false);

        await field(page, 'Website Name').fill('');
        await field(page, 'API URL').fill('practice-tea');
        const token = aToken();
        await field(page, 'Access Token').fill(token);
        await page.getByRole('button', { name: press, exact: true }).click();
        assert.equal(await complaint(page, 'Website Name'), 'NAME_EMPTY');
        await page.getByText(`Token received, ends in ${token.slice(-4)}.`).waitFor();
        await page.getByRole('button', { name: 'Enter a different token', exact: true }).click();
        assert.equal(await field(page, 'Access Token').inputValue(), '');
      }
    });

    test('sees the checks arrive one by one', async (t) => {
      const page = await at.visit(t);
      await draft(page, 'practice-patience', 'Patient store');
      await page.getByRole('button', { name: 'Test Connection', exact: true }).click();
      await page.locator('.testing li[data-check=address]').waitFor();
      assert.equal(await region(page).count(), 0, 'no verdict before the store has responded');
      assert.equal(await page.locator('.testing li[data-check=store]').count(), 0);
      await page.getByRole('main').getByText(/Testing practice-patience/).waitFor();
      assert.equal((await verdict(page)).class, 'CONNECTED');
      await page.locator('.testing').waitFor({ state: 'hidden' });
      assert.deepEqual(
        await region(page).locator('li[data-check]').evaluateAll((lines) => lines.map((line) => line.dataset.check)),
        ['address', 'store', 'credential', 'permissions', 'version', 'customers'],
      );
      assert.equal(await field(page, 'Website Name').inputValue(), 'Patient store');
    });

    test('disconnects a cart, then deletes it', async (t) => {
      const page = await at.visit(t);
      await cart(page, 'practice-generous', 'Short-lived', { active: true });
      await page.getByRole('link', { name: 'Disconnect', exact: true }).click();
      await heading(page, 'Disconnect Short-lived?');
      await page.getByRole('button', { name: 'Disconnect', exact: true }).click();
      await page.getByText('Short-lived is disconnected.').waitFor();
      await page.getByRole('main').getByText('Draft', { exact: true }).waitFor();

      await page.getByRole('link', { name: 'Delete cart', exact: true }).click();
      await heading(page, 'Delete Short-lived?');
      await page.getByRole('button', { name: 'Delete cart', exact: true }).click();
      await page.getByText('Short-lived is deleted.').waitFor();
      await heading(page, 'Ecommerce Integration');
      assert.equal(await page.getByRole('row', { name: /Short-lived/ }).count(), 0);
    });

    test('sees a conflict with a change in another tab', async (t) => {
      const page = await at.visit(t);
      const general = await cart(page, 'practice-nice-to-have', 'Two at once', { active: true });
      const other = await page.context().newPage();
      await other.goto(general);
      await field(other, 'Website Name').fill('Theirs');
      await savedAs(other, 'Theirs is saved.');

      await field(page, 'Website Name').fill('Ours');
      await save(page);
      await heading(page, 'You changed this cart in another tab');
      const row = page.getByRole('row', { name: /Website Name/ });
      assert.deepEqual(await row.getByRole('cell').allInnerTexts(), ['Theirs', 'Ours']);
      await page.getByRole('button', { name: 'Save the changes of this tab', exact: true }).click();
      await page.getByText('Ours is saved.').waitFor();
    });
  });
}

// Uses a separate server: a user runs one test at a time, and this one is left running.
describe('a user with a running test', () => {
  const at = stage();

  test('can save while the test runs', async (t) => {
    const page = await at.visit(t);
    await draft(page, 'practice-slow', 'In a hurry');
    await page.getByRole('button', { name: 'Test Connection', exact: true }).click();
    await page.locator('.testing li[data-check=address]').waitFor();
    await savedAs(page, 'In a hurry is saved as a draft.');
  });
});

/** A well-formed, unknown token; generated so that no file contains a token. */
function aToken() {
  return `shpat_${randomBytes(16).toString('hex')}`;
}
