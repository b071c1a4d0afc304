import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveConfig } from '../../src/config/load.js';
import type { NetworkConfig, PacketCallbacks } from '../../src/config/schema.js';
import { showErrors, showInterfaces, showNeighbors, showRoutes } from '../../src/ops/show.js';
import { tracePackets } from '../../src/ops/trace-report.js';
import { CaptureReader } from '../../src/wire/capture-reader.js';
import { demoConfig, type Lab, makeLab, ping } from './lab.js';

/** Applies a configuration while the lab runs; returns what was done. */
async function change(lab: Lab, config: NetworkConfig): Promise<string[]> {
  const memory = { packets: 4096, connections: 1024, arenaBytes: '256MiB' };
  const operations = await lab.network.apply(resolveConfig({ memory, ...config }));
  return operations.map(({ action, object }) => `${action} ${object.id}`);
}

test('an echo request goes through router and switch and comes back', async (t) => {
  const lab = await makeLab(t, demoConfig());
  const result = await ping(lab, 'client', '10.0.0.2');
  assert.deepEqual({ ...result, rttNs: 0 }, { kind: 'reply', from: 0x0a000002, bytes: 56, ttl: 63, rttNs: 0 });
  assert.deepEqual(showErrors(lab.network), []);
  const states = showNeighbors(lab.network).map((each) => `${each.stack} ${each.address}`);
  assert.deepEqual(states.sort(), ['client 10.1.0.1', 'router 10.0.0.2', 'router 10.1.0.2', 'web 10.0.0.1']);
});

test('a packet with no time to live left is reported by the router', async (t) => {
  const lab = await makeLab(t, demoConfig());
  const result = await ping(lab, 'client', '10.0.0.2', 1);
  assert.equal(result.kind, 'error');
  assert.equal(result.kind === 'error' && result.from, 0x0a010001);
});

test('a host that is not there is reported after the ARP requests', async (t) => {
  const lab = await makeLab(t, demoConfig());
  assert.deepEqual(await ping(lab, 'router', '10.0.0.77').then((each) => each.kind), 'timeout');
});

test('delay and loss are done in virtual time, and can be changed while packets fly', async (t) => {
  const config = demoConfig();
  const client = config.stacks!.client!;
  const eth0 = (impair: object) => ({
    eth0: { type: 'veth' as const, peer: 'router.up', address: '10.1.0.2/24', impair },
  });
  config.stacks.client = { ...client, interfaces: eth0({ delay: '50ms' }) };
  const lab = await makeLab(t, config);
  await ping(lab, 'client', '10.0.0.2');
  const delayed = await ping(lab, 'client', '10.0.0.2');
  assert.equal(delayed.kind === 'reply' && delayed.rttNs, 50e6);

  config.stacks.client = { ...client, interfaces: eth0({ loss: 1 }) };
  assert.deepEqual(await change(lab, config), ['update link client.eth0 – router.up']);
  assert.equal((await ping(lab, 'client', '10.0.0.2')).kind, 'timeout');

  config.stacks.client = { ...client, interfaces: eth0({}) };
  await change(lab, config);
  assert.equal((await ping(lab, 'client', '10.0.0.2')).kind, 'reply');
});

test('routes, forwarding, stacks and links come and go while the network runs', async (t) => {
  const config = demoConfig();
  const lab = await makeLab(t, config);
  assert.equal((await ping(lab, 'client', '10.0.0.2')).kind, 'reply');

  config.stacks.router = { ...config.stacks.router, forwarding: false };
  assert.deepEqual(await change(lab, config), ['update stack router']);
  assert.equal((await ping(lab, 'client', '10.0.0.2')).kind, 'timeout');

  config.stacks.router = { ...config.stacks.router, forwarding: true };
  await change(lab, config);
  assert.equal((await ping(lab, 'client', '10.0.0.2')).kind, 'reply');

  const before = lab.network.worker.pool.inUse;
  config.stacks.more = {
    interfaces: { eth0: { type: 'veth', switch: 'lan0', address: '10.0.0.3/24' } },
    routes: [{ to: 'default', via: '10.0.0.1' }],
  };
  await change(lab, config);
  assert.equal((await ping(lab, 'client', '10.0.0.3')).kind, 'reply');
  assert.equal(showRoutes(lab.network).filter((each) => each.stack === 'more' && each.to === 'default').length, 1);
  delete config.stacks.more;
  await change(lab, config);
  assert.deepEqual(lab.network.stackNames, ['router', 'web', 'client']);
  assert.equal(lab.network.worker.pool.inUse, before);
  assert.throws(() => lab.network.stackRow('more'), /there is no stack "more"/);
});

