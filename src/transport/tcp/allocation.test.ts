import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianHeapGrowth } from '../../base/testing/heap-growth.js';
import { NS_PER_MS } from '../../base/time.js';
import { TcpLab, words } from '../testing/tcp-lab.js';

const PACKETS = 100_000;
const ROUND_PACKETS = 20_000;

test('a transfer of hundreds of thousands of packets allocates nothing per packet', () => {
  let server = -1;
  const lab = new TcpLab({
    events: {
      onAccepted: (_listener, connection) => {
        server = connection;
        lab.tcp.accepted(connection);
      },
    },
  });
  const { tcp } = lab;
  const [a, b] = lab.joinPair({ offload: false });
  tcp.listen(b, words('10.0.0.2'), 80, { backlog: 1 });
  const client = tcp.connect({ namespace: a, stack: a, remote: words('10.0.0.2'), remotePort: 80 });
  assert.ok(typeof client === 'number');
  lab.run(10);
  const fifo = 2 * client + 1;
  const input = lab.graph.stats.find((each) => each.name === 'tcp4-input');
  // What is sent lies in the arena: copies from an application's own memory are not what is measured.
  const source = lab.pool.slotStart(0);
  const transferUntil = (packets: number): void => {
    while (input!.packets < packets) {
      const placed = tcp.fifos.place(fifo, 0, source, Math.min(tcp.fifos.space(fifo), 65_536));
      if (placed > 0) tcp.fifos.commit(fifo, placed);
      tcp.send(client);
      lab.graph.run();
      tcp.flushEvents();
      tcp.fifos.drop(2 * server, tcp.fifos.readable(2 * server));
      tcp.consumed(server);
      lab.clock.nowNs += NS_PER_MS / 8;
      tcp.advance(lab.clock.nowNs);
    }
  };
  transferUntil(PACKETS);
  const bytes = medianHeapGrowth(() => transferUntil(input!.packets + ROUND_PACKETS));
  assert.ok(bytes < ROUND_PACKETS * 8, `${bytes} bytes for ${ROUND_PACKETS} packets`);
  assert.equal(tcp.info(client).retransmits, 0);
  assert.equal(lab.close(), 0);
});
