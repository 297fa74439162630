// Every page in every reachable state: axe finds nothing, nothing is wider than a small phone, and the console stays
// empty.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { look } from './support/axe.js';
import { missingFonts } from './support/phone.js';
import {
  PRIYA, cart, createAdministrator, draft, field, heading, listen, save, signIn, stage, testConnection,
} from './support/browser.js';

const NEW = '/admin/ecommerce/shopify/new';

/** Checks the console under the production CSP first, then runs axe on the same page. */
async function inspect(page, said, within) {
  assert.deepEqual(said, [], 'console messages');
  await look(page, within);
}

describe('a new installation', () => {
  const at = stage({ prepare: false });

  test('every page from the set-up link to the first Add Cart is accessible', async (t) => {
    const page = await at.visit(t, at.server.setUpLink);
    const said = listen(page);
    await heading(page, /^Set up /);
    await inspect(page, said);
    await page.getByRole('button', { name: 'Create my account' }).click();
    await page.getByText('There is a problem').waitFor();
    await inspect(page, said);
    await createAdministrator(page, at.server.setUpLink);
    await inspect(page, said);
    await page.goto('/admin/ecommerce');
    await page.getByText('Connect your first store').waitFor();
    await inspect(page, said);
    await page.getByRole('link', { name: 'Add Cart' }).click();
    await heading(page, /^Turn on/);
    await inspect(page, said);
    await page.getByRole('button', { name: /^Turn on/ }).click();
    await heading(page, 'Add a cart');
    await inspect(page, said);
    await page.goto(at.server.setUpLink);
    await heading(page, /already set up|no longer works/);
    await inspect(page, said);
    await page.goto('/set-up/nobody');
    await heading(page, /no longer works|already set up/);
    await inspect(page, said);
  });
});

