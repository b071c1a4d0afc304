import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { listen, pattern, readAll } from './tools.mjs';

const STREAMS = 20;
const BODY_BYTES = 100_000;
const folder = process.env.TLS_FOLDER;
const cert = readFileSync(`${folder}/cert.pem`);
const key = readFileSync(`${folder}/key.pem`);

export function serve(host, port) {
  const server = http2.createSecureServer({ cert, key, allowHTTP1: true });
  server.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200, 'x-path': headers[':path'] });
    stream.pipe(stream);
  });
  return listen(server, host, port);
}

export async function use(host, port) {
  const session = http2.connect(`https://${host}:${port}`, { ca: cert, servername: 'server.test' });
  await once(session, 'connect');
  const body = pattern(BODY_BYTES);
  const call = async (path) => {
    const stream = session.request({ ':path': path, ':method': 'POST' });
    stream.end(body);
    const [headers] = await once(stream, 'response');
    assert.equal(headers['x-path'], path);
    assert.ok(body.equals(await readAll(stream)));
  };
  await Promise.all(Array.from({ length: STREAMS }, (_, i) => call(`/${i}`)));
  await new Promise((done, fail) => session.ping((error) => (error ? fail(error) : done())));
  session.close();
  await once(session, 'close');
}
