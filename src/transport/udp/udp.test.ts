/** UDP by the rules of RFC 768 and RFC 1122 section 4.1, in virtual time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow } from '../../base/random.js';
import { udpPacket } from '../../l3/testing/packets.js';
import { PacketFlag } from '../../mem/packet-pool.js';
import { Icmpv4Type, Icmpv4Unreachable, icmpv4Code, icmpv4Type } from '../../wire/icmpv4.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { ipv4Protocol, ipv4Source, ipv4TrafficClass, ipv4Ttl, isIpv4ChecksumValid } from '../../wire/ipv4.js';
import { isUdpChecksumValidIpv4, udpChecksum, udpDestinationPort, udpLength, udpSourcePort } from '../../wire/udp.js';
import { ANY_WORDS, UdpLab, words } from './testing/udp-lab.js';
import { UDP_MAX_PAYLOAD_BYTES, UdpSetting } from './udp.js';

const PAYLOAD = Uint8Array.from('payload', (character) => character.charCodeAt(0));

/** A lab that must end with all slots given back. */
function withLab(run: (lab: UdpLab) => void, ...options: ConstructorParameters<typeof UdpLab>): void {
  const lab = new UdpLab(...options);
  run(lab);
  assert.equal(lab.close(), 0, 'slots were lost');
}

function viewOf(bytes: Uint8Array | undefined): DataView {
  assert.ok(bytes, 'nothing was sent');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

describe('datagrams', () => {
  it('go from socket to socket with ports, addresses and ttl (RFC 768)', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const server = lab.bind(right, 53);
      assert.equal(lab.send(client, 'question', '10.0.0.2:53'), 'sent');
      assert.equal(lab.send(client, '', '10.0.0.2:53'), 'sent');
      lab.run();
      assert.deepEqual(lab.events, [`readable ${server}`]);
      assert.deepEqual(lab.receive(server), { text: 'question', from: '10.0.0.1:4000', to: '10.0.0.2', ttl: 64 });
      assert.equal(lab.receive(server)?.text, '');
      assert.equal(lab.receive(server), undefined);
      lab.send(server, 'answer', '10.0.0.1:4000');
      lab.run();
      assert.deepEqual(lab.receive(client), { text: 'answer', from: '10.0.0.2:53', to: '10.0.0.1', ttl: 64 });
    });
  });

  it('are right on the wire: lengths, ports, both checksums', () => {
    withLab((lab) => {
      const { stack, tap } = lab.addTap();
      const socket = lab.bind(stack, 4000);
      for (const text of ['odd', 'even']) lab.send(socket, text, '10.0.0.9:53');
      lab.run();
      assert.equal(tap.sent.length, 2);
      for (const [i, { bytes, flags }] of tap.sent.entries()) {
        const view = viewOf(bytes);
        assert.ok(isIpv4ChecksumValid(view, 0));
        assert.equal(bytes.length, 28 + 3 + i);
        assert.equal(udpLength(view, 20), 8 + 3 + i);
        assert.deepEqual([udpSourcePort(view, 20), udpDestinationPort(view, 20)], [4000, 53]);
        assert.ok(udpChecksum(view, 20) !== 0);
        assert.ok(isUdpChecksumValidIpv4(view, 20, 11 + i, 0x0a000001, 0x0a000009));
        assert.equal(flags & PacketFlag.checksumPartial, 0);
      }
    });
  });

  it('of any length up to 65,507 bytes arrive, in fragments where they must (RFC 791 section 3.2)', () => {
    for (const offload of [true, false]) {
      withLab((lab) => {
        const [left, right] = lab.joinPair({ offload });
        const client = lab.bind(left, 4000);
        const server = lab.bind(right, 53);
        for (const length of [1472, 1473, 1728, 1729, 5000, UDP_MAX_PAYLOAD_BYTES]) {
          const text = String.fromCharCode(65 + (length % 26)).repeat(length);
          assert.equal(lab.send(client, text, '10.0.0.2:53'), 'sent');
          lab.run();
          assert.equal(lab.receive(server)?.text, text);
        }
        assert.equal(lab.send(client, 'x'.repeat(UDP_MAX_PAYLOAD_BYTES + 1), '10.0.0.2:53'), 'EMSGSIZE');
      });
    }
  });

  it('go to the stack itself by the loopback interface', () => {
    withLab((lab) => {
      const { stack, tap } = lab.addTap();
      lab.addLoopback(stack);
      const client = lab.bind(stack, 4000);
      const server = lab.bind(stack, 53);
      lab.send(client, 'to me', '127.0.0.1:53');
      lab.send(client, 'to my address', '10.0.0.1:53');
      lab.send(client, 'to any', '0.0.0.0:53');
      lab.run();
      const all = [lab.receive(server), lab.receive(server), lab.receive(server)];
      assert.deepEqual(
        all.map((each) => each?.from),
        ['127.0.0.1:4000', '10.0.0.1:4000', '127.0.0.1:4000'],
      );
      assert.equal(tap.sent.length, 0);
    });
  });
});

