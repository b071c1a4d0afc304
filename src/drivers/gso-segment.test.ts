import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PacketFlag } from '../mem/packet-pool.js';
import { ipv4Identification, ipv4TotalLength, isIpv4ChecksumValid } from '../wire/ipv4.js';
import { isTcpChecksumValidIpv4, TcpFlag, tcpFlags, tcpHeaderBytes, tcpSequence } from '../wire/tcp.js';
import { GsoSegmenter, MAX_GSO_PIECES } from './gso-segment.js';
import { bytesOf, DESTINATION_ADDRESS, makeLinkLab, pattern, SOURCE_ADDRESS, tcpPacket } from './testing/link-lab.js';

const ALL_FLAGS = TcpFlag.fin | TcpFlag.psh | TcpFlag.ack | TcpFlag.ece | TcpFlag.cwr;

/** The packet's payload starts in one slot and goes on in slots of odd and even lengths. */
function fragmentChain(pool: ReturnType<typeof makeLinkLab>['pool'], slot: number, lengths: number[]): number {
  const bytes = bytesOf(pool, slot);
  const headers = 14 + 20 + tcpHeaderBytes(pool.view, pool.transport[slot]!);
  const at = pool.head[slot]!;
  const first = pool.take();
  const moved = pool.head[first]! - at;
  pool.network[first] = pool.network[slot]! + moved;
  pool.transport[first] = pool.transport[slot]! + moved;
  pool.flags[first] = pool.flags[slot]!;
  pool.totalLength[first] = bytes.length;
  pool.give(slot);
  let tail = first;
  let from = 0;
  for (let i = 0; from < bytes.length; i++) {
    const count = Math.min(bytes.length - from, i === 0 ? headers : 1 + (lengths[(i - 1) % lengths.length]! % 1600));
    if (i > 0) {
      const following = pool.take();
      pool.next[tail] = following;
      tail = following;
    }
    pool.bytes.set(bytes.subarray(from, from + count), pool.head[tail]!);
    pool.length[tail] = count;
    from += count;
  }
  return first;
}

describe('GsoSegmenter', () => {
  it('cuts any super-segment into right segments that join to the same bytes', () => {
    const { pool, kernels } = makeLinkLab(2048);
    const segmenter = new GsoSegmenter(pool, kernels);
    const pieces = new Int32Array(MAX_GSO_PIECES);
    const property = fc.property(
      fc.integer({ min: 1, max: 65_000 }),
      fc.integer({ min: 64, max: 9000 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.integer({ min: 0, max: 10 }),
      fc.array(fc.integer({ min: 800, max: 1599 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0, max: 255 }),
      (payloadBytes, gsoSize, sequence, optionWords, lengths, flags) => {
        const payload = pattern(payloadBytes);
        const whole = tcpPacket(pool, { payload, flags, sequence, optionBytes: optionWords * 4 });
        pool.flags[whole] = PacketFlag.checksumPartial | PacketFlag.gsoTcp4;
        pool.txInterface[whole] = 9;
        const slot = fragmentChain(pool, whole, lengths);
        pool.gsoSize[slot] = gsoSize;
        pool.txInterface[slot] = 9;
        const count = segmenter.segment(slot, true, pieces);
        assert.equal(count, Math.ceil(payloadBytes / gsoSize));
        const joined: number[] = [];
        for (let i = 0; i < count; i++) {
          const piece = pieces[i]!;
          const bytes = bytesOf(pool, piece);
          const view = new DataView(bytes.buffer);
          const headerBytes = tcpHeaderBytes(view, 34);
          const isLast = i === count - 1;
          assert.equal(pool.txInterface[piece], 9);
          assert.equal(pool.network[piece], pool.head[piece]! + 14);
          assert.equal(pool.transport[piece], pool.head[piece]! + 34);
          assert.equal(pool.flags[piece], PacketFlag.checksumValid);
          assert.equal(headerBytes, 20 + optionWords * 4);
          assert.equal(ipv4TotalLength(view, 14), bytes.length - 14);
          assert.equal(ipv4Identification(view, 14), (100 + i) & 0xffff);
          assert.ok(isIpv4ChecksumValid(view, 14));
          assert.equal(tcpSequence(view, 34), (sequence + i * gsoSize) | 0);
          const expected = flags & ~(isLast ? 0 : TcpFlag.fin | TcpFlag.psh) & ~(i === 0 ? 0 : TcpFlag.cwr);
          assert.equal(tcpFlags(view, 34), expected);
          assert.ok(isTcpChecksumValidIpv4(view, 34, bytes.length - 34, SOURCE_ADDRESS, DESTINATION_ADDRESS));
          const data = bytes.subarray(34 + headerBytes);
          assert.equal(data.length, isLast ? payloadBytes - i * gsoSize : gsoSize);
          for (const byte of data) joined.push(byte);
          pool.give(piece);
        }
        assert.deepEqual(Uint8Array.from(joined), payload);
        assert.equal(pool.inUse, 0);
      },
    );
    fc.assert(property, { seed: 1, numRuns: 60 });
  });

  it('leaves the checksums to a device that computes them', () => {
    const { pool, kernels } = makeLinkLab();
    const segmenter = new GsoSegmenter(pool, kernels);
    const pieces = new Int32Array(MAX_GSO_PIECES);
    const slot = tcpPacket(pool, { payload: pattern(1500), flags: ALL_FLAGS });
    pool.flags[slot] = PacketFlag.checksumPartial | PacketFlag.gsoTcp4 | PacketFlag.control;
    pool.gsoSize[slot] = 1000;
    assert.equal(segmenter.segment(slot, false, pieces), 2);
    for (const piece of pieces.subarray(0, 2)) {
      assert.equal(pool.flags[piece], PacketFlag.checksumPartial | PacketFlag.control);
    }
    pool.giveMany(pieces, 2);
    assert.equal(pool.inUse, 0);
  });

  it('refuses what it can not cut and leaves it to the caller', () => {
    const { pool, kernels } = makeLinkLab(64);
    const segmenter = new GsoSegmenter(pool, kernels);
    const pieces = new Int32Array(MAX_GSO_PIECES);
    const slot = tcpPacket(pool, { payload: pattern(60_000), flags: TcpFlag.ack });
    const before = pool.inUse;
    for (const gsoSize of [0, 20, 1400]) {
      pool.gsoSize[slot] = gsoSize;
      assert.equal(segmenter.segment(slot, true, pieces), 0, `gsoSize ${gsoSize}`);
      assert.equal(pool.inUse, before);
    }
    pool.give(slot);
    const empty = tcpPacket(pool, { payload: pattern(0), flags: TcpFlag.ack });
    pool.gsoSize[empty] = 1000;
    assert.equal(segmenter.segment(empty, true, pieces), 0);
    pool.give(empty);
    assert.equal(pool.inUse, 0);
  });
});
