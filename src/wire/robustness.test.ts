/**
 * Every check survives a million packets, half of them random, half of them good ones that were damaged. A packet ends
 * where its DataView ends and begins where it begins, so that a read outside of it throws.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, randomBelow, seededRandom } from '../base/random.js';
import { ARP_BYTES, ARP_CHECK_NAMES, checkArp, formatArp, writeArp } from './arp.js';
import { checkEthernet, ETHERNET_CHECK_NAMES, formatEthernet, writeEthernet } from './ethernet.js';
import {
  checkIcmpv4,
  formatIcmpv4,
  ICMPV4_CHECK_NAMES,
  icmpv4QuoteAt,
  icmpv4Type,
  isIcmpv4ChecksumValid,
  isIcmpv4Error,
  writeIcmpv4Error,
} from './icmpv4.js';
import {
  checkIpv4,
  formatIpv4Header,
  IPV4_CHECK_NAMES,
  ipv4HeaderBytes,
  ipv4TotalLength,
  isIpv4ChecksumValid,
  writeIpv4,
} from './ipv4.js';
import {
  checkIpv4Options,
  findIpv4Option,
  IPV4_OPTIONS_CHECK_NAMES,
  Ipv4Option,
  Ipv4OptionsCheck,
} from './ipv4-options.js';
import { checkTcp, formatTcp, isTcpChecksumValidIpv4, TCP_CHECK_NAMES, tcpHeaderBytes, writeTcp } from './tcp.js';
import { makeTcpOptions, readTcpOptions, TcpOptionBit, writeTcpTimestamps } from './tcp-options.js';
import { checkUdp, formatUdp, isUdpChecksumValidIpv4, UDP_CHECK_NAMES, udpLength, writeUdp } from './udp.js';

const PACKETS = 1_000_000;
const MAX_BYTES = 80;
/** Texts are for people and slow: made of one packet in a thousand. */
const FORMAT_EVERY = 1000;

const bytes = new Uint8Array(MAX_BYTES);
const words = new Uint32Array(bytes.buffer);
/** One view per length over the same bytes. */
const views = Array.from({ length: MAX_BYTES + 1 }, (_, length) => new DataView(bytes.buffer, 0, length));
const whole = new DataView(bytes.buffer);

interface Codec {
  names: readonly string[];
  /** Writes a good packet of at most 80 bytes at offset 0. Returns its length. */
  write(random: Random): number;
  check(view: DataView, length: number): number;
  /** Reads all there is in a packet that was found ok. */
  read(view: DataView, length: number): void;
  format?(view: DataView): string;
  /** Codes that only a caller gives. */
  callersCodes?: number;
}

function makePacket(random: Random, codec: Codec): number {
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  if (random.uint32() & 1) return randomBelow(random, MAX_BYTES + 1);
  let length = codec.write(random);
  for (let damages = randomBelow(random, 4); damages > 0; damages--) {
    bytes[randomBelow(random, length)] = random.uint32();
  }
  if ((random.uint32() & 7) === 0) length = randomBelow(random, length);
  return length;
}

function survives(name: string, seed: number, codec: Codec): void {
  test(`${name} survives a million packets`, () => {
    const random = seededRandom(seed);
    const counts = new Array<number>(codec.names.length).fill(0);
    for (let i = 0; i < PACKETS; i++) {
      const length = makePacket(random, codec);
      const view = views[length];
      assert.ok(view);
      const code = codec.check(view, length);
      counts[code] = (counts[code] ?? Number.NaN) + 1;
      if (code !== 0) continue;
      codec.read(view, length);
      if (i % FORMAT_EVERY === 0) codec.format?.(view);
    }
    const reachable = counts.slice(0, counts.length - (codec.callersCodes ?? 0));
    reachable.forEach((count, code) => {
      assert.ok(count > 0, `no packet was "${codec.names[code]}"`);
    });
    assert.equal(
      reachable.reduce((sum, count) => sum + count),
      PACKETS,
    );
  });
}

survives('Ethernet', 1, {
  names: ETHERNET_CHECK_NAMES,
  write: (random) => {
    writeEthernet(whole, 0, 0x0200, random.uint32(), 0x0200, random.uint32(), 0x0800);
    return 60;
  },
  check: (view, length) => checkEthernet(view, 0, length),
  read: () => {},
  format: (view) => formatEthernet(view, 0),
});

survives('ARP', 2, {
  names: ARP_CHECK_NAMES,
  write: (random) => {
    writeArp(whole, 0, 1 + (random.uint32() & 1), 2, random.uint32(), random.uint32(), 0, 0, random.uint32());
    return ARP_BYTES + randomBelow(random, 20);
  },
  check: (view, length) => checkArp(view, 0, length),
  read: () => {},
  format: (view) => formatArp(view, 0),
});

