import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Random, randomBelow, seededRandom } from '../base/random.js';
import { parseAddressWords, wordsFromIpv4 } from './address.js';
import { encodeMessage, MESSAGE_BYTES, Request, SessionMessage } from './message.js';
import type { SessionPort } from './port.js';
import type { StreamPortOptions } from './stream-port.js';
import { BATCH_BYTES, WINDOW_BYTES } from './stream-protocol.js';
import { StreamServer } from './stream-server.js';
import { FakeNetwork, type FakeNetworkOptions } from './testing/fake-network.js';
import { portConformance } from './testing/port-conformance.test-support.js';
import {
  bytesOf,
  connectPair,
  expectEvent,
  listenOn,
  type PortHarness,
  readText,
  writeText,
} from './testing/port-harness.test-support.js';
import { PortRecorder } from './testing/port-recorder.js';
import { StreamLink } from './testing/stream-link.js';

/** Applications over stream carriers on one session layer without a network. */
class Streams implements PortHarness {
  readonly address = wordsFromIpv4(0x0a000001);
  readonly foreignAddress = parseAddressWords('192.0.2.1')!;
  readonly network: FakeNetwork;
  readonly links: StreamLink[] = [];
  readonly #random: Random | undefined;

  constructor(random?: Random, options: FakeNetworkOptions = {}) {
    this.#random = random;
    this.network = new FakeNetwork(options);
  }

  link(options: Partial<StreamPortOptions> = {}): StreamLink {
    const link: StreamLink = new StreamLink(this.network.layer, this.#random, {
      readMore: () => {
        this.step();
        return !link.port.isClosed;
      },
      ...options,
    });
    this.links.push(link);
    return link;
  }

  port(): SessionPort {
    return this.link().port;
  }

  peerPort(): SessionPort {
    return this.port();
  }

  step(): void {
    for (const link of this.links) link.pump();
    this.network.run();
  }

  settle(): void {
    for (let quiet = 0, steps = 0; quiet < 4; quiet++) {
      this.step();
      if (this.links.some((link) => !link.isIdle) || this.network.layer.hasWork) quiet = 0;
      assert.ok(++steps < 100_000, 'it never settles');
    }
  }

  close(): void {
    for (const link of this.links) link.port.close();
    this.settle();
    assert.equal(this.network.layer.state.rows.count, 0);
    assert.equal(this.network.layer.udp.rows.count, 0);
  }
}

portConformance('stream carrier', () => new Streams());
for (const seed of [1, 2, 3]) {
  portConformance(`stream carrier, cut up by seed ${seed}`, () => new Streams(seededRandom(seed)));
}

function encoded(type: number, fields: Partial<SessionMessage> = {}): Uint8Array {
  const message = Object.assign(new SessionMessage().reset(type), fields);
  const words = new Int32Array(16);
  encodeMessage(message, words, 0);
  return new Uint8Array(words.buffer);
}

/** A server whose other end the test plays itself. */
function bareServer(network: FakeNetwork): { server: StreamServer; sent: Uint8Array[]; reasons: string[] } {
  const sent: Uint8Array[] = [];
  const reasons: string[] = [];
  const sink = {
    write: (bytes: Uint8Array) => {
      sent.push(bytes.slice());
      return true;
    },
    end: () => {},
  };
  const server = new StreamServer(network.layer, {
    sink,
    namespace: 0,
    stack: 0,
    onEnd: (reason) => reasons.push(reason),
  });
  return { server, sent, reasons };
}

