/**
 * What every SessionPort does, whatever carrier is below it: one suite, run on each implementation.
 * Times and order within one settling are the carrier's own business; what is checked here holds for all of them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { areWordsEqual, wordsFromIpv4 } from '../address.js';
import { MAX_DATAGRAM_BYTES, SessionMessage, SocketOption } from '../message.js';
import type { DatagramInfo, EndpointInfo, SessionPort } from '../port.js';
import { PortRecorder, type RecordedEvent } from './port-recorder.js';

export interface PortHarness {
  /** An application of its own on the stack that has `address`. */
  port(): SessionPort;
  /** An application that reaches `address`; the same stack or another. */
  peerPort(): SessionPort;
  readonly address: Int32Array;
  /** An address that nobody has. */
  readonly foreignAddress: Int32Array;
  /** Goes on until nothing happens any more. */
  settle(): Promise<void> | void;
  close(): Promise<void> | void;
}

export interface PortConformanceOptions {
  /** False for carriers that can't wait for an answer. */
  readonly canWait?: boolean;
}

export interface Pair {
  readonly server: PortRecorder;
  readonly client: PortRecorder;
  readonly listener: number;
  readonly port: number;
  /** Handles of one connection. */
  readonly accepted: number;
  readonly connected: number;
}

export function newInfo(): EndpointInfo {
  return { local: new Int32Array(4), localPort: 0, remote: new Int32Array(4), remotePort: 0 };
}

export function newDatagramInfo(): DatagramInfo {
  return { local: new Int32Array(4), remote: new Int32Array(4), remotePort: 0, ttl: 0 };
}

/** The one event of that type; fails if there is none. */
export function expectEvent(recorder: PortRecorder, type: string, session?: number): RecordedEvent {
  const event = recorder.take(type, session);
  assert.ok(event, `no ${type} event; there are: ${recorder.events.map((each) => each.type).join(', ') || 'none'}`);
  return event;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Everything that can be read now, as text. */
export function readText(port: SessionPort, session: number): string {
  const into = new Uint8Array(65_536);
  let text = '';
  for (let count = port.read(session, into, 0, into.length); count > 0; ) {
    text += String.fromCharCode(...into.subarray(0, count));
    count = port.read(session, into, 0, into.length);
  }
  return text;
}

export function writeText(port: SessionPort, session: number, text: string): number {
  return port.write(session, bytesOf(text), 0, text.length);
}

export async function listenOn(harness: PortHarness, recorder: PortRecorder, options = {}): Promise<RecordedEvent> {
  const request = recorder.port.listen({ local: harness.address, ...options });
  await harness.settle();
  const event = expectEvent(recorder, 'listening');
  assert.equal(event.request, request);
  return event;
}

export async function connectPair(harness: PortHarness, listenOptions = {}): Promise<Pair> {
  const server = new PortRecorder(harness.port());
  const client = new PortRecorder(harness.peerPort());
  const listening = await listenOn(harness, server, listenOptions);
  client.port.connect({ remote: harness.address, remotePort: listening.localPort });
  await harness.settle();
  const accepted = expectEvent(server, 'accepted').session;
  const connected = expectEvent(client, 'connected').session;
  return { server, client, listener: listening.session, port: listening.localPort, accepted, connected };
}

/** Runs one case on a fresh harness and closes it. */
export type Case = (name: string, run: (harness: PortHarness) => Promise<void>) => void;

export function portConformance(
  title: string,
  makeHarness: () => PortHarness | Promise<PortHarness>,
  options: PortConformanceOptions = {},
): void {
  const test: Case = (name, run) => {
    it(name, async () => {
      const harness = await makeHarness();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  };
  describe(`${title}: connections`, () => {
    establishing(test);
    refusing(test);
  });
  describe(`${title}: bytes`, () => {
    transferring(test);
    ending(test);
  });
  describe(`${title}: listeners`, () => {
    listening(test);
    asking(test);
  });
  describe(`${title}: handles`, () => handles(test));
  describe(`${title}: datagrams`, () => {
    datagrams(test);
    datagramErrors(test);
  });
  describe(`${title}: waiting`, () => waiting(test, options.canWait !== false));
}

function establishing(test: Case): void {
  test('both ends agree on addresses and ports', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const { localPort } = await listenOn(harness, server);
    assert.ok(localPort > 0);
    const request = client.port.connect({ remote: harness.address, remotePort: localPort });
    await harness.settle();
    const accepted = expectEvent(server, 'accepted');
    const connected = expectEvent(client, 'connected');
    assert.equal(connected.request, request);
    assert.deepEqual(accepted.local, connected.remote);
    assert.deepEqual(accepted.remote, connected.local);
    assert.deepEqual([accepted.localPort, accepted.remotePort], [connected.remotePort, connected.localPort]);
    assert.equal(accepted.localPort, localPort);
    const info = newInfo();
    assert.ok(client.port.info(connected.session, info));
    assert.deepEqual(info.remote, harness.address);
    assert.equal(info.localPort, connected.localPort);
  });

  test('accepted events carry the request of the listen', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const first = server.port.listen({ local: harness.address });
    const second = server.port.listen({ local: harness.address });
    await harness.settle();
    const ports = [first, second].map(
      (request) => server.events.find((event) => event.request === request)?.localPort ?? 0,
    );
    for (const remotePort of ports) client.port.connect({ remote: harness.address, remotePort });
    await harness.settle();
    const requests = server.events.filter((event) => event.type === 'accepted').map((event) => event.request);
    assert.deepEqual(new Set(requests), new Set([first, second]));
  });

  test('no event comes from inside a call', async (harness) => {
    const { server, client, accepted, connected, port } = await connectPair(harness);
    let inside = 0;
    let depth = 0;
    const guard = <Result>(call: () => Result): Result => {
      depth++;
      const result = call();
      depth--;
      return result;
    };
    const watch = (): void => {
      if (depth > 0) inside++;
    };
    server.react = watch;
    client.react = watch;
    guard(() => client.port.listen({ local: wordsFromIpv4(0), localPort: port }));
    guard(() => client.port.connect({ remote: harness.address, remotePort: port }));
    guard(() => writeText(client.port, connected, 'x'));
    await harness.settle();
    guard(() => readText(server.port, accepted));
    guard(() => client.port.shutdown(connected));
    guard(() => server.port.closeSession(accepted));
    guard(() => client.port.reset(connected));
    await harness.settle();
    assert.equal(inside, 0);
  });

  test('a connection can be bound to a local port', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const { localPort } = await listenOn(harness, server);
    client.port.connect({ remote: harness.address, remotePort: localPort, localPort: 4321 });
    await harness.settle();
    assert.equal(expectEvent(client, 'connected').localPort, 4321);
    assert.equal(expectEvent(server, 'accepted').remotePort, 4321);
  });
}

