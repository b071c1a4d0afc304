import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LinkType } from './capture.js';
import { CaptureReader, parseCapture } from './capture-reader.js';
import { PCAP_RECORD_HEADER_BYTES, writePcapHeader, writePcapRecordHeader } from './pcap.js';
import {
  PCAPNG_PACKET_OFFSET,
  pcapngPacketBytes,
  writePcapngInterface,
  writePcapngPacket,
  writePcapngSectionHeader,
} from './pcapng.js';

interface Packet {
  seconds: number;
  nanoseconds: number;
  data: Uint8Array;
  cut: number;
  comment: string;
}

const packets: fc.Arbitrary<Packet[]> = fc.array(
  fc.record({
    seconds: fc.nat(0xffffffff),
    nanoseconds: fc.nat(999_999_999),
    data: fc.uint8Array({ maxLength: 70 }),
    cut: fc.nat(2000),
    comment: fc.string({ unit: 'grapheme', maxLength: 20 }),
  }),
  { maxLength: 20 },
);

function pcapFile(list: readonly Packet[]): Uint8Array {
  const bytes = new Uint8Array(1 << 16);
  const view = new DataView(bytes.buffer);
  let at = writePcapHeader(view, 0, LinkType.ethernet);
  for (const { seconds, nanoseconds, data, cut } of list) {
    writePcapRecordHeader(view, at, seconds, nanoseconds, data.length, data.length + cut);
    bytes.set(data, at + PCAP_RECORD_HEADER_BYTES);
    at += PCAP_RECORD_HEADER_BYTES + data.length;
  }
  return bytes.slice(0, at);
}

function pcapngFile(list: readonly Packet[]): Uint8Array {
  const bytes = new Uint8Array(1 << 16).fill(0xee);
  const view = new DataView(bytes.buffer);
  let at = writePcapngSectionHeader(view, 0, 'usernet');
  at += writePcapngInterface(view, at, LinkType.ethernet, 'eth0');
  at += writePcapngInterface(view, at, LinkType.raw, 'größer');
  list.forEach(({ seconds, nanoseconds, data, cut, comment }, index) => {
    bytes.set(data, at + PCAPNG_PACKET_OFFSET);
    const args = [seconds, nanoseconds, data.length, data.length + cut, comment] as const;
    const written = writePcapngPacket(view, at, index & 1, ...args);
    assert.equal(written, pcapngPacketBytes(data.length, comment));
    at += written;
  });
  return bytes.slice(0, at);
}

/** The same file as a machine of the other byte order writes it: swaps all that is a number. */
function swapPcap(file: Uint8Array, list: readonly Packet[]): Uint8Array {
  const swapped = file.slice();
  const reverse = (at: number, bytes: number): Uint8Array => swapped.subarray(at, at + bytes).reverse();
  for (const [at, bytes] of [
    [0, 4],
    [4, 2],
    [6, 2],
    [16, 4],
    [20, 4],
  ] as const)
    reverse(at, bytes);
  let at = 24;
  for (const { data } of list) {
    for (let i = 0; i < 16; i += 4) reverse(at + i, 4);
    at += 16 + data.length;
  }
  return swapped;
}

function assertSame(file: Uint8Array, list: readonly Packet[], hasComments: boolean): void {
  const { packets: found, problem } = parseCapture(file);
  assert.equal(problem, undefined);
  assert.equal(found.length, list.length);
  found.forEach((packet, index) => {
    const expected = list[index];
    assert.ok(expected);
    assert.deepEqual([packet.seconds, packet.nanoseconds], [expected.seconds, expected.nanoseconds]);
    assert.deepEqual(packet.bytes, expected.data);
    assert.equal(packet.originalBytes, expected.data.length + expected.cut);
    if (!hasComments) return;
    assert.equal(packet.comment, expected.comment);
    assert.equal(packet.interface.name, index & 1 ? 'größer' : 'eth0');
    assert.equal(packet.interface.linkType, index & 1 ? LinkType.raw : LinkType.ethernet);
  });
}

test('pcap: what was written is read, in both byte orders', () => {
  fc.assert(
    fc.property(packets, (list) => {
      assertSame(pcapFile(list), list, false);
      assertSame(swapPcap(pcapFile(list), list), list, false);
    }),
    { seed: 1 },
  );
});

test('pcapng: what was written is read', () => {
  fc.assert(
    fc.property(packets, (list) => assertSame(pcapngFile(list), list, true)),
    { seed: 2 },
  );
});

test('pcap with microseconds', () => {
  const file = pcapFile([{ seconds: 1, nanoseconds: 999_999, data: Uint8Array.of(1), cut: 0, comment: '' }]);
  file.set([0xa1, 0xb2, 0xc3, 0xd4]);
  assert.equal(parseCapture(file).packets[0]?.nanoseconds, 999_999_000);
});