describe('attaching over a stream', () => {
  it('names the application and tells its handle', () => {
    const streams = new Streams();
    const first = streams.link({ name: 'wëb' });
    const recorder = new PortRecorder(first.port);
    streams.settle();
    const [application] = [...streams.network.layer.applications];
    assert.equal(application?.name, 'wëb');
    assert.equal(recorder.attached?.session, application?.handle);
    assert.equal(first.port.application, application?.handle);
    streams.link({ application: first.port.application });
    streams.settle();
    assert.equal(application?.workers.length, 2);
    streams.close();
    assert.deepEqual([...streams.network.layer.applications], []);
  });

  it('to an application that is not there ends the stream', () => {
    const streams = new Streams();
    const link = streams.link({ application: 12_345 });
    const recorder = new PortRecorder(link.port);
    streams.settle();
    assert.equal(expectEvent(recorder, 'failed').errno, 'ENOENT');
    expectEvent(recorder, 'detached');
    assert.ok(link.port.isClosed);
  });

  it('comes first, and once', () => {
    const network = new FakeNetwork();
    for (const first of [Request.listen, Request.data, 99]) {
      const { server, reasons } = bareServer(network);
      server.receive(encoded(first));
      assert.equal(reasons.length, 1);
      assert.ok(server.isEnded);
    }
    const { server, reasons } = bareServer(network);
    server.receive(encoded(Request.attach));
    server.receive(encoded(Request.attach));
    assert.deepEqual(reasons, ['attached twice']);
    assert.deepEqual([...network.layer.applications], []);
  });
});

describe('a stream', () => {
  it('carries many messages with one write', async () => {
    const streams = new Streams();
    const { server, client, accepted, connected } = await connectPair(streams);
    const write = streams.links[1]!.toServer.write.bind(streams.links[1]!.toServer);
    let writes = 0;
    streams.links[1]!.toServer.write = (bytes) => {
      writes++;
      return write(bytes);
    };
    for (let i = 0; i < 100; i++) writeText(client.port, connected, 'word ');
    streams.settle();
    assert.equal(writes, 1);
    assert.equal(readText(server.port, accepted).length, 500);
  });

  it('holds data back while it is blocked, whatever comes, and goes on after', async () => {
    const streams = new Streams();
    const { server, client, accepted, connected } = await connectPair(streams);
    const [serverLink, clientLink] = streams.links;
    serverLink!.toPort.isStopped = true;
    const bytes = new Uint8Array(100_000).fill(120);
    let sent = 0;
    const send = (): void => {
      for (let taken = 1; taken > 0 && sent < 3 * WINDOW_BYTES; sent += taken) {
        taken = client.port.write(connected, bytes, 0, Math.min(bytes.length, 3 * WINDOW_BYTES - sent));
      }
    };
    client.react = send;
    send();
    streams.settle();
    assert.ok(sent < 3 * WINDOW_BYTES, 'nothing held the writer back');
    assert.equal(server.port.readable(accepted), 0);
    serverLink!.toPort.isStopped = false;
    clientLink!.toServer.isStopped = true;
    streams.settle();
    clientLink!.toServer.isStopped = false;
    let received = 0;
    const into = new Uint8Array(65_536);
    for (let idle = 0; idle < 10; idle++) {
      streams.settle();
      for (let count = 1; count > 0; received += count) {
        count = server.port.read(accepted, into, 0, into.length);
        if (count > 0) idle = 0;
      }
    }
    assert.equal(received, 3 * WINDOW_BYTES);
  });

  it('takes no more memory for a reader that does not read than its window', async () => {
    const streams = new Streams(undefined, { fifoBytes: 8 * WINDOW_BYTES });
    const { server, client, accepted, connected } = await connectPair(streams);
    const bytes = new Uint8Array(65_536);
    client.react = () => {
      while (client.port.write(connected, bytes, 0, bytes.length) === bytes.length);
    };
    writeText(client.port, connected, 'go');
    client.react({} as never);
    streams.settle();
    assert.equal(server.port.readable(accepted), WINDOW_BYTES);
  });

  it('is given up when the application does not take its events', () => {
    const streams = new Streams();
    const deaf = streams.link();
    const client = new PortRecorder(streams.port());
    streams.settle();
    deaf.toPort.isStopped = true;
    for (let i = 0; i < 300_000 && !deaf.server.isEnded; i++) {
      deaf.port.setOption(1, 1, 1);
      if (i % 1_000 === 0) {
        deaf.pump();
        streams.network.run();
      }
    }
    assert.equal(deaf.endReason, 'the application does not read');
    client.port.listen({ localPort: 80 });
    streams.settle();
    expectEvent(client, 'listening');
  });

  it('delivers what was written before the port is closed', async () => {
    const streams = new Streams(seededRandom(5));
    const { server, client, accepted, connected } = await connectPair(streams);
    writeText(client.port, connected, 'x'.repeat(50_000));
    client.port.closeSession(connected);
    client.port.close();
    streams.settle();
    assert.equal(readText(server.port, accepted).length, 50_000);
    expectEvent(server, 'peerClosed', accepted);
    assert.equal(server.count('closed'), 0);
  });

  it('loses nothing when memory for FIFOs is short', async () => {
    const streams = new Streams(undefined, { fifoBytes: 1024 * 1024, heapBytes: 96 * 1024 });
    const { server, client, accepted, connected } = await connectPair(streams);
    const bytes = Uint8Array.from({ length: 400_000 }, (_, i) => i % 251);
    assert.equal(client.port.write(connected, bytes, 0, bytes.length), bytes.length);
    client.port.shutdown(connected);
    const received: number[] = [];
    const into = new Uint8Array(10_000);
    for (let i = 0; i < 2_000 && server.count('peerClosed') === 0; i++) {
      streams.step();
      for (let count = 1; count > 0; ) {
        count = server.port.read(accepted, into, 0, into.length);
        received.push(...into.subarray(0, count));
      }
    }
    assert.deepEqual(Uint8Array.from(received), bytes);
  });

  it('that breaks tells the application once, and ends everything it had', async () => {
    const streams = new Streams();
    const { server, client, accepted, connected } = await connectPair(streams);
    const [serverLink] = streams.links;
    server.port.connect({ remote: streams.address, remotePort: 9 });
    serverLink!.server.end('killed by the test');
    streams.settle();
    assert.deepEqual(
      server.events.map((event) => event.type),
      ['detached'],
    );
    assert.ok(server.port.isClosed);
    assert.equal(writeText(server.port, accepted, 'x'), 0);
    assert.equal(expectEvent(client, 'closed', connected).errno, 'ECONNRESET');
  });

  it('tells the application that the stack is gone', async () => {
    const streams = new Streams();
    const { server } = await connectPair(streams);
    streams.network.break();
    streams.settle();
    assert.equal(expectEvent(server, 'detached').errno, 'ENETDOWN');
    assert.ok(streams.links.every((link) => link.server.isEnded));
  });
});

