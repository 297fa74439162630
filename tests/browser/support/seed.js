// Fills the private database of a server with what would take people years. Only what the product itself would have stored: the
// constraints of the schema are asked, and names follow the rules of their forms.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The one port on which the cluster's socket is named; nothing listens on TCP. */
const PORT = '1';

/** Runs SQL as the server's own role and gives back what it printed: a line a row. The first mistake fails. */
export function seed(server, sql) {
  const [, , , , socket] = readFileSync(join(server.folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  const options = ['-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-p', PORT, '-U', 'cartwright', '-d', 'cartwright'];
  const done = spawnSync('psql', options, { input: sql, encoding: 'utf8', env: { PATH: process.env.PATH, PGCLIENTENCODING: 'UTF8' } });
  assert.ifError(done.error);
  assert.equal(done.status, 0, done.stderr);
  return done.stdout.trim();
}

/** A text as SQL writes it. */
export const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

/** As many characters of a text as a form lets through, the text over and over. */
export const filled = (text, most) => [...text.repeat(Math.ceil(most / [...text].length))].slice(0, most).join('').trim();
