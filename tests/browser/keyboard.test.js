// The main path with only Tab, Enter and Space: tab order equals reading order, and the focus is visible.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRIYA, field, heading, region, signIn, stage } from './support/browser.js';
import { isFocused, tabTo, waitForFocus } from './support/keyboard.js';

const at = stage();
const NEW = '/admin/ecommerce/shopify/new';

test('signing in', async (t) => {
  const page = await at.visit(t, '/sign-in', { stranger: true });
  await tabTo(page, page.getByLabel('Email address'));
  await page.keyboard.type(PRIYA.email);
  await tabTo(page, page.getByLabel('Password', { exact: true }));
  await page.keyboard.type(PRIYA.password);
  await page.keyboard.press('Enter');
  await heading(page, 'Admin');
});

test('a refused sign-in puts the focus on the summary, whose links lead to the fields', async (t) => {
  const page = await at.visit(t, '/sign-in', { stranger: true });
  await signIn(page, 'not it, not it');
  await waitForFocus(page.getByRole('alert'));
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await waitForFocus(page.getByLabel('Email address'));
  assert.equal(await page.getByLabel('Email address').inputValue(), PRIYA.email);
});

test('the skip link is first and skips the header', async (t) => {
  const page = await at.visit(t, '/admin/ecommerce');
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to the content' });
  assert.ok(await isFocused(skip));
  assert.ok(await skip.evaluate((link) => link.getBoundingClientRect().top >= 0), 'it is visible when focused');
  await page.keyboard.press('Enter');
  await waitForFocus(page.locator('main'));
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement.closest('main')), 'the next stop is in the content');
});

test('from the list to a saved cart', async (t) => {
  const page = await at.visit(t, '/admin/ecommerce');
  await tabTo(page, page.getByRole('link', { name: 'Add Cart' }));
  await page.keyboard.press('Enter');
  await heading(page, 'Add a cart');
  await tabTo(page, page.getByRole('link', { name: 'Add Shopify', exact: true }));
  await page.keyboard.press('Enter');
  await heading(page, /Shopify$/);
  await tabTo(page, field(page, 'Website Name'));
  await page.keyboard.type('By hand');
  await tabTo(page, page.getByRole('button', { name: 'Fill in practice-tea', exact: true }));
  await page.keyboard.press('Space');
  await page.getByText(/^Token received/).waitFor();
  assert.equal(await field(page, 'Website Name').inputValue(), 'By hand');

  await tabTo(page, page.getByRole('button', { name: 'Test Connection', exact: true }));
  await page.keyboard.press('Space');
  await waitForFocus(region(page).getByRole('heading').first());
  assert.equal(await region(page).getAttribute('data-class'), 'CONNECTED');
  assert.equal((await page.getByRole('status').innerText()).trim(), '', 'the verdict is announced once, through the focus');

  await page.getByRole('button', { name: 'Save', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('By hand is saved and connected.').waitFor();
});

test('a test result does not steal the focus and is announced in the status line', async (t) => {
  const page = await at.visit(t, NEW);
  await field(page, 'Website Name').fill('Elsewhere');
  await page.getByText('Every case', { exact: true }).click();
  await page.getByRole('button', { name: 'Fill in practice-patience', exact: true }).click();
  await page.getByText(/^Token received/).waitFor();
  await page.getByRole('button', { name: 'Test Connection', exact: true }).press('Enter');
  await page.getByRole('status').getByText('Testing the connection').waitFor({ state: 'attached' });
  await field(page, 'Website Name').focus();
  await region(page).waitFor();
  assert.ok(await isFocused(field(page, 'Website Name')));
  await page.getByRole('status').getByText('Connected to Northwind Tea').waitFor({ state: 'attached' });
});

test('Enter in a field tests and saves nothing', async (t) => {
  const page = await at.visit(t, NEW);
  await page.getByRole('button', { name: 'Fill in practice-paused', exact: true }).click();
  await page.getByText(/^Token received/).waitFor();
  await field(page, 'Website Name').press('Enter');
  await region(page).waitFor();
  assert.equal(await region(page).getAttribute('data-class'), 'STORE_FROZEN');
  await page.goto('/admin/ecommerce');
  assert.equal(await page.getByText('practice-paused').count(), 0);
});

test('an error in the editor puts the focus on the summary', async (t) => {
  for (const press of ['Test Connection', 'Save']) {
    const page = await at.visit(t, NEW);
    await page.getByRole('button', { name: press, exact: true }).press('Enter');
    await waitForFocus(page.getByRole('alert'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await waitForFocus(field(page, 'Website Name'));
  }
});

test('the tab order of the editor is its reading order', async (t) => {
  const page = await at.visit(t, NEW);
  const stops = [];
  await tabTo(page, field(page, 'Website Name'));
  do {
    stops.push(await page.evaluate(() => {
      const one = document.activeElement;
      return (one.labels?.[0] ?? one).innerText.trim().replace(/\s+/g, ' ');
    }));
    await page.keyboard.press('Tab');
  } while (await page.evaluate(() => document.activeElement.closest('#editor')));
  assert.deepEqual(stops, ['Website Name', 'API URL', 'Access Token', 'Access Token', 'Show', 'Active', 'Test Connection', 'Save', 'Cancel']);
});
