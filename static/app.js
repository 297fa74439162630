// Six enhancements, numbered below, of pages that work without this file.
'use strict';
{
  const html = window.trustedTypes?.createPolicy('app', { createHTML: (text) => text }) ?? { createHTML: (text) => text };
  const form = document.getElementById('editor');
  const say = (text) => { document.getElementById('status').textContent = text; };
  const use = (icon, name) => icon.setAttribute('href', icon.getAttribute('href').replace(/#.*/, '#' + name));

  // 1 · Address hint: the server's rules, accepting only; the server reports errors.
  const LABEL = /^(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
  const understand = (text) => {
    if (new TextEncoder().encode(text).length > 2048) return null;
    const around = '\\s\\x85\\xad\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"\'`\\u2018-\\u201f\\u2039\\u203a\\xab\\xbb';
    text = text.replace(new RegExp(`^[${around}<(\\[]+`), '').replace(new RegExp(`[${around}>)\\].,;]+$`), '');
    if (/[\u0000-\u001f\u007f-\u009f\\]/.test(text) || /^(?:shp[a-z]{2,3}_|prtapi_)/i.test(text) || /^[0-9a-f]{32}(?=[/?#]|$)/i.test(text)) return null;
    const label = (name) => (LABEL.test(name) && name !== 'localhost' ? name : null);
    const whole = label(text.toLowerCase().replace(/\/(?:admin(?:[/?#].*)?)?$/s, ''));
    if (whole) return { handle: whole, more: '. We added .myshopify.com.' };
    const [, authority, tail] = /^(?:https?:\/\/)?([^/?#]*)(.*)$/is.exec(text);
    const pair = /^\w+:\w+@/.exec(authority);
    if (/^[^@:/]+@/.test(text) && !/^https?:/i.test(text)) return null;
    const host = authority.slice(pair ? pair[0].length : 0).replace(/:443$/, '').toLowerCase();
    if (!/^[a-z0-9.-]+$/.test(host)) return null;
    const more = pair ? '. That address had a key and password in it. We left them out.' : '';
    if (host.endsWith('.myshopify.com')) {
      const handle = label(host.slice(0, -14));
      return handle && { handle, more };
    }
    const inAdmin = !pair && host === 'admin.shopify.com' && /^\/store\/([^/?#]+)(?=[/?#]|$)/i.exec(tail);
    const handle = inAdmin && label(inAdmin[1].toLowerCase());
    return handle ? { handle, more } : null;
  };

  const address = document.getElementById('api_url');
  const tellStore = () => {
    const store = understand(address.value);
    const line = document.getElementById('api_url-n');
    line.hidden = !store;
    if (!store) return;
    const error = document.getElementById('api_url-e');
    if (error) { error.id = ''; error.style.visibility = 'hidden'; } // keeps its space
    address.removeAttribute('aria-invalid');
    address.closest('.field').classList.remove('wrong');
    const name = document.createElement('strong');
    name.textContent = store.handle + '.myshopify.com';
    name.translate = false;
    line.lastElementChild.replaceChildren("We'll connect to ", name, store.more);
    for (const link of document.querySelectorAll('[data-develop]')) link.href = `https://admin.shopify.com/store/${store.handle}/settings/apps/development`;
  };
  let pause;
  address?.addEventListener('input', () => { clearTimeout(pause); pause = setTimeout(tellStore, 250); });

  // 2 · The streamed test. Any response that is not a plain result falls back to the ordinary submit.
  // Leaving the page aborts the test with an error; nothing is sent then.
  let ordinary = false;
  let leaving = false;
  const parse = (text) => new DOMParser().parseFromString(html.createHTML(text), 'text/html').body.firstElementChild;

  const begin = () => {
    document.querySelectorAll('.testing, [data-outcome]').forEach((old) => old.remove());
    const box = document.getElementById('testing').content.firstElementChild.cloneNode(true);
    box.querySelector('[data-host]').textContent = document.querySelector('#api_url-n:not([hidden]) strong')?.textContent ?? 'the connection';
    document.getElementById('test-here').replaceChildren(box);
    return box;
  };
  const next = (box) => {
    const row = [...box.querySelectorAll('[data-wait]')].find((one) => one.offsetParent && one.querySelector('[data-busy]'));
    if (!row) return;
    const words = row.querySelector('[data-busy]');
    words.textContent = words.dataset.busy;
    use(row.querySelector('use'), 'busy');
    row.querySelector('svg').classList.add('i-busy');
  };
  const arrive = (box, line) => {
    const done = parse(line);
    const rows = box.querySelectorAll(`[data-wait="${done.dataset.check}"]`);
    if (rows.length) { rows[0].before(done); rows.forEach((row) => row.remove()); } else box.querySelector('ul').append(done);
    next(box);
  };
  // Ticks the guide as a reloaded page would.
  const tick = (done) => {
    const steps = [...document.querySelectorAll('.guide .steps')].find((list) => list.offsetParent);
    if (!steps) return;
    for (const [n, step] of [...steps.children].entries()) {
      const isDone = done.includes(`${n}`);
      step.className = isDone ? 'step done' : 'step';
      const said = document.createElement('span');
      said.className = isDone ? 'vh' : '';
      said.textContent = isDone ? 'Done: ' : n + 1;
      const icon = document.querySelector('.checks .i-check')?.cloneNode(true);
      step.querySelector('.disc').replaceChildren(...(isDone && icon ? [icon] : []), said);
    }
    steps.querySelector('.step:not(.done)')?.classList.add('next');
    const count = [...document.querySelectorAll('[data-count]')].find((one) => one.offsetParent);
    if (count) count.textContent = steps.querySelectorAll('.done').length;
  };
  const finish = (text, button) => {
    const region = parse(text);
    const heading = region.querySelector('h2');
    heading.removeAttribute('autofocus');
    tick(region.dataset.done.split(' '));
    const onButton = document.activeElement === button || document.activeElement === document.body;
    document.getElementById('test-here').append(region);
    say('');
    if (onButton) heading.focus(); else say(heading.textContent);
  };
  const stream = async (button) => {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(button.formAction, { method: 'POST', body, headers: { 'X-Partial': '1' } });
    if (answer.status !== 200 || answer.redirected) throw answer;
    const box = begin();
    next(box);
    let rest = '';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      rest += part.value;
      for (let end = rest.indexOf('\n'); end >= 0 && !rest.trimStart().startsWith('<section'); end = rest.indexOf('\n')) {
        if (rest.slice(0, end).trim()) arrive(box, rest.slice(0, end));
        rest = rest.slice(end + 1);
      }
    }
    finish(rest, button);
  };
  const test = async (button) => {
    const pressed = button.classList.contains('enter') ? form.querySelector('.actions [data-stream]') : button;
    const icon = pressed.querySelector('use');
    const before = icon.getAttribute('href');
    pressed.setAttribute('aria-disabled', 'true');
    use(icon, 'busy');
    say('Testing the connection');
    const slow = setTimeout(() => say('Still waiting for Shopify'), 3000);
    try {
      await stream(button);
    } catch {
      if (leaving) return;
      ordinary = true;
      form.requestSubmit(button.isConnected ? button : form.querySelector('.enter'));
    } finally {
      clearTimeout(slow);
      icon.setAttribute('href', before);
      pressed.removeAttribute('aria-disabled');
    }
  };

  // Changing a field marks the result as out of date.
  const called = { api_url: 'address', access_token: 'access token', client_id: 'Client ID', client_secret: 'Client secret', credential_kind: 'kind of credential' };
  form?.addEventListener('input', (event) => {
    const note = document.querySelector('[data-changed]');
    if (!note || !called[event.target.name]) return;
    note.hidden = false;
    note.querySelector('span span').textContent = called[event.target.name];
  });

  // 5 · Unsaved changes: asks before a changed form is left, but not on submit.
  const state = () => new URLSearchParams(new FormData(form)).toString();
  let loaded = form && (form.dataset.guard === 'unsaved' ? '' : state());
  addEventListener('beforeunload', (event) => { if (form && loaded !== null && state() !== loaded) event.preventDefault(); });

  form?.addEventListener('submit', (event) => {
    const button = event.submitter;
    const tests = button?.hasAttribute('data-stream') && !ordinary;
    if (tests && form.querySelector('[aria-disabled]')) return event.preventDefault();
    if (tests && window.TextDecoderStream) {
      event.preventDefault();
      test(button);
    } else {
      loaded = null;
      leaving = true;
    }
  });
  addEventListener('pagehide', () => { leaving = true; });
  addEventListener('pageshow', (event) => { if (event.persisted && form) { loaded = state(); ordinary = leaving = false; } });

  // 6 · A list that is asked for again in place: what was ticked stays ticked.
  const again = async (form) => {
    const old = document.getElementById('locations');
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: 'POST', body, headers: { 'X-Partial': '1' } });
    if (answer.status !== 200 || answer.redirected) throw answer;
    const list = parse(await answer.text());
    for (const box of old.querySelectorAll(':checked')) list.querySelector(`#${box.id}`)?.toggleAttribute('checked', true);
    old.replaceWith(list);
    list.querySelector('[data-again]').focus();
  };

  // 3 · Copy, 4 · Show and hide.
  document.addEventListener('click', async (event) => {
    const list = event.target.closest('[data-again]');
    if (list) {
      event.preventDefault();
      again(list.form).catch(() => list.form.submit());
    }
    const copy = event.target.closest('[data-copy]');
    const show = event.target.closest('[data-show]');
    if (copy) {
      const words = copy.querySelector('span');
      copy.was ??= [...words.childNodes];
      // keep its size: neighbours do not move
      const { width, height } = copy.getBoundingClientRect();
      Object.assign(copy.style, { inlineSize: `${width}px`, blockSize: `${height}px` });
      let told = 'Copied';
      try { await navigator.clipboard.writeText(copy.dataset.copy || copy.closest('section').querySelector('.as-text').textContent); } catch { told = 'Not copied'; }
      words.textContent = told;
      say(told === 'Copied' ? told : 'Not copied. Select the text and copy it');
      clearTimeout(copy.wait);
      copy.wait = setTimeout(() => { words.replaceChildren(...copy.was); copy.removeAttribute('style'); say(''); }, 4000);
    }
    if (show) {
      const input = document.getElementById(show.dataset.show);
      const hide = show.textContent === 'Show';
      if (/-password$/.test(input.autocomplete)) input.type = hide ? 'text' : 'password';
      else input.classList.toggle('secret', !hide);
      show.textContent = hide ? 'Hide' : 'Show';
    }
  });
}