describe('an installation with carts', () => {
  const carts = {};
  const at = stage({
    furnish: async (page) => {
      const banner = 'Northwind Wholesale is saved and connected, with limits.';
      carts.well = await cart(page, 'practice-plus', 'Northwind Tea', { active: true });
      carts.limited = await cart(page, 'practice-permissions', 'Northwind Wholesale', { active: true, banner });
      carts.draft = await cart(page, 'practice-paused', 'A shop with a long name that somebody gave it on a rainy day', { tested: false });
      carts.shared = await cart(page, 'practice-locked', 'Between two people', { tested: false });
      carts.pair = await cart(page, 'practice-client', 'Dashboard store');
      await invite(page, 'Ana Ruiz', 'ana@agency.example');
    },
  });

  const invite = async (page, name, email) => {
    await page.goto('/admin/users/new');
    await field(page, 'Name').fill(name);
    await field(page, 'Email').fill(email);
    await press(page, 'button', 'Add user');
    await heading(page, `A link for ${name}`);
  };
  const press = (page, role, name) => page.getByRole(role, { name, exact: true }).click();
  const health = (general) => general.replace(/general$/, 'health');
  const problem = (page) => page.getByRole('alert').getByText('There is a problem').waitFor();

  /** Every state and how to reach it. */
  const pages = {
    'sign-in': { stranger: true, go: (page) => page.goto('/sign-in') },
    'sign-in with an error': {
      stranger: true,
      go: async (page) => { await page.goto('/sign-in'); await signIn(page, 'not it, not it'); await problem(page); },
    },
    'sign-in, forgotten': { stranger: true, go: async (page) => { await page.goto('/sign-in'); await page.getByText('I forgot my password').click(); } },
    'help without a session': { stranger: true, go: (page) => page.goto('/help') },
    'Admin home': { go: (page) => page.goto('/admin') },
    'the menu open': { within: 'header', go: async (page) => { await page.goto('/admin/account'); await page.locator('header summary').click(); } },
    'the alerts': { go: (page) => page.goto('/admin/alerts') },
    'the alerts, refused': {
      go: async (page) => { await page.goto('/admin/alerts'); await field(page, 'Address').fill('http://10.0.0.1'); await save(page); await problem(page); },
    },
    'the alerts, a new secret': {
      go: async (page) => {
        await page.goto('/admin/alerts');
        await field(page, 'Address').fill('https://ops.northwind.example/hooks/carts');
        await save(page);
        if (await page.getByText('Copy the signing secret now.').isHidden()) await press(page, 'button', 'New secret');
        await page.getByText('Copy the signing secret now.').waitFor();
      },
    },
    'the alerts, tried': { go: async (page) => { await page.goto('/admin/alerts'); await press(page, 'button', 'Try it'); await page.getByText('The test alert did not arrive.').waitFor(); } },
    'the list': { go: (page) => page.goto('/admin/ecommerce') },
    'the list, filtered': { go: (page) => page.goto('/admin/ecommerce?show=attention') },
    'the list, nothing found': { go: (page) => page.goto('/admin/ecommerce?q=nobody') },
    'the list, by status': { go: (page) => page.goto('/admin/ecommerce?sort=-status') },
    'many carts, to be turned off': {
      go: async (page) => {
        await page.goto('/admin/ecommerce');
        await page.getByRole('checkbox', { name: /^All carts/ }).check();
        await press(page, 'button', 'Turn off the selected carts');
        await heading(page, /^Turn off \d carts?\?$/);
      },
    },
    'many carts, tested': {
      go: async (page) => {
        await page.goto('/admin/ecommerce');
        await page.getByRole('checkbox', { name: 'Select Northwind Tea', exact: true }).check();
        await press(page, 'button', 'Test the selected carts');
        await heading(page, '1 cart is tested');
      },
    },
    'confirmation of the switch': {
      go: async (page) => {
        await page.goto('/admin/ecommerce');
        await page.getByRole('checkbox', { name: 'Active', exact: true }).uncheck();
        await press(page, 'button', 'Update');
        await heading(page, 'Turn off Ecommerce Integration?');
      },
    },
    'the gallery': { go: (page) => page.goto('/admin/ecommerce/add') },
    'the editor, new': { go: (page) => page.goto(NEW) },
    'the editor, every practice store': { go: async (page) => { await page.goto(NEW); await page.getByText('Every case').click(); } },
    'the editor, every step of the guide': {
      go: async (page) => {
        await page.goto(NEW);
        await page.evaluate(() => document.querySelectorAll('main details').forEach((one) => { one.open = true; }));
      },
    },
    'the editor, second kind': { go: async (page) => { await page.goto(NEW); await press(page, 'radio', 'Client ID and Client secret'); } },
    'the editor, address interpreted': {
      go: async (page) => {
        await page.goto(NEW);
        await field(page, 'API URL').fill('https://key:pass@northwind-tea.myshopify.com/admin');
        await page.getByText("We'll connect to northwind-tea.myshopify.com").waitFor();
      },
    },
    'the editor, every field wrong': {
      go: async (page) => {
        await page.goto(NEW);
        await field(page, 'API URL').fill('https://www.northwindtea.com');
        await field(page, 'Access Token').fill('two words');
        await save(page);
        await problem(page);
      },
    },
    'the editor, second kind wrong': {
      go: async (page) => { await page.goto(NEW); await press(page, 'radio', 'Client ID and Client secret'); await save(page); await problem(page); },
    },
    'the editor, the same store again': {
      go: async (page) => { await draft(page, 'practice-plus', 'Once more'); await save(page); await problem(page); },
    },
    'the editor, filled in': { go: (page) => draft(page, 'practice-tea') },
    'a cart': { go: (page) => page.goto(carts.well) },
    'health, never checked': { go: (page) => page.goto(health(carts.pair)) },
    'health, checked': { go: async (page) => { await page.goto(health(carts.well)); await press(page, 'button', 'Check now'); await page.getByText('Checked just now').waitFor(); } },
    'health, in need of attention': { go: async (page) => { await page.goto(health(carts.limited)); await press(page, 'button', 'Check now'); await page.getByText('Checked just now').waitFor(); } },
    'health, as a table': { go: async (page) => { await page.goto(health(carts.well)); await press(page, 'button', 'Check now'); await page.getByText('Show all checks as a table').click(); } },
    'the list with sparklines': { go: async (page) => { await page.goto(health(carts.well)); await press(page, 'button', 'Check now'); await page.goto('/admin/ecommerce'); await page.getByRole('img', { name: /^Last/ }).first().waitFor(); } },
    'a running test': {
      go: async (page) => {
        await draft(page, 'practice-slow');
        await press(page, 'button', 'Test Connection');
        await page.locator('.testing li[data-check=address]').waitFor();
      },
    },
    'a cart with limits': { go: (page) => page.goto(carts.limited) },
    'a cart with a pair': { go: (page) => page.goto(carts.pair) },
    'a draft': { go: (page) => page.goto(carts.draft) },
    'a cart, guide and details open': {
      go: async (page) => {
        await page.goto(carts.limited);
        await page.evaluate(() => document.querySelectorAll('main details').forEach((one) => { one.open = true; }));
      },
    },
    'a cart, 64 locations': {
      go: async (page) => {
        await page.goto(carts.well);
        await page.getByRole('button', { name: /^Get the list/ }).click();
        await page.getByText('Show all 64').click();
        await page.getByRole('checkbox', { name: 'York shop 8', exact: true }).check();
      },
    },
    'a cart, no item group': {
      go: async (page) => { await page.goto(carts.well); await page.getByRole('checkbox', { name: 'Import Products', exact: true }).check(); await save(page); await problem(page); },
    },
    'a cart, token being replaced': { go: async (page) => { await page.goto(carts.well); await press(page, 'button', 'Replace token'); await press(page, 'button', 'Keep the saved token'); await press(page, 'button', 'Replace token'); } },
    'a cart, another store without its token': {
      go: async (page) => { await page.goto(carts.well); await field(page, 'API URL').fill('northwind-b2b'); await save(page); await problem(page); },
    },
    'a cart, just saved': { go: async (page) => { await page.goto(carts.well); await save(page); } },
    'a conflict': {
      go: async (page) => {
        await page.goto(carts.shared);
        const other = await page.context().newPage();
        await other.goto(carts.shared);
        await save(other);
        await field(page, 'Website Name').fill('Ours');
        await save(page);
        await heading(page, 'You changed this cart in another tab');
      },
    },
    'Disconnect confirmation': { go: async (page) => { await page.goto(carts.well); await press(page, 'link', 'Disconnect'); } },
    'Delete confirmation': { go: async (page) => { await page.goto(carts.well); await press(page, 'link', 'Delete cart'); } },
    activity: {
      go: async (page) => {
        await page.goto('/admin');
        await press(page, 'link', 'Activity');
        await page.evaluate(() => document.querySelectorAll('main details').forEach((one) => { one.open = true; }));
      },
    },
    'activity, folded': { go: (page) => page.goto('/admin/activity?what=carts') },
    'activity, nothing found': { go: (page) => page.goto('/admin/activity?from=2001-01-01&to=2001-01-02') },
    'activity, an invalid date': { go: async (page) => { await page.goto('/admin/activity?to=soon'); await problem(page); } },
    'the activity of a cart': { go: async (page) => { await page.goto(carts.limited); await press(page, 'link', 'Activity'); } },
    'not found': { go: (page) => page.goto('/admin/nowhere') },
    help: { go: (page) => page.goto('/help') },
    'help, all open': {
      go: async (page) => {
        await page.goto('/help');
        await page.evaluate(() => document.querySelectorAll('main details').forEach((one) => { one.open = true; }));
      },
    },
    account: { go: (page) => page.goto('/admin/account') },
    'account, wrong': {
      go: async (page) => { await page.goto('/admin/account'); await press(page, 'button', 'Change password'); await problem(page); },
    },
    users: { go: (page) => page.goto('/admin/users') },
    'the API keys': { go: (page) => page.goto('/admin/api-keys') },
    'a new API key': { go: (page) => page.goto('/admin/api-keys/new') },
    'a new API key, refused': {
      go: async (page) => { await page.goto('/admin/api-keys/new'); await press(page, 'button', 'Make key'); await problem(page); },
    },
    'a new user': { go: (page) => page.goto('/admin/users/new') },
    'a new user, wrong': {
      go: async (page) => { await page.goto('/admin/users/new'); await press(page, 'button', 'Add user'); await problem(page); },
    },
    'a link for a user': { go: (page) => invite(page, 'Kim New', 'kim@northwind.example') },
    'a user': { go: async (page) => { await page.goto('/admin/users'); await press(page, 'link', 'Ana Ruiz'); await heading(page, 'Ana Ruiz'); } },
    'Turn off confirmation': {
      go: async (page) => { await page.goto('/admin/users'); await press(page, 'link', 'Ana Ruiz'); await press(page, 'link', 'Turn off'); await heading(page, 'Turn off Ana Ruiz?'); },
    },
  };

  for (const [name, { go, stranger, within }] of Object.entries(pages)) {
    test(name, async (t) => {
      const page = await at.visit(t, undefined, { stranger });
      const said = listen(page);
      await go(page);
      await inspect(page, said, within);
    });
  }

  const verdicts = {
    'practice-tea': 'CONNECTED',
    'practice-customers-hidden': 'CUSTOMER_DETAILS_HIDDEN',
    'practice-old-version': 'API_VERSION_OLD',
    'practice-nice-to-have': 'CONNECTED',
    'practice-alias': 'CONNECTED',
    'practice-tricks': 'CONNECTED',
    'practice-gone': 'STORE_NOT_FOUND',
    'practice-moved': 'STORE_MOVED',
    'practice-portal': 'NOT_SHOPIFY',
    'practice-throttled': 'RATE_LIMITED',
    'practice-refused': 'TOKEN_REFUSED',
    'practice-not-allowed': 'NOT_ALLOWED',
    'practice-organization': 'CC_WRONG_ORG',
    'practice-mistake': 'OUR_BUG',
  };
  for (const [handle, expected] of Object.entries(verdicts)) {
    test(`verdict ${expected} of ${handle}`, async (t) => {
      const page = await at.visit(t);
      const said = listen(page);
      await draft(page, handle);
      assert.equal((await testConnection(page)).class, expected);
      await inspect(page, said);
    });
  }

  test('the fonts for measuring pages are installed', async (t) => {
    assert.deepEqual(await missingFonts(await at.visit(t, '/help')), []);
  });

  test('a user signs out through the menu on a phone', async (t) => {
    const page = await at.visit(t, '/sign-in', { stranger: true, viewport: { width: 344, height: 700 } });
    await signIn(page);
    await page.locator('header').getByText('PS', { exact: true }).click();
    await press(page, 'button', 'Sign out');
    await page.getByText('You are signed out.').waitFor();
  });

  test('the chosen theme overrides the system theme', async (t) => {
    const page = await at.visit(t, '/admin/ecommerce', { colorScheme: 'light' });
    await page.locator('header summary').click();
    await press(page, 'button', 'Dark');
    await page.locator('html[data-theme=dark]').waitFor();
    await look(page);
    await page.locator('header summary').click();
    await press(page, 'button', 'System');
    await page.locator('html:not([data-theme])').waitFor();
  });
});
