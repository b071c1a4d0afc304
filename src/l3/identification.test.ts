import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../base/random.js';
import { Identifications } from './identification.js';

test('identifications of one flow do not repeat within 65,536 datagrams (RFC 6864 section 4.3)', () => {
  const identifications = new Identifications(seededRandom(1));
  const seen = new Set<number>();
  for (let i = 0; i < 65_536; i++) seen.add(identifications.next(1, 2, 17));
  assert.equal(seen.size, 65_536);
});

test('what one destination sees does not tell what another one is sent (RFC 7739 section 3)', () => {
  const identifications = new Identifications(seededRandom(1));
  const first = identifications.next(1, 2, 17);
  for (let i = 0; i < 100; i++) identifications.next(1, 3, 17);
  assert.equal(identifications.next(1, 2, 17), (first + 1) & 0xffff);
});