describe('checksums (RFC 1122 section 4.1.3.4)', () => {
  function receiveDamaged(damage: (packet: Uint8Array, view: DataView) => void): { texts: string[]; lab: UdpLab } {
    const lab = new UdpLab();
    const { stack, tap } = lab.addTap();
    const server = lab.bind(stack, 53);
    const packet = udpPacket({ source: '10.0.0.9', destination: '10.0.0.1', payload: PAYLOAD }, 4000, 53);
    damage(packet, viewOf(packet));
    tap.bring(packet);
    lab.run();
    const texts = lab.receiveAll(server);
    assert.equal(lab.close(), 0);
    return { texts, lab };
  }

  it('that are right are accepted', () => {
    assert.deepEqual(receiveDamaged(() => {}).texts, ['payload']);
  });

  it('that are wrong make the datagram be dropped, silently', () => {
    const { texts, lab } = receiveDamaged((packet) => {
      packet[30]! ^= 1;
    });
    assert.deepEqual(texts, []);
    assert.equal(lab.count('udp4-input', 'bad checksum'), 1);
    assert.equal(lab.count('ip4-icmp-error', 'sent'), 0);
  });

  it('of zero are none', () => {
    const { texts } = receiveDamaged((packet, view) => {
      view.setUint16(26, 0);
      packet[30]! ^= 1;
    });
    assert.equal(texts.length, 1);
  });

  it('cover addresses too', () => {
    const { texts } = receiveDamaged((packet, view) => {
      // Another source, with the header checksum made right.
      packet[15]! += 1;
      view.setUint16(10, view.getUint16(10) - 1);
    });
    assert.deepEqual(texts, []);
  });

  it('are verified over chains with odd pieces', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair({ offload: false, mtu: 1001 });
      const client = lab.bind(left, 4000);
      const server = lab.bind(right, 53);
      for (const length of [1500, 2001, 3333]) lab.send(client, 'z'.repeat(length), '10.0.0.2:53');
      lab.run();
      assert.deepEqual(
        lab.receiveAll(server).map((text) => text.length),
        [1500, 2001, 3333],
      );
    });
  });
});

