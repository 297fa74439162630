// A user's own account, through visible labels only, with and without script: a new password, and a browser that is
// signed out.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PRIYA, field, heading, listen, signIn, stage } from './support/browser.js';

const NEW_PASSWORD = ['tides', 'lantern', 'copper', 'heron'].join(' ');

for (const javaScriptEnabled of [true, false]) {
  describe(`an account, script ${javaScriptEnabled ? 'on' : 'off'}`, () => {
    const at = stage({ context: { javaScriptEnabled } });

    /** Signs the same user in with another browser. */
    const elsewhere = async (t, password) => {
      const page = await at.visit(t, '/sign-in', { stranger: true });
      await signIn(page, password);
      await heading(page, 'Admin');
      return page;
    };

    test('another browser is signed out, then the password is changed', async (t) => {
      const page = await at.visit(t, '/admin/account');
      const said = listen(page);
      await page.getByText('You are signed in only here.').waitFor();
      const other = await elsewhere(t);
      await page.reload();
      await page.getByRole('button', { name: /^Sign out of Chrome on / }).click();
      await page.getByText(/^Signed out of Chrome on /).waitFor();
      await other.goto('/admin');
      await heading(other, 'Sign in');

      const third = await elsewhere(t);
      await page.getByLabel('Current password').fill('not it, not it');
      await page.getByLabel('New password').fill(NEW_PASSWORD);
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.getByRole('alert').getByText('That is not your current password').waitFor();
      assert.match(await page.title(), /^Error: /);
      await page.getByLabel('Current password').fill(PRIYA.password);
      await page.getByLabel('New password').fill(NEW_PASSWORD);
      if (javaScriptEnabled) {
        const show = page.locator('button[data-show=new_password]');
        await show.click();
        assert.equal(await page.getByLabel('New password').getAttribute('type'), 'text');
        assert.equal(await page.getByLabel('Current password').getAttribute('type'), 'password');
      }
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.getByText('Your password is changed. 1 other browser was signed out.').waitFor();
      await third.goto('/admin');
      await heading(third, 'Sign in');
      await signIn(third, NEW_PASSWORD);
      await heading(third, 'Admin');
      assert.deepEqual(said, [], 'console messages');
    });

    test('a colleague is invited by a link that is shown once', async (t) => {
      const page = await elsewhere(t, NEW_PASSWORD);
      await page.getByRole('link', { name: 'Users', exact: true }).click();
      await heading(page, 'Users');
      await page.getByText('You are the only user.').waitFor();
      await page.getByRole('link', { name: 'Add a user' }).click();
      await field(page, 'Name').fill('Ana Ruiz');
      await field(page, 'Email').fill('ana@agency.example');
      await page.getByRole('radio', { name: 'Viewer', exact: true }).check();
      await page.getByRole('button', { name: 'Add user' }).click();
      await page.getByText('Give Ana this link.').waitFor();
      const link = await page.locator('main code').innerText();
      const ana = await at.visit(t, link.trim(), { stranger: true });
      await heading(ana, 'Join Order Time');
      assert.equal(await ana.getByLabel('Your name').inputValue(), 'Ana Ruiz');
      await ana.getByLabel('New password').fill(PRIYA.password);
      await ana.getByRole('button', { name: 'Join', exact: true }).click();
      await ana.getByText('Welcome, Ana.').waitFor();
      assert.equal(await ana.getByRole('link', { name: 'Users', exact: true }).count(), 0);
    });
  });
}
