import assert from 'node:assert/strict';
import http from 'node:http';
import { Writable } from 'node:stream';
import { Client, fetch, Pool } from 'undici';
import { listen, pattern } from './tools.mjs';

const BODY_BYTES = 2_000_000;

export function serve(host, port) {
  const server = http.createServer((request, response) => {
    if (request.url === '/hang') return;
    response.setHeader('x-method', request.method);
    request.pipe(response);
  });
  return listen(server, host, port);
}

export async function use(host, port) {
  const origin = `http://${host}:${port}`;
  const body = pattern(BODY_BYTES);

  const pool = new Pool(origin, { connections: 4 });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => pool.request({ path: '/', method: 'POST', body: `request ${i}` })),
  );
  const texts = await Promise.all(answers.map((answer) => answer.body.text()));
  assert.deepEqual(
    texts,
    Array.from({ length: 40 }, (_, i) => `request ${i}`),
  );
  await assert.rejects(pool.request({ path: '/hang', method: 'GET', headersTimeout: 50 }), {
    code: 'UND_ERR_HEADERS_TIMEOUT',
  });
  await pool.close();

  const client = new Client(origin, { pipelining: 10 });
  const chunks = [];
  const sink = () => new Writable({ write: (chunk, _encoding, done) => done(null, chunks.push(chunk)) });
  await client.stream({ path: '/', method: 'PUT', body }, sink);
  assert.ok(body.equals(Buffer.concat(chunks)));
  const pipelined = await Promise.all(
    Array.from({ length: 30 }, () => client.request({ path: '/', method: 'GET' }).then((answer) => answer.body.dump())),
  );
  assert.equal(pipelined.length, 30);
  await client.close();

  const response = await fetch(origin, {
    method: 'POST',
    body: body.subarray(0, 1000),
    headers: { connection: 'close' },
  });
  assert.equal(response.headers.get('x-method'), 'POST');
  assert.ok(body.subarray(0, 1000).equals(Buffer.from(await response.arrayBuffer())));
  const controller = new AbortController();
  const aborted = fetch(`${origin}/hang`, { signal: controller.signal });
  setImmediate(() => controller.abort());
  await assert.rejects(aborted, { name: 'AbortError' });
}