describe('lengths', () => {
  it('shorter than the header or longer than the packet are dropped', () => {
    withLab((lab) => {
      const { stack, tap } = lab.addTap();
      const server = lab.bind(stack, 53);
      for (const length of [0, 7, 16, 1000]) {
        const packet = udpPacket({ source: '10.0.0.9', destination: '10.0.0.1', payload: new Uint8Array(7) }, 4000, 53);
        viewOf(packet).setUint16(24, length);
        tap.bring(packet);
      }
      lab.run();
      assert.deepEqual(lab.receiveAll(server), []);
      assert.equal(lab.count('udp4-input', 'bad length'), 4);
    });
  });

  it('shorter than the packet leave the rest out', () => {
    withLab((lab) => {
      const { stack, tap } = lab.addTap();
      const server = lab.bind(stack, 53);
      const packet = udpPacket({ source: '10.0.0.9', destination: '10.0.0.1', payload: PAYLOAD }, 4000, 53);
      viewOf(packet).setUint16(24, 11);
      viewOf(packet).setUint16(26, 0);
      tap.bring(packet);
      lab.run();
      assert.deepEqual(lab.receiveAll(server), ['pay']);
    });
  });
});

describe('ports without a socket (RFC 1122 section 4.1.3.1)', () => {
  it('are answered with ICMP port unreachable', () => {
    withLab((lab) => {
      const { tap } = lab.addTap();
      tap.bring(udpPacket({ source: '10.0.0.9', destination: '10.0.0.1', payload: PAYLOAD }, 4000, 53));
      lab.run();
      const view = viewOf(tap.sent[0]?.bytes);
      assert.equal(ipv4Protocol(view, 0), IpProtocol.icmp);
      assert.equal(ipv4Source(view, 0), 0x0a000001);
      const code = [icmpv4Type(view, 20), icmpv4Code(view, 20)];
      assert.deepEqual(code, [Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.port]);
    });
  });

  it('are passed over silently for broadcasts and groups', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      lab.udp.set(client, UdpSetting.broadcast, 1);
      lab.udp.setMembership(lab.bind(right, 54), words('224.1.2.3'), ANY_WORDS, true);
      for (const to of ['10.0.0.255:53', '255.255.255.255:53', '224.1.2.3:53']) lab.send(client, 'anybody?', to);
      lab.run();
      // Broadcasts come back to the sender's own host too.
      assert.equal(lab.count('udp4-input', 'no socket'), 5);
      assert.equal(lab.count('ip4-icmp-error', 'sent') + lab.count('ip4-icmp-error', 'not allowed'), 0);
    });
  });
});

describe('ICMP errors (RFC 1122 section 4.1.3.3)', () => {
  it('tell a connected socket that nobody is there', () => {
    withLab((lab) => {
      const [left] = lab.joinPair();
      const client = lab.bind(left, 4000);
      assert.equal(lab.udp.connect(client, words('10.0.0.2'), 53), undefined);
      lab.send(client, 'anybody?');
      lab.run();
      assert.deepEqual(lab.events, [`ECONNREFUSED ${client}`]);
    });
  });

  it('are nothing for a socket that is not connected', () => {
    withLab((lab) => {
      const [left] = lab.joinPair();
      const client = lab.bind(left, 4000);
      lab.send(client, 'anybody?', '10.0.0.2:53');
      lab.run();
      assert.deepEqual(lab.events, []);
      assert.equal(lab.count('ip4-icmp-error', 'sent'), 1);
    });
  });

  it('of a host that is out of reach for now are passed over (section 3.2.2.1)', () => {
    withLab((lab) => {
      const [left] = lab.joinPair();
      const client = lab.bind(left, 4000);
      lab.udp.connect(client, words('10.0.0.77'), 53);
      lab.send(client, 'anybody?');
      lab.run(10_000);
      assert.deepEqual(lab.events, []);
    });
  });

  it('for a stranger’s datagram reach nobody', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const other = lab.bind(left, 4001);
      lab.udp.connect(client, words('10.0.0.2'), 53);
      lab.send(other, 'to the same port', '10.0.0.2:53');
      lab.run();
      assert.deepEqual(lab.events, []);
      assert.ok(right >= 0);
    });
  });
});