describe('an application that breaks the rules', () => {
  async function attackedNetwork(): Promise<{ streams: Streams; check: () => void }> {
    const streams = new Streams();
    const { server, client, accepted, connected } = await connectPair(streams);
    const check = (): void => {
      writeText(client.port, connected, 'alive');
      streams.settle();
      assert.equal(readText(server.port, accepted), 'alive');
    };
    return { streams, check };
  }

  it('is ended when it sends more than was granted', async () => {
    const { streams, check } = await attackedNetwork();
    const { server, sent, reasons } = bareServer(streams.network);
    const other = new PortRecorder(streams.port());
    const { localPort } = await listenOn(streams, other);
    server.receive(encoded(Request.attach));
    const remote = streams.address;
    server.receive(encoded(Request.connect, { request: 1, remote, remotePort: localPort } as Partial<SessionMessage>));
    streams.settle();
    const words = new Int32Array(sent.at(-1)!.buffer);
    const header = Int32Array.from(words.subarray(words.length - 16));
    const data = new Int32Array(16);
    data.set([Request.data, 0, header[2]!, header[3]!, 0, 65_536]);
    for (let i = 0; i < 40 && reasons.length === 0; i++) {
      server.receive(new Uint8Array(data.buffer));
      server.receive(new Uint8Array(65_536));
    }
    assert.deepEqual(reasons, ['more data than granted']);
    check();
  });

  it('is ended when it returns more credit than was used', async () => {
    const { streams, check } = await attackedNetwork();
    const { server, sent, reasons } = bareServer(streams.network);
    server.receive(encoded(Request.attach));
    server.receive(encoded(Request.udpBind, { request: 1 }));
    streams.settle();
    const words = new Int32Array(sent.at(-1)!.buffer);
    const credit = new Int32Array(16);
    const [low, high] = [words[words.length - 14]!, words[words.length - 13]!];
    credit.set([Request.credit, 0, low, high, 0, 0, 1]);
    server.receive(new Uint8Array(credit.buffer));
    assert.deepEqual(reasons, ['more credit than was used']);
    check();
  });

  it('is ended when its bytes are no messages, and hurts nobody', async () => {
    const { streams, check } = await attackedNetwork();
    const random = seededRandom(11);
    let ended = 0;
    for (let round = 0; round < 300; round++) {
      const { server, reasons } = bareServer(streams.network);
      server.receive(encoded(Request.attach));
      for (let i = 0; i < 20 && !server.isEnded; i++) {
        const garbage = Uint8Array.from({ length: 1 + randomBelow(random, 300) }, () => random.uint32() & 255);
        server.receive(garbage);
      }
      ended += reasons.length;
      server.closed();
    }
    assert.ok(ended > 200, `only ${ended} were ended`);
    check();
  });

  it('sends any request with any words, and hurts nobody', async () => {
    const { streams, check } = await attackedNetwork();
    const random = seededRandom(12);
    for (let round = 0; round < 100; round++) {
      const { server } = bareServer(streams.network);
      server.receive(encoded(Request.attach));
      for (let i = 0; i < 50 && !server.isEnded; i++) {
        const words = Int32Array.from({ length: 16 }, () =>
          randomBelow(random, 2) ? randomBelow(random, 8) : random.uint32(),
        );
        words[0] = 1 + randomBelow(random, 25) + (randomBelow(random, 16) << 16);
        words[3] = randomBelow(random, 4);
        words[5] = randomBelow(random, 4) === 0 ? randomBelow(random, 200) : 0;
        server.receive(new Uint8Array(words.buffer));
        server.receive(new Uint8Array((words[5]! + 3) & ~3));
        if (i % 10 === 0) streams.settle();
      }
      server.closed();
    }
    streams.settle();
    check();
  });
});

