import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { isIcmpv4ChecksumValid } from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { setIpv4TotalLength, writeIpv4 } from '../wire/ipv4.js';
import { isTcpChecksumValidIpv4 } from '../wire/tcp.js';
import { isUdpChecksumValidIpv4, udpChecksum } from '../wire/udp.js';
import { bytesOf, makeLinkLab, packetOf, pattern } from './testing/link-lab.js';
import { fillTransportChecksum } from './transport-checksum.js';

const SOURCE = 0xc0000201;
const DESTINATION = 0xffffff01;

/** An IPv4 packet of `count` payload bytes, header included, of which the checksum field holds rubbish. */
function makePartial(pool: PacketPool, protocol: number, payload: Uint8Array): number {
  const bytes = new Uint8Array(20 + payload.length);
  writeIpv4(new DataView(bytes.buffer), 0, 0, bytes.length, 1, 0, 64, protocol, SOURCE, DESTINATION);
  bytes.set(payload, 20);
  const slot = packetOf(pool, bytes);
  pool.network[slot] = pool.head[slot]!;
  pool.transport[slot] = pool.head[slot]! + 20;
  pool.flags[slot] = PacketFlag.checksumPartial | PacketFlag.control;
  return slot;
}

describe('fillTransportChecksum', () => {
  it('fills in TCP, UDP and ICMP checksums of packets of any length, chains too', () => {
    const { pool, kernels } = makeLinkLab();
    const property = fc.property(
      fc.constantFrom(IpProtocol.tcp, IpProtocol.udp, IpProtocol.icmp),
      fc.integer({ min: 20, max: 9000 }),
      fc.integer(),
      (protocol, count, seed) => {
        const slot = makePartial(pool, protocol, pattern(count, seed));
        fillTransportChecksum(pool, kernels, slot);
        assert.equal(pool.flags[slot], PacketFlag.checksumValid | PacketFlag.control);
        const view = new DataView(bytesOf(pool, slot).buffer);
        if (protocol === IpProtocol.tcp) assert.ok(isTcpChecksumValidIpv4(view, 20, count, SOURCE, DESTINATION));
        if (protocol === IpProtocol.icmp) assert.ok(isIcmpv4ChecksumValid(view, 20, count));
        if (protocol === IpProtocol.udp) {
          assert.notEqual(udpChecksum(view, 20), 0);
          assert.ok(isUdpChecksumValidIpv4(view, 20, count, SOURCE, DESTINATION));
        }
        pool.give(slot);
      },
    );
    fc.assert(property, { seed: 2, numRuns: 300 });
    assert.equal(pool.inUse, 0);
  });

  it('sums chains whose slots hold odd counts of bytes', () => {
    const { pool, kernels } = makeLinkLab();
    for (const lengths of [
      [1, 1, 1],
      [3, 2, 5, 4],
      [2, 7],
      [0, 3, 0, 4],
    ]) {
      const count = 20 + lengths.reduce((sum, length) => sum + length, 0);
      const payload = pattern(count);
      const slot = makePartial(pool, IpProtocol.tcp, payload.subarray(0, 20));
      pool.totalLength[slot] = 20 + count;
      setIpv4TotalLength(pool.view, pool.network[slot]!, 20 + count);
      let tail = slot;
      let from = 20;
      for (const length of lengths) {
        const following = packetOf(pool, payload.subarray(from, from + length));
        pool.next[tail] = following;
        tail = following;
        from += length;
      }
      fillTransportChecksum(pool, kernels, slot);
      const view = new DataView(bytesOf(pool, slot).buffer);
      assert.ok(isTcpChecksumValidIpv4(view, 20, count, SOURCE, DESTINATION), `${lengths}`);
      pool.give(slot);
    }
    assert.equal(pool.inUse, 0);
  });

  it('writes 0xffff for a UDP checksum of 0, which would mean that there is none (RFC 768)', () => {
    const { pool, kernels } = makeLinkLab();
    const payload = new Uint8Array(10);
    const view = new DataView(payload.buffer);
    view.setUint16(4, 10);
    const probe = makePartial(pool, IpProtocol.udp, payload);
    fillTransportChecksum(pool, kernels, probe);
    // What is added to the data makes the sum 0xffff, and the checksum 0.
    view.setUint16(8, udpChecksum(pool.view, pool.transport[probe]!));
    pool.give(probe);
    const slot = makePartial(pool, IpProtocol.udp, payload);
    fillTransportChecksum(pool, kernels, slot);
    assert.equal(udpChecksum(pool.view, pool.transport[slot]!), 0xffff);
    pool.give(slot);
  });
});
