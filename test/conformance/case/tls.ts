/** tls and https: handshakes, certificates, what is negotiated, sessions, endings. */
import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { ConnectionOptions, Server, TLSSocket, TlsOptions } from 'node:tls';
import type { Cases, NetworkApi, Trace } from '../api.js';
import { ca, client as clientIdentity, other, server as serverIdentity } from '../certificates.js';
import { allClosed, closeServer, delay, freePort, listen, once, pattern, readAll } from '../tools.js';

async function serve(
  api: NetworkApi,
  trace: Trace,
  options: TlsOptions = {},
  listener: (socket: TLSSocket) => void = (socket) => socket.end('hello'),
): Promise<{ server: Server; port: number }> {
  const server = api.tls.createServer({ ...serverIdentity, ...options }, listener);
  return { server, port: await listen(api, trace, server) };
}

function dial(api: NetworkApi, port: number, options: ConnectionOptions = {}): TLSSocket {
  return api.tls.connect({ port, host: api.host, ca, ...options });
}

async function askHttps(
  api: NetworkApi,
  port: number,
  options: RequestOptions = {},
): Promise<{ response: IncomingMessage; body: Buffer }> {
  const request = api.https.get({ port, host: api.host, ca, agent: false, ...options });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { response, body: await readAll(response) };
}

