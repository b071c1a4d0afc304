/** Conformance of ports: datagrams. */
import assert from 'node:assert/strict';
import { wordsFromIpv4 } from '../address.js';
import { MAX_DATAGRAM_BYTES, SocketOption } from '../message.js';
import { bindUdp, type Case, expectEvent, newDatagramInfo, sendText } from './port-harness.test-support.js';
import { PortRecorder } from './port-recorder.js';

export function datagrams(test: Case): void {
  test('datagrams arrive whole, with their addresses', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const to = await bindUdp(harness, server, { local: harness.address, localPort: 5353 });
    const from = await bindUdp(harness, client);
    client.port.setOption(from.session, SocketOption.ttl, 7);
    const request = sendText(client.port, from.session, 'question', harness.address, 5353);
    sendText(client.port, from.session, '', harness.address, 5353);
    await harness.settle();
    const sent = expectEvent(client, 'sent');
    assert.deepEqual([sent.request, sent.errno], [request, 'ok']);
    assert.equal(expectEvent(server, 'readable').session, to.session);
    const info = newDatagramInfo();
    const into = new Uint8Array(100);
    assert.equal(server.port.receiveDatagram(to.session, into, 2, info), 8);
    assert.equal(String.fromCharCode(...into.subarray(2, 10)), 'question');
    assert.equal(info.remotePort, from.localPort);
    assert.deepEqual(info.local, harness.address);
    assert.ok(info.ttl > 0 && info.ttl <= 7, `ttl ${info.ttl}`);
    assert.equal(server.port.receiveDatagram(to.session, into, 0, info), 0, 'an empty datagram');
    assert.equal(server.port.receiveDatagram(to.session, into, 0, info), -1);
    sendText(server.port, to.session, 'answer', info.remote, info.remotePort);
    await harness.settle();
    assert.equal(client.port.receiveDatagram(from.session, into, 0, info), 6);
    assert.deepEqual([info.remote, info.remotePort], [harness.address, 5353]);
  });

  test('the longest datagram arrives; one that exceeds the room is cut off', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const to = await bindUdp(harness, server, { localPort: 5353 });
    const from = await bindUdp(harness, client);
    const bytes = Uint8Array.from({ length: MAX_DATAGRAM_BYTES }, (_, i) => i % 253);
    for (let i = 0; i < 2; i++) {
      client.port.sendDatagram(from.session, bytes, 0, bytes.length, harness.address, 5353, false);
      await harness.settle();
    }
    const info = newDatagramInfo();
    const into = new Uint8Array(MAX_DATAGRAM_BYTES);
    assert.equal(server.port.receiveDatagram(to.session, into, 0, info), MAX_DATAGRAM_BYTES);
    assert.ok(into.every((byte, i) => byte === i % 253));
    const little = new Uint8Array(10);
    assert.equal(server.port.receiveDatagram(to.session, little, 0, info), MAX_DATAGRAM_BYTES);
    assert.deepEqual(little, bytes.slice(0, 10));
    assert.equal(server.port.receiveDatagram(to.session, into, 0, info), -1);
  });

  test('a connected socket receives from its peer alone', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const to = await bindUdp(harness, server, { localPort: 5353 });
    const stranger = await bindUdp(harness, server);
    const from = await bindUdp(harness, client);
    const request = client.port.udpConnect(from.session, harness.address, 5353);
    await harness.settle();
    const done = expectEvent(client, 'done');
    assert.equal(done.request, request);
    assert.deepEqual([done.remote, done.remotePort], [harness.address, 5353]);
    sendText(client.port, from.session, 'hi');
    await harness.settle();
    const info = newDatagramInfo();
    const into = new Uint8Array(100);
    assert.equal(server.port.receiveDatagram(to.session, into, 0, info), 2);
    sendText(server.port, stranger.session, 'no', info.remote, info.remotePort);
    sendText(server.port, to.session, 'yes', info.remote, info.remotePort);
    await harness.settle();
    assert.equal(client.port.receiveDatagram(from.session, into, 0, info), 3);
    assert.equal(client.port.receiveDatagram(from.session, into, 0, info), -1);
    client.port.udpDisconnect(from.session);
    await harness.settle();
    assert.equal(expectEvent(client, 'done').remotePort, 0);
  });

  test('what exceeds the receive buffer is dropped', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const to = await bindUdp(harness, server, { localPort: 5353 });
    const from = await bindUdp(harness, client);
    server.port.setOption(to.session, SocketOption.receiveBufferBytes, 8_192);
    await harness.settle();
    let sent = 0;
    const bytes = new Uint8Array(1_000);
    for (; sent < 1_000; sent++) {
      client.port.sendDatagram(from.session, bytes, 0, bytes.length, harness.address, 5353, false);
      if (sent % 8 === 0) await harness.settle();
    }
    await harness.settle();
    let received = 0;
    const into = new Uint8Array(2_000);
    for (let quiet = 0; quiet < 3; quiet++) {
      while (server.port.receiveDatagram(to.session, into, 0, newDatagramInfo()) >= 0) received++;
      await harness.settle();
    }
    assert.ok(received >= 7 && received < sent, `${received} of ${sent} arrived`);
  });
}