test('a trace tells the way of a packet node by node', async (t) => {
  const lab = await makeLab(t, demoConfig());
  await ping(lab, 'client', '10.0.0.2');
  const traced = tracePackets(lab.network, 1, 10);
  await ping(lab, 'client', '10.0.0.2');
  const [packet] = await traced;
  const nodes = packet!.steps.map((step) => step.node);
  assert.deepEqual(nodes.slice(0, 3), ['ip4-lookup', 'ip4-rewrite', 'interface-output']);
  assert.match(packet!.steps[0]!.summary, /10\.1\.0\.2.*10\.0\.0\.2/);
  assert.equal(packet!.steps[2]!.txInterface, 'client.eth0');
});

test('a capture file holds what passed, as it was on the wire', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-capture-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'web.pcapng');
  const config = demoConfig();
  config.stacks.web!.interfaces!.eth0 = { type: 'veth', switch: 'lan0', address: '10.0.0.2/24', pcap: file };
  const lab = await makeLab(t, config);
  await ping(lab, 'client', '10.0.0.2');
  await lab.network.close();
  const reader = new CaptureReader();
  reader.push(readFileSync(file));
  let packets = 0;
  while (reader.next() !== undefined) packets++;
  assert.equal(reader.end(), undefined);
  assert.equal(reader.interfaces[0]?.name, 'web.eth0');
  // Announcement, ARP request and reply, echo request and reply.
  assert.ok(packets >= 4, `${packets} packets`);
});

test('packets go in and out by callbacks', async (t) => {
  const sent: Uint8Array[] = [];
  const stream: PacketCallbacks = { onPacket: (packet) => sent.push(packet) };
  const lab = await makeLab(t, {
    stacks: {
      host: {
        interfaces: { tun0: { type: 'stream', stream, address: '10.9.0.1/24' } },
      },
    },
  });
  const answer = ping(lab, 'host', '10.9.0.2');
  await lab.driver.runFor(1e6);
  assert.equal(sent.length, 1);
  const reply = Uint8Array.from(sent[0]!);
  // Addresses exchanged; echo request becomes echo reply: checksum + 0x0800.
  reply.copyWithin(12, 16, 20);
  reply.set(sent[0]!.subarray(12, 16), 16);
  reply[20] = 0;
  const sum = ((reply[22]! << 8) | reply[23]!) + 0x0800;
  reply[22] = (sum >> 8) & 255;
  reply[23] = (sum & 255) + (sum >> 16);
  assert.equal(stream.inject!(reply), true);
  assert.equal((await answer).kind, 'reply');
  const tun0 = showInterfaces(lab.network).find((each) => each.name === 'tun0');
  assert.deepEqual([tun0?.rxPackets, tun0?.txPackets], [1, 1]);
});

test('a packet callback that throws is an uncaught exception and nothing worse', async (t) => {
  const stream: PacketCallbacks = {
    onPacket: () => {
      throw new Error('mistake of the application');
    },
  };
  const lab = await makeLab(t, {
    stacks: { host: { interfaces: { tun0: { type: 'stream', stream, address: '10.9.0.1/24' } } } },
  });
  const caught: string[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => caught.push(error.message));
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  assert.equal((await ping(lab, 'host', '10.9.0.2')).kind, 'timeout');
  assert.deepEqual(caught, ['mistake of the application']);
  assert.equal(lab.network.worker.pool.inUse, 0);
  await lab.network.close();
  assert.equal(stream.inject!(new Uint8Array(40)), false);
});

test('an idle network does nothing', async (t) => {
  const lab = await makeLab(t, demoConfig());
  await ping(lab, 'client', '10.0.0.2');
  let runs = 0;
  lab.network.worker.onRunEnd = () => runs++;
  await lab.driver.runFor(3600e9);
  // Neighbor entries grow old, and the switch forgets: a handful of runs in an hour.
  assert.ok(runs < 200, `${runs} runs in an hour`);
});
