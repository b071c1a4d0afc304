import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { showErrors } from '../../src/ops/show.js';
import { wordsFromIpv4 } from '../../src/session/address.js';
import { DirectPort } from '../../src/session/direct-carrier.js';
import { errnoName } from '../../src/session/errno.js';
import { messageTypeName, SessionEvent, type SessionMessage } from '../../src/session/message.js';
import type { SessionPort } from '../../src/session/port.js';
import { parseIpv4 } from '../../src/wire/address.js';
import { demoConfig, type Lab, makeLab } from './lab.js';

/** A port of a stack with its events noted as texts. */
class Probe {
  readonly port: SessionPort;
  readonly log: string[] = [];
  onEvent: (event: SessionMessage) => void = () => {};

  constructor({ network }: Lab, stack: string) {
    const row = network.stackRow(stack);
    this.port = new DirectPort(network.worker.sessions, { name: stack, namespace: row, stack: row });
    this.port.onEvent = (event) => {
      this.log.push(`${messageTypeName(event.type)}${event.errno === 0 ? '' : ` ${errnoName(event.errno)}`}`);
      this.onEvent(event);
    };
  }

  connect(host: string, port: number): number {
    return this.port.connect({ remote: wordsFromIpv4(parseIpv4(host)), remotePort: port });
  }
}

async function setUp(t: TestContext, config = demoConfig()): Promise<{ lab: Lab; client: Probe; web: Probe }> {
  const lab = await makeLab(t, config);
  return { lab, client: new Probe(lab, 'client'), web: new Probe(lab, 'web') };
}

/** Sends `total` bytes from client to web; returns the hash of what was sent and of what came. */
async function transfer(
  { lab, client, web }: Awaited<ReturnType<typeof setUp>>,
  total: number,
): Promise<[string, string, number]> {
  const sent = createHash('sha256');
  const received = createHash('sha256');
  const chunk = new Uint8Array(65_536).map((_, i) => (i * 31) & 255);
  const buffer = new Uint8Array(65_536);
  let left = total;
  let got = 0;
  let session = 0;
  const fill = (): void => {
    while (left > 0) {
      const count = client.port.write(session, chunk, 0, Math.min(left, chunk.length));
      sent.update(chunk.subarray(0, count));
      left -= count;
      if (count < chunk.length && left > 0) return;
    }
    client.port.shutdown(session);
  };
  client.onEvent = (event) => {
    if (event.type === SessionEvent.connected) session = event.session;
    if (event.type === SessionEvent.connected || event.type === SessionEvent.writable) fill();
  };
  web.onEvent = (event) => {
    if (event.type !== SessionEvent.readable) return;
    for (let count = web.port.read(event.session, buffer, 0, buffer.length); count > 0; ) {
      received.update(buffer.subarray(0, count));
      got += count;
      count = web.port.read(event.session, buffer, 0, buffer.length);
    }
  };
  web.port.listen({ localPort: 80 });
  client.connect('10.0.0.2', 80);
  lab.driver.runUntilSync(lab.driver.nowNs() + 600e9, () => got === total);
  return [sent.digest('hex'), received.digest('hex'), got];
}

test('a connection is made, carries bytes, and is closed in order', async (t) => {
  const { lab, client, web } = await setUp(t);
  web.port.listen({ localPort: 80 });
  let session = 0;
  let accepted = 0;
  client.onEvent = (event) => {
    if (event.type === SessionEvent.connected) session = event.session;
  };
  web.onEvent = (event) => {
    if (event.type === SessionEvent.accepted) accepted = event.session;
  };
  client.connect('10.0.0.2', 80);
  await lab.driver.runFor(1e9);
  assert.deepEqual([client.log, web.log], [['connected'], ['listening', 'accepted']]);
  assert.equal(client.port.write(session, new TextEncoder().encode('hello'), 0, 5), 5);
  client.port.shutdown(session);
  await lab.driver.runFor(1e9);
  const buffer = new Uint8Array(10);
  assert.equal(web.port.read(accepted, buffer, 0, 10), 5);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, 5)), 'hello');
  assert.deepEqual(web.log, ['listening', 'accepted', 'readable', 'peerClosed']);
  web.port.shutdown(accepted);
  await lab.driver.runFor(1e9);
  assert.ok(client.log.includes('peerClosed'));
  client.port.closeSession(session);
  web.port.closeSession(accepted);
  await lab.driver.runFor(600e9);
  assert.equal(lab.network.worker.pool.inUse, 0);
});

