import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddressWords, wordsFromIpv4 } from '../address.js';
import { FakeNetwork } from './fake-network.js';
import { portConformance } from './port-conformance.test-support.js';
import { expectEvent } from './port-harness.test-support.js';
import { PortRecorder } from './port-recorder.js';

portConformance('direct carrier over the fake network', () => {
  const network = new FakeNetwork();
  return {
    port: () => network.port(),
    peerPort: () => network.port(),
    address: wordsFromIpv4(0x0a000001),
    foreignAddress: parseAddressWords('192.0.2.1')!,
    settle: () => network.settle(),
    close: () => {
      assert.equal(network.udp.flushEvents(), undefined);
    },
  };
});

describe('the fake network', () => {
  it('runs by its schedule', async () => {
    const network = new FakeNetwork({ schedule: setImmediate });
    const client = new PortRecorder(network.port());
    client.port.connect({ remote: wordsFromIpv4(0x0a000001), remotePort: 9 });
    while (client.events.length === 0) await new Promise(setImmediate);
    assert.equal(expectEvent(client, 'failed').errno, 'ECONNREFUSED');
  });

  it('fails connects as told, and leaves others without an answer', () => {
    const network = new FakeNetwork({ onConnect: (_remote, port) => (port === 1 ? 'EHOSTUNREACH' : 'hang') });
    const client = new PortRecorder(network.port());
    client.port.connect({ remote: wordsFromIpv4(0x0a000001), remotePort: 1 });
    const hanging = client.port.connect({ remote: wordsFromIpv4(0x0a000001), remotePort: 2 });
    network.settle();
    assert.equal(expectEvent(client, 'failed').errno, 'EHOSTUNREACH');
    assert.equal(client.events.length, 0);
    client.port.cancel(hanging);
    network.settle();
    assert.equal(expectEvent(client, 'failed').errno, 'ECANCELED');
  });

  it('knows names', () => {
    const network = new FakeNetwork({ names: { web: ['10.0.0.2', '10.0.0.3'] } });
    const client = new PortRecorder(network.port());
    client.port.resolve('web', 4);
    network.settle();
    const { payload } = expectEvent(client, 'resolved');
    assert.equal(payload.length, 32);
    assert.deepEqual([...payload.subarray(10, 16)], [255, 255, 10, 0, 0, 2]);
  });

  it('breaks: each port is told once and is closed', () => {
    const network = new FakeNetwork();
    const client = new PortRecorder(network.port());
    client.port.listen({ localPort: 80 });
    network.settle();
    network.break();
    network.settle();
    assert.deepEqual(
      client.events.map((event) => event.type),
      ['listening', 'detached'],
    );
    assert.ok(client.port.isClosed);
    assert.deepEqual([...network.layer.state.tables], []);
  });
});
