/** How connecting fails: at once, after the ARP requests, after the configured time; with the fields that Node's errors have. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { NetworkConfig } from '../../src/config/schema.js';
import { createNetwork } from '../../src/index.js';
import { Place } from '../cli/usernet.js';
import { type Lab, makeLab } from '../engine/lab.js';

/** Longer than the three ARP requests, a second apart, after which a neighbor counts as dead. */
const CONNECT_TIMEOUT_MS = 4000;
/** In real time, for what a busy machine adds. */
const PATIENCE_MS = 1500;

/** 10.0.0.2 is the web server's host, 10.0.0.66 a black hole (a station that the switch does not have). */
const NETWORK: NetworkConfig = {
  stacks: {
    router: {
      interfaces: {
        lan: { type: 'veth', switch: 'lan0', address: '10.0.0.1/24' },
        up: { type: 'veth', peer: 'client.eth0', address: '10.1.0.1/24' },
      },
      neighbors: [{ address: '10.0.0.66', mac: '02:00:00:00:00:66', interface: 'lan' }],
      forwarding: true,
    },
    web: {
      interfaces: { eth0: { type: 'veth', switch: 'lan0', address: '10.0.0.2/24' } },
      routes: [{ to: 'default', via: '10.0.0.1' }],
    },
    client: {
      interfaces: { eth0: { type: 'veth', peer: 'router.up', address: '10.1.0.2/24' } },
      routes: [{ to: 'default', via: '10.1.0.1' }],
    },
  },
  switches: { lan0: {} },
  tunables: { tcp: { connectTimeoutMs: CONNECT_TIMEOUT_MS } },
};

interface Failure {
  readonly error: Readonly<Record<string, unknown>>;
  readonly message: string;
  readonly elapsedMs: number;
}

/** Connects in virtual time and tells how it failed. */
async function failToConnect({ network, driver }: Lab, host: string, port: number): Promise<Failure> {
  const startNs = driver.nowNs();
  let failure: Failure | undefined;
  const socket = network.stack('client').net.connect(port, host);
  socket.once('error', (error) => {
    failure = { error: { ...error }, message: error.message, elapsedMs: (driver.nowNs() - startNs) / 1e6 };
  });
  await driver.runUntil(startNs + 600e9, () => failure !== undefined);
  assert.ok(failure !== undefined, 'the connection did not fail');
  return failure;
}

function expected(code: 'ECONNREFUSED' | 'EHOSTUNREACH' | 'ENETUNREACH' | 'ETIMEDOUT', address: string, port: number) {
  return { errno: -constants.errno[code], code, syscall: 'connect', address, port };
}

test('a port that nobody listens at refuses at once', async (t) => {
  const lab = await makeLab(t, NETWORK);
  const { error, message, elapsedMs } = await failToConnect(lab, '10.0.0.2', 81);
  assert.deepEqual(error, expected('ECONNREFUSED', '10.0.0.2', 81));
  assert.equal(message, 'connect ECONNREFUSED 10.0.0.2:81');
  assert.ok(elapsedMs < 1, `${elapsedMs} ms`);
});

test('a dead host is unreachable when it has not answered the ARP requests, on the link and behind the router', async (t) => {
  const lab = await makeLab(t, NETWORK);
  for (const host of ['10.1.0.77', '10.0.0.77']) {
    const { error, message, elapsedMs } = await failToConnect(lab, host, 80);
    assert.deepEqual(error, expected('EHOSTUNREACH', host, 80));
    assert.equal(message, `connect EHOSTUNREACH ${host}:80`);
    assert.ok(elapsedMs < CONNECT_TIMEOUT_MS, `${elapsedMs} ms`);
  }
});

