/** Random and mutated packets through every node of the layer: no exception, and every slot comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBelow, seededRandom } from '../base/random.js';
import { Ipv4Flag, updateIpv4Checksum } from '../wire/ipv4.js';
import { ip, L3Lab } from './testing/l3-lab.js';
import { arpFrame, echoPacket, frame, ipv4Packet, udpPacket } from './testing/packets.js';

const ROUNDS = 6000;

for (const seed of [1, 2, 3]) {
  test(`mutated frames (seed ${seed})`, () => {
    const random = seededRandom(seed);
    const lab = new L3Lab(
      { neighbors: 16, reassemblies: 8, reassemblySlots: 24, icmpErrorsPerSecond: 1e9, icmpErrorBurst: 1e9 },
      1024,
    );
    const stack = lab.l3.createStack({ forwarding: true });
    lab.addLoopback(stack);
    const { tap, index } = lab.addTap(stack, 'left', ['10.0.0.1/24']);
    const { tap: right, index: rightIndex } = lab.addTap(stack, 'right', ['10.0.1.1/24'], 300);
    lab.l3.addNeighbor(rightIndex, ip('10.0.1.9'), 0x0200, 0x77);
    lab.l3.joinGroup(index, ip('224.0.0.9'));
    lab.addRoute(stack, '192.0.2.0/25', { kind: 'prohibit' });
    lab.addRoute(stack, '192.0.2.128/25', { via: ip('10.0.1.9') });
    lab.l3.onIcmpError(17, () => randomBelow(random, 2) === 0);
    const payload = (): Uint8Array => new Uint8Array(8 * randomBelow(random, 60));
    const destinations = [
      '10.0.0.1',
      '10.0.0.255',
      '10.0.1.9',
      '10.0.1.44',
      '192.0.2.3',
      '192.0.2.200',
      '224.0.0.9',
      '8.8.8.8',
    ];
    const seeds = (): Uint8Array[] => {
      const destination = destinations[randomBelow(random, destinations.length)]!;
      const options = { source: `10.0.0.${2 + randomBelow(random, 20)}`, destination, payload: payload() };
      const fragmentField = (randomBelow(random, 2) * Ipv4Flag.moreFragments) | randomBelow(random, 40);
      const quote = udpPacket({ source: '10.0.0.1', destination: '10.0.1.9' });
      const error = Uint8Array.from([3, 4, 0, 0, 0, 0, 2, 0, ...quote]);
      return [
        udpPacket({ ...options, ttl: randomBelow(random, 3) }),
        echoPacket(options),
        ipv4Packet({ ...options, fragmentField, identification: randomBelow(random, 3) }),
        ipv4Packet({ ...options, protocol: 1, payload: error }),
        ipv4Packet({ ...options, options: [148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0] }),
      ];
    };
    for (let round = 0; round < ROUNDS; round++) {
      const packets = seeds();
      const packet = packets[randomBelow(random, packets.length)]!;
      for (let i = randomBelow(random, 4); i > 0; i--)
        packet[randomBelow(random, packet.length)] = random.uint32() & 255;
      const isRepaired =
        randomBelow(random, 3) > 0 && packet.length >= (packet[0]! & 15) << 2 && (packet[0]! & 15) >= 5;
      if (isRepaired) updateIpv4Checksum(new DataView(packet.buffer), 0);
      const cut = randomBelow(random, 10) === 0 ? packet.subarray(0, randomBelow(random, packet.length)) : packet;
      const bytes = randomBelow(random, 8) === 0 ? arpFrame({ sender: '10.0.0.9', target: '10.0.0.1' }) : frame(cut, 2);
      if (bytes[13] === 6) bytes[14 + randomBelow(random, 28)] = random.uint32() & 255;
      tap.bring(randomBelow(random, 20) === 0 ? bytes.subarray(0, randomBelow(random, bytes.length)) : bytes);
      lab.settle();
      if (round % 50 === 0) lab.run(randomBelow(random, 3000));
      if (round % 500 === 0) {
        lab.deliveries.length = 0;
        tap.sent.length = 0;
        right.sent.length = 0;
      }
    }
    assert.ok(lab.count('ip4-icmp-error', 'sent') > 100);
    assert.ok(lab.count('ip4-local', 'unknown protocol') > 10);
    lab.run(60_000);
    assert.equal(lab.l3.reassembly.slotsInUse, 0);
    assert.equal(lab.l3.neighbors.queues.total, 0);
    assert.equal(lab.pool.inUse, 0, 'before anything is closed');
    assert.equal(lab.close(), 0);
  });
}
