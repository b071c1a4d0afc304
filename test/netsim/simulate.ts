/** One transfer between two stacks over a bad link, in virtual time. Every byte is checked; the goodput is the result. */
import assert from 'node:assert/strict';
import { seededRandom } from '../../src/base/random.js';
import { NS_PER_MS } from '../../src/base/time.js';
import { FaultInjector, type FaultOptions } from '../../src/drivers/fault-injector.js';
import type { TcpConfig } from '../../src/transport/tcp/tcp-config.js';
import { TcpLab, words } from '../../src/transport/testing/tcp-lab.js';

export interface Scenario {
  /** Send and receive buffer of both ends. */
  readonly windowBytes: number;
  readonly transferBytes: number;
  /** What happens to packets, in both directions. */
  readonly faults: FaultOptions;
  readonly seed: number;
  readonly config?: Partial<TcpConfig>;
}

export interface Outcome {
  /** Kilobits of payload per second of virtual time, from connect to the last byte, rounded. */
  readonly goodputKbps: number;
  readonly retransmits: number;
}

const MAX_SECONDS = 4_000;

/** The byte at a place of the stream: a wrong place or order shows. */
function byteAt(i: number): number {
  return (Math.imul(i, 0x9e3779b1) >>> 24) ^ (i & 0xff);
}

export function simulate(scenario: Scenario): Outcome {
  const { windowBytes, transferBytes } = scenario;
  const config = {
    maxConnections: 16,
    sendBufferBytes: windowBytes,
    maxSendBufferBytes: windowBytes,
    receiveBufferBytes: windowBytes,
    maxReceiveBufferBytes: windowBytes,
    ...scenario.config,
  };
  const data = Uint8Array.from({ length: transferBytes }, (_, i) => byteAt(i));
  const got = new Uint8Array(transferBytes + 1);
  let written = 0;
  let read = 0;
  let server = -1;
  let doneNs = 0;
  let isClosed = false;
  const lab = new TcpLab({
    config,
    slots: 8192,
    arenaBytes: 96 << 20,
    events: {
      onAccepted: (_listener, connection) => {
        server = connection;
        lab.tcp.accepted(connection);
      },
      onConnected: (connection) => write(connection),
      onWritable: (connection) => write(connection),
      onReadable: (connection) => {
        const taken = lab.tcp.fifos.read(2 * connection, got, read, got.length - read);
        read += taken;
        if (read >= transferBytes && doneNs === 0) doneNs = lab.clock.nowNs;
        lab.tcp.consumed(connection);
      },
      onPeerClosed: (connection) => {
        if (connection === server) lab.tcp.close(connection);
      },
      onClosed: () => {
        isClosed = true;
      },
      onFailed: (_connection, errno) => assert.fail(`the connection failed: ${errno}`),
    },
  });
  function write(connection: number): void {
    const taken = lab.tcp.fifos.write(2 * connection + 1, data, written, transferBytes - written);
    written += taken;
    lab.tcp.send(connection);
    if (written < transferBytes) lab.tcp.wantWritable(connection);
    else lab.tcp.shutdown(connection);
  }
  const random = seededRandom(scenario.seed);
  const [a, b] = lab.joinPair({
    offload: false,
    wrap: (device) =>
      new FaultInjector(device, { pool: lab.pool, kernels: lab.kernels, clock: lab.clock, random }, scenario.faults),
  });
  lab.tcp.listen(b, words('10.0.0.2'), 80, { backlog: 4 });
  const startNs = lab.clock.nowNs;
  const client = lab.tcp.connect({ namespace: a, stack: a, remote: words('10.0.0.2'), remotePort: 80 });
  assert.ok(typeof client === 'number');
  lab.run(MAX_SECONDS * 1_000, () => isClosed);
  assert.equal(read, transferBytes, `${read} of ${transferBytes} bytes arrived`);
  assert.deepEqual(got.subarray(0, transferBytes), data);
  const { retransmits } = lab.tcp.info(client);
  assert.ok(isClosed, 'both ends are closed in order');
  lab.tcp.close(client);
  lab.run(130_000);
  assert.equal(lab.tcp.core.table.count, 0, 'connections left');
  assert.equal(lab.close(), 0, 'slots left');
  assert.equal(lab.heap.usedBytes, 0, 'FIFO memory left');
  const goodputKbps = Math.round((transferBytes * 8) / ((doneNs - startNs) / NS_PER_MS));
  return { goodputKbps, retransmits };
}
