/** net.Socket: destroying, resetting, timeouts, and what the other end sees of it. */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import type { Cases } from '../api.js';
import { allClosed, closeServer, connectPair, delay, endPair, immediate, listen, once, pattern } from '../tools.js';

export const netClose: Cases = {
  'destroy: both ends': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'end', 'error', 'close');
    t.watch('peer', pair.peer, 'end', 'error', 'close');
    pair.peer.resume();
    t.note('client', pair.client.destroy() === pair.client, pair.client.destroyed, pair.client.readyState);
    await allClosed(pair.client, pair.peer);
    t.note('client', pair.client.address(), pair.client.bytesRead, pair.client.remoteAddress);
    await endPair(pair);
  },
  'destroy: with an error': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'end', 'error', 'close');
    pair.peer.resume();
    pair.client.destroy(new Error('mine'));
    await allClosed(pair.client);
    t.note('client', pair.client.errored);
    await endPair(pair);
  },
  'destroy: close comes after the immediates of the turn': async (api, t) => {
    const pair = await connectPair(api, t);
    await delay(2);
    pair.client.on('close', () => t.note('client', 'close'));
    pair.client.destroy();
    process.nextTick(() => t.note('client', 'tick'));
    setImmediate(() => t.note('client', 'immediate'));
    await once(pair.client, 'close');
    await endPair(pair);
  },
  'destroy: with unread data the peer is reset': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'end', 'error', 'close');
    pair.peer.pause();
    pair.client.write('never read');
    await delay(10);
    pair.peer.destroy();
    pair.client.resume();
    await allClosed(pair.client);
    await endPair(pair);
  },
  'destroy: a write that waits for room is cancelled': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.client.on('error', (error) => t.note('client', 'error', error));
    const block = pattern(16 * 1_048_576);
    pair.client.write(block, (error) => t.note('client', 'write', error));
    await delay(5);
    t.note('client', pair.client.writableLength > 0);
    pair.client.destroy();
    await allClosed(pair.client);
    await endPair(pair);
  },
  'destroy: in the data handler': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'end', 'close');
    pair.client.on('data', () => {
      t.note('client', 'data');
      pair.client.destroy();
    });
    pair.peer.on('error', () => {});
    pair.peer.write(pattern(200_000));
    await allClosed(pair.client);
    await endPair(pair);
  },
  'destroySoon: sends what waits first': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'finish', 'end', 'close');
    const bytes = pattern(3_000_000);
    pair.client.write(bytes);
    pair.client.destroySoon();
    t.note('client', pair.client.destroyed, pair.client.writable);
    let received = 0;
    pair.peer.on('data', (data) => {
      received += data.length;
    });
    await allClosed(pair.client, pair.peer);
    t.note('peer', received);
    await endPair(pair);
  },
  'reset: the peer gets ECONNRESET': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'end', 'error', 'close');
    t.watch('peer', pair.peer, 'end', 'error', 'close');
    pair.peer.resume();
    t.note('client', pair.client.resetAndDestroy() === pair.client, pair.client.destroyed);
    await allClosed(pair.client, pair.peer);
    t.note('peer', pair.peer.destroyed, pair.peer.errored);
    await endPair(pair);
  },
  'reset: by the accepted end': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'end', 'error', 'close');
    pair.client.resume();
    pair.peer.resetAndDestroy();
    await allClosed(pair.client);
    await endPair(pair);
  },
  'reset: before the connection': async (api, t) => {
    const server = api.net.createServer((peer) => peer.on('error', () => {}));
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    t.watch('client', client, 'connect', 'error', 'close');
    client.resetAndDestroy();
    await allClosed(client);
    await closeServer(server);
  },
  'reset: of a socket without a handle': async (api, t) => {
    const socket = new api.net.Socket();
    t.watch('socket', socket, 'error', 'close');
    socket.resetAndDestroy();
    await allClosed(socket);
  },
  'reset: data that was sent before may be read first': async (api, t) => {
    const pair = await connectPair(api, t);
    let text = '';
    pair.client.on('data', (data) => {
      text += data;
    });
    pair.client.on('error', (error) => t.note('client', text, error));
    pair.peer.write('last words', () => setTimeout(() => pair.peer.resetAndDestroy(), 10));
    await allClosed(pair.client);
    await endPair(pair);
  },
  'reset: seen by a writer whose reader is paused': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.client.pause();
    pair.client.on('error', (error: NodeJS.ErrnoException) =>
      t.note('client', error.code === 'EPIPE' || error.code === 'ECONNRESET'),
    );
    pair.peer.resetAndDestroy();
    await allClosed(pair.peer);
    await delay(10);
    const timer = setInterval(() => pair.client.write('x'), 2);
    await allClosed(pair.client);
    clearInterval(timer);
    await endPair(pair);
  },
  'reset: writing to a peer that has gone': async (api, t) => {
    const pair = await connectPair(api, t, { allowHalfOpen: true });
    pair.client.resume();
    pair.client.on('error', (error: NodeJS.ErrnoException) =>
      t.note(
        'client',
        error.code === 'EPIPE' || error.code === 'ECONNRESET',
        error.syscall === 'write' || error.syscall === 'read',
      ),
    );
    pair.peer.destroy();
    await once(pair.client, 'end');
    const timer = setInterval(() => pair.client.write('x'), 2);
    await allClosed(pair.client);
    clearInterval(timer);
    await endPair(pair);
  },
  'timeout: of a silent socket': async (api, t) => {
    const pair = await connectPair(api, t);
    t.note('client', pair.client.timeout);
    pair.client.setTimeout(20, () => t.note('client', 'callback'));
    t.note('client', pair.client.timeout);
    await once(pair.client, 'timeout');
    t.note('client', pair.client.destroyed, pair.client.readyState);
    await endPair(pair);
  },
  'timeout: moved on by data in either direction': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.client.resume();
    pair.peer.resume();
    let timeouts = 0;
    pair.client.setTimeout(150, () => timeouts++);
    for (let i = 0; i < 5; i++) {
      await delay(40);
      if (i % 2 === 0) pair.client.write('x');
      else pair.peer.write('x');
    }
    t.note('client', timeouts);
    await endPair(pair);
  },
  'timeout: switched off': async (api, t) => {
    const pair = await connectPair(api, t);
    let timeouts = 0;
    pair.client.setTimeout(10, () => timeouts++);
    pair.client.setTimeout(0);
    await delay(25);
    t.note('client', timeouts, pair.client.timeout);
    await endPair(pair);
  },
  'timeout: the option of connect': async (api, t) => {
    const server = api.net.createServer((peer) => peer.resume());
    const port = await listen(api, t, server);
    const client = api.net.connect({ port, host: api.host, timeout: 15 });
    t.watch('client', client, 'connect', 'timeout', 'close');
    await once(client, 'timeout');
    client.destroy();
    await closeServer(server);
  },
  'async context: the callbacks of a connection': async (api, t) => {
    const storage = new AsyncLocalStorage<string>();
    const where = (lane: string, what: string): void => t.note(lane, what, storage.getStore());
    const server = api.net.createServer();
    storage.run('server', () => {
      server.on('connection', (peer: Socket) => {
        where('peer', 'connection');
        peer.on('data', () => where('peer', 'data'));
        peer.on('end', () => where('peer', 'end'));
        peer.on('close', () => where('peer', 'close'));
        peer.write('x', () => where('peer', 'written'));
      });
    });
    const listening = once(server, 'listening');
    storage.run('listen', () => server.listen(0, api.host, () => where('server', 'listening')));
    await listening;
    const { port } = server.address() as { port: number };
    const client = storage.run('connect', () => api.net.connect(port, api.host));
    for (const event of ['connect', 'ready', 'data', 'end', 'close']) client.on(event, () => where('client', event));
    await once(client, 'data');
    storage.run('write', () => client.write('x', () => where('client', 'written')));
    storage.run('end', () => client.end(() => where('client', 'ended')));
    await allClosed(client);
    await closeServer(server);
  },
  'async context: writes that wait': async (api, t) => {
    const storage = new AsyncLocalStorage<string>();
    const pair = await connectPair(api, t);
    const bytes = pattern(8 * 1_048_576);
    storage.run('big', () => pair.client.write(bytes, () => t.note('client', storage.getStore())));
    await delay(5);
    storage.run('other', () => pair.peer.resume());
    await once(pair.client, 'drain');
    await endPair(pair);
  },
  'async context: refused': async (api, t) => {
    const storage = new AsyncLocalStorage<string>();
    const server = api.net.createServer();
    const port = await listen(api, t, server);
    await closeServer(server);
    const client = storage.run('connect', () => api.net.connect(port, api.host));
    client.on('error', () => t.note('client', 'error', storage.getStore()));
    client.on('close', () => t.note('client', 'close', storage.getStore()));
    await allClosed(client);
  },
  'order: ticks and promises run between two events': async (api, t) => {
    const pair = await connectPair(api, t);
    const events: string[] = [];
    for (const end of ['client', 'peer'] as const) {
      pair[end].on('data', () => {
        events.push('data');
        process.nextTick(() => events.push('tick'));
        Promise.resolve().then(() => events.push('promise'));
      });
    }
    pair.client.write('x');
    pair.peer.write('x');
    await Promise.all([once(pair.client, 'data'), once(pair.peer, 'data')]);
    await immediate();
    t.note('both', events.join(' '));
    await endPair(pair);
  },
  'order: an exception in a data handler is uncaught and others go on': async (api, t) => {
    const pair = await connectPair(api, t);
    process.once('uncaughtException', (error: Error) => t.note('process', error.message));
    pair.client.once('data', () => {
      throw new Error('handler');
    });
    pair.peer.write('one');
    await delay(10);
    pair.client.on('data', (data) => t.note('client', String(data)));
    pair.peer.write('two');
    await once(pair.client, 'data');
    t.note('client', pair.client.destroyed);
    await endPair(pair);
  },
  'order: an error without a listener is uncaught': async (api, t) => {
    const server = api.net.createServer();
    const port = await listen(api, t, server);
    await closeServer(server);
    const uncaught = new Promise<void>((resolve) => {
      process.once('uncaughtException', (error) => {
        t.note('process', error);
        resolve();
      });
    });
    api.net.connect(port, api.host);
    await uncaught;
  },
};
