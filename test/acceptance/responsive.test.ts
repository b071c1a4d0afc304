/** A network in an application's own thread leaves that thread to the application: its timers are served under full load. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createNetwork } from '../../src/index.js';

const TICK_MS = 10;
const MEASURED_MS = 2000;
const LEAST_SHARE = 0.9;
/** A busy machine can take ticks away, and nothing can add any: the best of some measurements counts. */
const ATTEMPTS = 3;
const CHUNK_BYTES = 65_536;

interface Load {
  readonly bytes: number;
}

/** Sends as fast as it goes between two stacks of this process until the test ends. */
async function startBulk(t: TestContext, offload: boolean): Promise<Load> {
  const network = await createNetwork({
    stacks: {
      a: { interfaces: { eth0: { type: 'veth', peer: 'b.eth0', offload, address: '10.0.0.1/24' } } },
      b: { interfaces: { eth0: { type: 'veth', peer: 'a.eth0', offload, address: '10.0.0.2/24' } } },
    },
  });
  const load = { bytes: 0 };
  const server = network.stack('b').net.createServer((socket: Socket) => {
    socket.on('data', (chunk) => {
      load.bytes += chunk.length;
    });
    socket.on('error', () => {});
  });
  server.listen(80);
  await once(server, 'listening');
  const socket = network.stack('a').net.connect(80, '10.0.0.2');
  t.after(async () => {
    socket.destroy();
    await network.close();
  });
  const chunk = Buffer.alloc(CHUNK_BYTES, 1);
  const fill = (): void => {
    while (socket.write(chunk));
  };
  socket.on('drain', fill);
  socket.once('connect', fill);
  await once(socket, 'connect');
  return load;
}

/** Milliseconds for which this thread wanted to run and other processes had the CPU. Linux: sched-stats.rst, field 2. */
function waitedMs(): number {
  const status = `/proc/self/task/${process.pid}/schedstat`;
  return existsSync(status) ? Number(readFileSync(status, 'utf8').split(' ')[1]) / 1e6 : 0;
}

/** Share of the ticks of an interval that came in the time that this thread had. */
async function measureTicks(): Promise<number> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, TICK_MS);
  const startMs = performance.now() - waitedMs();
  await delay(MEASURED_MS);
  clearInterval(timer);
  return (ticks * TICK_MS) / (performance.now() - waitedMs() - startMs);
}

for (const offload of [true, false]) {
  test(`a timer keeps its ticks during a bulk transfer, offload ${offload ? 'on' : 'off'}`, async (t) => {
    const load = await startBulk(t, offload);
    const shares: number[] = [];
    for (let i = 0; i < ATTEMPTS && !shares.some((share) => share >= LEAST_SHARE); i++) {
      const before = load.bytes;
      shares.push(await measureTicks());
      assert.ok(load.bytes - before > 10 * 2 ** 20, `only ${load.bytes - before} bytes passed`);
    }
    assert.ok(Math.max(...shares) >= LEAST_SHARE, `shares of the ticks: ${shares.map((each) => each.toFixed(3))}`);
  });
}
