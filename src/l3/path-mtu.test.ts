import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.js';
import { NS_PER_S } from '../base/time.js';
import { MIN_PATH_MTU, PathMtuTable, plausibleMtu } from './path-mtu.js';

test('claims below 552 are raised, and old routers get the next plateau (RFC 1191 sections 3, 5 and 7.1)', () => {
  assert.equal(plausibleMtu(1400, 1500), 1400);
  assert.equal(plausibleMtu(296, 1500), MIN_PATH_MTU);
  assert.equal(plausibleMtu(0, 65_535), 32_000);
  assert.equal(plausibleMtu(0, 4352), 2002);
  assert.equal(plausibleMtu(0, 100), MIN_PATH_MTU);
});

test('a path MTU only shrinks until it is forgotten (RFC 1191 sections 3 and 6.3)', () => {
  const clock = { nowNs: 0 };
  const table = new PathMtuTable(clock, seededRandom(1), 64);
  table.learn(0, 0xc0000201, 1400);
  table.learn(0, 0xc0000201, 1450);
  assert.equal(table.get(0, 0xc0000201, 1500), 1400);
  assert.equal(table.get(0, 0xc0000201, 1280), 1280, 'never more than the link takes');
  assert.equal(table.get(1, 0xc0000201, 1500), 1500, 'another VRF');
  clock.nowNs = 599 * NS_PER_S;
  assert.equal(table.get(0, 0xc0000201, 1500), 1400);
  clock.nowNs = 600 * NS_PER_S;
  assert.equal(table.get(0, 0xc0000201, 1500), 1500);
  table.learn(0, 0xc0000201, 1450);
  assert.equal(table.get(0, 0xc0000201, 1500), 1450);
});

test('the table is bounded: the newest entries are there', () => {
  const clock = { nowNs: 0 };
  const table = new PathMtuTable(clock, seededRandom(1), 64);
  for (let i = 0; i < 1000; i++) {
    clock.nowNs++;
    table.learn(0, 0x0a000000 + i, 1000);
    assert.equal(table.get(0, 0x0a000000 + i, 1500), 1000);
  }
  const known = Array.from({ length: 1000 }, (_, i) => table.get(0, 0x0a000000 + i, 1500)).filter(
    (mtu) => mtu === 1000,
  );
  assert.ok(known.length > 48 && known.length <= 64);
  table.clear(0);
  assert.equal(table.get(0, 0x0a000000 + 999, 1500), 1500);
});