/** Blocks of a pcapng file in little-endian byte order. */
class Little {
  readonly bytes: number[] = [];

  block(type: number, ...body: number[][]): this {
    const content = body.flat();
    const length = 12 + content.length;
    this.bytes.push(...u32(type), ...u32(length), ...content, ...u32(length));
    return this;
  }
}

function u16(value: number): number[] {
  return [value & 255, value >>> 8];
}

function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

const SECTION = [u32(0x1a2b3c4d), u16(1), u16(0), u32(-1), u32(-1)];

test('pcapng: little-endian, resolutions, time offset, simple and obsolete packets, unknown blocks, several sections', () => {
  const file = new Little()
    .block(0x0a0d0d0a, ...SECTION)
    .block(1, u16(1), u16(0), u32(3), u16(9), u16(1), [0x8a, 0, 0, 0], u16(14), u16(8), u32(1000), u32(0), u32(0))
    .block(0xbad, u32(7))
    .block(6, u32(0), u32(0), u32(5 * 1024 + 512), u32(2), u32(9), [7, 8, 0, 0])
    .block(3, u32(5), [1, 2, 3, 0])
    .block(0x0a0d0d0a, ...SECTION)
    .block(1, u16(101), u16(0), u32(0))
    .block(2, u16(0), u16(3), u32(0), u32(1_500_000), u32(1), u32(1), [9, 0, 0, 0]);
  const { packets: found, problem } = parseCapture(Uint8Array.from(file.bytes));
  assert.equal(problem, undefined);
  const seen = found.map(({ interface: { linkType }, seconds, nanoseconds, originalBytes, bytes }) => ({
    linkType,
    seconds,
    nanoseconds,
    originalBytes,
    bytes: [...bytes],
  }));
  assert.deepEqual(seen, [
    { linkType: 1, seconds: 1005, nanoseconds: 500_000_000, originalBytes: 9, bytes: [7, 8] },
    { linkType: 1, seconds: 0, nanoseconds: 0, originalBytes: 5, bytes: [1, 2, 3] },
    { linkType: 101, seconds: 1, nanoseconds: 500_000_000, originalBytes: 1, bytes: [9] },
  ]);
});

test('a file that arrives in pieces gives the same packets', () => {
  fc.assert(
    fc.property(packets, fc.boolean(), fc.integer({ min: 1, max: 100 }), (list, ng, pieceBytes) => {
      const file = ng ? pcapngFile(list) : pcapFile(list);
      const reader = new CaptureReader();
      const found: number[][] = [];
      for (let at = 0; at < file.length; at += pieceBytes) {
        reader.push(file.subarray(at, at + pieceBytes));
        for (let packet = reader.next(); packet !== undefined; packet = reader.next()) found.push([...packet.bytes]);
      }
      assert.equal(reader.end(), undefined);
      assert.deepEqual(
        found,
        list.map(({ data }) => [...data]),
      );
    }),
    { seed: 3 },
  );
});

test('problems name their place; packets before them are given', () => {
  const one: Packet = { seconds: 1, nanoseconds: 2, data: Uint8Array.of(1, 2, 3), cut: 0, comment: '' };
  const file = pcapFile([one, one]);
  const cut = parseCapture(file.subarray(0, file.length - 1));
  assert.equal(cut.packets.length, 1);
  assert.deepEqual(cut.problem, { offset: 24 + 19, message: 'the file ends in the middle' });
  assert.deepEqual(parseCapture(new Uint8Array(0)).problem, { offset: 0, message: 'the file is empty' });
  assert.deepEqual(parseCapture(new Uint8Array(30)).problem, {
    offset: 0,
    message: 'neither a pcap nor a pcapng file',
  });
  const long = pcapFile([one]);
  long.set([255, 0, 0, 0], 24 + 8);
  assert.deepEqual(parseCapture(long).problem, { offset: 24, message: 'record of 4278190080 bytes' });
  const unknown = pcapngFile([one]);
  unknown[unknown.length - 36 + 11] = 5;
  assert.equal(parseCapture(unknown).problem?.message, 'interface 5 is not described');
});

test('damaged files never throw and never give bytes from outside', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
  fc.assert(
    fc.property(packets, fc.boolean(), damage, fc.nat(), (list, ng, changes, cut) => {
      const file = ng ? pcapngFile(list) : pcapFile(list);
      for (const [at, value] of changes) file[at % file.length] = value;
      const { packets: found, problem } = parseCapture(file.subarray(0, cut % (file.length + 1)));
      for (const packet of found) assert.ok(packet.bytes.length <= file.length);
      if (problem !== undefined) assert.ok(problem.offset <= file.length);
    }),
    { seed: 4, numRuns: 2000 },
  );
});