test('a network without a route is unreachable at once', async (t) => {
  const { client, ...others } = NETWORK.stacks!;
  const lab = await makeLab(t, { ...NETWORK, stacks: { ...others, client: { ...client, routes: [] } } });
  const { error, message, elapsedMs } = await failToConnect(lab, '192.0.2.1', 80);
  const { code, syscall } = error;
  assert.deepEqual({ code, syscall }, { code: 'ENETUNREACH', syscall: 'connect' });
  assert.match(message, /^connect ENETUNREACH 192\.0\.2\.1:80/);
  assert.equal(elapsedMs, 0);
});

test('a black hole times out after the configured time', async (t) => {
  const lab = await makeLab(t, NETWORK);
  const { error, message, elapsedMs } = await failToConnect(lab, '10.0.0.66', 80);
  assert.deepEqual(error, expected('ETIMEDOUT', '10.0.0.66', 80));
  assert.equal(message, 'connect ETIMEDOUT 10.0.0.66:80');
  assert.ok(elapsedMs >= CONNECT_TIMEOUT_MS && elapsedMs < CONNECT_TIMEOUT_MS + 50, `${elapsedMs} ms`);
});

/** A program, unaware of its stack, that prints how its connections fail, the first to fail first. */
const PROGRAM = `
import { once } from 'node:events';
import { connect } from 'node:net';
// The first socket makes the network.
await once(connect(82, '10.0.0.2'), 'error');
const startMs = performance.now();
for (const [host, port] of [['10.0.0.66', 80], ['10.0.0.77', 80], ['10.0.0.2', 81]]) {
  connect(port, host).on('error', (error) => {
    const { errno, code, syscall, address, port } = error;
    const elapsedMs = performance.now() - startMs;
    console.log(JSON.stringify({ error: { errno, code, syscall, address, port }, elapsedMs }));
  });
}
`;

function checkProgram(stdout: string): void {
  const lines = stdout.trim().split('\n');
  const [refused, unreachable, timedOut] = lines.map((line) => JSON.parse(line) as Failure);
  assert.deepEqual(refused?.error, expected('ECONNREFUSED', '10.0.0.2', 81));
  assert.ok(refused!.elapsedMs < PATIENCE_MS, `refused after ${refused!.elapsedMs} ms`);
  assert.deepEqual(unreachable?.error, expected('EHOSTUNREACH', '10.0.0.77', 80));
  assert.ok(unreachable!.elapsedMs < CONNECT_TIMEOUT_MS, `unreachable after ${unreachable!.elapsedMs} ms`);
  assert.deepEqual(timedOut?.error, expected('ETIMEDOUT', '10.0.0.66', 80));
  const lateMs = timedOut!.elapsedMs - CONNECT_TIMEOUT_MS;
  assert.ok(lateMs > -20 && lateMs < PATIENCE_MS, `timed out after ${timedOut!.elapsedMs} ms`);
}

/** Runs the program with `usernet run`. */
async function runProgram(t: TestContext, place: Place, ...options: string[]): Promise<void> {
  const program = place.write('program.mjs', PROGRAM);
  const run = await place.run(t, 'run', ...options, '--stack', 'client', '--', 'node', program);
  assert.equal(run.code, 0, run.stderr);
  checkProgram(run.stdout);
}

test('a program sees the same, with the network in its own process', async (t) => {
  const place = new Place(t);
  await runProgram(t, place, '--config', place.write('net.yaml', JSON.stringify(NETWORK)));
});

test('a program sees the same, attached to a running network', async (t) => {
  const place = new Place(t);
  const up = place.start(t, 'up', place.write('net.yaml', JSON.stringify(NETWORK)));
  await up.said(/^ready /);
  await runProgram(t, place);
});

test('who connects to a forward is reset when its target refuses', async (t) => {
  const forwards = [{ listen: '127.0.0.1:0', to: '10.0.0.2:81', from: 'client' }];
  const network = await createNetwork({ ...NETWORK, forwards });
  t.after(() => network.close());
  const socket = connect(Number(network.forwards[0]!.listen.split(':')[1]), '127.0.0.1');
  const [error] = await once(socket, 'error');
  assert.equal(error.code, 'ECONNRESET');
});
