import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import tls from 'node:tls';
import { listen, pattern, readAll } from './tools.mjs';

const BODY_BYTES = 4_000_000;
const NAME = 'server.test';
const folder = process.env.TLS_FOLDER;
const cert = readFileSync(`${folder}/cert.pem`);
const key = readFileSync(`${folder}/key.pem`);

export function serve(host, port) {
  const server = https.createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (request, response) => {
    response.setHeader('x-cipher', request.socket.getCipher().name);
    request.pipe(response);
  });
  return listen(server, host, port);
}

export async function use(host, port) {
  const trusted = { host, port, ca: cert, servername: NAME };
  const body = pattern(BODY_BYTES);
  const request = https.request({ ...trusted, method: 'POST', agent: false });
  request.end(body);
  const [response] = await once(request, 'response');
  assert.ok(body.equals(await readAll(response)));
  assert.match(response.headers['x-cipher'], /^TLS_|GCM|CHACHA/);

  const socket = tls.connect({ ...trusted, ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  assert.equal(socket.authorized, true);
  assert.equal(socket.alpnProtocol, 'http/1.1');
  assert.equal(socket.getPeerCertificate().subject.CN, NAME);
  const session = once(socket, 'session');
  socket.write(`GET / HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`);
  assert.match((await readAll(socket)).toString(), /^HTTP\/1\.1 200 OK\r\n/);

  const [ticket] = await session;
  const resumed = tls.connect({ ...trusted, session: ticket });
  await once(resumed, 'secureConnect');
  assert.equal(resumed.isSessionReused(), true);
  resumed.destroy();

  const [untrusted] = await once(https.get({ host, port, servername: NAME, agent: false }), 'error');
  assert.equal(untrusted.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  const [misnamed] = await once(https.get({ ...trusted, servername: 'other.test', agent: false }), 'error');
  assert.equal(misnamed.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
}
