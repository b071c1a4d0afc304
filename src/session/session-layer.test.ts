import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TcpSetting } from '../transport/tcp/tcp.js';
import { wordsFromIpv4 } from './address.js';
import { DirectPort } from './direct-carrier.js';
import { handleIndex } from './handle.js';
import { SocketOption } from './message.js';
import { FakeNetwork } from './testing/fake-network.js';
import { expectEvent } from './testing/port-harness.test-support.js';
import { PortRecorder } from './testing/port-recorder.js';

const ADDRESS = wordsFromIpv4(0x0a000001);

function listen(network: FakeNetwork, recorder: PortRecorder, localPort: number, options = {}): void {
  recorder.port.listen({ local: ADDRESS, localPort, ...options });
  network.settle();
  expectEvent(recorder, 'listening');
}

describe('the session layer', () => {
  it('spreads the connections of a reuseport group over applications and their workers', () => {
    const network = new FakeNetwork();
    const order: string[] = [];
    for (const [name, workers] of [
      ['app1', 1],
      ['app2', 2],
      ['app3', 3],
    ] as const) {
      let first: DirectPort | undefined;
      for (let i = 1; i <= workers; i++) {
        const port: DirectPort = first ? new DirectPort(network.layer, first.worker.application) : network.port(name);
        first ??= port;
        const recorder = new PortRecorder(port);
        recorder.react = (event) => {
          if (event.type === 'accepted') order.push(`${name}-w${i}`);
        };
        listen(network, recorder, 80, { reuseport: true });
      }
    }
    const client = network.port('client');
    for (let i = 0; i < 9; i++) {
      client.connect({ remote: ADDRESS, remotePort: 80 });
      network.settle();
    }
    const expected = 'app1-w1 app2-w1 app3-w1 app1-w1 app2-w2 app3-w2 app1-w1 app2-w1 app3-w3';
    assert.equal(order.join(' '), expected);
  });

  it('lets the workers of one application share a listener without being asked', () => {
    const network = new FakeNetwork();
    const first = network.port();
    const workers = [first, new DirectPort(network.layer, first.worker.application)].map(
      (port) => new PortRecorder(port),
    );
    for (const worker of workers) listen(network, worker, 80);
    assert.equal(network.layer.state.table(0).listenSessions.size, 1);
    const client = network.port();
    for (let i = 0; i < 4; i++) client.connect({ remote: ADDRESS, remotePort: 80 });
    network.settle();
    assert.deepEqual(
      workers.map((worker) => worker.count('accepted')),
      [2, 2],
    );
    first.close();
    for (let i = 0; i < 2; i++) client.connect({ remote: ADDRESS, remotePort: 80 });
    network.settle();
    assert.equal(workers[1]!.count('accepted'), 4);
    workers[1]!.port.close();
    assert.equal(network.layer.state.table(0).listenSessions.size, 0);
  });

  it('does not let an application share a port that asks on SYN with one that does not', () => {
    const network = new FakeNetwork();
    const server = new PortRecorder(network.port());
    const other = new PortRecorder(network.port());
    listen(network, server, 80, { reuseport: true, askOnSyn: true });
    other.port.listen({ local: ADDRESS, localPort: 80, reuseport: true });
    network.settle();
    assert.equal(expectEvent(other, 'failed').errno, 'EADDRINUSE');
  });

  it('counts sessions by namespace: half open, then established', () => {
    const network = new FakeNetwork();
    const server = new PortRecorder(network.port());
    listen(network, server, 80, { askOnSyn: true });
    const client = network.port();
    client.connect({ remote: ADDRESS, remotePort: 80 });
    network.settle();
    const table = network.layer.state.table(0);
    assert.deepEqual([table.halfOpen, table.established], [2, 0]);
    server.port.answerSyn(expectEvent(server, 'synReceived').session, true);
    network.settle();
    assert.deepEqual([table.halfOpen, table.established], [0, 2]);
    client.close();
    server.port.close();
    assert.ok(table.isEmpty);
  });

  it('holds applications to their limits', () => {
    const network = new FakeNetwork();
    const limits = { sessions: 2, listeners: 1, udpSockets: 1 };
    const server = new PortRecorder(network.port('server', limits));
    const client = new PortRecorder(network.port('client'));
    listen(network, server, 80);
    server.port.listen({ local: ADDRESS, localPort: 81 });
    server.port.udpBind({});
    server.port.udpBind({});
    network.settle();
    assert.equal(expectEvent(server, 'failed').errno, 'EMFILE');
    assert.equal(expectEvent(server, 'failed').errno, 'EMFILE');
    for (let i = 0; i < 3; i++) client.port.connect({ remote: ADDRESS, remotePort: 80 });
    network.settle();
    assert.equal(server.count('accepted'), 2);
    server.port.connect({ remote: ADDRESS, remotePort: 80 });
    network.settle();
    assert.equal(expectEvent(server, 'failed').errno, 'EMFILE');
    server.port.closeSession(expectEvent(server, 'accepted').session);
    client.port.connect({ remote: ADDRESS, remotePort: 80 });
    network.settle();
    assert.equal(server.count('accepted'), 2, 'the place of a session that ended was not given out again');
  });

  it('keeps the backlog until the application has taken the connection', () => {
    const network = new FakeNetwork();
    const server = new PortRecorder(network.port());
    const client = new PortRecorder(network.port());
    listen(network, server, 80, { backlog: 2 });
    for (let i = 0; i < 5; i++) client.port.connect({ remote: ADDRESS, remotePort: 80 });
    // A pass without a flush: the application does nothing meanwhile.
    network.tcp.flushEvents();
    network.tcp.flushEvents();
    assert.equal(network.layer.state.table(0).established, 2 + 2);
    network.settle();
    assert.equal(server.count('accepted'), 5);
  });

  it('sets the options of connections', () => {
    const network = new FakeNetwork();
    const server = new PortRecorder(network.port());
    const client = new PortRecorder(network.port());
    listen(network, server, 80);
    client.port.connect({ remote: ADDRESS, remotePort: 80 });
    network.settle();
    const session = expectEvent(client, 'connected').session;
    client.port.setOption(session, SocketOption.noDelay, 1);
    client.port.setOption(session, SocketOption.keepAliveMs, 5_000);
    const settings = network.tcp.settings.get(handleIndex(session));
    assert.equal(settings?.get(TcpSetting.noDelay), 1);
    assert.equal(settings?.get(TcpSetting.keepAliveMs), 5_000);
  });

  it('frees everything of a client that dies', () => {
    const network = new FakeNetwork();
    const server = new PortRecorder(network.port());
    const client = new PortRecorder(network.port());
    listen(network, server, 80);
    for (let i = 0; i < 10; i++) client.port.connect({ remote: ADDRESS, remotePort: 80 });
    client.port.udpBind({});
    network.settle();
    for (let i = 0; i < 5; i++) client.port.connect({ remote: ADDRESS, remotePort: 80 });
    client.port.close();
    network.settle();
    assert.equal(server.events.filter((event) => event.type === 'closed' && event.errno === 'ECONNRESET').length, 10);
    server.port.close();
    assert.equal(network.tcp.count, 0);
    assert.equal(network.layer.state.rows.count, 0);
    assert.equal(network.layer.udp.rows.count, 0);
    assert.deepEqual([...network.layer.applications], []);
  });

  it('gives a further worker only to who knows the application, in its stack', () => {
    const network = new FakeNetwork();
    const { handle } = network.port().worker.application;
    const sink = { event: () => {} };
    assert.equal(network.layer.registerWorker(handle + 1, 0, 0, sink), undefined);
    assert.equal(network.layer.registerWorker(handle, 0, 1, sink), undefined);
    assert.equal(network.layer.registerWorker(handle, 1, 0, sink), undefined);
    assert.equal(network.layer.registerWorker(handle, 0, 0, sink)?.application.handle, handle);
  });
});

describe('datagrams without room', () => {
  it('are refused until the writable event', () => {
    const network = new FakeNetwork();
    const client = new PortRecorder(network.port());
    client.port.udpBind({});
    network.settle();
    const socket = expectEvent(client, 'bound').session;
    network.udp.isBlocked = true;
    const bytes = new Uint8Array(10);
    assert.equal(client.port.sendDatagram(socket, bytes, 0, 10, ADDRESS, 9, true), 0);
    network.settle();
    assert.equal(client.events.length, 0);
    network.udp.isBlocked = false;
    network.settle();
    expectEvent(client, 'writable', socket);
    assert.ok(client.port.sendDatagram(socket, bytes, 0, 10, ADDRESS, 9, true) > 0);
  });
});