function refusing(test: Case): void {
  test('a connect that nobody listens for is refused', async (harness) => {
    const client = new PortRecorder(harness.peerPort());
    const request = client.port.connect({ remote: harness.address, remotePort: 9 });
    await harness.settle();
    const failed = expectEvent(client, 'failed');
    assert.equal(failed.request, request);
    assert.equal(failed.errno, 'ECONNREFUSED');
    assert.equal(client.events.length, 0);
  });

  test('a connect from an address that is not local fails', async (harness) => {
    const client = new PortRecorder(harness.peerPort());
    client.port.connect({ remote: harness.address, remotePort: 9, local: harness.foreignAddress });
    await harness.settle();
    assert.equal(expectEvent(client, 'failed').errno, 'EADDRNOTAVAIL');
  });

  test('IPv6 is out of reach of a stack without it', async (harness) => {
    const client = new PortRecorder(harness.peerPort());
    client.port.connect({ remote: [0x20010db8, 0, 0, 1], remotePort: 80 });
    await harness.settle();
    assert.equal(expectEvent(client, 'failed').errno, 'ENETUNREACH');
  });

  test('a cancelled connect fails once, with ECANCELED', async (harness) => {
    const server = new PortRecorder(harness.port());
    const client = new PortRecorder(harness.peerPort());
    const { localPort } = await listenOn(harness, server);
    const request = client.port.connect({ remote: harness.address, remotePort: localPort });
    client.port.cancel(request);
    client.port.cancel(request);
    await harness.settle();
    const failed = expectEvent(client, 'failed');
    assert.deepEqual([failed.request, failed.errno, failed.session], [request, 'ECANCELED', 0]);
    assert.equal(client.events.length, 0);
  });

  test('cancelling an answered connect does nothing', async (harness) => {
    const { client, connected, server, accepted } = await connectPair(harness);
    client.port.cancel(1);
    await harness.settle();
    assert.equal(client.events.length, 0);
    writeText(client.port, connected, 'still here');
    await harness.settle();
    assert.equal(readText(server.port, accepted), 'still here');
  });
}

