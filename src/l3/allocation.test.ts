import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianHeapGrowth } from '../base/testing/heap-growth.js';
import { PatternSource } from '../drivers/pattern-source.js';
import { Sink } from '../drivers/sink.js';
import { ip, L3Lab } from './testing/l3-lab.js';
import { frame, udpPacket } from './testing/packets.js';

const PACKETS = 1_000_000;
const ROUND_PACKETS = 100_000;

test('routing a million packets allocates nothing per packet', () => {
  const lab = new L3Lab();
  const stack = lab.l3.createStack({ forwarding: true });
  const packets = Array.from({ length: 64 }, (_, i) =>
    frame(udpPacket({ source: '10.0.0.9', destination: `10.${i}.1.7`, payload: new Uint8Array(18) }), 1),
  );
  const source = new PatternSource(lab.pool, 'ethernet', packets);
  const sink = new Sink(lab.pool, 'ethernet');
  lab.addInterface(stack, 'in', source, ['10.255.0.1/24']);
  const out = lab.addInterface(stack, 'out', sink, ['10.254.0.1/24']);
  lab.l3.addNeighbor(out, ip('10.254.0.2'), 0x0200, 0x77);
  lab.addRoute(stack, '10.0.0.0/8', { via: ip('10.254.0.2') });
  source.onPending();
  const routeUntil = (count: number): void => {
    while (sink.packets < count) lab.graph.run();
  };
  routeUntil(PACKETS);
  const bytes = medianHeapGrowth(() => routeUntil(sink.packets + ROUND_PACKETS));
  assert.ok(bytes < ROUND_PACKETS, `${bytes} bytes for ${ROUND_PACKETS} packets`);
  assert.equal(lab.close(), 0);
});
