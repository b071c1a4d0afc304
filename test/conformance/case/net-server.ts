/** net.Server: listening, accepting, closing. */
import type { Socket } from 'node:net';
import type { Cases } from '../api.js';
import {
  allClosed,
  closeServer,
  connectPair,
  delay,
  endPair,
  freePort,
  immediate,
  listen,
  once,
  thrown,
} from '../tools.js';

export const netServer: Cases = {
  'server: events and states': async (api, t) => {
    const server = api.net.createServer();
    t.note('server', server.listening, server.address());
    t.watch('server', server, 'listening', 'close', 'error');
    await listen(api, t, server);
    t.note('server', server.listening, server.address());
    server.close((error) => t.note('server', 'closed', error));
    t.note('server', server.listening, server.address());
    await once(server, 'close');
  },
  'server: the port is known at once': async (api, t) => {
    const server = api.net.createServer();
    server.listen(0, api.host);
    await immediate();
    const address = server.address() as { port: number };
    t.note('server', address.port > 0, server.listening);
    await closeServer(server);
  },
  'server: without a host it takes IPv4 connections': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end());
    const listening = once(server, 'listening');
    t.note('server', server.listen(0) === server);
    await listening;
    const { port } = server.address() as { port: number };
    const client = api.net.connect(port, api.host).resume();
    t.watch('client', client, 'connect', 'error', 'end', 'close');
    await allClosed(client);
    await closeServer(server);
  },
  'server: an address that is in use': async (api, t) => {
    const first = api.net.createServer();
    const port = await listen(api, t, first);
    const second = api.net.createServer();
    t.watch('second', second, 'listening', 'error', 'close');
    second.listen(port, api.host);
    await once(second, 'error');
    t.note('second', second.listening, second.address());
    await closeServer(first);
  },
  'server: an address in use can be listened on after the first is closed': async (api, t) => {
    const first = api.net.createServer();
    const port = await listen(api, t, first);
    await closeServer(first);
    const second = api.net.createServer();
    t.watch('second', second, 'listening', 'error', 'close');
    second.listen(port, api.host);
    await once(second, 'listening');
    await closeServer(second);
  },
  'server: any address in use against one address': async (api, t) => {
    const first = api.net.createServer();
    const listening = once(first, 'listening');
    first.listen(0, '0.0.0.0');
    await listening;
    const { port } = first.address() as { port: number };
    const second = api.net.createServer();
    t.watch('second', second, 'listening', 'error');
    second.listen(t.namePort(port, 'first'), api.host);
    await once(second, 'error');
    await closeServer(first);
  },
  'server: an address of another host': async (api, t) => {
    const server = api.net.createServer();
    t.watch('server', server, 'listening', 'error', 'close');
    server.listen(0, '192.0.2.77');
    await once(server, 'error');
    t.note('server', server.listening);
  },
  'server: listening twice throws': async (api, t) => {
    const server = api.net.createServer();
    await listen(api, t, server);
    t.note(
      'server',
      thrown(() => server.listen(0, api.host)),
    );
    await closeServer(server);
    await listen(api, t, server);
    t.note('server', 'again', server.listening);
    await closeServer(server);
  },
  'server: bad arguments throw': async (api, t) => {
    const server = api.net.createServer();
    t.note(
      'server',
      thrown(() => server.listen(65_536)),
    );
    t.note(
      'server',
      thrown(() => server.listen({} as never)),
    );
    t.note(
      'server',
      thrown(() => api.net.createServer('x' as never)),
    );
  },
  'server: closing one that does not listen': async (api, t) => {
    const server = api.net.createServer();
    t.watch('server', server, 'close', 'error');
    await new Promise<void>((resolve) => {
      server.close((error) => {
        t.note('server', 'closed', error);
        resolve();
      });
    });
  },
  'server: closes when the last connection has ended': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('server', pair.server, 'close');
    pair.server.close(() => t.note('server', 'callback'));
    await delay(10);
    t.note('server', 'before', pair.server.listening);
    pair.client.destroy();
    pair.peer.on('close', () => t.note('server', 'peer closed'));
    pair.peer.resume();
    await once(pair.server, 'close');
  },
  'server: closed while connections wait refuses new ones': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.server.close();
    const client = api.net.connect(pair.port, api.host);
    t.watch('client', client, 'connect', 'error', 'close');
    await allClosed(client);
    pair.client.destroy();
    pair.peer.destroy();
    await once(pair.server, 'close');
  },
  'server: an aborted signal closes it': async (api, t) => {
    const controller = new AbortController();
    const server = api.net.createServer();
    t.watch('server', server, 'listening', 'close', 'error');
    server.listen({ port: 0, host: api.host, signal: controller.signal });
    await once(server, 'listening');
    controller.abort();
    await once(server, 'close');
  },
  'server: counts its connections': async (api, t) => {
    const pair = await connectPair(api, t);
    const count = (): Promise<number> =>
      new Promise((resolve, reject) => pair.server.getConnections((error, n) => (error ? reject(error) : resolve(n))));
    t.note('server', await count());
    pair.peer.destroy();
    await allClosed(pair.peer);
    t.note('server', await count());
    await endPair(pair);
  },
  'server: maxConnections drops the rest': async (api, t) => {
    const peers: Socket[] = [];
    const server = api.net.createServer((peer) => peers.push(peer));
    server.maxConnections = 1;
    server.on('drop', (data) => t.note('server', 'drop', Object.keys(data ?? {}), data?.localFamily, data?.localPort));
    const port = await listen(api, t, server);
    const first = api.net.connect(port, api.host);
    await once(first, 'connect');
    const second = api.net.connect(port, api.host);
    second.resume();
    second.on('error', () => {});
    await allClosed(second);
    t.note('second', second.bytesRead);
    first.destroy();
    for (const peer of peers) peer.destroy();
    await closeServer(server);
  },
  'server: pauseOnConnect': async (api, t) => {
    const pair = await connectPair(api, t, { pauseOnConnect: true });
    pair.client.write('early');
    t.watch('peer', pair.peer, 'end');
    pair.peer.on('data', (data) => t.note('peer', String(data)));
    await delay(10);
    t.note('peer', 'paused', pair.peer.isPaused(), pair.peer.readableFlowing, pair.peer.bytesRead);
    pair.peer.resume();
    await once(pair.peer, 'data');
    await endPair(pair);
  },
  'server: options reach the accepted sockets': async (api, t) => {
    const server = api.net.createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 1000,
      highWaterMark: 5000,
    });
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    const [peer] = (await once(server, 'connection')) as [Socket];
    t.note('peer', peer.readableHighWaterMark, peer.writableHighWaterMark, peer.allowHalfOpen);
    client.destroy();
    peer.destroy();
    await closeServer(server);
  },
  'server: unref and ref give the server': async (api, t) => {
    const server = api.net.createServer();
    t.note('server', server.unref() === server);
    await listen(api, t, server);
    t.note('server', server.ref() === server);
    await closeServer(server);
  },
  'server: asyncDispose closes': async (api, t) => {
    const server = api.net.createServer();
    await listen(api, t, server);
    t.watch('server', server, 'close');
    await server[Symbol.asyncDispose]?.();
    t.note('server', server.listening);
  },
  'server: many in a row on one port': async (api, t) => {
    const port = await freePort(api, t);
    for (let i = 0; i < 5; i++) {
      const server = api.net.createServer((peer) => peer.end(`${i}`));
      const listening = once(server, 'listening');
      server.listen(port, api.host);
      await listening;
      const client = api.net.connect(port, api.host);
      client.on('data', (data) => t.note('client', String(data)));
      await allClosed(client);
      await closeServer(server);
    }
  },
  'server: an exception in the listener is uncaught, others are served': async (api, t) => {
    const server = api.net.createServer((peer) => {
      peer.end('served');
      if (++count === 1) throw new Error('first');
    });
    let count = 0;
    const port = await listen(api, t, server);
    const onUncaught = (error: Error): void => t.note('process', error.message);
    process.once('uncaughtException', onUncaught);
    const clients = [api.net.connect(port, api.host).resume()];
    await allClosed(clients[0]!);
    clients.push(api.net.connect(port, api.host).resume());
    await allClosed(...clients);
    t.note(
      'clients',
      clients.map((client) => client.bytesRead),
    );
    process.removeListener('uncaughtException', onUncaught);
    await closeServer(server);
  },
};