test('a megabyte arrives as it was sent, with super-segments and without', async (t) => {
  const [sent, received, got] = await transfer(await setUp(t), 1 << 20);
  assert.equal(got, 1 << 20);
  assert.equal(received, sent);
  const config = demoConfig();
  const { router } = config.stacks;
  config.stacks.router = {
    ...router,
    interfaces: {
      ...router!.interfaces,
      lan: { type: 'veth', switch: 'lan0', address: '10.0.0.1/24', offload: false },
    },
  };
  const [sent2, received2] = await transfer(await setUp(t, config), 1 << 20);
  assert.equal(received2, sent2);
});

test('a megabyte arrives over a link that loses, duplicates, reorders and corrupts', async (t) => {
  const config = demoConfig();
  const impair = { loss: 0.02, duplicate: 0.02, reorder: 0.02, corrupt: 0.02, delay: 5, seed: 7 };
  config.stacks.client = {
    ...config.stacks.client,
    interfaces: { eth0: { type: 'veth', peer: 'router.up', address: '10.1.0.2/24', impair } },
  };
  const [sent, received, got] = await transfer(await setUp(t, config), 1 << 20);
  assert.equal(got, 1 << 20);
  assert.equal(received, sent);
});

test('many who write at once, more than there is memory for, do not wait for each other for ever', async (t) => {
  const connections = 16;
  const each = 500_000;
  const memory = { packets: 4096, connections: 1024, arenaBytes: '256MiB', bufferBytes: '1MiB' };
  const { lab, client, web } = await setUp(t, { ...demoConfig(), memory });
  const chunk = new Uint8Array(each);
  const left = new Map<number, number>();
  let got = 0;
  client.onEvent = ({ type, session }) => {
    if (type === SessionEvent.connected) left.set(session, each);
    if (type !== SessionEvent.writable) return;
    left.set(session, left.get(session)! - client.port.write(session, chunk, 0, left.get(session)!));
  };
  web.onEvent = (event) => {
    if (event.type !== SessionEvent.readable) return;
    for (let count = 1; count > 0; got += count) count = web.port.read(event.session, chunk, 0, chunk.length);
  };
  web.port.listen({ localPort: 80 });
  for (let i = 0; i < connections; i++) client.connect('10.0.0.2', 80);
  await lab.driver.runFor(1e9);
  assert.equal(left.size, connections);
  for (const session of left.keys()) left.set(session, each - client.port.write(session, chunk, 0, each));
  await lab.driver.runUntil(lab.driver.nowNs() + 20e9, () => got === connections * each);
  assert.equal(got, connections * each);
});

test('a closed port refuses at once, a dead host is unreachable, a black hole times out', async (t) => {
  const config = { ...demoConfig(), tunables: { tcp: { connectTimeoutMs: '5s' } } };
  config.stacks.client = {
    ...config.stacks.client,
    routes: [{ to: 'default', via: '10.1.0.1' }],
  };
  config.stacks.web = {
    ...config.stacks.web,
    routes: [
      { to: 'default', via: '10.0.0.1' },
      { to: '10.1.0.0/24', blackhole: true },
    ],
  };
  const { lab, client, web } = await setUp(t, config);
  web.port.listen({ localPort: 80 });
  const router = new Probe(lab, 'router');
  router.connect('10.0.0.2', 81);
  await lab.driver.runFor(1e6);
  assert.deepEqual(router.log, ['failed ECONNREFUSED']);
  client.connect('10.0.0.77', 80);
  await lab.driver.runFor(4e9);
  assert.deepEqual(client.log, ['failed EHOSTUNREACH']);
  client.connect('10.0.0.2', 80);
  await lab.driver.runFor(4e9);
  assert.equal(client.log.length, 1);
  await lab.driver.runFor(2e9);
  assert.deepEqual(client.log, ['failed EHOSTUNREACH', 'failed ETIMEDOUT']);
});

test('a pause of the whole process is not taken for loss', async (t) => {
  const config = demoConfig();
  config.stacks.client = {
    ...config.stacks.client,
    interfaces: { eth0: { type: 'veth', peer: 'router.up', address: '10.1.0.2/24', offload: false } },
  };
  const { lab, client, web } = await setUp(t, config);
  web.port.listen({ localPort: 80 });
  let session = 0;
  client.onEvent = (event) => {
    if (event.type === SessionEvent.connected) session = event.session;
  };
  client.connect('10.0.0.2', 80);
  await lab.driver.runFor(1e9);
  const { worker } = lab.network;
  assert.equal(client.port.write(session, new Uint8Array(30_000), 0, 30_000), 30_000);
  // The segments are on their way when the process stands still for longer than the retransmission timeout.
  worker.graph.run();
  assert.ok(worker.pool.inUse > 0);
  lab.driver.skip(700e6);
  await lab.driver.runFor(1e9);
  assert.deepEqual(showErrors(lab.network), []);
});
