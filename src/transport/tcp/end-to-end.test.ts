import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TcpLab, words } from '../testing/tcp-lab.js';

/** A listener on 10.0.0.2:80 and a client on 10.0.0.1; what happens is written down. */
function makeLab(options: ConstructorParameters<typeof TcpLab>[0] = {}, veth: Parameters<TcpLab['joinPair']>[0] = {}) {
  const log: string[] = [];
  const accepted: number[] = [];
  const lab = new TcpLab({
    ...options,
    events: {
      onAccepted: (_listener, connection) => {
        accepted.push(connection);
        log.push('accepted');
        lab.tcp.accepted(connection);
      },
      onConnected: () => log.push('connected'),
      onPeerClosed: () => log.push('peer closed'),
      onFailed: (_connection, errno) => log.push(`failed ${errno}`),
      onClosed: () => log.push('closed'),
    },
  });
  const [a, b] = lab.joinPair(veth);
  const listener = lab.tcp.listen(b, words('10.0.0.2'), 80, { backlog: 16 });
  assert.ok(typeof listener === 'number');
  const connect = (port = 80): number => {
    const connection = lab.tcp.connect({ namespace: a, stack: a, remote: words('10.0.0.2'), remotePort: port });
    assert.ok(typeof connection === 'number', `${connection}`);
    return connection;
  };
  return { lab, a, b, log, accepted, connect, listener };
}

test('connect, data both ways, close in order', () => {
  const { lab, log, accepted, connect } = makeLab();
  const client = connect();
  lab.run(10);
  assert.deepEqual(log, ['connected', 'accepted']);
  const server = accepted[0]!;
  const { tcp } = lab;
  const hello = new TextEncoder().encode('hello');
  const into = new Uint8Array(16);
  assert.equal(tcp.fifos.write(2 * client + 1, hello, 0, 5), 5);
  tcp.send(client);
  lab.run(100);
  assert.equal(tcp.fifos.read(2 * server, into, 0, 16), 5);
  assert.equal(new TextDecoder().decode(into.subarray(0, 5)), 'hello');
  tcp.consumed(server);
  tcp.shutdown(client);
  lab.run(100);
  assert.deepEqual(log.slice(2), ['peer closed']);
  assert.equal(tcp.info(client).state, 'FIN-WAIT-2');
  assert.equal(tcp.info(server).state, 'CLOSE-WAIT');
  tcp.fifos.write(2 * server + 1, hello, 0, 5);
  tcp.send(server);
  tcp.shutdown(server);
  lab.run(100);
  assert.equal(tcp.fifos.read(2 * client, into, 0, 16), 5);
  assert.deepEqual(log.slice(3).sort(), ['closed', 'closed', 'peer closed']);
  assert.equal(tcp.info(client).state, 'TIME-WAIT');
  assert.equal(tcp.info(server).state, 'CLOSED');
  tcp.close(client);
  tcp.close(server);
  lab.run(70_000);
  assert.equal(tcp.core.table.count, 0);
  assert.equal(lab.close(), 0);
});

test('a closed port refuses', () => {
  const { lab, log, connect } = makeLab();
  const client = connect(81);
  lab.run(10);
  assert.deepEqual(log, ['failed ECONNREFUSED']);
  lab.tcp.close(client);
  assert.equal(lab.tcp.core.table.count, 0);
  assert.equal(lab.close(), 0);
});

test('a megabyte arrives, with and without segmentation offload', () => {
  for (const offload of [true, false]) {
    const { lab, accepted, connect } = makeLab({}, { offload });
    const { tcp } = lab;
    const client = connect();
    lab.run(10);
    const server = accepted[0]!;
    const data = new Uint8Array(1 << 20);
    for (let i = 0; i < data.length; i++) data[i] = (i * 7 + (i >> 8)) & 255;
    const got = new Uint8Array(data.length);
    let written = 0;
    let read = 0;
    for (let step = 0; step < 10_000 && read < data.length; step++) {
      const count = tcp.fifos.write(2 * client + 1, data, written, data.length - written);
      written += count;
      if (count > 0) tcp.send(client);
      lab.pass();
      const taken = tcp.fifos.read(2 * server, got, read, data.length - read);
      read += taken;
      if (taken > 0) tcp.consumed(server);
      if (!lab.isBusy) lab.run(1);
    }
    assert.equal(read, data.length);
    assert.deepEqual(got, data);
    assert.equal(lab.close(), 0);
  }
});

test('over the loopback interface, with segments of its MTU', () => {
  const accepted: number[] = [];
  const lab = new TcpLab({
    events: {
      onAccepted: (_listener, connection) => {
        accepted.push(connection);
        lab.tcp.accepted(connection);
      },
    },
  });
  const stack = lab.addStack();
  lab.addLoopback(stack);
  const { tcp } = lab;
  tcp.listen(stack, [0, 0, 0, 0], 80, { backlog: 4 });
  const client = tcp.connect({ namespace: stack, stack, remote: words('127.0.0.1'), remotePort: 80 });
  assert.ok(typeof client === 'number');
  lab.run(10);
  tcp.fifos.write(2 * client + 1, new Uint8Array(200_000), 0, 200_000);
  tcp.send(client);
  lab.run(10);
  assert.equal(tcp.fifos.readable(2 * accepted[0]!), 200_000);
  assert.equal(tcp.info(client).mss, 65_535 - 52);
  assert.equal(lab.close(), 0);
});

test('thousands of connections come and go: rows, ports and TIME-WAIT are used again', () => {
  const { lab, a, accepted, log } = makeLab({ config: { maxConnections: 256 } });
  const { tcp } = lab;
  for (let i = 0; i < 3_000; i++) {
    const client = tcp.connect({ namespace: a, stack: a, remote: words('10.0.0.2'), remotePort: 80 });
    assert.ok(typeof client === 'number', `${client} at ${i}`);
    lab.settle();
    tcp.close(client);
    lab.settle();
    tcp.close(accepted.pop()!);
    lab.settle();
  }
  assert.equal(log.filter((event) => event === 'accepted').length, 3_000);
  assert.ok(!log.some((event) => event.startsWith('failed')));
  lab.run(70_000);
  assert.equal(tcp.core.table.count, 0);
  assert.equal(lab.close(), 0);
});

test('a stack connects to itself with the same port at both ends (simultaneous open, RFC 9293 3.5)', () => {
  const { lab, a, log } = makeLab();
  const self = lab.tcp.connect({
    namespace: a,
    stack: a,
    remote: words('10.0.0.1'),
    remotePort: 5000,
    localPort: 5000,
  });
  assert.ok(typeof self === 'number', `${self}`);
  lab.addLoopback(a);
  lab.run(5_000);
  assert.deepEqual(log, ['connected']);
  lab.tcp.fifos.write(2 * self + 1, new Uint8Array(10), 0, 10);
  lab.tcp.send(self);
  lab.run(100);
  assert.equal(lab.tcp.fifos.readable(2 * self), 10);
  lab.tcp.close(self);
  lab.run(70_000);
  assert.equal(lab.tcp.core.table.count, 0);
  assert.equal(lab.close(), 0);
});
