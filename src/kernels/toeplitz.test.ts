import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseIpv4 } from '../wire/address.js';
import { makeToeplitzTable, TOEPLITZ_KEY_MICROSOFT, TOEPLITZ_KEY_SYMMETRIC, toeplitz2, toeplitz4 } from './toeplitz.js';

/** "Verifying the RSS hash calculation", IPv4: destination, source, hash of the addresses, hash with ports. */
const VECTORS = [
  ['161.142.100.80', 1766, '66.9.149.187', 2794, 0x323e8fc2, 0x51ccc178],
  ['65.69.140.83', 4739, '199.92.111.2', 14230, 0xd718262a, 0xc626b0ea],
  ['12.22.207.184', 38024, '24.19.198.95', 12898, 0xd2d0a5de, 0x5c2b394a],
  ['209.142.163.6', 2217, '38.27.205.30', 48228, 0x82989176, 0xafc7327f],
  ['202.188.127.2', 1303, '153.39.163.191', 44251, 0x5d1809c5, 0x10e828a2],
] as const;

test('the verification suite of receive-side scaling', () => {
  const table = makeToeplitzTable(TOEPLITZ_KEY_MICROSOFT);
  for (const [destination, destinationPort, source, sourcePort, addressHash, flowHash] of VECTORS) {
    const from = parseIpv4(source);
    const to = parseIpv4(destination);
    assert.equal(toeplitz2(table, from, to) >>> 0, addressHash, `${source} > ${destination}`);
    assert.equal(
      toeplitz4(table, from, to, (sourcePort << 16) | destinationPort) >>> 0,
      flowHash,
      `${source} > ${destination}`,
    );
  }
});

test('under the symmetric key both directions have one hash', () => {
  const table = makeToeplitzTable(TOEPLITZ_KEY_SYMMETRIC);
  const word = fc.nat(0xffffffff);
  const port = fc.nat(0xffff);
  fc.assert(
    fc.property(word, word, port, port, (source, destination, sourcePort, destinationPort) => {
      const there = toeplitz4(table, source, destination, (sourcePort << 16) | destinationPort);
      assert.equal(toeplitz4(table, destination, source, (destinationPort << 16) | sourcePort), there);
    }),
    { seed: 2012 },
  );
});