describe('binding', () => {
  const refused = (lab: UdpLab, stack: number, port: number, address?: string, isReuseport = false): string => {
    const local = address === undefined ? ANY_WORDS : words(address);
    return String(lab.udp.bind({ stack, local, port, isIpv6Only: false, isReuseport }));
  };

  it('to an address in use is refused: the same, or one that covers the other', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      lab.bind(left, 53);
      lab.bind(left, 54, '10.0.0.1');
      assert.equal(refused(lab, left, 53), 'EADDRINUSE');
      assert.equal(refused(lab, left, 53, '10.0.0.1'), 'EADDRINUSE');
      assert.equal(refused(lab, left, 54), 'EADDRINUSE');
      assert.equal(refused(lab, left, 54, '10.0.0.1', true), 'EADDRINUSE');
      lab.bind(right, 53);
    });
  });

  it('takes own addresses, broadcast and groups, and refuses others', () => {
    withLab((lab) => {
      const [left] = lab.joinPair();
      for (const address of ['10.0.0.1', '10.0.0.255', '255.255.255.255', '224.0.0.251']) lab.bind(left, 53, address);
      assert.equal(refused(lab, left, 53, '10.0.0.2'), 'EADDRNOTAVAIL');
      const ip6 = { stack: left, local: [0x20010db8, 0, 0, 1], port: 53, isIpv6Only: false, isReuseport: false };
      assert.equal(lab.udp.bind(ip6), 'EADDRNOTAVAIL');
      assert.equal(lab.udp.bind({ ...ip6, local: ANY_WORDS, isIpv6Only: true }), 'EAFNOSUPPORT');
    });
  });

  it('chooses ephemeral ports at random, each once, until all are in use (RFC 6056 section 3.3.1)', () => {
    withLab(
      (lab) => {
        const [left] = lab.joinPair();
        const ports = Array.from({ length: 10 }, () => lab.udp.info(lab.bind(left, 0)).localPort);
        assert.deepEqual(
          [...ports].sort((a, b) => a - b),
          Array.from({ length: 10 }, (_, i) => 5000 + i),
        );
        assert.notDeepEqual(ports, [...ports].sort());
        assert.equal(refused(lab, left, 0), 'EADDRINUSE');
      },
      { firstEphemeralPort: 5000, lastEphemeralPort: 5009 },
    );
  });

  it('is refused when there are no more sockets', () => {
    withLab(
      (lab) => {
        const [left] = lab.joinPair();
        const sockets = [lab.bind(left, 1), lab.bind(left, 2)];
        assert.equal(refused(lab, left, 3), 'ENOBUFS');
        lab.udp.close(sockets[0]!);
        assert.equal(lab.bind(left, 1), sockets[0]);
      },
      { maxSockets: 2 },
    );
  });

  it('to an address goes before binding to any', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const any = lab.bind(right, 53, undefined, { isReuseport: true });
      const exact = lab.bind(right, 53, '10.0.0.2', { isReuseport: true });
      lab.send(client, 'first', '10.0.0.2:53');
      lab.run();
      lab.udp.close(exact);
      lab.send(client, 'second', '10.0.0.2:53');
      lab.run();
      assert.deepEqual(lab.receiveAll(any), ['second']);
    });
  });
});

describe('reuseport', () => {
  it('keeps a flow with one socket and spreads flows over all', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const servers = Array.from({ length: 4 }, () => lab.bind(right, 53, undefined, { isReuseport: true }));
      for (let port = 4000; port < 4040; port++) {
        const client = lab.bind(left, port);
        for (let i = 0; i < 3; i++) lab.send(client, String(port), '10.0.0.2:53');
        lab.run();
        lab.udp.close(client);
      }
      const received = servers.map((server) => lab.receiveAll(server));
      assert.equal(received.flat().length, 120);
      for (const texts of received) {
        assert.ok(texts.length > 0, 'one socket got nothing');
        for (const text of texts) assert.equal(texts.filter((each) => each === text).length, 3);
      }
    });
  });

  it('goes on with the sockets that are left', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const servers = Array.from({ length: 3 }, () => lab.bind(right, 53, undefined, { isReuseport: true }));
      for (const closed of [servers[1]!, servers[2]!]) {
        lab.udp.close(closed);
        lab.send(client, 'x', '10.0.0.2:53');
        lab.run();
      }
      lab.send(client, 'x', '10.0.0.2:53');
      lab.run();
      assert.ok(lab.receiveAll(servers[0]!).length >= 1);
      lab.udp.close(servers[0]!);
      lab.bind(right, 53);
    });
  });
});

