import assert from 'node:assert/strict';
import express from 'express';
import { pattern } from './tools.mjs';

const CHUNKS = 20;
const CHUNK_BYTES = 50_000;

export function serve(host, port) {
  const app = express();
  app.use(express.json({ limit: '5mb' }));
  app.get('/hello/:name', (request, response) => response.send(`Hello ${request.params.name}`));
  app.post('/echo', (request, response) => response.status(201).json({ ip: request.ip, body: request.body }));
  app.get('/stream', async (_request, response) => {
    for (let i = 0; i < CHUNKS; i++) {
      response.write(pattern(CHUNK_BYTES));
      await new Promise((done) => setImmediate(done));
    }
    response.end();
  });
  app.get('/fail', () => {
    throw new Error('on purpose');
  });
  app.use((error, _request, response, _next) => response.status(500).send(error.message));
  return new Promise((done, fail) => {
    const server = app.listen(port, host, (error) => {
      if (error) fail(error);
      else done({ port: server.address().port, close: () => new Promise((closed) => server.close(closed)) });
    });
  });
}

export async function use(host, port) {
  const url = `http://${host}:${port}`;
  const hello = await fetch(`${url}/hello/world`);
  assert.equal(await hello.text(), 'Hello world');
  assert.equal(hello.headers.get('x-powered-by'), 'Express');

  const values = Array.from({ length: 50_000 }, (_, i) => i);
  const echo = await fetch(`${url}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ values }),
  });
  assert.equal(echo.status, 201);
  const { ip, body } = await echo.json();
  assert.match(ip, /^(::ffff:)?(127|10)\.\d+\.\d+\.\d+$/);
  assert.deepEqual(body, { values });

  const stream = await fetch(`${url}/stream`);
  const expected = Buffer.concat(Array.from({ length: CHUNKS }, () => pattern(CHUNK_BYTES)));
  assert.ok(expected.equals(Buffer.from(await stream.arrayBuffer())));

  assert.equal((await fetch(`${url}/fail`)).status, 500);
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
  const many = await Promise.all(Array.from({ length: 50 }, (_, i) => fetch(`${url}/hello/${i}`)));
  const texts = await Promise.all(many.map((response) => response.text()));
  assert.deepEqual(
    texts,
    Array.from({ length: 50 }, (_, i) => `Hello ${i}`),
  );
}
