/** Conformance of ports: connections, bytes, endings. */
import assert from 'node:assert/strict';
import { wordsFromIpv4 } from '../address.js';
import { SocketOption } from '../message.js';
import {
  bytesOf,
  type Case,
  connectPair,
  expectEvent,
  listenOn,
  newInfo,
  readText,
  writeText,
} from './port-harness.test-support.js';
import { PortRecorder } from './port-recorder.js';

export function establishing(test: Case): void {
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

export function refusing(test: Case): void {
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

export function transferring(test: Case): void {
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

export function ending(test: Case): void {
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