describe('a connected socket', () => {
  it('has the local address of the route, receives from its peer alone, and is bound again after', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const peer = lab.bind(right, 53);
      const stranger = lab.bind(right, 54);
      lab.udp.connect(client, words('10.0.0.2'), 53);
      assert.deepEqual([...lab.udp.info(client).local], [...words('10.0.0.1')]);
      lab.send(peer, 'from the peer', '10.0.0.1:4000');
      lab.send(stranger, 'from a stranger', '10.0.0.1:4000');
      lab.run();
      assert.deepEqual(lab.receiveAll(client), ['from the peer']);
      assert.equal(lab.count('udp4-input', 'no socket'), 1);
      assert.equal(lab.send(client, 'x', '10.0.0.2:54'), 'EISCONN');
      assert.equal(lab.udp.disconnect(client), undefined);
      assert.equal(lab.udp.disconnect(client), 'ENOTCONN');
      assert.deepEqual([...lab.udp.info(client).local], [...ANY_WORDS]);
      assert.equal(lab.send(client, 'x'), 'EDESTADDRREQ');
      lab.send(stranger, 'now', '10.0.0.1:4000');
      lab.run();
      assert.deepEqual(lab.receiveAll(client), ['now']);
    });
  });

  it('goes before one that is bound to the same port, and can be connected anew', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const [one, other] = [lab.bind(left, 4000), lab.bind(left, 4001)];
      const bound = lab.bind(right, 53, undefined, { isReuseport: true });
      const connected = lab.bind(right, 53, undefined, { isReuseport: true });
      for (const port of [4000, 4001]) {
        assert.equal(lab.udp.connect(connected, words('10.0.0.1'), port), undefined);
        lab.send(one, `one at ${port}`, '10.0.0.2:53');
        lab.send(other, `other at ${port}`, '10.0.0.2:53');
        lab.run();
      }
      assert.deepEqual(lab.receiveAll(connected), ['one at 4000', 'other at 4001']);
      assert.deepEqual(lab.receiveAll(bound), ['other at 4000', 'one at 4001']);
      assert.equal(lab.udp.connect(bound, words('10.0.0.1'), 4001), 'EADDRINUSE');
    });
  });

  it('is refused a peer that can’t be', () => {
    withLab((lab) => {
      const [left] = lab.joinPair();
      const socket = lab.bind(left, 4000);
      assert.equal(lab.udp.connect(socket, words('10.0.0.2'), 0), 'EINVAL');
      assert.equal(lab.udp.connect(socket, words('192.0.2.1'), 53), 'ENETUNREACH');
      assert.equal(lab.udp.connect(socket, words('10.0.0.255'), 53), 'EACCES');
      assert.equal(lab.udp.connect(socket, [0x20010db8, 0, 0, 1], 53), 'ENETUNREACH');
    });
  });
});

