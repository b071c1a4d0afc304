/** Conformance of ports: listeners, answers to SYN, handles. */
import assert from 'node:assert/strict';
import { areWordsEqual, wordsFromIpv4 } from '../address.js';
import { SocketOption } from '../message.js';
import {
  type Case,
  connectPair,
  expectEvent,
  listenOn,
  newDatagramInfo,
  newInfo,
  type PortHarness,
  readText,
  writeText,
} from './port-harness.test-support.js';
import { PortRecorder, type RecordedEvent } from './port-recorder.js';

export function listening(test: Case): void {
  test('an address in use is refused, on the same port and in another', async (harness) => {
    const server = new PortRecorder(harness.port());
    const other = new PortRecorder(harness.port());
    const { localPort } = await listenOn(harness, server);
    for (const recorder of [server, other]) {
      recorder.port.listen({ local: harness.address, localPort });
      recorder.port.listen({ localPort });
      recorder.port.listen({ local: wordsFromIpv4(0), localPort });
      await harness.settle();
      for (let i = 0; i < 3; i++) assert.equal(expectEvent(recorder, 'failed').errno, 'EADDRINUSE');
    }
  });

  test('an address that is not local is refused', async (harness) => {
    const server = new PortRecorder(harness.port());
    server.port.listen({ local: harness.foreignAddress, localPort: 80 });
    await harness.settle();
    assert.equal(expectEvent(server, 'failed').errno, 'EADDRNOTAVAIL');
  });

  test('a listener on any address takes connections to each', async (harness) => {
    const { server, accepted } = await connectPair(harness, { local: wordsFromIpv4(0), localPort: 8080 });
    const info = newInfo();
    assert.ok(server.port.info(accepted, info));
    assert.deepEqual(info.local, harness.address);
    assert.equal(info.localPort, 8080);
  });

  test('a listener on any port takes what no other listener takes', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const all = server.port.listen({ local: wordsFromIpv4(0), anyPort: true });
    const one = server.port.listen({ local: harness.address, localPort: 443 });
    await harness.settle();
    for (const remotePort of [443, 1234]) client.port.connect({ remote: harness.address, remotePort });
    await harness.settle();
    const accepted = server.events.filter((event) => event.type === 'accepted');
    const byPort = new Map(accepted.map((event) => [event.localPort, event.request]));
    assert.equal(byPort.get(443), one);
    assert.equal(byPort.get(1234), all);
  });

  test('unlisten ends the listener; its port is free again', async (harness) => {
    const { server, client, listener, port, accepted, connected } = await connectPair(harness);
    server.port.unlisten(listener);
    assert.equal(server.port.info(listener, newInfo()), false);
    client.port.connect({ remote: harness.address, remotePort: port });
    await harness.settle();
    assert.equal(expectEvent(client, 'failed').errno, 'ECONNREFUSED');
    writeText(client.port, connected, 'sessions stay');
    await harness.settle();
    assert.equal(readText(server.port, accepted), 'sessions stay');
    server.port.listen({ local: harness.address, localPort: port });
    await harness.settle();
    expectEvent(server, 'listening');
  });

  test('no accepted event follows unlisten', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const { session, localPort } = await listenOn(harness, server);
    server.react = (event) => {
      if (event.type === 'accepted') server.port.unlisten(session);
    };
    for (let i = 0; i < 3; i++) client.port.connect({ remote: harness.address, remotePort: localPort });
    await harness.settle();
    assert.equal(server.count('accepted'), 1);
    const ends = client.events.filter((event) => event.type === 'closed' || event.type === 'failed');
    assert.equal(ends.length, 2);
  });

  test('applications that ask for it share an address', async (harness) => {
    const ports = [0, 1].map(() => new PortRecorder(harness.port()));
    const client = new PortRecorder(harness.peerPort());
    for (const each of ports) each.port.listen({ local: harness.address, localPort: 7000, reuseport: true });
    await harness.settle();
    for (let i = 0; i < 4; i++) client.port.connect({ remote: harness.address, remotePort: 7000 });
    await harness.settle();
    assert.deepEqual(
      ports.map((each) => each.count('accepted')),
      [2, 2],
    );
  });
}

