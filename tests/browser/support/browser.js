// The browser and common user actions. Everything is found by role and accessible name, as users and screen readers
// find it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { startServer } from './server.js';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Timeout for elements to appear, in milliseconds; generous, because it only costs time when a test fails. */
export const PATIENCE = 20_000;

export const PRIYA = { name: 'Priya Shah', email: 'priya@northwind.example', password: ['heron', 'copper', 'lantern', 'tides'].join(' ') };

/** Launches Chromium; `flags` are additional command-line flags. */
export function launch({ flags = [], ...options } = {}) {
  const executablePath = process.env.CHROMIUM || ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
  return chromium.launch({ executablePath, args: [...FLAGS, ...flags], ...options });
}

/**
 * A server and a browser for the tests of one file or one `describe`; both stop afterwards. With `prepare`, an administrator is
 * signed in and the integration is on before the first test, `furnish` adds what the tests need, and `visit` opens pages as
 * that user. `settings` are additional settings of the server.
 */
export function stage({ prepare = true, furnish, settings, context = {}, browser: options = {} } = {}) {
  const stage = { server: undefined, browser: undefined, state: undefined };
  before(async () => {
    stage.server = await startServer(settings);
    stage.browser = await launch(options);
    if (prepare) stage.state = await prepareAdministrator(stage, furnish);
  });
  after(async () => {
    await stage.browser?.close();
    await stage.server?.stop();
  });
  /** Opens a page in a new context, closed at the end of the test. With `stranger`, without a session. */
  stage.visit = async (t, path, { stranger = false, ...more } = {}) => {
    const made = await stage.browser.newContext({
      baseURL: stage.server.origin,
      storageState: stranger ? undefined : stage.state,
      ...context,
      ...more,
    });
    made.setDefaultTimeout(PATIENCE);
    t.after(() => made.close());
    const page = await made.newPage();
    if (path) await page.goto(path);
    return page;
  };
  return stage;
}

async function prepareAdministrator({ browser, server }, furnish) {
  const context = await browser.newContext({ baseURL: server.origin });
  const page = await context.newPage();
  await createAdministrator(page, server.setUpLink);
  await turnOn(page);
  await furnish?.(page, server);
  const state = await context.storageState();
  await context.close();
  return state;
}

export async function createAdministrator(page, setUpLink) {
  await page.goto(setUpLink);
  await page.getByLabel('Your name').fill(PRIYA.name);
  await page.getByLabel('Email address').fill(PRIYA.email);
  await page.getByLabel('New password').fill(PRIYA.password);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await heading(page, 'Admin');
}

export async function signIn(page, password = PRIYA.password) {
  await page.getByLabel('Email address').fill(PRIYA.email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Turns the integration on through *Add Cart*, without using the switch first. */
export async function turnOn(page) {
  await page.goto('/admin/ecommerce');
  await page.getByRole('link', { name: 'Add Cart' }).click();
  await heading(page, 'Turn on Ecommerce Integration to add a cart');
  await page.getByRole('button', { name: 'Turn on and add a cart' }).click();
  await heading(page, 'Add a cart');
}

/** Waits for a page with exactly this `h1`. */
export async function heading(page, name) {
  await page.getByRole('heading', { level: 1, name, exact: typeof name === 'string' }).waitFor();
  assert.equal(await page.locator('h1').count(), 1);
}

export const field = (page, name) => page.getByRole('textbox', { name, exact: true });

/** Presses *Fill in* of a practice store in an open editor. The secret goes from the store to the draft inside the server. */
export async function fillIn(page, handle) {
  const button = page.getByRole('button', { name: `Fill in ${handle}`, exact: true });
  if (!(await button.isVisible())) await page.getByText('Every case', { exact: true }).click();
  await button.click();
  await page.getByText(/^(Token|Client secret) received/).waitFor();
  assert.equal(await field(page, 'API URL').inputValue(), `https://${handle}.myshopify.com/admin`);
}

/** Opens a new editor and fills it in from a practice store, under a name of its own. */
export async function draft(page, handle, name = `Northwind ${handle}`) {
  await page.goto('/admin/ecommerce/shopify/new');
  await field(page, 'Website Name').fill(name);
  await fillIn(page, handle);
  assert.equal(await field(page, 'Website Name').inputValue(), name);
}

export const region = (page) => page.getByRole('region', { name: 'Connection test', exact: true });

/** Presses *Test Connection* and returns the new result; ignores an earlier one. */
export async function testConnection(page) {
  for (const earlier of await region(page).all()) await earlier.evaluate((one) => one.setAttribute('data-earlier', ''));
  await page.getByRole('button', { name: 'Test Connection', exact: true }).click();
  return verdict(page);
}

export async function verdict(page) {
  const found = region(page).and(page.locator(':not([data-earlier])'));
  await found.waitFor();
  return {
    outcome: await found.getAttribute('data-outcome'),
    class: await found.getAttribute('data-class'),
    title: (await found.getByRole('heading').first().innerText()).trim(),
  };
}

/** Presses *Save* and waits for the next page, so that an earlier banner is not read. */
export async function save(page) {
  const arrived = page.waitForEvent('domcontentloaded');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await arrived;
}

/** Saves and checks the banner; returns the path of the cart. */
export async function savedAs(page, banner) {
  await save(page);
  const told = page.locator('main .notice strong').first();
  await told.waitFor();
  assert.equal((await told.innerText()).trim(), banner);
  assert.match(page.url(), /\/admin\/ecommerce\/shopify\/[0-9a-f]{32}\/general$/);
  return new URL(page.url()).pathname;
}

/** Saves a cart of a practice store, by default after a test; its editor is open. */
export async function cart(page, handle, name, { active = false, tested = true, banner } = {}) {
  await draft(page, handle, name);
  await page.getByRole('checkbox', { name: 'Active', exact: true }).setChecked(active);
  if (tested) await testConnection(page);
  return savedAs(page, banner ?? (tested ? `${name} is saved and ${active ? 'connected' : 'inactive'}.` : `${name} is saved as a draft.`));
}

/** The class of a field's error: of the element that `aria-describedby` references and that has a `data-class`. */
export async function complaint(page, name) {
  const box = field(page, name).and(page.locator('[aria-invalid=true]'));
  await box.waitFor();
  const ids = (await box.getAttribute('aria-describedby')).split(/\s+/).filter(Boolean);
  for (const id of ids) {
    const found = await page.locator(`[id="${id}"]`).getAttribute('data-class');
    if (found) return found;
  }
  return assert.fail(`${name} has no error among ${ids}`);
}

/** Collects console messages; tests assert that there are none. Chromium's own message for a 4xx is expected. */
export function listen(page) {
  const said = [];
  page.on('console', (message) => {
    if (!/^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text())) said.push(message.text());
  });
  page.on('pageerror', (error) => said.push(String(error)));
  return said;
}
