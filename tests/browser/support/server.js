// One server per test file: the debug build with practice stores and its own database in a temporary folder.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = process.env.CARTWRIGHT ?? join(root, 'target/debug/cartwright');

/** Timeout of a start and of a stop on a busy machine, in milliseconds; normally a fraction of a second. */
const PATIENCE = 60_000;

/**
 * Starts it and waits for the line that says where it is. `folder` is its data folder, `log()` everything that it wrote; `more`
 * are settings beside the usual ones. An https address has no practice store: the server refuses to start with both.
 */
export async function startServer(more = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'cw-'));
  const flags = more.CARTWRIGHT_PUBLIC_URL?.startsWith('https://') ? [] : ['--practice'];
  const child = spawn(program, ['serve', ...flags], { env: { ...settings(folder), ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let log = '';
  const told = new Promise((resolve, reject) => {
    const hear = (text) => {
      log += text;
      const link = /(https?:\/\/\S+?)\/set-up\/\S+/.exec(log);
      if (link) resolve({ setUpLink: link[0], origin: link[1] });
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}:\n${log}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await within(PATIENCE, ended, () => `the server did not stop:\n${log}`);
    await rm(folder, { recursive: true, force: true });
    assert.equal(code, 0, log);
  };
  const { origin, setUpLink } = await within(PATIENCE, told, () => `the server did not start:\n${log}`).catch(async (error) => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  return { origin, setUpLink, folder, stop, log: () => log };
}

/** Removes this process's own settings: a DATABASE_URL for other tests would lead to another database. */
function settings(folder) {
  const env = { ...process.env, CARTWRIGHT_DATA_DIR: folder, CARTWRIGHT_LISTEN: '127.0.0.1:0' };
  for (const name of Object.keys(env)) {
    if (name === 'DATABASE_URL' || (name.startsWith('CARTWRIGHT_') && !/_(DATA_DIR|LISTEN)$/.test(name))) delete env[name];
  }
  return env;
}

async function within(ms, promise, say) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(say())), ms); });
  try { return await Promise.race([promise, late]); } finally { clearTimeout(timer); }
}