function writeRandomIpv4(random: Random): number {
  const length = 20 + randomBelow(random, MAX_BYTES - 19);
  writeIpv4(whole, 0, 0, length, 1, random.uint32() & 0xffff, 64, 6, random.uint32(), random.uint32());
  const optionWords = randomBelow(random, Math.min(11, (length - 20) / 4 + 1));
  bytes[0] = 0x45 + optionWords;
  return length;
}

survives('IPv4', 3, {
  names: IPV4_CHECK_NAMES,
  callersCodes: 1,
  write: writeRandomIpv4,
  check: (view, length) => checkIpv4(view, 0, length),
  read: (view, length) => {
    isIpv4ChecksumValid(view, 0);
    assert.ok(ipv4HeaderBytes(view, 0) <= ipv4TotalLength(view, 0) && ipv4TotalLength(view, 0) <= length);
  },
  format: (view) => formatIpv4Header(view, 0),
});

survives('IPv4 options', 4, {
  names: IPV4_OPTIONS_CHECK_NAMES,
  write: (random) => {
    const optionWords = randomBelow(random, 11);
    bytes[0] = 0x45 + optionWords;
    bytes[20] = Ipv4Option.routerAlert;
    bytes[21] = 4;
    bytes[24] = Ipv4Option.end;
    return 20 + optionWords * 4;
  },
  check: (view, length) => {
    const isHeader = length >= 20 && ipv4HeaderBytes(view, 0) >= 20 && ipv4HeaderBytes(view, 0) <= length;
    return isHeader ? checkIpv4Options(view, 0) : Ipv4OptionsCheck.ok;
  },
  read: (view, length) => {
    if (length < 20 || ipv4HeaderBytes(view, 0) < 20 || ipv4HeaderBytes(view, 0) > length) return;
    const option = findIpv4Option(view, 0, Ipv4Option.routerAlert);
    assert.ok(option === 0 || (option >= 20 && option < ipv4HeaderBytes(view, 0)));
  },
});

survives('ICMP', 5, {
  names: ICMPV4_CHECK_NAMES,
  callersCodes: 1,
  write: (random) => {
    writeIpv4(whole, 8, 0, 1500, 1, 0, 64, 6, random.uint32(), random.uint32());
    writeIcmpv4Error(whole, 0, 3 + (random.uint32() & 15), random.uint32() & 15, random.uint32(), 36);
    return 36 + randomBelow(random, 40);
  },
  check: (view, length) => checkIcmpv4(view, 0, length),
  read: (view, length) => {
    isIcmpv4ChecksumValid(view, 0, length);
    if (!isIcmpv4Error(icmpv4Type(view, 0))) return;
    const quoteAt = icmpv4QuoteAt(0);
    const portsAt = quoteAt + ipv4HeaderBytes(view, quoteAt);
    view.getUint32(portsAt + 4);
  },
  format: (view) => formatIcmpv4(view, 0),
});

survives('UDP', 6, {
  names: UDP_CHECK_NAMES,
  callersCodes: 1,
  write: (random) => {
    const length = 8 + randomBelow(random, MAX_BYTES - 7);
    writeUdp(whole, 0, 1000, 53, length);
    return length;
  },
  check: (view, length) => checkUdp(view, 0, length),
  read: (view) => {
    isUdpChecksumValidIpv4(view, 0, udpLength(view, 0), 1, 2);
  },
  format: (view) => formatUdp(view, 0),
});

const options = makeTcpOptions();
let seenOptions = 0;

survives('TCP', 7, {
  names: TCP_CHECK_NAMES,
  callersCodes: 1,
  write: (random) => {
    const headerBytes = 20 + 4 * randomBelow(random, 11);
    writeTcp(whole, 0, 1000, 80, random.uint32(), random.uint32(), headerBytes, random.uint32() & 255, 1000);
    // A few good options with random bytes behind them.
    const room = headerBytes - 20;
    if (room >= 12) writeTcpTimestamps(whole, 20, random.uint32(), random.uint32());
    if (room >= 24) bytes.set([5, 10], 32);
    if (room >= 36) bytes.set([2, 4, 5, 180, 3, 3, 7, 4, 2], 42);
    return headerBytes + randomBelow(random, MAX_BYTES - headerBytes + 1);
  },
  check: (view, length) => checkTcp(view, 0, length),
  read: (view, length) => {
    isTcpChecksumValidIpv4(view, 0, length, 1, 2);
    // The options end where the header ends: a view of just the header must do.
    const header = views[tcpHeaderBytes(view, 0)];
    assert.ok(header);
    const present = readTcpOptions(header, 0, options);
    seenOptions |= present;
    assert.ok(present === options.present && options.sackCount <= 4 && options.windowScale <= 14);
  },
  format: (view) => formatTcp(view, 0),
});

test('the packets above had every TCP option in them', () => {
  assert.equal(
    seenOptions,
    Object.values(TcpOptionBit).reduce<number>((all, bit) => all | bit, 0),
  );
});
