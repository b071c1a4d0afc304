import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatIpv4,
  formatIpv4Cidr,
  formatIpv6,
  ipv4DirectedBroadcast,
  ipv4MaskPrefixLength,
  ipv4Network,
  ipv4PrefixMask,
  isIpv4LimitedBroadcast,
  isIpv4LinkLocal,
  isIpv4LocalMulticast,
  isIpv4Loopback,
  isIpv4Multicast,
  isIpv4Reserved,
  isIpv4ThisNetwork,
  isIpv4Unicast,
  isIpv4Unspecified,
  parseIpv4,
  parseIpv4Cidr,
  parseIpv6,
  parseIpv6Cidr,
} from './address.js';

const word = fc.nat(0xffffffff);

test('IPv4 text round-trips', () => {
  fc.assert(
    fc.property(word, (address) => {
      assert.equal(parseIpv4(formatIpv4(address)), address);
      assert.ok(isIPv4(formatIpv4(address)));
    }),
    { seed: 791 },
  );
});

test('what is not an IPv4 address is NaN, by the judgement of another parser', () => {
  const almost = fc.array(fc.constantFrom('0', '1', '2', '25', '255', '256', '01', '.', '.', '.', '', ' ', 'x', '-1'));
  fc.assert(
    fc.property(
      almost.map((parts) => parts.join('')),
      (text) => {
        assert.equal(Number.isNaN(parseIpv4(text)), !isIPv4(text));
      },
    ),
    { seed: 791, numRuns: 5000 },
  );
});

test('IPv4 prefixes', () => {
  assert.deepEqual(parseIpv4Cidr('10.0.0.1/24'), { address: 0x0a000001, prefixLength: 24 });
  for (const text of [
    '10.0.0.1',
    '10.0.0.1/',
    '10.0.0.1/33',
    '10.0.0.1/-1',
    '10.0.0.1/024',
    '/8',
    '10.0.0/8',
    '1.1.1.1/8/8',
  ]) {
    assert.equal(parseIpv4Cidr(text), undefined, text);
  }
  assert.equal(formatIpv4Cidr(0x0a000001, 24), '10.0.0.1/24');
  assert.equal(ipv4PrefixMask(0), 0);
  assert.equal(ipv4PrefixMask(1), 0x80000000);
  assert.equal(ipv4PrefixMask(32), 0xffffffff);
  for (let length = 0; length <= 32; length++) assert.equal(ipv4MaskPrefixLength(ipv4PrefixMask(length)), length);
  assert.equal(ipv4MaskPrefixLength(0xff00ff00), -1);
  assert.equal(formatIpv4(ipv4Network(0xc0a8_1234, 20)), '192.168.16.0');
  assert.equal(formatIpv4(ipv4DirectedBroadcast(0xc0a8_1234, 20)), '192.168.31.255');
});

test('kinds of IPv4 addresses', () => {
  const kinds = {
    unspecified: isIpv4Unspecified,
    thisNetwork: isIpv4ThisNetwork,
    loopback: isIpv4Loopback,
    linkLocal: isIpv4LinkLocal,
    multicast: isIpv4Multicast,
    localMulticast: isIpv4LocalMulticast,
    reserved: isIpv4Reserved,
    limitedBroadcast: isIpv4LimitedBroadcast,
    unicast: isIpv4Unicast,
  };
  const expected: Record<string, string[]> = {
    '0.0.0.0': ['unspecified', 'thisNetwork'],
    '0.255.255.255': ['thisNetwork'],
    '1.0.0.0': ['unicast'],
    '127.0.0.0': ['loopback', 'unicast'],
    '127.255.255.255': ['loopback', 'unicast'],
    '128.0.0.0': ['unicast'],
    '169.254.7.7': ['linkLocal', 'unicast'],
    '169.255.0.0': ['unicast'],
    '223.255.255.255': ['unicast'],
    '224.0.0.251': ['multicast', 'localMulticast'],
    '224.0.1.0': ['multicast'],
    '239.255.255.255': ['multicast'],
    '240.0.0.0': ['reserved'],
    '255.255.255.254': ['reserved'],
    '255.255.255.255': ['limitedBroadcast'],
  };
  for (const [text, names] of Object.entries(expected)) {
    const address = parseIpv4(text);
    assert.deepEqual(
      Object.entries(kinds).flatMap(([name, is]) => (is(address) ? [name] : [])),
      names,
      text,
    );
  }
});

/** What each text of RFC 4291 section 2.2 and RFC 5952 is written as. */
const IPV6_TEXTS = {
  'ABCD:EF01:2345:6789:ABCD:EF01:2345:6789': 'abcd:ef01:2345:6789:abcd:ef01:2345:6789',
  '2001:DB8:0:0:8:800:200C:417A': '2001:db8::8:800:200c:417a',
  'FF01:0:0:0:0:0:0:101': 'ff01::101',
  '0:0:0:0:0:0:0:1': '::1',
  '0:0:0:0:0:0:0:0': '::',
  '0:0:0:0:0:0:13.1.68.3': '::d01:4403',
  '::FFFF:129.144.52.38': '::ffff:129.144.52.38',
  // RFC 5952 section 4.
  '2001:0db8::0001': '2001:db8::1',
  '2001:db8:0:0:0:0:2:1': '2001:db8::2:1',
  '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
  '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
  '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
  '2001:DB8::1': '2001:db8::1',
  '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
  '::2:3:4:5:6:7:8': '0:2:3:4:5:6:7:8',
  'fe80::': 'fe80::',
} as const;

test('the IPv6 texts of RFC 4291 and RFC 5952', () => {
  for (const [text, canonical] of Object.entries(IPV6_TEXTS)) {
    const words = parseIpv6(text);
    assert.ok(words, text);
    assert.equal(formatIpv6(...words), canonical);
  }
});

test('IPv6 text round-trips', () => {
  const sparse = fc.oneof(word, fc.constant(0), fc.nat(0xffff));
  fc.assert(
    fc.property(sparse, sparse, sparse, sparse, (...words) => {
      const text = formatIpv6(...words);
      assert.deepEqual(parseIpv6(text), words);
      assert.ok(isIPv6(text));
    }),
    { seed: 4291, numRuns: 2000 },
  );
});

test('what is not an IPv6 address is undefined, by the judgement of another parser', () => {
  const almost = fc.array(fc.constantFrom('0', 'ab', 'FFFF', '12345', ':', ':', ':', '::', '1.2.3.4', 'g', ' '), {
    maxLength: 18,
  });
  fc.assert(
    fc.property(
      almost.map((parts) => parts.join('')),
      (text) => {
        assert.equal(parseIpv6(text) === undefined, !isIPv6(text), text);
      },
    ),
    { seed: 4291, numRuns: 20_000 },
  );
  assert.equal(parseIpv6('fe80::1%eth0'), undefined);
});

test('IPv6 prefixes', () => {
  assert.deepEqual(parseIpv6Cidr('2001:db8::1/64'), { words: [0x20010db8, 0, 0, 1], prefixLength: 64 });
  for (const text of ['2001:db8::1', '::/129', '::/', '/64', '::/064'])
    assert.equal(parseIpv6Cidr(text), undefined, text);
});
