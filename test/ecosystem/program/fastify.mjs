import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import fastify from 'fastify';
import { pattern, readAll } from './tools.mjs';

const BODY_BYTES = 3_000_000;

export async function serve(host, port) {
  const app = fastify({ bodyLimit: 2 * BODY_BYTES, forceCloseConnections: 'idle' });
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.get('/add/:a/:b', {
    schema: {
      params: { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } } },
      response: { 200: { type: 'object', properties: { sum: { type: 'integer' } } } },
    },
    handler: ({ params }) => ({ sum: params.a + params.b, hidden: true }),
  });
  app.post('/echo', (request, reply) => reply.type('application/octet-stream').send(Readable.from([request.body])));
  const address = await app.listen({ host, port });
  return { port: Number(new URL(address).port), close: () => app.close() };
}

async function call(options, body) {
  const request = http.request(options);
  request.end(body);
  const [response] = await once(request, 'response');
  return { status: response.statusCode, body: await readAll(response) };
}

export async function use(host, port) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
  const sums = await Promise.all(
    Array.from({ length: 20 }, (_, i) => call({ host, port, agent, path: `/add/${i}/1000` })),
  );
  assert.deepEqual(
    sums.map(({ body }) => JSON.parse(body)),
    Array.from({ length: 20 }, (_, i) => ({ sum: i + 1000 })),
  );
  assert.equal((await call({ host, port, agent, path: '/add/one/two' })).status, 400);
  const body = pattern(BODY_BYTES);
  const headers = { 'content-type': 'application/octet-stream' };
  const echo = await call({ host, port, agent, path: '/echo', method: 'POST', headers }, body);
  assert.ok(body.equals(echo.body));
  agent.destroy();
}
