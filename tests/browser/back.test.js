// The Back button loses no input, and a secret travels only to the server, never back.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { complaint, field, fillIn, heading, region, save, savedAs, stage, testConnection } from './support/browser.js';

// Playwright disables Chromium's back/forward cache by default, unlike a user's browser.
const at = stage({ browser: { ignoreDefaultArgs: ['--disable-back-forward-cache'] } });
const NEW = '/admin/ecommerce/shopify/new';

test('Back after a failed save restores all input', async (t) => {
  const page = await at.visit(t, '/admin/ecommerce/add');
  await page.getByRole('link', { name: 'Add Shopify', exact: true }).click();
  await field(page, 'Website Name').fill('Northwind Tea');
  await field(page, 'API URL').fill('www.northwindtea.com');
  await page.getByRole('checkbox', { name: 'Active', exact: true }).uncheck();
  await save(page);
  assert.equal(await complaint(page, 'API URL'), 'OWN_DOMAIN');

  await page.goBack();
  await heading(page, /Shopify$/);
  assert.equal(await field(page, 'Website Name').inputValue(), 'Northwind Tea');
  assert.equal(await field(page, 'API URL').inputValue(), 'www.northwindtea.com');
  assert.equal(await page.getByRole('checkbox', { name: 'Active', exact: true }).isChecked(), false);
});

test('a refused form asks before leaving by a link', async (t) => {
  const page = await at.visit(t, NEW);
  const asked = [];
  page.on('dialog', (dialog) => { asked.push(dialog.type()); dialog.dismiss(); });
  await field(page, 'Website Name').fill('Northwind Tea');
  await save(page);
  assert.equal(await complaint(page, 'API URL'), 'API_URL_EMPTY');
  await page.getByRole('link', { name: 'Cancel', exact: true }).click();
  assert.deepEqual(asked, ['beforeunload']);
  assert.equal(await field(page, 'Website Name').inputValue(), 'Northwind Tea');
});

test('a changed form asks before leaving, an unchanged one does not', async (t) => {
  const page = await at.visit(t, NEW);
  const asked = [];
  page.on('dialog', (dialog) => { asked.push(dialog.type()); dialog.accept(); });
  await page.getByRole('link', { name: 'Cancel', exact: true }).click();
  await heading(page, 'Ecommerce Integration');
  assert.deepEqual(asked, [], 'nothing was entered');
  await page.goto(NEW);
  await field(page, 'Website Name').pressSequentially('N');
  await page.getByRole('link', { name: 'Cancel', exact: true }).click();
  await heading(page, 'Ecommerce Integration');
  assert.deepEqual(asked, ['beforeunload']);
});

for (const javaScriptEnabled of [true, false]) {
  test(`an entered secret is in no page, address, cookie, storage or log line, script ${javaScriptEnabled ? 'on' : 'off'}`, async (t) => {
    const page = await at.visit(t, undefined, { javaScriptEnabled });
    const canary = `shpat_${randomBytes(16).toString('hex')}`;
    const body = canary.slice(6);
    const heard = [];
    page.on('request', (request) => heard.push(['an address', request.url()]));
    page.on('response', async (response) => {
      heard.push(['a header', JSON.stringify(response.headers())]);
      heard.push(['an answer', await response.text().catch(() => '')]);
    });
    page.on('console', (message) => heard.push(['the console', message.text()]));
    const look = async (when) => {
      heard.push([`the page ${when}`, await page.content()], [`the address ${when}`, page.url()]);
    };

    await page.goto(NEW);
    await field(page, 'Website Name').fill(`Canary ${javaScriptEnabled}`);
    await field(page, 'API URL').fill(javaScriptEnabled ? 'practice-tea' : 'practice-plus');
    await field(page, 'Access Token').fill(canary);
    assert.deepEqual([(await testConnection(page)).class], ['TOKEN_REFUSED']);
    await look('after a test');
    if (javaScriptEnabled) await page.getByRole('button', { name: 'Show', exact: true }).click();
    await field(page, 'Website Name').fill('');
    await save(page);
    assert.equal(await complaint(page, 'Website Name'), 'NAME_EMPTY');
    await look('after a refused save');
    await field(page, 'Website Name').fill(`Canary ${javaScriptEnabled}`);
    const general = await savedAs(page, `Canary ${javaScriptEnabled} is saved as a draft.`);
    await look('after a save');
    for (const path of [general, '/admin/ecommerce', '/admin', '/help']) {
      await page.goto(path);
      await look(`at ${path}`);
    }
    heard.push(['cookies and stores', JSON.stringify(await page.context().storageState({ indexedDB: true }))]);
    heard.push(['the log', at.server.log()]);
    assert.ok(heard.length > 20);
    for (const [where, text] of heard) assert.ok(!text.toLowerCase().includes(body), `the secret is in ${where}`);
    assert.ok(heard.some(([, text]) => text.includes(`ends in <code translate="no">${canary.slice(-4)}</code>`)), 'only its ending is shown');
  });
}

test('a key and password in an address are neither kept nor shown', async (t) => {
  const page = await at.visit(t, NEW);
  const password = `shppa_${randomBytes(16).toString('hex')}`;
  await field(page, 'Website Name').fill('Old private app');
  await field(page, 'API URL').fill(`https://${'0f'.repeat(16)}:${password}@practice-development.myshopify.com/admin`);
  await save(page);
  await page.getByText('That address had a key and password in it.').waitFor();
  assert.ok(!(await page.content()).includes(password.slice(6)));
  assert.equal(await field(page, 'API URL').inputValue(), 'https://practice-development.myshopify.com/admin');
});

test('Fill in shows only the ending of the secret', async (t) => {
  const page = await at.visit(t, NEW);
  await fillIn(page, 'practice-client');
  assert.doesNotMatch(await page.content(), /shp[a-z]{2,3}_[0-9a-f]{8}/);
  await testConnection(page);
  assert.equal(await region(page).count(), 1);
  assert.doesNotMatch(await page.content(), /shp[a-z]{2,3}_[0-9a-f]{8}/);
});