describe('sending', () => {
  it('is refused where there is no way, with the reason', () => {
    withLab((lab) => {
      const { stack } = lab.addTap();
      lab.addLoopback(stack);
      const socket = lab.bind(stack, 4000);
      assert.equal(lab.send(socket, 'x'), 'EDESTADDRREQ');
      assert.equal(lab.send(socket, 'x', '10.0.0.9:0'), 'EINVAL');
      assert.equal(lab.send(socket, 'x', '192.0.2.1:9'), 'ENETUNREACH');
      const onLoopback = lab.bind(stack, 4001, '127.0.0.1');
      assert.equal(lab.send(onLoopback, 'x', '10.0.0.9:9'), 'EINVAL');
      assert.equal(lab.udp.send(socket, PAYLOAD, 0, 7, [0x20010db8, 0, 0, 1], 9), 'ENETUNREACH');
    });
  });

  it('to broadcast needs the option; everybody on the link receives', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const servers = [
        lab.bind(right, 53, undefined, { isReuseport: true }),
        lab.bind(right, 53, undefined, { isReuseport: true }),
      ];
      const exact = lab.bind(right, 53, '10.0.0.2', { isReuseport: true });
      assert.equal(lab.send(client, 'x', '10.0.0.255:53'), 'EACCES');
      assert.equal(lab.send(client, 'x', '255.255.255.255:53'), 'EACCES');
      lab.udp.set(client, UdpSetting.broadcast, 1);
      assert.equal(lab.send(client, 'directed', '10.0.0.255:53'), 'sent');
      assert.equal(lab.send(client, 'limited', '255.255.255.255:53'), 'sent');
      lab.run();
      for (const server of servers) assert.deepEqual(lab.receiveAll(server), ['directed', 'limited']);
      assert.deepEqual(lab.receiveAll(exact), [], 'bound to one address, it took a broadcast');
    });
  });

  it('has the ttl and traffic class that were set (RFC 1122 section 4.1.4)', () => {
    withLab((lab) => {
      const { stack, tap } = lab.addTap();
      const socket = lab.bind(stack, 4000);
      assert.equal(lab.udp.set(socket, UdpSetting.timeToLive, 3), undefined);
      assert.equal(lab.udp.set(socket, UdpSetting.trafficClass, 0xb8), undefined);
      lab.send(socket, 'x', '10.0.0.9:53');
      lab.send(socket, 'x', '224.1.2.3:53');
      lab.udp.set(socket, UdpSetting.multicastTimeToLive, 9);
      lab.send(socket, 'x', '224.1.2.3:53');
      lab.run();
      const views = tap.sent.map(({ bytes }) => viewOf(bytes));
      assert.deepEqual(
        views.map((view) => ipv4Ttl(view, 0)),
        [3, 1, 9],
      );
      assert.ok(views.every((view) => ipv4TrafficClass(view, 0) === 0xb8));
      assert.equal(lab.udp.set(socket, UdpSetting.timeToLive, 0), 'EINVAL');
      assert.equal(lab.udp.set(socket, UdpSetting.timeToLive, 256), 'EINVAL');
      assert.equal(lab.udp.set(socket, UdpSetting.multicastLoop, 2), 'EINVAL');
      assert.equal(lab.udp.set(socket, 99, 0), 'EINVAL');
    });
  });

  it('is held back without room, and told when there is', () => {
    withLab((lab) => {
      const { stack, tap } = lab.addTap();
      const socket = lab.bind(stack, 4000);
      tap.txSpace = 3;
      const outcomes = Array.from({ length: 5 }, () => lab.send(socket, 'x', '10.0.0.9:53'));
      assert.deepEqual(outcomes, ['sent', 'sent', 'sent', 'EAGAIN', 'EAGAIN']);
      assert.ok(lab.udp.nextDeadlineNs() < Infinity);
      lab.pass();
      assert.equal(tap.sent.length, 3);
      assert.deepEqual(lab.events, [`writable ${socket}`]);
      tap.txSpace = 0;
      assert.equal(lab.send(socket, 'x', '10.0.0.9:53'), 'EAGAIN');
      lab.run(100);
      assert.equal(lab.events.length, 1);
      tap.txSpace = 10;
      lab.run(2);
      assert.equal(lab.events.length, 2);
      assert.equal(lab.udp.nextDeadlineNs(), Infinity);
    });
  });

  it('does not run the pool dry', () => {
    withLab(
      (lab) => {
        const [left, right] = lab.joinPair();
        const client = lab.bind(left, 4000);
        const server = lab.bind(right, 53);
        lab.send(client, 'learn the neighbor', '10.0.0.2:53');
        lab.run();
        let sent = 0;
        for (let round = 0; round < 50; round++) {
          while (lab.send(client, 'y'.repeat(1000), '10.0.0.2:53') === 'sent') sent++;
          lab.run(1);
          lab.receiveAll(server);
        }
        assert.ok(sent > 500, `${sent} were sent`);
        assert.equal(lab.udp.info(server).drops, 0);
      },
      {},
      128,
    );
  });
});

