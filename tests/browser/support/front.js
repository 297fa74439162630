// A TLS front for a server with an https URL: terminates TLS with a self-signed certificate, redirects plain http, and
// forwards everything else byte by byte.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';

/** First byte of a TLS handshake. */
const HANDSHAKE = 0x16;

/** Listens on a free port and forwards to another. `host` is its name with the port, `trust` the path of its certificate. */
export async function startFront(target) {
  const folder = mkdtempSync(join(tmpdir(), 'cw-tls-'));
  const trust = join(folder, 'cert.pem');
  const secure = tls.createServer(certificate(join(folder, 'key.pem'), trust), (socket) => pass(socket, net.connect(target, '127.0.0.1')));
  const plain = http.createServer((request, answer) => {
    answer.writeHead(301, { location: `https://${request.headers.host}${request.url}` }).end();
  });
  const sockets = new Set();
  const listener = net.createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy()));
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === HANDSHAKE ? secure : plain).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
    await once(listener, 'close');
    rmSync(folder, { recursive: true });
  };
  return { host: `localhost:${listener.address().port}`, trust, stop };
}

/** A port that was free a moment ago, for a server that must know its public URL before it starts. */
export async function freePort() {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

function pass(one, other) {
  for (const [from, to] of [[one, other], [other, one]]) from.on('error', () => to.destroy()).pipe(to);
}

function certificate(key, cert) {
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}
