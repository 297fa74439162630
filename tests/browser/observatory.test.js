// Headers, cookies and CSP as two public scanners see them, from outside and over https: MDN's HTTP Observatory and
// Google's CSP Evaluator. As a control, each must also find the fault in a faulty server.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CspEvaluator } from 'csp_evaluator';
import { Severity } from 'csp_evaluator/dist/finding.js';
import { CspParser } from 'csp_evaluator/dist/parser.js';
import { freePort, startFront } from './support/front.js';
import { startServer } from './support/server.js';

const judge = fileURLToPath(new URL('support/observatory.js', import.meta.url));

/** Timeout of a scan on a busy machine, in milliseconds; normally two seconds. */
const PATIENCE = 60_000;

let server;
let front;
let port;

before(async () => {
  port = await freePort();
  front = await startFront(port);
  server = await startServer({ CARTWRIGHT_LISTEN: `127.0.0.1:${port}`, CARTWRIGHT_PUBLIC_URL: `https://${front.host}` });
});
after(async () => {
  await server?.stop();
  await front?.stop();
});

/** Runs MDN's scanner against the server behind this front. */
async function scan({ host, trust }) {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: trust };
  const { stdout } = await promisify(execFile)(process.execPath, [judge, host], { env, timeout: PATIENCE });
  return JSON.parse(stdout);
}

/** The failed tests with the scanner's descriptions. */
function failed(found) {
  return Object.entries(found.tests).filter(([, one]) => !one.pass).map(([name, one]) => `${name}: ${one.scoreDescription}`);
}

test('MDN HTTP Observatory gives its best grade', async () => {
  const found = await scan(front);
  assert.deepEqual(failed(found), []);
  assert.equal(found.scan.grade, 'A+', JSON.stringify(found.scan));
  assert.equal(found.tests['strict-transport-security'].result, 'hsts-implemented-max-age-at-least-six-months');
  assert.match(found.tests.cookies.result, /^cookies-secure-with-httponly-sessions-and-samesite$/);
});

test('MDN HTTP Observatory gives a faulty server its worst grade', async () => {
  const careless = http.createServer((_, answer) => answer.setHeader('set-cookie', 'session=1').end('<h1>Hello</h1>')).listen(0, '127.0.0.1');
  await once(careless, 'listening');
  const carelessFront = await startFront(careless.address().port);
  try {
    const found = await scan(carelessFront);
    assert.equal(found.scan.grade, 'F', JSON.stringify(found.scan));
  } finally {
    await carelessFront.stop();
    careless.closeAllConnections();
    careless.close();
  }
});

/** Findings of the evaluator about a policy, except those that concern only older browsers. */
function remarks(policy) {
  const findings = new CspEvaluator(new CspParser(policy).csp).evaluate();
  return findings.map(({ severity, directive, value }) => `${Severity[severity]} ${directive} ${value ?? ''}`.trim());
}

test("CSP Evaluator only reports that 'self' should host no uploads", async () => {
  const answer = await fetch(`http://127.0.0.1:${port}/-/live`);
  const policy = answer.headers.get('content-security-policy');
  assert.ok(policy.startsWith("default-src 'none'"), policy);
  assert.deepEqual(remarks(policy), ["MEDIUM_MAYBE script-src 'self'"]);
});

test('CSP Evaluator finds the hole in a faulty policy', () => {
  const found = remarks("default-src 'self'; script-src 'self' 'unsafe-inline' https:");
  assert.ok(found.includes("HIGH script-src 'unsafe-inline'"), found.join('; '));
});
