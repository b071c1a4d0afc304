import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddressWords } from '../session/address.js';
import { Policy, WHOLE_WORLD } from './policy.js';

function isForStack(policy: Policy, ...addresses: string[]): boolean[] {
  return addresses.map((address) => policy.isForStack(parseAddressWords(address)!));
}

test('prefixes of IPv4 on bit boundaries', () => {
  const policy = new Policy(['10.0.0.0/8', '192.168.1.128/25', '203.0.113.7/32']);
  assert.deepEqual(isForStack(policy, '10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'), [
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual(isForStack(policy, '192.168.1.127', '192.168.1.128', '192.168.1.255', '192.168.2.128'), [
    false,
    true,
    true,
    false,
  ]);
  assert.deepEqual(isForStack(policy, '203.0.113.7', '203.0.113.6', '203.0.113.8'), [true, false, false]);
});

test('prefixes of IPv6 do not touch IPv4, nor the other way round', () => {
  const policy = new Policy(['2001:db8::/33', '0.0.0.0/0']);
  assert.deepEqual(isForStack(policy, '2001:db8::1', '2001:db8:7fff::', '2001:db8:8000::', 'fe80::1'), [
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual(isForStack(policy, '8.8.8.8', '::ffff:8.8.8.8'), [true, true]);
  assert.deepEqual(isForStack(new Policy(['2001:db8::/32']), '8.8.8.8', '127.0.0.1'), [false, false]);
});

test('a prefix without a length is one address', () => {
  assert.deepEqual(isForStack(new Policy(['10.0.0.1']), '10.0.0.1', '10.0.0.2'), [true, false]);
});

test('unspecified addresses are always for the stack, the loopback of IPv6 with that of IPv4', () => {
  assert.deepEqual(isForStack(new Policy([]), '0.0.0.0', '::', '::1', '127.0.0.1'), [true, true, false, false]);
  assert.deepEqual(isForStack(new Policy(['127.0.0.0/8']), '::1', '::2'), [true, false]);
  assert.deepEqual(isForStack(WHOLE_WORLD, '8.8.8.8', '2001:db8::1', '::1'), [true, true, true]);
});

test('what is no prefix is refused', () => {
  for (const text of ['10.0.0.0/33', '10.0.0/8', '2001:db8::/129', 'localhost/8', '10.0.0.0/', '10.0.0.0/-1', '']) {
    assert.throws(() => new Policy([text]), { code: 'USERNET_BAD_PREFIX' }, text);
  }
});