describe('the receive queue', () => {
  it('holds so many bytes; what exceeds them is dropped and counted', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const server = lab.bind(right, 53);
      lab.udp.set(server, UdpSetting.receiveBufferBytes, 5 * (48 + 100));
      for (let i = 0; i < 8; i++) lab.send(client, String(i).padEnd(100), '10.0.0.2:53');
      lab.run();
      assert.equal(lab.udp.info(server).drops, 3);
      assert.equal(lab.count('udp4-input', 'queue full'), 3);
      assert.equal(lab.udp.info(server).queuedBytes, 5 * 148);
      assert.deepEqual(
        lab.receiveAll(server).map((text) => text.trim()),
        ['0', '1', '2', '3', '4'],
      );
      assert.equal(lab.udp.set(server, UdpSetting.receiveBufferBytes, 10), 'EINVAL');
    });
  });

  it('takes no memory while it is empty, and drops when there is none', () => {
    withLab(
      (lab) => {
        const [left, right] = lab.joinPair();
        const client = lab.bind(left, 4000);
        const servers = Array.from({ length: 6 }, (_, i) => lab.bind(right, 53 + i));
        const idleBytes = lab.heap.usedBytes;
        servers.forEach((_, i) => {
          lab.send(client, 'w'.repeat(3000), `10.0.0.2:${53 + i}`);
        });
        lab.run();
        const drops = servers.map((server) => lab.udp.info(server).drops);
        assert.ok(drops.includes(1) && drops.includes(0), drops.join());
        for (const server of servers) lab.receiveAll(server);
        assert.equal(lab.heap.usedBytes, idleBytes);
      },
      {},
      4096,
      16 * 1024,
    );
  });

  it('cuts a datagram off that is longer than the room, and goes on with the next', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const server = lab.bind(right, 53);
      for (const text of ['0123456789', 'next']) lab.send(client, text, '10.0.0.2:53');
      lab.run();
      const into = new Uint8Array(6);
      const info = { remote: new Int32Array(4), remotePort: 0, local: new Int32Array(4), ttl: 0 };
      assert.equal(lab.udp.nextLength(server), 10);
      assert.equal(lab.udp.receive(server, into, 2, info), 10);
      assert.deepEqual([...into], [0, 0, 48, 49, 50, 51]);
      assert.deepEqual(lab.receiveAll(server), ['next']);
      assert.equal(lab.udp.nextLength(server), -1);
    });
  });

  it('goes with its socket', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const server = lab.bind(right, 53);
      lab.send(client, 'unread', '10.0.0.2:53');
      lab.graph.run();
      lab.udp.close(server);
      lab.run();
      const next = lab.bind(right, 53);
      assert.deepEqual(lab.events, []);
      assert.deepEqual(lab.receiveAll(next), []);
    });
  });
});