function transferring(test: Case): void {
  test('bytes arrive in order, both ways', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    writeText(client.port, connected, 'ping ');
    writeText(client.port, connected, 'again');
    await harness.settle();
    assert.equal(expectEvent(server, 'readable').session, accepted);
    assert.equal(server.port.readable(accepted), 10);
    assert.equal(readText(server.port, accepted), 'ping again');
    writeText(server.port, accepted, 'pong');
    await harness.settle();
    assert.equal(expectEvent(client, 'readable').session, connected);
    assert.equal(readText(client.port, connected), 'pong');
  });

  test('readable is told once until something is read', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    for (const text of ['a', 'b', 'c']) {
      writeText(client.port, connected, text);
      await harness.settle();
    }
    assert.equal(server.count('readable'), 1);
    assert.equal(server.port.read(accepted, new Uint8Array(2), 0, 2), 2);
    writeText(client.port, connected, 'd');
    await harness.settle();
    assert.equal(readText(server.port, accepted), 'cd');
    assert.equal(server.count('readable'), 2);
  });

  test('a part of a buffer is written and read', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    assert.equal(client.port.write(connected, bytesOf('0123456789'), 3, 4), 4);
    await harness.settle();
    const into = new Uint8Array(8).fill(46);
    assert.equal(server.port.read(accepted, into, 2, 3), 3);
    assert.equal(String.fromCharCode(...into), '..345...');
    assert.equal(server.port.readable(accepted), 1);
  });

  test('a writer is held back, told when there is room, and nothing is lost', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    const total = 6 * 1024 * 1024;
    const pattern = Uint8Array.from({ length: 65_536 + 251 }, (_, i) => i % 251);
    let sent = 0;
    const send = (): void => {
      while (sent < total) {
        const count = Math.min(65_536, total - sent);
        const taken = client.port.write(connected, pattern, sent % 251, count);
        sent += taken;
        if (taken < count) return;
      }
    };
    send();
    const first = sent;
    assert.ok(first > 0 && first < total, `${first} bytes were taken at once`);
    client.react = (event) => {
      if (event.type === 'writable') send();
    };
    await harness.settle();
    assert.ok(sent < total, 'the writer was not held back by a reader that does not read');
    let received = 0;
    const into = new Uint8Array(100_003);
    for (let idle = 0; received < total && idle < 20; ) {
      const count = server.port.read(accepted, into, 0, into.length);
      for (let i = 0; i < count; i++)
        if (into[i] !== (received + i) % 251) assert.fail(`byte ${received + i} is wrong`);
      received += count;
      idle = count > 0 ? 0 : idle + 1;
      if (count === 0) await harness.settle();
    }
    assert.equal(received, total);
  });

  test('options are set, and refused when there is no such one', async (harness) => {
    const { client, connected } = await connectPair(harness);
    client.port.setOption(connected, SocketOption.noDelay, 1);
    client.port.setOption(connected, SocketOption.keepAliveMs, 60_000);
    await harness.settle();
    assert.equal(client.events.length, 0);
    const request = client.port.setOption(connected, SocketOption.broadcast, 1);
    await harness.settle();
    const failed = expectEvent(client, 'failed');
    assert.deepEqual([failed.request, failed.errno], [request, 'ENOPROTOOPT']);
  });
}

