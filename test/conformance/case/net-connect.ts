/** net: making connections, and what it looks like when that fails. */
import type { Cases } from '../api.js';
import { allClosed, closeServer, connectPair, delay, endPair, freePort, listen, once, thrown } from '../tools.js';

export const netConnect: Cases = {
  'connect: events and states of the connecting end': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end());
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    t.note('client', client.connecting, client.pending, client.readyState, client.remoteAddress, client.localPort);
    t.watch('client', client, 'lookup', 'connect', 'ready', 'end', 'finish', 'close');
    client.on('connect', () => t.note('client', client.connecting, client.pending, client.readyState));
    client.resume();
    await allClosed(client);
    t.note('client', client.destroyed, client.closed, client.readyState, client.pending);
    await closeServer(server);
  },
  'connect: addresses of both ends': async (api, t) => {
    const pair = await connectPair(api, t);
    const { client, peer } = pair;
    t.note(
      'client',
      client.remoteAddress,
      client.remoteFamily,
      client.remotePort,
      client.localAddress,
      client.localFamily,
    );
    t.note('client', client.address());
    t.note('peer', peer.localAddress, peer.localPort, peer.localFamily, peer.remoteFamily, peer.address());
    t.note('both', client.localPort === peer.remotePort, peer.remoteAddress === client.localAddress);
    await endPair(pair);
  },
  'connect: refused': async (api, t) => {
    const client = api.net.connect(await freePort(api, t), api.host);
    t.watch('client', client, 'connectionAttempt', 'connect', 'error', 'end', 'close');
    await allClosed(client);
    t.note('client', client.destroyed, client.connecting, client.readyState, client.errored);
  },
  'connect: refused, with a callback and no connect event': async (api, t) => {
    const client = api.net.connect({ port: await freePort(api, t), host: api.host }, () =>
      t.note('client', 'connected'),
    );
    client.on('error', (error) => t.note('client', error));
    await allClosed(client);
  },
  'connect: writes before the connection are sent after it': async (api, t) => {
    const server = api.net.createServer((peer) => {
      peer.setEncoding('utf8');
      let text = '';
      peer.on('data', (chunk) => {
        text += chunk;
      });
      peer.on('end', () => {
        t.note('peer', text);
        peer.end();
      });
    });
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    t.note('client', client.write('one '), client.writableLength, client.bytesWritten);
    t.note('client', client.write('two '), client.writableLength, client.bytesWritten);
    client.end('three');
    client.on('connect', () => t.note('client', 'connect', client.bytesWritten));
    client.resume();
    await allClosed(client);
    t.note('client', client.bytesWritten);
    await closeServer(server);
  },
  'connect: destroy before the connection': async (api, t) => {
    const server = api.net.createServer();
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    t.watch('client', client, 'connect', 'error', 'close');
    client.destroy();
    await allClosed(client);
    t.note('client', client.connecting, client.readyState);
    await closeServer(server);
  },
  'connect: destroy with an error before the connection': async (api, t) => {
    const server = api.net.createServer();
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    t.watch('client', client, 'connect', 'error', 'close');
    client.destroy(new Error('mine'));
    await allClosed(client);
    await closeServer(server);
  },
  'connect: a write before a connection that is destroyed fails': async (api, t) => {
    const server = api.net.createServer();
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    client.on('error', (error) => t.note('client', 'error', error));
    client.write('x', (error) => t.note('write', error));
    client.destroy();
    await allClosed(client);
    await closeServer(server);
  },
  'connect: end before the connection': async (api, t) => {
    const server = api.net.createServer((peer) => {
      t.watch('peer', peer, 'end', 'close');
      peer.resume();
    });
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    t.watch('client', client, 'connect', 'finish', 'end', 'close');
    client.end();
    client.resume();
    await allClosed(client);
    await closeServer(server);
  },
  'connect: from a given local address and port': async (api, t) => {
    const localPort = await freePort(api, t);
    const server = api.net.createServer((peer) => {
      t.note('peer', peer.remoteAddress, peer.remotePort);
      peer.end();
    });
    const port = await listen(api, t, server);
    const client = api.net.connect({ port, host: api.host, localAddress: api.host, localPort });
    client.on('connect', () => t.note('client', client.localAddress, client.localPort));
    client.on('error', (error) => t.note('client', error));
    client.resume();
    await allClosed(client);
    await closeServer(server);
  },
  'connect: from an address that is no address': async (api, t) => {
    t.note(
      'client',
      thrown(() => api.net.connect({ port: 1, host: api.host, localAddress: 'here' })),
    );
  },
  'connect: from an address of another host': async (api, t) => {
    const port = await freePort(api, t);
    const client = api.net.connect({ port, host: api.host, localAddress: '192.0.2.77' });
    client.on('error', (error: NodeJS.ErrnoException) => t.note('client', error.code));
    await allClosed(client);
  },
  'connect: ports out of range throw': async (api, t) => {
    for (const port of [-1, 65_536, 1.5, Number.NaN]) {
      t.note(
        'client',
        thrown(() => api.net.connect({ port, host: api.host })),
      );
    }
    t.note(
      'client',
      thrown(() => api.net.connect({ host: api.host } as never)),
    );
  },
  'connect: a lookup function of the caller': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end());
    const port = await listen(api, t, server);
    const client = api.net.connect({
      port,
      host: 'somewhere.test',
      lookup: (name, options, callback) => {
        t.note('lookup', name, options.all);
        if (options.all) callback(null, [{ address: api.host, family: 4 }]);
        else callback(null, api.host, 4);
      },
    });
    t.watch('client', client, 'lookup', 'connect', 'error');
    client.resume();
    await allClosed(client);
    await closeServer(server);
  },
  'connect: a lookup that fails': async (api, t) => {
    const client = api.net.connect({
      port: 1,
      host: 'nowhere.test',
      lookup: (_name, _options, callback) => callback(new Error('no such host'), '', 4),
    });
    t.watch('client', client, 'lookup', 'connect', 'error', 'close');
    await allClosed(client);
  },
  'connect: several addresses are tried in turn': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end());
    const port = await listen(api, t, server);
    const client = api.net.connect({
      port,
      host: 'two.test',
      autoSelectFamily: true,
      lookup: (_name, _options, callback) =>
        callback(
          null,
          [
            { address: '127.0.0.99', family: 4 },
            { address: api.host, family: 4 },
          ] as never,
          4,
        ),
    });
    t.watch('client', client, 'connectionAttempt', 'connectionAttemptFailed', 'connect', 'error', 'close');
    client.resume();
    await allClosed(client);
    t.note('client', client.autoSelectFamilyAttemptedAddresses?.length);
    await closeServer(server);
  },
  'connect: localhost by name': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end('hi'));
    const port = await listen(api, t, server);
    const client = api.net.connect({ port, host: 'localhost', family: 4 });
    t.watch('client', client, 'connect', 'error', 'end', 'close');
    client.on('data', (data) => t.note('client', String(data)));
    await allClosed(client);
    await closeServer(server);
  },
  'connect: an aborted signal destroys the socket': async (api, t) => {
    const server = api.net.createServer((peer) => peer.resume());
    const port = await listen(api, t, server);
    const controller = new AbortController();
    const client = new api.net.Socket({ signal: controller.signal });
    t.watch('client', client, 'connect', 'error', 'close');
    client.connect(port, api.host, () => controller.abort());
    await allClosed(client);
    await closeServer(server);
  },
  'connect: a signal that is aborted already': async (api, t) => {
    const server = api.net.createServer((peer) => peer.resume());
    const port = await listen(api, t, server);
    const client = new api.net.Socket({ signal: AbortSignal.abort() });
    t.watch('client', client, 'connect', 'error', 'close');
    client.connect(port, api.host);
    await allClosed(client);
    await closeServer(server);
  },
  'connect: a socket can be used again after its end': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end('again'));
    const port = await listen(api, t, server);
    const client = new api.net.Socket();
    t.watch('client', client, 'connect', 'end', 'close');
    for (let i = 0; i < 2; i++) {
      client.connect(port, api.host);
      client.resume();
      await once(client, 'close');
      t.note('client', client.destroyed, client.bytesRead);
    }
    await closeServer(server);
  },
  'connect: to the unspecified address means this host': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end());
    const listening = once(server, 'listening');
    server.listen(0, '0.0.0.0');
    await listening;
    const port = t.namePort((server.address() as { port: number }).port, 'server');
    const client = api.net.connect(port, '0.0.0.0');
    client.on('connect', () => t.note('client', client.remoteAddress, client.localAddress));
    t.watch('client', client, 'error', 'end', 'close');
    client.resume();
    await allClosed(client);
    await closeServer(server);
  },
  'connect: many at once': async (api, t) => {
    let served = 0;
    const server = api.net.createServer((peer) => {
      served++;
      peer.end('x');
    });
    const port = await listen(api, t, server);
    const clients = Array.from({ length: 100 }, () => api.net.connect(port, api.host).resume());
    await allClosed(...clients);
    t.note('server', served);
    t.note('clients', clients.filter((client) => client.bytesRead === 1).length);
    await closeServer(server);
  },
  'connect: options of a socket that is not connected': async (api, t) => {
    const socket = new api.net.Socket();
    t.note(
      'socket',
      socket.setNoDelay() === socket,
      socket.setKeepAlive(true, 1000) === socket,
      socket.setTimeout(0) === socket,
    );
    t.note(
      'socket',
      socket.ref() === socket,
      socket.unref() === socket,
      socket.pending,
      socket.connecting,
      socket.address(),
    );
    t.note('socket', socket.bytesRead, socket.bytesWritten, socket.bufferSize, socket.readyState);
    socket.destroy();
    await allClosed(socket);
  },
  'connect: writing to a socket that is not connected': async (api, t) => {
    const socket = new api.net.Socket();
    t.watch('socket', socket, 'error', 'close');
    socket.write('x', (error) => t.note('write', error));
    await allClosed(socket);
  },
  'connect: while connected with the same socket again': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'error');
    pair.client.setNoDelay(true).setNoDelay(false).setKeepAlive(true, 5000).setKeepAlive(false);
    t.note('client', pair.client.readyState, pair.client.timeout);
    await delay(5);
    await endPair(pair);
  },
};