export const tlsCases: Cases = {
  'tls: events and states': async (api, t) => {
    const { server, port } = await serve(api, t, {}, (socket) => {
      t.note('server', socket.encrypted, socket.authorized, socket.getProtocol(), socket.remoteAddress);
      t.watch('server', socket, 'end', 'close');
      socket.on('data', (data) => socket.end(`re: ${data}`));
    });
    t.watch('listener', server, 'secureConnection', 'tlsClientError');
    const socket = dial(api, port);
    t.watch('client', socket, 'connect', 'secureConnect', 'ready', 'end', 'finish', 'close');
    socket.on('data', (data) => t.note('client', String(data)));
    await once(socket, 'secureConnect');
    t.note('client', socket.authorized, socket.authorizationError, socket.encrypted, socket.getProtocol());
    t.note('client', socket.getPeerCertificate().subject, socket.remoteAddress, socket.remotePort, socket.localFamily);
    socket.write('question');
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: TLS 1.2': async (api, t) => {
    const { server, port } = await serve(api, t, { maxVersion: 'TLSv1.2' });
    const socket = dial(api, port);
    await once(socket, 'secureConnect');
    t.note('client', socket.getProtocol(), socket.isSessionReused());
    t.note('client', String(await readAll(socket)));
    await closeServer(server);
  },
  'tls: a few megabytes in both directions': async (api, t) => {
    const bytes = pattern(3_000_000);
    const { server, port } = await serve(api, t, { allowHalfOpen: true } as TlsOptions, async (socket) => {
      socket.end(bytes);
      t.note('server', (await readAll(socket)).equals(bytes));
    });
    const socket = dial(api, port, { allowHalfOpen: true } as ConnectionOptions);
    socket.end(bytes);
    t.note('client', (await readAll(socket)).equals(bytes));
    await closeServer(server);
  },
  'tls: many small writes': async (api, t) => {
    const { server, port } = await serve(api, t, {}, (socket) => socket.pipe(socket));
    const socket = dial(api, port);
    const received = readAll(socket);
    for (let i = 0; i < 500; i++) socket.write(`${i},`);
    socket.end();
    t.note('client', (await received).length, socket.bytesWritten > 1_890);
    await closeServer(server);
  },
  'tls: an unknown authority': async (api, t) => {
    const { server, port } = await serve(api, t);
    t.watch('server', server, 'tlsClientError');
    const socket = api.tls.connect({ port, host: api.host });
    t.watch('client', socket, 'secureConnect', 'error', 'close');
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: an unknown authority is accepted on request': async (api, t) => {
    const { server, port } = await serve(api, t);
    const socket = api.tls.connect({ port, host: api.host, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    t.note('client', socket.authorized, socket.authorizationError);
    t.note('client', String(await readAll(socket)));
    await closeServer(server);
  },
  'tls: a certificate for another name': async (api, t) => {
    const { server, port } = await serve(api, t, other);
    const socket = dial(api, port);
    socket.on('error', (error: NodeJS.ErrnoException) => t.note('client', error.code, error.message));
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: SNI': async (api, t) => {
    const { server, port } = await serve(api, t, {}, (socket) =>
      socket.end(String((socket as { servername?: unknown }).servername)),
    );
    server.addContext('other.test', other);
    for (const servername of ['localhost', 'other.test']) {
      const socket = dial(api, port, { servername });
      await once(socket, 'secureConnect');
      t.note('client', socket.getPeerCertificate().subject.CN, socket.authorized, String(await readAll(socket)));
    }
    await closeServer(server);
  },
  'tls: SNICallback': async (api, t) => {
    const { server, port } = await serve(api, t, {
      SNICallback: (name, callback) => {
        t.note('server', name);
        callback(null);
      },
    });
    const socket = dial(api, port, { servername: 'localhost' });
    t.note('client', String(await readAll(socket)));
    await closeServer(server);
  },
  'tls: ALPN': async (api, t) => {
    const { server, port } = await serve(api, t, { ALPNProtocols: ['b', 'a'] }, (socket) =>
      socket.end(String(socket.alpnProtocol)),
    );
    for (const ALPNProtocols of [['a', 'b'], ['a'], undefined]) {
      const socket = dial(api, port, ALPNProtocols === undefined ? {} : { ALPNProtocols });
      t.note('client', String(await readAll(socket)), socket.alpnProtocol);
    }
    await closeServer(server);
  },
  'tls: ALPN without a common protocol': async (api, t) => {
    const { server, port } = await serve(api, t, { ALPNProtocols: ['b'] });
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => t.note('server', error.code));
    const socket = dial(api, port, { ALPNProtocols: ['c'] });
    socket.on('error', (error: NodeJS.ErrnoException) => t.note('client', error.code));
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: certificates of clients': async (api, t) => {
    const { server, port } = await serve(api, t, { requestCert: true, ca }, (socket) => {
      t.note('server', socket.authorized, socket.getPeerCertificate().subject);
      socket.end('welcome');
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => t.note('server', error.code));
    t.note('client', String(await readAll(dial(api, port, clientIdentity))));
    const stranger = dial(api, port).resume();
    stranger.on('error', (error: NodeJS.ErrnoException) => t.note('stranger', error.code));
    await allClosed(stranger);
    await closeServer(server);
  },
  'tls: a session is resumed': async (api, t) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { server, port } = await serve(api, t, { maxVersion }, (socket) =>
        socket.end(`${socket.isSessionReused()}`),
      );
      const first = dial(api, port);
      const session = once(first, 'session') as Promise<[Buffer]>;
      t.note('client', String(await readAll(first)), first.isSessionReused());
      const second = dial(api, port, { session: (await session)[0] });
      t.note('client', String(await readAll(second)), second.isSessionReused());
      await closeServer(server);
    }
  },
  'tls: renegotiation switched off': async (api, t) => {
    let end: () => void = () => {};
    const refused = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { server, port } = await serve(api, t, { maxVersion: 'TLSv1.2' }, (peer) => {
      peer.disableRenegotiation();
      peer.resume();
      peer.on('error', (error: NodeJS.ErrnoException) => {
        t.note('server', error.code);
        peer.destroy();
        end();
      });
    });
    const socket = dial(api, port);
    await once(socket, 'secureConnect');
    socket.renegotiate({}, () => {});
    await refused;
    socket.destroy();
    await closeServer(server);
  },
  'tls: over a socket that is there': async (api, t) => {
    const { server, port } = await serve(api, t, {}, (socket) => socket.pipe(socket));
    const raw = api.net.connect(port, api.host);
    await once(raw, 'connect');
    const socket = api.tls.connect({ socket: raw, ca, servername: 'localhost' });
    t.watch('client', socket, 'connect', 'secureConnect', 'end', 'close');
    t.watch('raw', raw, 'end', 'close');
    const received = readAll(socket);
    socket.end('through');
    t.note('client', String(await received), socket.remotePort);
    await allClosed(socket, raw);
    await closeServer(server);
  },
  'tls: over a socket that is still connecting': async (api, t) => {
    const { server, port } = await serve(api, t);
    const socket = api.tls.connect({ socket: api.net.connect(port, api.host), ca, servername: 'localhost' });
    t.watch('client', socket, 'connect', 'secureConnect', 'end', 'close');
    t.note('client', String(await readAll(socket)));
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: after plain words on the same connection': async (api, t) => {
    const plain = api.net.createServer((socket) => {
      socket.once('data', (data) => {
        t.note('server', String(data));
        socket.write('go ahead');
        server.emit('connection', socket);
      });
    });
    const server = api.tls.createServer(serverIdentity, (socket) => socket.end('secret'));
    const port = await listen(api, t, plain);
    const raw = api.net.connect(port, api.host);
    raw.write('STARTTLS');
    const [answer] = (await once(raw, 'data')) as [Buffer];
    t.note('client', String(answer));
    const socket = api.tls.connect({ socket: raw, ca, servername: 'localhost' });
    t.note('client', String(await readAll(socket)));
    await closeServer(plain);
  },
  'tls: TLS inside of TLS': async (api, t) => {
    const inner = api.tls.createServer(serverIdentity, (socket) => socket.end('innermost'));
    const { server, port } = await serve(api, t, {}, (socket) => inner.emit('connection', socket));
    const outside = dial(api, port);
    await once(outside, 'secureConnect');
    const socket = api.tls.connect({ socket: outside, ca, servername: 'localhost' });
    t.note('client', String(await readAll(socket)));
    await closeServer(server);
  },
  'tls: refused': async (api, t) => {
    const socket = dial(api, await freePort(api, t));
    t.watch('client', socket, 'connect', 'secureConnect', 'error', 'close');
    await allClosed(socket);
  },
  'tls: a server that speaks no TLS': async (api, t) => {
    const server = api.net.createServer((socket) => {
      socket.on('error', () => {});
      socket.end('I speak no TLS, not a word of it');
      socket.resume();
    });
    const port = await listen(api, t, server);
    const socket = dial(api, port);
    socket.on('error', (error: NodeJS.ErrnoException) => t.note('client', error.code));
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: a client that speaks no TLS': async (api, t) => {
    const { server, port } = await serve(api, t);
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) =>
      t.note('server', error.code, socket.destroyed),
    );
    const socket = api.net.connect(port, api.host);
    socket.on('error', () => {});
    socket.end('I speak no TLS, not a word of it');
    socket.resume();
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: the peer hangs up during the handshake': async (api, t) => {
    const server = api.net.createServer((socket) => {
      socket.once('data', () => socket.destroy());
    });
    const port = await listen(api, t, server);
    const socket = dial(api, port);
    t.watch('client', socket, 'secureConnect', 'end', 'close');
    socket.on('error', (error: NodeJS.ErrnoException) => t.note('client', error.code));
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: the peer resets during the handshake': async (api, t) => {
    const server = api.net.createServer((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    const port = await listen(api, t, server);
    const socket = dial(api, port);
    t.watch('client', socket, 'secureConnect', 'error', 'end', 'close');
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: the peer resets later': async (api, t) => {
    let raw: Socket | undefined;
    const { server, port } = await serve(api, t, {}, (socket) => {
      socket.on('error', () => {});
      socket.write('before');
    });
    server.on('connection', (socket: Socket) => {
      raw = socket;
    });
    const socket = dial(api, port);
    t.watch('client', socket, 'error', 'end', 'close');
    await once(socket, 'data');
    raw?.resetAndDestroy();
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: the peer resets over a socket that was there': async (api, t) => {
    let raw: Socket | undefined;
    const { server, port } = await serve(api, t, {}, (socket) => {
      socket.on('error', () => {});
      socket.write('before');
    });
    server.on('connection', (socket: Socket) => {
      raw = socket;
    });
    const under = api.net.connect(port, api.host);
    const socket = api.tls.connect({ socket: under, ca, servername: 'localhost' });
    t.watch('client', socket, 'error', 'end', 'close');
    t.watch('under', under, 'close');
    await once(socket, 'data');
    raw?.resetAndDestroy();
    await allClosed(socket, under);
    await closeServer(server);
  },
  'tls: destroyed in the middle of a transfer': async (api, t) => {
    const { server, port } = await serve(api, t, {}, (socket) => {
      socket.on('error', () => {});
      socket.on('close', () => t.note('server', 'close'));
      socket.end(pattern(5_000_000));
    });
    const socket = dial(api, port);
    t.watch('client', socket, 'end', 'close');
    socket.once('data', () => socket.destroy());
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: a timeout of the handshake': async (api, t) => {
    const { server, port } = await serve(api, t, { handshakeTimeout: 40 });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      t.note('server', error.code);
      socket.destroy();
    });
    const socket = api.net.connect(port, api.host);
    t.watch('client', socket, 'end', 'close');
    socket.on('error', () => {});
    socket.resume();
    await allClosed(socket);
    await closeServer(server);
  },
  'tls: an exported key and the finished messages are the same on both ends': async (api, t) => {
    let exported = '';
    const { server, port } = await serve(api, t, {}, (socket) => {
      exported = socket.exportKeyingMaterial(16, 'label', Buffer.alloc(0)).toString('hex');
      socket.end('x');
    });
    const socket = dial(api, port);
    await once(socket, 'secureConnect');
    const own = socket.exportKeyingMaterial(16, 'label', Buffer.alloc(0)).toString('hex');
    await readAll(socket);
    t.note('both', own === exported, socket.getCipher().version);
    await closeServer(server);
  },
  'tls: pausing': async (api, t) => {
    const { server, port } = await serve(api, t, {}, (socket) => socket.end(pattern(500_000)));
    const socket = dial(api, port);
    let received = 0;
    socket.on('data', (data) => {
      received += data.length;
      socket.pause();
      setTimeout(() => socket.resume(), 1);
    });
    await once(socket, 'end');
    t.note('client', received);
    await closeServer(server);
  },
  'https: get': async (api, t) => {
    const server = api.https.createServer(serverIdentity, (request, response) => {
      t.note('server', request.url, (request.socket as TLSSocket).encrypted);
      response.end('hello');
    });
    const port = await listen(api, t, server);
    const { response, body } = await askHttps(api, port, { path: '/x' });
    t.note('client', response.statusCode, String(body), (response.socket as TLSSocket).authorized);
    await closeServer(server);
  },
  'https: a large body': async (api, t) => {
    const bytes = pattern(2_000_000);
    const server = api.https.createServer(serverIdentity, (_request, response) => response.end(bytes));
    const port = await listen(api, t, server);
    const { body } = await askHttps(api, port);
    t.note('client', body.equals(bytes));
    await closeServer(server);
  },
  'https: an agent keeps connections and sessions': async (api, t) => {
    const server = api.https.createServer(serverIdentity, (_request, response) => response.end('x'));
    const port = await listen(api, t, server);
    const agent = new api.https.Agent({ keepAlive: true, maxSockets: 1, ca });
    for (let i = 0; i < 2; i++) {
      const request = api.https.get({ port, host: api.host, agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      t.note('client', request.reusedSocket);
      await readAll(response);
      await delay(3);
    }
    agent.destroy();
    await closeServer(server);
  },
  'https: refused, and an unknown authority': async (api, t) => {
    const closed = api.https.get({ port: await freePort(api, t), host: api.host, agent: false });
    t.watch('closed', closed, 'error', 'close');
    await allClosed(closed);
    const server = api.https.createServer(serverIdentity, (_request, response) => response.end('x'));
    const port = await listen(api, t, server);
    const request = api.https.get({ port, host: api.host, agent: false });
    t.watch('client', request, 'error', 'close');
    await allClosed(request);
    await closeServer(server);
  },
};