export function datagramErrors(test: Case): void {
  test('errors of sending are answers', async (harness) => {
    const client = new PortRecorder(harness.peerPort());
    const socket = await bindUdp(harness, client);
    const outcome = async (send: () => number): Promise<string> => {
      const request = send();
      await harness.settle();
      const sent = expectEvent(client, 'sent');
      assert.equal(sent.request, request);
      return sent.errno;
    };
    const { port } = client;
    const tooLong = new Uint8Array(MAX_DATAGRAM_BYTES + 1);
    assert.equal(
      await outcome(() => port.sendDatagram(socket.session, tooLong, 0, tooLong.length, harness.address, 9, true)),
      'EMSGSIZE',
    );
    assert.equal(await outcome(() => sendText(port, socket.session, 'x')), 'EDESTADDRREQ');
    assert.equal(await outcome(() => sendText(port, socket.session, 'x', harness.address, 0)), 'EINVAL');
    const broadcast = wordsFromIpv4(0xffffffff);
    assert.equal(await outcome(() => sendText(port, socket.session, 'x', broadcast, 9)), 'EACCES');
    port.udpClose(socket.session);
    assert.equal(await outcome(() => sendText(port, socket.session, 'x', harness.address, 9)), 'EBADF');
  });

  test('a connected socket learns that nobody is there', async (harness) => {
    const client = new PortRecorder(harness.peerPort());
    const socket = await bindUdp(harness, client);
    client.port.udpConnect(socket.session, harness.address, 9);
    await harness.settle();
    sendText(client.port, socket.session, 'anybody?');
    await harness.settle();
    const error = expectEvent(client, 'udpError', socket.session);
    assert.equal(error.errno, 'ECONNREFUSED');
  });

  test('an address in use is refused, unless both agree to share', async (harness) => {
    const server = new PortRecorder(harness.port());
    const other = new PortRecorder(harness.port());
    const bound = await bindUdp(harness, server, { localPort: 5353 });
    other.port.udpBind({ local: wordsFromIpv4(0), localPort: 5353 });
    other.port.udpBind({ local: harness.address, localPort: 5353, reuseport: true });
    other.port.udpBind({ local: harness.foreignAddress, localPort: 5354 });
    await harness.settle();
    const errnos = other.events.filter((event) => event.type === 'failed').map((event) => event.errno);
    assert.deepEqual(errnos, ['EADDRINUSE', 'EADDRINUSE', 'EADDRNOTAVAIL']);
    server.port.udpClose(bound.session);
    await bindUdp(harness, server, { localPort: 5353, reuseport: true });
    await bindUdp(harness, other, { localPort: 5353, reuseport: true });
  });

  test('options out of range are refused', async (harness) => {
    const client = new PortRecorder(harness.peerPort());
    const socket = await bindUdp(harness, client);
    const request = client.port.setOption(socket.session, SocketOption.ttl, 0);
    client.port.setOption(socket.session, SocketOption.sendBufferBytes, 100_000);
    client.port.setOption(socket.session, SocketOption.noDelay, 1);
    await harness.settle();
    const failed = expectEvent(client, 'failed');
    assert.deepEqual([failed.request, failed.errno], [request, 'EINVAL']);
    assert.equal(expectEvent(client, 'failed').errno, 'ENOPROTOOPT');
  });
}
