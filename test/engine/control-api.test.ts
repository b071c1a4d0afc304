import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Network } from '../../src/engine/network.js';
import type { PingEvent } from '../../src/ops/ping-report.js';
import type { NetworkSummary } from '../../src/ops/show.js';
import { createNetwork } from '../../src/ops/start-network.js';
import { demoConfig } from './lab.js';

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function ask(path: string, method: string, resource: string, body = ''): Promise<Answer> {
  return new Promise((done, fail) => {
    const call = request({ socketPath: path, path: resource, method, agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      done({ status: response.statusCode, text });
    });
    call.once('error', fail);
    call.end(body);
  });
}

async function makeNetwork(t: TestContext): Promise<{ network: Network; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-api-'));
  const path = join(folder, 'control.sock');
  const network = await createNetwork({ ...demoConfig(), control: path });
  t.after(async () => {
    await network.close();
    rmSync(folder, { recursive: true });
  });
  return { network, path };
}

test('every view answers with JSON', async (t) => {
  const { path } = await makeNetwork(t);
  const summary = JSON.parse((await ask(path, 'GET', '/network')).text) as NetworkSummary;
  assert.equal(summary.pid, process.pid);
  assert.deepEqual(summary.stacks[2], { name: 'client', forwarding: false, addresses: ['127.0.0.1/8', '10.1.0.2/24'] });
  assert.deepEqual(summary.switches, ['lan0']);
  for (const view of ['interfaces', 'neighbors', 'routes', 'sessions', 'graph', 'errors', 'memory', 'objects']) {
    const answer = await ask(path, 'GET', `/${view}`);
    assert.equal(answer.status, 200, view);
    JSON.parse(answer.text);
  }
});

test('a configuration that is put replaces the running one, and what stays is not touched', async (t) => {
  const { network, path } = await makeNetwork(t);
  const more = { interfaces: { eth0: { type: 'veth', switch: 'lan0', address: '10.0.0.3/24' } } };
  const config = { ...demoConfig(), control: path, stacks: { ...demoConfig().stacks, more } };
  const answer = await ask(path, 'PUT', '/config', JSON.stringify(config));
  assert.deepEqual(JSON.parse(answer.text), [
    { action: 'create', id: 'stack more' },
    { action: 'create', id: 'link more.eth0 – lan0' },
    { action: 'create', id: 'address more.eth0 10.0.0.3/24' },
  ]);
  assert.deepEqual(network.stackNames, ['router', 'web', 'client', 'more']);
});

test('a wrong configuration changes nothing and is answered with its problems', async (t) => {
  const { network, path } = await makeNetwork(t);
  const before = network.objects;
  const answer = await ask(path, 'PUT', '/config', 'stacks:\n  a: { forwardin: true }\n');
  assert.equal(answer.status, 422);
  const { error } = JSON.parse(answer.text);
  assert.equal(error.code, 'USERNET_CONFIG');
  assert.deepEqual([error.problems[0].line, error.problems[0].column], [2, 8]);
  assert.equal(network.objects, before);
  const fixed = await ask(path, 'PUT', '/config', 'memory: { packets: 1000 }');
  assert.equal(JSON.parse(fixed.text).error.code, 'USERNET_FIXED');
});

test('ping answers event by event, and refuses what makes no sense', async (t) => {
  const { path } = await makeNetwork(t);
  const wanted = { host: '10.0.0.2', from: 'client', count: 3, intervalMs: 1 };
  const { text } = await ask(path, 'POST', '/ping', JSON.stringify(wanted));
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PingEvent);
  assert.deepEqual(
    events.map(({ event }) => event),
    ['reply', 'reply', 'reply', 'summary'],
  );
  assert.equal((await ask(path, 'POST', '/ping', '{}')).status, 400);
  assert.equal((await ask(path, 'POST', '/ping', 'what')).status, 400);
  const nobody = await ask(path, 'POST', '/ping', JSON.stringify({ ...wanted, from: 'nobody' }));
  assert.equal(JSON.parse(nobody.text).error.code, 'USERNET_NO_STACK');
});

test('what is not there is not found, with what was probably meant', async (t) => {
  const { path } = await makeNetwork(t);
  const answer = await ask(path, 'GET', '/route');
  assert.equal(answer.status, 404);
  assert.equal(JSON.parse(answer.text).error.hint, 'did you mean "routes"?');
  assert.equal((await ask(path, 'DELETE', '/routes')).status, 404);
});