describe('an end of the stack that breaks the rules', () => {
  it('detaches the application with EPROTO', () => {
    const streams = new Streams();
    const recorder = new PortRecorder(streams.link().port);
    streams.links[0]!.port.receive(new Uint8Array(MESSAGE_BYTES).fill(0x7f));
    assert.equal(expectEvent(recorder, 'detached').errno, 'EPROTO');
  });

  it('is survived, whatever bytes it sends', () => {
    const random = seededRandom(13);
    for (let round = 0; round < 300; round++) {
      const { port } = new Streams().link();
      for (let i = 0; i < 20 && !port.isClosed; i++) {
        const words = Int32Array.from({ length: 16 }, () => randomBelow(random, 100));
        words[0] = 64 + randomBelow(random, 20);
        const bytes = new Uint8Array(words.buffer);
        if (randomBelow(random, 4) === 0) bytes[randomBelow(random, bytes.length)] = random.uint32() & 255;
        port.receive(bytes);
        port.receive(bytesOf('x'.repeat(randomBelow(random, 200))));
      }
    }
  });
});

describe('batches', () => {
  it('are written as soon as they are full', async () => {
    const streams = new Streams(undefined, { fifoBytes: 4 * BATCH_BYTES });
    const { client, connected } = await connectPair(streams);
    const bytes = new Uint8Array(3 * BATCH_BYTES);
    assert.equal(client.port.write(connected, bytes, 0, bytes.length), bytes.length);
  });
});