function ending(test: Case): void {
  test('half-close: the other direction goes on', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    writeText(client.port, connected, 'last words');
    client.port.shutdown(connected);
    await harness.settle();
    expectEvent(server, 'peerClosed', accepted);
    assert.equal(readText(server.port, accepted), 'last words');
    assert.equal(writeText(client.port, connected, 'more'), 0, 'written after shutdown');
    writeText(server.port, accepted, 'answer');
    await harness.settle();
    assert.equal(readText(client.port, connected), 'answer');
    assert.equal(client.count('closed'), 0);
    server.port.shutdown(accepted);
    await harness.settle();
    expectEvent(client, 'peerClosed', connected);
    assert.equal(expectEvent(client, 'closed', connected).errno, 'ok');
    assert.equal(expectEvent(server, 'closed', accepted).errno, 'ok');
  });

  test('what came before the end can be read after it', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    server.port.shutdown(accepted);
    writeText(client.port, connected, 'x'.repeat(10_000));
    client.port.shutdown(connected);
    await harness.settle();
    assert.equal(server.events.at(-1)?.type, 'closed');
    assert.equal(readText(server.port, accepted).length, 10_000);
    server.port.closeSession(accepted);
    assert.equal(server.port.readable(accepted), 0);
  });

  test('closeSession delivers what was written and ends both directions', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    writeText(client.port, connected, 'bye');
    client.port.closeSession(connected);
    await harness.settle();
    assert.equal(readText(server.port, accepted), 'bye');
    expectEvent(server, 'peerClosed', accepted);
    assert.equal(client.events.length, 0, 'an event for a session that was let go');
    server.port.closeSession(accepted);
    await harness.settle();
    assert.equal(server.count('closed'), 0);
  });

  test('closeSession with unread bytes resets the peer', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    writeText(server.port, accepted, 'nobody reads this');
    await harness.settle();
    client.port.closeSession(connected);
    await harness.settle();
    assert.equal(expectEvent(server, 'closed', accepted).errno, 'ECONNRESET');
  });

  test('reset ends the session of the peer with ECONNRESET', async (harness) => {
    const { server, client, accepted, connected } = await connectPair(harness);
    client.port.reset(connected);
    await harness.settle();
    assert.equal(expectEvent(server, 'closed', accepted).errno, 'ECONNRESET');
    assert.equal(writeText(server.port, accepted, 'x'), 0);
    server.port.closeSession(accepted);
    await harness.settle();
    assert.equal(server.events.length + client.events.length, 0);
  });

  test('the end of a port resets its sessions, ends its listeners, and nothing else', async (harness) => {
    const { server, client, accepted, connected, port } = await connectPair(harness);
    const other = new PortRecorder(harness.port());
    const otherListening = await listenOn(harness, other);
    client.port.connect({ remote: harness.address, remotePort: otherListening.localPort });
    await harness.settle();
    const kept = expectEvent(client, 'connected').session;
    const otherAccepted = expectEvent(other, 'accepted').session;
    server.port.close();
    server.port.close();
    assert.ok(server.port.isClosed);
    await harness.settle();
    assert.equal(expectEvent(client, 'closed', connected).errno, 'ECONNRESET');
    assert.equal(writeText(server.port, accepted, 'x'), 0);
    client.port.connect({ remote: harness.address, remotePort: port });
    writeText(client.port, kept, 'alive');
    await harness.settle();
    assert.equal(expectEvent(client, 'failed').errno, 'ECONNREFUSED');
    assert.equal(readText(other.port, otherAccepted), 'alive');
    assert.equal(server.events.length, 0);
  });
}

function listening(test: Case): void {
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

function asking(test: Case): void {
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

function handles(test: Case): void {
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

async function bindUdp(harness: PortHarness, recorder: PortRecorder, options = {}): Promise<RecordedEvent> {
  const request = recorder.port.udpBind({ local: wordsFromIpv4(0), ...options });
  await harness.settle();
  const bound = expectEvent(recorder, 'bound');
  assert.equal(bound.request, request);
  assert.ok(bound.localPort > 0);
  return bound;
}

function sendText(port: SessionPort, socket: number, text: string, remote?: Int32Array, remotePort = 0): number {
  return port.sendDatagram(socket, bytesOf(text), 0, text.length, remote, remotePort, true);
}

function datagrams(test: Case): void {
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

function datagramErrors(test: Case): void {
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
    client.port.setOption(socket.session, SocketOption.noDelay, 1);
    await harness.settle();
    const failed = expectEvent(client, 'failed');
    assert.deepEqual([failed.request, failed.errno], [request, 'EINVAL']);
    assert.equal(expectEvent(client, 'failed').errno, 'ENOPROTOOPT');
  });
}

function waiting(test: Case, canWait: boolean): void {
  test('the answers of listen and bind can be waited for', async (harness) => {
    const { port, events } = new PortRecorder(harness.port());
    await harness.settle();
    const answer = new SessionMessage();
    const request = port.listen({ local: harness.address });
    assert.equal(port.wait(request, answer), canWait);
    if (!canWait) return;
    assert.equal(answer.request, request);
    assert.ok(answer.localPort > 0);
    const listener = answer.session;
    assert.ok(port.wait(port.udpBind({ local: harness.address }), answer));
    assert.ok(answer.session !== 0);
    assert.ok(port.wait(port.listen({ local: harness.foreignAddress }), answer));
    assert.ok(answer.errno !== 0);
    port.unlisten(listener);
    await harness.settle();
    assert.equal(events.length, 0, 'an answer was told twice');
  });

  test('unknown names have no addresses', async (harness) => {
    const recorder = new PortRecorder(harness.port());
    const request = recorder.port.resolve('nobody.invalid', 4);
    await harness.settle();
    const failed = expectEvent(recorder, 'failed');
    assert.deepEqual([failed.request, failed.errno], [request, 'ENOENT']);
  });
}
