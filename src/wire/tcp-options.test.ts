import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeTcp } from './tcp.js';
import {
  formatTcpOptions,
  makeTcpOptions,
  readTcpOptions,
  TCP_MAX_SACK_BLOCKS,
  TcpOptionBit,
  type TcpOptions,
  tcpSackBlocksThatFit,
  writeTcpMss,
  writeTcpSack,
  writeTcpSackPermitted,
  writeTcpTimestamps,
  writeTcpWindowScale,
} from './tcp-options.js';

const { mss, windowScale, sackPermitted, sack, timestamps, malformed } = TcpOptionBit;
const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });

/** Reads a header whose options are these bytes, padded with zeros. `options` is dirty on purpose. */
function read(bytes: number[], options: TcpOptions = makeTcpOptions()): TcpOptions {
  const view = new DataView(new ArrayBuffer(20 + ((bytes.length + 3) & ~3)));
  writeTcp(view, 0, 1, 2, 3, 4, view.byteLength, 16, 5);
  new Uint8Array(view.buffer).set(bytes, 20);
  options.present = -1;
  options.sackCount = 3;
  readTcpOptions(view, 0, options);
  return options;
}

test('a SYN with all options round-trips', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(14), i32, i32, (size, shift, tsVal, tsEcr) => {
      const view = new DataView(new ArrayBuffer(60));
      let at = 20;
      at += writeTcpMss(view, at, size);
      at += writeTcpWindowScale(view, at, shift);
      at += writeTcpSackPermitted(view, at);
      at += writeTcpTimestamps(view, at, tsVal, tsEcr);
      assert.equal(at, 44);
      writeTcp(view, 0, 1, 2, 3, 4, at, 2, 5);
      const options = makeTcpOptions();
      const present = readTcpOptions(view, 0, options);
      assert.equal(present, mss | windowScale | sackPermitted | timestamps);
      const { mss: size2, windowScale: shift2, tsVal: val2, tsEcr: ecr2, sackCount } = options;
      assert.deepEqual([size2, shift2, val2, ecr2, sackCount], [size, shift, tsVal, tsEcr, 0]);
    }),
    { seed: 9293 },
  );
});

test('SACK blocks round-trip, alone and beside timestamps', () => {
  const blocks = fc.array(fc.tuple(i32, i32), { minLength: 1, maxLength: TCP_MAX_SACK_BLOCKS });
  fc.assert(
    fc.property(blocks, fc.boolean(), (pairs, withTimestamps) => {
      const view = new DataView(new ArrayBuffer(60));
      let at = 20;
      if (withTimestamps) at += writeTcpTimestamps(view, at, 1, 2);
      const count = Math.min(pairs.length, tcpSackBlocksThatFit(at - 20));
      const edges = Int32Array.from(pairs.flat());
      at += writeTcpSack(view, at, edges, count);
      assert.ok(at <= 60);
      writeTcp(view, 0, 1, 2, 3, 4, at, 16, 5);
      const options = makeTcpOptions();
      assert.equal(readTcpOptions(view, 0, options), withTimestamps ? sack | timestamps : sack);
      assert.equal(options.sackCount, count);
      assert.deepEqual(options.sackEdges.slice(0, count * 2), edges.slice(0, count * 2));
    }),
    { seed: 2018 },
  );
  assert.equal(tcpSackBlocksThatFit(0), 4);
  assert.equal(tcpSackBlocksThatFit(12), 3);
});

test('timestamps alone, in the aligned form and in others', () => {
  const stamps = [8, 10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7];
  for (const bytes of [
    [1, 1, ...stamps],
    [...stamps, 0, 0],
    [...stamps, 1, 1],
    [1, ...stamps, 1],
  ]) {
    const options = read(bytes);
    const { present, tsVal, tsEcr, sackCount } = options;
    assert.deepEqual([present, tsVal, tsEcr, sackCount], [timestamps, -1, 7, 0], `${bytes}`);
  }
});

test('options stand at any octet (MUST-64), unknown ones are skipped by their length (MUST-6)', () => {
  assert.equal(read([1, 254, 5, 9, 9, 9, 3, 3, 7]).present, windowScale);
  assert.equal(read([1, 2, 4, 5, 180]).mss, 1460);
  assert.equal(read([30, 4, 0, 0, 4, 2]).present, sackPermitted);
});

test('what stands behind the end of the options does not count', () => {
  assert.equal(read([0, 4, 2, 0]).present, 0);
});

test('illegal lengths end the walk and keep what came before (MUST-7)', () => {
  assert.equal(read([4, 2, 8, 0]).present, sackPermitted | malformed, 'length 0');
  assert.equal(read([4, 2, 254, 1]).present, sackPermitted | malformed, 'length 1');
  assert.equal(read([4, 2, 8, 10]).present, sackPermitted | malformed, 'reaches beyond the header');
  assert.equal(read([1, 1, 1, 3]).present, malformed, 'no length at all');
});

test('an option with a length that is not its own is ignored, the next one is read', () => {
  assert.equal(read([2, 3, 5, 4, 2]).present, sackPermitted, 'MSS of 3 bytes');
  assert.equal(read([3, 4, 5, 5, 4, 2]).present, sackPermitted, 'window scale of 4');
  assert.equal(read([5, 9, 0, 0, 0, 0, 0, 0, 0, 4, 2]).present, sackPermitted, 'SACK of 9');
  assert.equal(read([5, 2, 4, 2]).present, sackPermitted, 'SACK without a block');
  assert.equal(read([8, 6, 0, 0, 0, 0, 4, 2]).present, sackPermitted, 'timestamps of 6');
  assert.equal(read([4, 3, 0, 1]).present, 0, 'SACK permitted of 3');
});

test('a window scale above 14 counts as 14 (RFC 7323 section 2.3)', () => {
  assert.equal(read([3, 3, 255]).windowScale, 14);
});

test('a header without options has none, and the result of the segment before does not show', () => {
  assert.equal(read([], read([4, 2])).present, 0);
  assert.equal(read([], read([4, 2])).sackCount, 0);
});

test('text for people', () => {
  const options = read([2, 4, 5, 180, 1, 3, 3, 7, 4, 2, 5, 10, 0, 0, 0, 10, 255, 255, 255, 255, 9, 0]);
  assert.equal(formatTcpOptions(options), 'mss 1460 wscale 7 sackOK sack 10-4294967295 malformed');
});
