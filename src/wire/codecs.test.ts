import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as arp from './arp.js';
import { checksumAdd } from './checksum.js';
import * as ethernet from './ethernet.js';
import * as icmpv4 from './icmpv4.js';
import { IpProtocol } from './ip-protocol.js';
import * as ipv4 from './ipv4.js';
import * as tcp from './tcp.js';
import * as udp from './udp.js';

const u4 = fc.nat(0xf);
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const at = fc.nat(30);
const payload = fc.uint8Array({ maxLength: 40 });

/** A view whose bytes are all set, so that what a writer forgets shows. */
function dirtyView(): DataView {
  return new DataView(new Uint8Array(200).fill(0xaa).buffer);
}

function viewOf(hex: string): DataView {
  return new DataView(Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex')).buffer);
}

/** Asserts that nothing outside of a header was written. */
function assertUntouched(view: DataView, from: number, bytes: number): void {
  for (let i = 0; i < view.byteLength; i++) {
    if (i < from || i >= from + bytes) assert.equal(view.getUint8(i), 0xaa, `byte ${i}`);
  }
}

function put(view: DataView, offset: number, bytes: Uint8Array): void {
  new Uint8Array(view.buffer).set(bytes, offset);
}

test('ethernet: what is written is read', () => {
  fc.assert(
    fc.property(at, u16, u32, u16, u32, u16, (offset, dhi, dlo, shi, slo, type) => {
      const view = dirtyView();
      ethernet.writeEthernet(view, offset, dhi, dlo, shi, slo, type);
      const read = [
        ethernet.ethernetDestinationHi(view, offset),
        ethernet.ethernetDestinationLo(view, offset),
        ethernet.ethernetSourceHi(view, offset),
        ethernet.ethernetSourceLo(view, offset),
        ethernet.ethernetType(view, offset),
      ];
      assert.deepEqual(read, [dhi, dlo, shi, slo, type]);
      assertUntouched(view, offset, ethernet.ETHERNET_HEADER_BYTES);
      const other = dirtyView();
      ethernet.setEthernetDestination(other, offset, dhi, dlo);
      ethernet.setEthernetSource(other, offset, shi, slo);
      ethernet.setEthernetType(other, offset, type);
      assert.deepEqual(other, view);
    }),
    { seed: 894 },
  );
});

test('MAC addresses as text and by kind', () => {
  fc.assert(
    fc.property(u16, u32, (hi, lo) => {
      assert.deepEqual(ethernet.parseMac(ethernet.formatMac(hi, lo)), { hi, lo });
    }),
    { seed: 894 },
  );
  assert.equal(ethernet.formatMac(0x0200, 0x5e0001ff), '02:00:5e:00:01:ff');
  assert.deepEqual(ethernet.parseMac('02-00-5E-00-01-FF'), { hi: 0x0200, lo: 0x5e0001ff });
  for (const text of [
    '',
    '02:00:5e:00:01',
    '02:00:5e:00:01:ff:00',
    '02:00:5e:00:01:fg',
    '2:0:5e:0:1:ff',
    '02-00:5e:00:01:ff',
  ]) {
    assert.equal(ethernet.parseMac(text), undefined, text);
  }
  assert.equal(ethernet.isMacMulticast(0x0100), true);
  assert.equal(ethernet.isMacMulticast(0x0200), false);
  assert.equal(ethernet.isMacBroadcast(0xffff, 0xffffffff), true);
  assert.equal(ethernet.isMacBroadcast(0xffff, 0xfffffffe), false);
  // RFC 1112 section 6.4: the group's low 23 bits.
  assert.equal(
    ethernet.formatMac(ethernet.IPV4_MULTICAST_MAC_HI, ethernet.ipv4MulticastMacLo(0xe08000fb)),
    '01:00:5e:00:00:fb',
  );
});

test('arp: what is written is read and found ok', () => {
  const operation = fc.constantFrom(arp.ArpOperation.request, arp.ArpOperation.reply);
  fc.assert(
    fc.property(at, operation, u16, u32, u32, u16, u32, u32, (offset, op, shi, slo, sip, thi, tlo, tip) => {
      const view = dirtyView();
      arp.writeArp(view, offset, op, shi, slo, sip, thi, tlo, tip);
      assert.equal(arp.checkArp(view, offset, arp.ARP_BYTES), arp.ArpCheck.ok);
      const read = [
        arp.arpOperation(view, offset),
        arp.arpSenderMacHi(view, offset),
        arp.arpSenderMacLo(view, offset),
        arp.arpSenderIpv4(view, offset),
        arp.arpTargetMacHi(view, offset),
        arp.arpTargetMacLo(view, offset),
        arp.arpTargetIpv4(view, offset),
      ];
      assert.deepEqual(read, [op, shi, slo, sip, thi, tlo, tip]);
      assertUntouched(view, offset, arp.ARP_BYTES);
    }),
    { seed: 826 },
  );
});

const ipv4Fields = fc.record(
  {
    offset: at,
    trafficClass: u8,
    totalLength: fc.integer({ min: 20, max: 65535 }),
    identification: u16,
    flags: fc.constantFrom(0, 0x2000, 0x4000, 0x6000),
    offsetUnits: fc.nat(0x1fff),
    ttl: fc.integer({ min: 1, max: 255 }),
    protocol: u8,
    source: u32,
    destination: u32,
  },
  { noNullPrototype: true },
);

type Ipv4Fields = typeof ipv4Fields extends fc.Arbitrary<infer Fields> ? Fields : never;

function writeIpv4Fields(view: DataView, fields: Ipv4Fields): void {
  ipv4.writeIpv4(
    view,
    fields.offset,
    fields.trafficClass,
    fields.totalLength,
    fields.identification,
    fields.flags | fields.offsetUnits,
    fields.ttl,
    fields.protocol,
    fields.source,
    fields.destination,
  );
}

test('ipv4: what is written is read and found ok', () => {
  fc.assert(
    fc.property(ipv4Fields, (fields) => {
      const view = dirtyView();
      const { offset } = fields;
      writeIpv4Fields(view, fields);
      assertUntouched(view, offset, 20);
      assert.equal(ipv4.checkIpv4(view, offset, fields.totalLength), ipv4.Ipv4Check.ok);
      assert.equal(ipv4.checkIpv4(view, offset, fields.totalLength - 1) !== ipv4.Ipv4Check.ok, true);
      assert.equal(ipv4.isIpv4ChecksumValid(view, offset), true);
      const read = {
        offset,
        trafficClass: (ipv4.ipv4Dscp(view, offset) << 2) | ipv4.ipv4Ecn(view, offset),
        totalLength: ipv4.ipv4TotalLength(view, offset),
        identification: ipv4.ipv4Identification(view, offset),
        flags:
          (ipv4.hasIpv4DontFragment(view, offset) ? 0x4000 : 0) |
          (ipv4.hasIpv4MoreFragments(view, offset) ? 0x2000 : 0),
        offsetUnits: ipv4.ipv4FragmentOffsetBytes(view, offset) / 8,
        ttl: ipv4.ipv4Ttl(view, offset),
        protocol: ipv4.ipv4Protocol(view, offset),
        source: ipv4.ipv4Source(view, offset),
        destination: ipv4.ipv4Destination(view, offset),
      };
      assert.deepEqual(read, fields);
      assert.equal(ipv4.ipv4PayloadBytes(view, offset), fields.totalLength - 20);
      assert.equal(ipv4.isIpv4Fragment(view, offset), (fields.flags & 0x2000) !== 0 || fields.offsetUnits !== 0);
    }),
    { seed: 791, numRuns: 500 },
  );
});

test('ipv4: setters and one checksum give what the writer gives', () => {
  fc.assert(
    fc.property(ipv4Fields, ipv4Fields, (before, fields) => {
      const view = dirtyView();
      const { offset } = fields;
      writeIpv4Fields(view, { ...before, offset });
      ipv4.setIpv4TrafficClass(view, offset, fields.trafficClass);
      ipv4.setIpv4TotalLength(view, offset, fields.totalLength);
      ipv4.setIpv4Identification(view, offset, fields.identification);
      ipv4.setIpv4Fragment(view, offset, fields.flags, fields.offsetUnits * 8);
      ipv4.setIpv4Ttl(view, offset, fields.ttl);
      view.setUint8(offset + 9, fields.protocol);
      ipv4.setIpv4Source(view, offset, fields.source);
      ipv4.setIpv4Destination(view, offset, fields.destination);
      ipv4.updateIpv4Checksum(view, offset);
      const written = dirtyView();
      writeIpv4Fields(written, fields);
      assert.deepEqual(view, written);
    }),
    { seed: 791 },
  );
});

test('ipv4: one off the TTL leaves the checksum that computing it anew gives, for every checksum', () => {
  const view = dirtyView();
  for (let identification = 0; identification <= 0xffff; identification++) {
    ipv4.writeIpv4(view, 0, 0, 40, identification, 0, 64, 6, 0x0a000001, 0x0a000002);
    ipv4.decrementIpv4Ttl(view, 0);
    const incremental = ipv4.ipv4Checksum(view, 0);
    ipv4.updateIpv4Checksum(view, 0);
    assert.equal(incremental, ipv4.ipv4Checksum(view, 0));
  }
  assert.equal(ipv4.ipv4Ttl(view, 0), 63);
});

test('ipv4: the header checksum of a known packet', () => {
  const view = viewOf('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7');
  assert.equal(ipv4.isIpv4ChecksumValid(view, 0), true);
  ipv4.updateIpv4Checksum(view, 0);
  assert.equal(ipv4.ipv4Checksum(view, 0), 0xb861);
});

test('ipv4: a header with options has its checksum over all of it', () => {
  // Router alert, RFC 2113.
  const view = viewOf('46c0 0020 0000 4000 0102 0000 0a00 000f e000 0016 9404 0000');
  assert.equal(ipv4.checkIpv4(view, 0, 32), ipv4.Ipv4Check.ok);
  ipv4.updateIpv4Checksum(view, 0);
  assert.equal(checksumAdd(view, 0, 24, 0), 0xffff);
  assert.equal(ipv4.isIpv4ChecksumValid(view, 0), true);
  view.setUint8(23, 1);
  assert.equal(ipv4.isIpv4ChecksumValid(view, 0), false);
});

test('icmpv4: echo and errors are read and found ok', () => {
  fc.assert(
    fc.property(at, u16, u16, payload, (offset, identifier, sequence, data) => {
      const view = dirtyView();
      const length = 8 + data.length;
      put(view, offset + 8, data);
      icmpv4.writeIcmpv4Echo(view, offset, icmpv4.Icmpv4Type.echoRequest, identifier, sequence, length);
      assert.equal(icmpv4.checkIcmpv4(view, offset, length), icmpv4.Icmpv4Check.ok);
      assert.equal(icmpv4.isIcmpv4ChecksumValid(view, offset, length), true);
      assert.equal(icmpv4.icmpv4Type(view, offset), 8);
      assert.equal(icmpv4.icmpv4Code(view, offset), 0);
      assert.equal(icmpv4.icmpv4EchoIdentifier(view, offset), identifier);
      assert.equal(icmpv4.icmpv4EchoSequence(view, offset), sequence);
    }),
    { seed: 792 },
  );
  const view = dirtyView();
  ipv4.writeIpv4(view, 8, 0, 1500, 1, 0x4000, 64, IpProtocol.tcp, 1, 2);
  const { destinationUnreachable, redirect, parameterProblem } = icmpv4.Icmpv4Type;
  icmpv4.writeIcmpv4Error(view, 0, destinationUnreachable, icmpv4.Icmpv4Unreachable.fragmentationNeeded, 1280, 36);
  assert.equal(icmpv4.checkIcmpv4(view, 0, 36), icmpv4.Icmpv4Check.ok, 'the quoted total length may exceed the quote');
  assert.equal(icmpv4.isIcmpv4ChecksumValid(view, 0, 36), true);
  assert.equal(icmpv4.icmpv4NextHopMtu(view, 0), 1280);
  icmpv4.writeIcmpv4Error(view, 0, redirect, icmpv4.Icmpv4Redirect.host, 0xc0000201, 36);
  assert.equal(icmpv4.icmpv4Gateway(view, 0), 0xc0000201);
  icmpv4.writeIcmpv4Error(view, 0, parameterProblem, icmpv4.Icmpv4ParameterProblem.pointer, 20 << 24, 36);
  assert.equal(icmpv4.icmpv4Pointer(view, 0), 20);
  assert.equal(icmpv4.checkIcmpv4(view, 0, 35), icmpv4.Icmpv4Check.badQuote, 'less than 8 bytes of payload');
});

test('udp: what is written is read; checksum 0 means none and is never computed', () => {
  fc.assert(
    fc.property(at, u16, u16, u32, u32, payload, (offset, sourcePort, destinationPort, source, destination, data) => {
      const view = dirtyView();
      const length = 8 + data.length;
      udp.writeUdp(view, offset, sourcePort, destinationPort, length);
      assertUntouched(view, offset, 8);
      put(view, offset + 8, data);
      assert.equal(udp.checkUdp(view, offset, length + 3), udp.UdpCheck.ok);
      assert.equal(udp.isUdpChecksumValidIpv4(view, offset, length, source, destination), true, 'no checksum');
      udp.updateUdpChecksumIpv4(view, offset, length, source, destination);
      assert.notEqual(udp.udpChecksum(view, offset), 0);
      assert.equal(udp.isUdpChecksumValidIpv4(view, offset, length, source, destination), true);
      const read = [udp.udpSourcePort(view, offset), udp.udpDestinationPort(view, offset), udp.udpLength(view, offset)];
      assert.deepEqual(read, [sourcePort, destinationPort, length]);
      view.setUint16(offset, sourcePort ^ 1);
      assert.equal(udp.isUdpChecksumValidIpv4(view, offset, length, source, destination), false);
    }),
    { seed: 768 },
  );
  assert.equal(udp.udpChecksumFinish(0xffff), 0xffff);
});

test('tcp: what is written is read', () => {
  const headerWords = fc.integer({ min: 5, max: 15 });
  fc.assert(
    fc.property(
      at,
      u16,
      u16,
      i32,
      i32,
      headerWords,
      u8,
      u16,
      u4,
      (offset, sport, dport, seq, ack, words, flags, window, extra) => {
        const view = dirtyView();
        tcp.writeTcp(view, offset, sport, dport, seq, ack, words * 4, flags, window);
        assertUntouched(view, offset, 20);
        const length = words * 4 + extra;
        assert.equal(tcp.checkTcp(view, offset, length), tcp.TcpCheck.ok);
        assert.equal(tcp.checkTcp(view, offset, words * 4 - 1) !== tcp.TcpCheck.ok, true);
        const read = [
          tcp.tcpSourcePort(view, offset),
          tcp.tcpDestinationPort(view, offset),
          tcp.tcpSequence(view, offset),
          tcp.tcpAcknowledgment(view, offset),
          tcp.tcpHeaderBytes(view, offset),
          tcp.tcpFlags(view, offset),
          tcp.tcpWindow(view, offset),
          tcp.tcpUrgentPointer(view, offset),
        ];
        assert.deepEqual(read, [sport, dport, seq, ack, words * 4, flags, window, 0]);
        tcp.updateTcpChecksumIpv4(view, offset, length, 1, 2);
        assert.equal(tcp.isTcpChecksumValidIpv4(view, offset, length, 1, 2), true);
        assert.equal(tcp.isTcpChecksumValidIpv4(view, offset, length, 1, 3), false);
        const other = dirtyView();
        tcp.writeTcp(other, offset, 0, 0, 0, 0, words * 4, 0, 0);
        tcp.setTcpSourcePort(other, offset, sport);
        tcp.setTcpDestinationPort(other, offset, dport);
        tcp.setTcpSequence(other, offset, seq);
        tcp.setTcpAcknowledgment(other, offset, ack);
        tcp.setTcpFlags(other, offset, flags);
        tcp.setTcpWindow(other, offset, window);
        tcp.setTcpChecksum(other, offset, tcp.tcpChecksum(view, offset));
        assert.deepEqual(other, view);
      },
    ),
    { seed: 9293 },
  );
});

test('tcp: SYN and FIN occupy sequence space', () => {
  const { syn, fin, ack } = tcp.TcpFlag;
  assert.deepEqual([ack, syn, fin, syn | fin].map(tcp.tcpFlagsSequenceLength), [0, 1, 1, 2]);
});

test('text for people', () => {
  const view = dirtyView();
  ethernet.writeEthernet(view, 0, 0xffff, 0xffffffff, 0x0200, 1, ethernet.EtherType.arp);
  assert.equal(ethernet.formatEthernet(view, 0), '02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff type 0x0806');
  arp.writeArp(view, 0, arp.ArpOperation.request, 0x0200, 1, 0x0a000001, 0, 0, 0x0a000002);
  assert.equal(arp.formatArp(view, 0), 'ARP who-has 10.0.0.2 tell 10.0.0.1');
  arp.writeArp(view, 0, arp.ArpOperation.reply, 0x0200, 2, 0x0a000002, 0, 0, 0x0a000001);
  assert.equal(arp.formatArp(view, 0), 'ARP 10.0.0.2 is-at 02:00:00:00:00:02');
  ipv4.writeIpv4(view, 0, 0, 40, 7, 0x2000 | 185, 64, 6, 0x0a000001, 0x0a000002);
  assert.equal(ipv4.formatIpv4Header(view, 0), '10.0.0.1 > 10.0.0.2 protocol 6 ttl 64 length 40 fragment 7@1480+');
  icmpv4.writeIcmpv4Echo(view, 0, icmpv4.Icmpv4Type.echoRequest, 7, 1, 8);
  assert.equal(icmpv4.formatIcmpv4(view, 0), 'ICMP echo request id 7 seq 1');
  icmpv4.writeIcmpv4Error(view, 0, icmpv4.Icmpv4Type.destinationUnreachable, icmpv4.Icmpv4Unreachable.port, 0, 8);
  assert.equal(icmpv4.formatIcmpv4(view, 0), 'ICMP destination unreachable code 3');
  udp.writeUdp(view, 0, 5353, 53, 40);
  assert.equal(udp.formatUdp(view, 0), 'UDP 5353 > 53 length 40');
  tcp.writeTcp(view, 0, 40000, 80, 1, -1, 20, tcp.TcpFlag.syn | tcp.TcpFlag.ack, 65535);
  assert.equal(tcp.formatTcp(view, 0), 'TCP 40000 > 80 [SA] seq 1 ack 4294967295 win 65535');
});