describe('groups (RFC 1112)', () => {
  it('are received by sockets of a host that has joined', () => {
    withLab((lab) => {
      const [left, right] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const server = lab.bind(right, 5353);
      lab.send(client, 'too early', '224.0.0.251:5353');
      lab.run();
      assert.equal(lab.udp.setMembership(server, words('224.0.0.251'), words('10.0.0.2'), true), undefined);
      lab.send(client, 'hello', '224.0.0.251:5353');
      lab.run();
      assert.deepEqual(lab.receive(server), { text: 'hello', from: '10.0.0.1:4000', to: '224.0.0.251', ttl: 1 });
      assert.equal(lab.receive(server), undefined);
      assert.equal(lab.udp.setMembership(server, words('224.0.0.251'), ANY_WORDS, false), undefined);
      lab.send(client, 'too late', '224.0.0.251:5353');
      lab.run();
      assert.deepEqual(lab.receiveAll(server), []);
    });
  });

  it('come back to the sender’s host unless it says no (section 6.1)', () => {
    withLab((lab) => {
      const [left] = lab.joinPair();
      const client = lab.bind(left, 4000);
      const member = lab.bind(left, 5353);
      lab.udp.setMembership(member, words('224.0.0.251'), ANY_WORDS, true);
      lab.send(client, 'looped', '224.0.0.251:5353');
      lab.run();
      lab.udp.set(client, UdpSetting.multicastLoop, 0);
      lab.send(client, 'not looped', '224.0.0.251:5353');
      lab.run();
      assert.deepEqual(lab.receiveAll(member), ['looped']);
    });
  });

  it('are joined once, left once, and left with the socket', () => {
    withLab((lab) => {
      const [left] = lab.joinPair();
      const [socket, other] = [lab.bind(left, 1), lab.bind(left, 2)];
      const group = words('224.1.2.3');
      assert.equal(lab.udp.setMembership(socket, words('10.0.0.9'), ANY_WORDS, true), 'EINVAL');
      assert.equal(lab.udp.setMembership(socket, group, words('10.0.0.9'), true), 'EADDRNOTAVAIL');
      assert.equal(lab.udp.setMembership(socket, group, ANY_WORDS, false), 'EADDRNOTAVAIL');
      assert.equal(lab.udp.setMembership(socket, group, ANY_WORDS, true), undefined);
      assert.equal(lab.udp.setMembership(socket, group, words('10.0.0.1'), true), 'EADDRINUSE');
      assert.equal(lab.udp.setMembership(other, group, ANY_WORDS, true), undefined);
      const index = lab.interfaces.find(left, 'eth0');
      lab.udp.close(socket);
      assert.ok(lab.l3.groups.has(index, 0xe0010203));
      lab.udp.close(other);
      assert.ok(!lab.l3.groups.has(index, 0xe0010203));
    });
  });
});

describe('damaged packets', () => {
  it('are dropped or delivered, and cost no slot', () => {
    withLab((lab) => {
      const { stack, tap } = lab.addTap();
      const server = lab.bind(stack, 53);
      const peer = lab.bind(stack, 54);
      lab.udp.connect(peer, words('10.0.0.9'), 4000);
      const good = [10, 200, 1472].map((bytes, i) =>
        udpPacket({ source: '10.0.0.9', destination: '10.0.0.1', payload: new Uint8Array(bytes) }, 4000, 53 + (i & 1)),
      );
      let delivered = 0;
      for (let round = 0; round < 20_000; round++) {
        const packet = good[round % 3]!.slice();
        // The IPv4 header but for its addresses stays whole: what is damaged is for UDP to find.
        for (let i = randomBelow(lab.random, 4); i > 0; i--) {
          packet[20 + randomBelow(lab.random, packet.length - 20)] = lab.random.uint32() & 255;
        }
        if (randomBelow(lab.random, 3) === 0) viewOf(packet).setUint16(26, 0);
        tap.bring(packet);
        if (round % 100 > 0) continue;
        lab.run(1);
        delivered += lab.receiveAll(server).length + lab.receiveAll(peer).length;
        tap.sent.length = 0;
      }
      lab.run(1);
      assert.ok(delivered > 1_000, `${delivered} were delivered`);
      assert.ok(lab.count('udp4-input', 'bad checksum') > 1_000);
    });
  });
});
