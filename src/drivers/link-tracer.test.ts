import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { writeArp } from '../wire/arp.js';
import { writeEthernet } from '../wire/ethernet.js';
import { writeIcmpv4Echo } from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { Ipv4Flag, writeIpv4 } from '../wire/ipv4.js';
import { TcpFlag } from '../wire/tcp.js';
import { writeUdp } from '../wire/udp.js';
import { LinkTracer } from './link-tracer.js';
import { formatPacket } from './packet-text.js';
import { makeLinkLab, packetOf, pattern, RecordingDevice, receiveBytes, send, tcpFrame } from './testing/link-lab.js';

const format = (bytes: Uint8Array, linkType: 'ethernet' | 'ip' = 'ethernet') =>
  formatPacket(new DataView(bytes.buffer), 0, bytes.length, linkType);

function ipPacket(protocol: number, payloadBytes: number, fragment = 0): Uint8Array {
  const bytes = new Uint8Array(20 + payloadBytes);
  writeIpv4(new DataView(bytes.buffer), 0, 0, bytes.length, 7, fragment, 64, protocol, 0x0a000001, 0x0a000002);
  return bytes;
}

describe('formatPacket', () => {
  it('describes headers from the link to the transport', () => {
    const { bytes } = tcpFrame({ payload: pattern(3), flags: TcpFlag.syn, sequence: 9 });
    assert.equal(
      format(bytes),
      '02:00:00:00:00:01 > 02:00:00:00:00:02 type 0x0800, 10.0.0.1 > 10.0.0.2 protocol 6 ttl 64 length 43, ' +
        'TCP 40000 > 80 [S] seq 9 ack 77 win 5000',
    );
    const udp = ipPacket(IpProtocol.udp, 10);
    writeUdp(new DataView(udp.buffer), 20, 53, 5353, 10);
    assert.match(format(udp, 'ip'), /length 30, UDP 53 > 5353 length 10$/);
    const icmp = ipPacket(IpProtocol.icmp, 8);
    writeIcmpv4Echo(new DataView(icmp.buffer), 20, 8, 1, 2, 0);
    assert.match(format(icmp, 'ip'), /length 28, ICMP echo request id 1 seq 2$/);
    const arp = new Uint8Array(60);
    writeEthernet(new DataView(arp.buffer), 0, 0xffff, 0xffffffff, 0x0200, 1, 0x0806);
    writeArp(new DataView(arp.buffer), 14, 1, 0x0200, 1, 0x0a000001, 0, 0, 0x0a000002);
    assert.match(format(arp), /type 0x0806, ARP who-has 10.0.0.2 tell 10.0.0.1$/);
  });

  it('says what is malformed and does not read beyond the end', () => {
    assert.equal(format(new Uint8Array(13)), 'malformed frame of 13 bytes');
    assert.equal(format(new Uint8Array(19), 'ip'), 'malformed IP packet of 19 bytes');
    assert.match(format(ipPacket(IpProtocol.tcp, 19), 'ip'), /malformed TCP$/);
    assert.match(format(ipPacket(IpProtocol.udp, 7), 'ip'), /malformed UDP$/);
    assert.match(format(ipPacket(IpProtocol.icmp, 7), 'ip'), /malformed ICMP$/);
    assert.match(format(ipPacket(IpProtocol.gre, 7), 'ip'), /protocol 47 ttl 64 length 27$/);
    assert.match(format(ipPacket(IpProtocol.tcp, 8, Ipv4Flag.moreFragments | 1), 'ip'), /fragment 7@8\+$/);
    const arp = new Uint8Array(41);
    writeEthernet(new DataView(arp.buffer), 0, 0xffff, 0xffffffff, 0x0200, 1, 0x0806);
    assert.match(format(arp), /malformed ARP$/);
    writeEthernet(new DataView(arp.buffer), 0, 0xffff, 0xffffffff, 0x0200, 1, 0x88cc);
    assert.match(format(arp), /type 0x88cc$/);
  });

  it('takes any bytes', () => {
    const { bytes } = tcpFrame({ payload: pattern(20), flags: TcpFlag.ack });
    const noise = fc.record({ start: fc.nat({ max: 80 }), bytes: fc.uint8Array({ maxLength: 80 }) });
    const property = fc.property(
      noise,
      fc.nat({ max: 90 }),
      fc.constantFrom('ethernet', 'ip'),
      (change, length, type) => {
        const damaged = new Uint8Array(170);
        damaged.set(bytes);
        damaged.set(change.bytes, change.start);
        const packet = damaged.slice(type === 'ip' ? 14 : 0).slice(0, length);
        assert.notEqual(format(packet, type as 'ethernet' | 'ip'), '');
      },
    );
    fc.assert(property, { seed: 13, numRuns: 2000 });
  });
});

describe('LinkTracer', () => {
  it('describes packets of both directions and passes them on', () => {
    const { pool } = makeLinkLab();
    const inner = new RecordingDevice(pool);
    const lines: string[] = [];
    const tracer = new LinkTracer(inner, pool, (direction, text) => lines.push(`${direction} ${text}`));
    const { bytes } = tcpFrame({ payload: pattern(3000), flags: TcpFlag.ack });
    inner.bring(bytes);
    assert.deepEqual(receiveBytes(pool, tracer), [bytes]);
    assert.equal(send(pool, tracer, packetOf(pool, new Uint8Array(3))), 1);
    assert.match(lines[0]!, /^rx 02:00:00:00:00:01 > .* TCP 40000 > 80 \[A\]/);
    assert.deepEqual(lines.slice(1), ['tx malformed frame of 3 bytes']);
    assert.equal(inner.sent.length, 1);
    assert.equal(tracer.kind, 'recording');
    assert.equal(tracer.txSpace, inner.txSpace);
    inner.bring(bytes);
    tracer.close();
    assert.equal(pool.inUse, 0);
  });
});
