/**
 * Treats sockets badly, at random but repeatably: writes, ends, resets, destroys, pauses, TLS and HTTP on top, at moments
 * nobody would choose. Nothing may crash or hang. Started by abuse.test.ts under the preload.
 */
import http from 'node:http';
import http2 from 'node:http2';
import net, { type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import { randomBelow, seededRandom } from '../../src/base/random.js';
import { ca, server as identity } from './certificates.js';

const ROUNDS = 150;
const HOST = '127.0.0.1';
const random = seededRandom(Number(process.argv[2] ?? 1));
const below = (limit: number): number => randomBelow(random, limit);

const errors = new Set<string>();
process.on('uncaughtException', (error: NodeJS.ErrnoException) => errors.add(error.code ?? error.message));

/** Something that is done to a socket; each may fail in any way it likes, by exception or by event. */
const ABUSES: readonly ((socket: Socket) => unknown)[] = [
  (socket) => socket.write(Buffer.alloc(below(200_000), 1)),
  (socket) => socket.write('text é'.repeat(below(5_000)), 'utf8'),
  (socket) => socket.write('text'.repeat(below(20)), 'latin1'),
  (socket) => socket.end(),
  (socket) => socket.end('last'),
  (socket) => socket.destroy(),
  (socket) => socket.destroy(new Error('abuse')),
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.destroySoon(),
  (socket) => socket.pause(),
  (socket) => socket.resume(),
  (socket) => socket.cork(),
  (socket) => socket.uncork(),
  (socket) => socket.setTimeout(below(5), () => socket.destroy()),
  (socket) => socket.setNoDelay(below(2) === 0),
  (socket) => socket.setKeepAlive(below(2) === 0, below(2_000)),
  (socket) => socket.ref(),
  (socket) => socket.unref(),
  (socket) => socket.address(),
  (socket) => socket.connect(below(65_535), HOST),
  (socket) => socket.read(below(100)),
  (socket) => socket.once('data', () => socket.destroy()),
];

function abuse(socket: Socket, times: number): void {
  socket.on('error', (error: NodeJS.ErrnoException) => errors.add(error.code ?? error.message));
  for (let i = 0; i < times; i++) {
    const action = ABUSES[below(ABUSES.length)]!;
    const attempt = (): void => {
      try {
        action(socket);
      } catch (error) {
        errors.add((error as NodeJS.ErrnoException).code ?? String(error));
      }
    };
    const when = below(4);
    if (when === 0) attempt();
    else if (when === 1) process.nextTick(attempt);
    else if (when === 2) setImmediate(attempt);
    else setTimeout(attempt, below(4));
  }
}

type Kind = (round: number) => Promise<void>;

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, HOST, () => resolve((server.address() as net.AddressInfo).port)));
}

/** Ends everything that is left of a round. */
function finish(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) =>
    setTimeout(() => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
      if (!server.listening) resolve();
    }, 8),
  );
}

const plain: Kind = async () => {
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: below(2) === 0 }, (socket) => {
    sockets.add(socket);
    abuse(socket, below(6));
  });
  const port = await listen(server);
  for (let i = 0; i < 3; i++) {
    const socket = net.connect(port, HOST);
    sockets.add(socket);
    abuse(socket, below(8));
  }
  await finish(server, sockets);
};

const secure: Kind = async () => {
  const sockets = new Set<Socket>();
  const server = tls.createServer(identity, (socket) => {
    sockets.add(socket);
    abuse(socket, below(5));
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    if (below(3) === 0) abuse(socket, below(3));
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => errors.add(error.code ?? error.message));
  const port = await listen(server);
  for (let i = 0; i < 2; i++) {
    const raw = below(2) === 0 ? net.connect(port, HOST) : undefined;
    const socket = raw
      ? tls.connect({ socket: raw, ca, servername: 'localhost' })
      : tls.connect({ port, host: HOST, ca });
    if (raw) {
      sockets.add(raw);
      if (below(2) === 0) abuse(raw, below(3));
      else raw.on('error', () => {});
    }
    sockets.add(socket);
    abuse(socket, below(6));
  }
  await finish(server, sockets);
};

const web: Kind = async () => {
  const sockets = new Set<Socket>();
  const server = http.createServer((request, response) => {
    if (below(3) === 0) abuse(request.socket, below(3));
    response.on('error', () => {});
    request.on('error', () => {});
    request.resume();
    response.write('x'.repeat(below(100_000)));
    if (below(4) > 0) response.end('end');
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  const port = await listen(server);
  for (let i = 0; i < 3; i++) {
    const request = http.request({ port, host: HOST, method: 'POST' }, (response) => {
      response.on('error', () => {});
      if (below(2) === 0) response.resume();
      else response.destroy();
    });
    request.on('error', (error: NodeJS.ErrnoException) => errors.add(error.code ?? error.message));
    request.on('socket', (socket) => {
      sockets.add(socket);
      if (below(3) === 0) abuse(socket, below(3));
    });
    request.write('y'.repeat(below(50_000)));
    if (below(3) > 0) request.end();
    else setTimeout(() => request.destroy(), below(4));
  }
  await finish(server, sockets);
};

const web2: Kind = async () => {
  const sockets = new Set<Socket>();
  const server = http2.createServer();
  server.on('sessionError', () => {});
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    if (below(3) === 0) setTimeout(() => socket.destroy(), below(6));
  });
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    if (stream.destroyed) return;
    stream.respond();
    stream.end('z'.repeat(below(200_000)));
    if (below(4) === 0) setTimeout(() => stream.session?.destroy(), below(4));
  });
  const port = await listen(server);
  const session = http2.connect(`http://${HOST}:${port}`);
  session.on('error', () => {});
  for (let i = 0; i < 4; i++) {
    if (session.destroyed) break;
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => {});
    if (below(2) === 0) stream.resume();
    else setTimeout(() => stream.close(), below(5));
  }
  if (below(3) === 0) setTimeout(() => session.destroy(), below(5));
  await finish(server, sockets);
  session.destroy();
};

const KINDS: readonly Kind[] = [plain, plain, secure, web, web2];

for (let round = 0; round < ROUNDS; round++) await KINDS[round % KINDS.length]!(round);
console.log(
  `done ${[...errors].filter((code) => !/^(E[A-Z_]+|ERR_[A-Z0-9_/]+|abuse|HPE_[A-Z_]+)$/.test(code)).join('; ')}`,
);
// Sockets that were reconnected to wherever may still be open.
process.exit(0);
