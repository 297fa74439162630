// Fills a server's private database with data that would take users years to create. Respects the schema's constraints
// and the length rules of the forms.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The port in the name of the cluster's Unix socket; nothing listens on TCP. */
const PORT = '1';

/** Runs SQL as the server's own role and returns its output, one line per row. Stops at the first error. */
export function seed(server, sql) {
  const [, , , , socket] = readFileSync(join(server.folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  const options = ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-p', PORT, '-U', 'cartwright', '-d', 'cartwright'];
  const done = spawnSync('psql', options, { input: sql, encoding: 'utf8', env: { PATH: process.env.PATH, PGCLIENTENCODING: 'UTF8' } });
  assert.ifError(done.error);
  assert.equal(done.status, 0, done.stderr);
  return done.stdout.trim();
}

/** Quotes a text as an SQL literal. */
export const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

/** Repeats a text up to the maximum number of characters of a form. */
export const filled = (text, most) => [...text.repeat(Math.ceil(most / [...text].length))].slice(0, most).join('').trim();