export function asking(test: Case): void {
  async function start(
    harness: PortHarness,
  ): Promise<{ server: PortRecorder; client: PortRecorder; syn: RecordedEvent }> {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const request = server.port.listen({ local: harness.address, localPort: 6000, askOnSyn: true });
    await harness.settle();
    client.port.connect({ remote: harness.address, remotePort: 6000 });
    await harness.settle();
    const syn = expectEvent(server, 'synReceived');
    assert.equal(syn.request, request);
    assert.ok(areWordsEqual(syn.local, harness.address));
    assert.equal(syn.localPort, 6000);
    assert.equal(client.count('connected') + client.count('failed'), 0, 'answered before the application did');
    return { server, client, syn };
  }

  test('a SYN that is accepted becomes a session under the same handle', async (harness) => {
    const { server, client, syn } = await start(harness);
    server.port.answerSyn(syn.session, true);
    await harness.settle();
    const accepted = expectEvent(server, 'accepted');
    assert.equal(accepted.session, syn.session);
    writeText(client.port, expectEvent(client, 'connected').session, 'hello');
    await harness.settle();
    assert.equal(readText(server.port, accepted.session), 'hello');
  });

  test('a SYN that is rejected is refused', async (harness) => {
    const { server, client, syn } = await start(harness);
    server.port.answerSyn(syn.session, false);
    await harness.settle();
    assert.equal(expectEvent(client, 'failed').errno, 'ECONNREFUSED');
    assert.equal(server.port.info(syn.session, newInfo()), false);
  });

  test('a SYN without an answer waits, and ends with its listener', async (harness) => {
    const { server, client } = await start(harness);
    const listening = expectEvent(server, 'listening');
    server.port.unlisten(listening.session);
    await harness.settle();
    assert.equal(expectEvent(client, 'failed').errno, 'ECONNREFUSED');
  });
}

export function handles(test: Case): void {
  test('a handle that was let go is refused and reaches nobody', async (harness) => {
    const { server, client, accepted, connected, port } = await connectPair(harness);
    client.port.closeSession(connected);
    server.port.closeSession(accepted);
    await harness.settle();
    // Many sessions, so that rows are used again.
    for (let i = 0; i < 20; i++) client.port.connect({ remote: harness.address, remotePort: port });
    await harness.settle();
    for (const stale of [connected, accepted]) {
      assert.equal(writeText(client.port, stale, 'x'), 0);
      assert.equal(client.port.readable(stale), 0);
      assert.equal(client.port.info(stale, newInfo()), false);
      client.port.reset(stale);
      client.port.shutdown(stale);
    }
    const request = client.port.setOption(connected, SocketOption.noDelay, 1);
    await harness.settle();
    const failed = expectEvent(client, 'failed');
    assert.deepEqual([failed.request, failed.errno], [request, 'EBADF']);
    assert.equal(client.count('closed') + server.count('closed') + server.count('readable'), 0);
  });

  test("another application's handle is refused", async (harness) => {
    const { server, client, accepted, connected, listener } = await connectPair(harness);
    const thief = new PortRecorder(harness.port());
    for (const handle of [accepted, connected, listener]) {
      assert.equal(writeText(thief.port, handle, 'x'), 0);
      assert.equal(thief.port.info(handle, newInfo()), false);
      thief.port.reset(handle);
      thief.port.closeSession(handle);
      thief.port.unlisten(handle);
      thief.port.udpClose(handle);
    }
    await harness.settle();
    assert.equal(client.events.length + thief.events.length, 0);
    writeText(client.port, connected, 'unharmed');
    await harness.settle();
    assert.equal(readText(server.port, accepted), 'unharmed');
  });

  test('made-up handles are refused', async (harness) => {
    const { port } = new PortRecorder(harness.port());
    for (const handle of [0, 1, 2 ** 32 - 1, 2 ** 52 - 1, 2 ** 51 + 12_345]) {
      assert.equal(writeText(port, handle, 'x'), 0);
      assert.equal(port.readable(handle), 0);
      assert.equal(port.info(handle, newInfo()), false);
      assert.equal(port.receiveDatagram(handle, new Uint8Array(1), 0, newDatagramInfo()), -1);
      port.reset(handle);
      port.udpClose(handle);
      port.unlisten(handle);
    }
    await harness.settle();
  });
}
