/** http2: sessions and streams, in the clear and by TLS. */
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  Http2Server,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import type { Cases, NetworkApi, Trace } from '../api.js';
import { ca, server as serverIdentity } from '../certificates.js';
import { allClosed, closeServer, delay, freePort, listen, once, pattern, readAll } from '../tools.js';

type OnStream = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void;

interface Joined {
  readonly server: Http2Server;
  readonly session: ClientHttp2Session;
}

/** A server in the clear and a session with it. */
async function join(api: NetworkApi, trace: Trace, onStream: OnStream): Promise<Joined> {
  const server = api.http2.createServer();
  server.on('stream', onStream as never);
  const port = await listen(api, trace, server);
  return { server, session: api.http2.connect(`http://${api.host}:${port}`) };
}

async function part({ server, session }: Joined): Promise<void> {
  session.close();
  await closeServer(server);
}

async function ask(session: ClientHttp2Session, path: string, body?: Buffer | string): Promise<Buffer> {
  const stream = session.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST' });
  stream.end(body);
  return await readAll(stream);
}

export const http2Cases: Cases = {
  'http2: a request': async (api, t) => {
    const joined = await join(api, t, (stream, headers) => {
      t.note('server', headers[':method'], headers[':path'], headers[':scheme']);
      stream.respond({ ':status': 200, 'x-test': 'yes' });
      stream.end('hello');
    });
    const stream = joined.session.request({ ':path': '/x' });
    stream.on('response', (headers) => t.note('client', headers[':status'], headers['x-test']));
    t.watch('client', stream, 'end', 'close');
    t.note('body', String(await readAll(stream)));
    await allClosed(stream);
    await part(joined);
  },
  'http2: a session and its socket': async (api, t) => {
    const joined = await join(api, t, (stream) => {
      stream.respond();
      stream.end();
    });
    t.watch('session', joined.session, 'close', 'error', 'goaway');
    await once(joined.session, 'connect');
    const { session } = joined;
    t.note('session', session.connecting, session.encrypted, session.alpnProtocol, session.socket.remoteAddress);
    await ask(session, '/');
    await part(joined);
    t.note('session', session.closed, session.destroyed);
  },
  'http2: large bodies both ways': async (api, t) => {
    const bytes = pattern(2_000_000);
    const joined = await join(api, t, async (stream) => {
      const body = await readAll(stream);
      t.note('server', body.equals(bytes));
      stream.respond();
      stream.end(bytes);
    });
    t.note('client', (await ask(joined.session, '/', bytes)).equals(bytes));
    await part(joined);
  },
  'http2: many streams at once': async (api, t) => {
    const joined = await join(api, t, (stream, headers) => {
      stream.respond();
      stream.end(`for ${headers[':path']}`);
    });
    const bodies = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(joined.session, `/${i}`)));
    t.note(
      'client',
      bodies.every((body, i) => String(body) === `for /${i}`),
    );
    await part(joined);
  },
  'http2: push': async (api, t) => {
    const joined = await join(api, t, (stream) => {
      stream.pushStream({ ':path': '/pushed' }, (error, pushed) => {
        if (error) return;
        pushed.respond({ ':status': 200 });
        pushed.end('pushed body');
      });
      stream.respond();
      stream.end('main body');
    });
    const pushed = once(joined.session, 'stream') as Promise<[ClientHttp2Stream, Record<string, unknown>]>;
    t.note('client', String(await ask(joined.session, '/')));
    const [stream, headers] = await pushed;
    t.note('client', headers[':path'], String(await readAll(stream)));
    await part(joined);
  },
  'http2: trailers and informational headers': async (api, t) => {
    const joined = await join(api, t, (stream) => {
      stream.additionalHeaders({ ':status': 103, link: 'x' });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
      stream.end('body');
    });
    const stream = joined.session.request({ ':path': '/' });
    stream.on('headers', (headers) => t.note('client', headers[':status'], headers.link));
    stream.on('trailers', (headers) => t.note('client', headers['x-sum']));
    t.note('client', String(await readAll(stream)));
    await part(joined);
  },
  'http2: a stream that is reset': async (api, t) => {
    const joined = await join(api, t, (stream) => stream.close(8));
    const stream = joined.session.request({ ':path': '/' });
    t.watch('client', stream, 'aborted', 'error', 'close');
    stream.resume();
    await allClosed(stream);
    t.note('client', stream.rstCode);
    await part(joined);
  },
  'http2: the client cancels': async (api, t) => {
    let over: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      over = resolve;
    });
    const joined = await join(api, t, (stream) => {
      stream.respond();
      stream.write('some');
      stream.on('error', () => {});
      stream.on('close', () => {
        t.note('server', stream.rstCode, stream.aborted);
        over();
      });
    });
    const stream = joined.session.request({ ':path': '/' });
    await once(stream, 'data');
    stream.close(8);
    await ended;
    await part(joined);
  },
  'http2: ping and settings': async (api, t) => {
    const joined = await join(api, t, (stream) => stream.end());
    await once(joined.session, 'connect');
    await new Promise<void>((resolve) => {
      joined.session.ping(Buffer.from('12345678'), (error, _duration, payload) => {
        t.note('client', error, String(payload));
        resolve();
      });
    });
    const changed = once(joined.session, 'localSettings');
    joined.session.settings({ initialWindowSize: 1_000_000 });
    await changed;
    t.note('client', joined.session.localSettings.initialWindowSize);
    await part(joined);
  },
  'http2: goaway': async (api, t) => {
    const joined = await join(api, t, (stream) => {
      stream.respond();
      stream.end('last');
      stream.session?.goaway(0, 0, Buffer.from('bye'));
    });
    joined.server.on('session', (session) => joined.session.once('goaway', () => session.destroy()));
    joined.session.on('goaway', (code, _last, data) => t.note('client', code, String(data)));
    const said = once(joined.session, 'goaway');
    const stream = joined.session.request({ ':path': '/' });
    stream.on('error', () => {});
    stream.resume();
    await said;
    joined.session.destroy();
    await closeServer(joined.server);
  },
  'http2: a refused connection': async (api, t) => {
    const session = api.http2.connect(`http://${api.host}:${await freePort(api, t)}`);
    t.watch('session', session, 'connect', 'error', 'close');
    await allClosed(session);
  },
  'http2: the server destroys the session': async (api, t) => {
    const joined = await join(api, t, (stream) => stream.session?.destroy());
    const stream = joined.session.request({ ':path': '/' });
    t.watch('client', stream, 'error', 'close');
    t.watch('session', joined.session, 'error', 'close');
    stream.resume();
    await allClosed(joined.session);
    await closeServer(joined.server);
  },
  'http2: the connection is reset': async (api, t) => {
    const joined = await join(api, t, (stream) => {
      stream.on('error', () => {});
      (stream.session as ServerHttp2Session).on('error', () => {});
      stream.respond();
      stream.write('x');
    });
    joined.server.on('sessionError', () => {});
    const sockets: import('node:net').Socket[] = [];
    joined.server.on('connection', (socket: import('node:net').Socket) => sockets.push(socket));
    const stream = joined.session.request({ ':path': '/' });
    t.watch('session', joined.session, 'error', 'close');
    stream.on('error', () => {});
    await once(stream, 'data');
    for (const socket of sockets) socket.resetAndDestroy();
    await allClosed(joined.session);
    await closeServer(joined.server);
  },
  'http2: timeouts of a session': async (api, t) => {
    const joined = await join(api, t, () => {});
    joined.session.setTimeout(30, () => t.note('session', 'timeout'));
    const stream = joined.session.request({ ':path': '/' });
    stream.on('error', () => {});
    await once(joined.session, 'timeout');
    joined.session.destroy();
    await closeServer(joined.server);
  },
  'http2: backpressure': async (api, t) => {
    const bytes = pattern(1_500_000);
    const joined = await join(api, t, (stream) => {
      stream.respond();
      stream.end(bytes);
    });
    const stream = joined.session.request({ ':path': '/' });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      if (chunks.length % 10 === 0) await delay(1);
    }
    t.note('client', Buffer.concat(chunks).equals(bytes));
    await part(joined);
  },
  'http2: by TLS': async (api, t) => {
    const server = api.http2.createSecureServer(serverIdentity);
    server.on('stream', (stream) => {
      stream.respond();
      stream.end(`${stream.session?.alpnProtocol} ${stream.session?.encrypted}`);
    });
    const port = await listen(api, t, server);
    const session = api.http2.connect(`https://localhost:${port}`, { ca, host: api.host } as object);
    t.note('client', String(await ask(session, '/')), session.alpnProtocol, session.encrypted);
    session.close();
    await closeServer(server);
  },
  'http2: large bodies by TLS': async (api, t) => {
    const bytes = pattern(2_000_000);
    const server = api.http2.createSecureServer(serverIdentity);
    server.on('stream', async (stream) => {
      const body = await readAll(stream);
      stream.respond();
      stream.end(body);
    });
    const port = await listen(api, t, server);
    const session = api.http2.connect(`https://localhost:${port}`, { ca, host: api.host } as object);
    t.note('client', (await ask(session, '/', bytes)).equals(bytes));
    session.close();
    await closeServer(server);
  },
  'http2: HTTP/1 on the same port': async (api, t) => {
    const server = api.http2.createSecureServer({ ...serverIdentity, allowHTTP1: true }, (request, response) => {
      response.end(`by ${request.httpVersion}`);
    });
    const port = await listen(api, t, server);
    const request = api.https.get({ port, host: api.host, ca, agent: false });
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
    t.note('client', String(await readAll(response)));
    const session = api.http2.connect(`https://localhost:${port}`, { ca, host: api.host } as object);
    t.note('client', String(await ask(session, '/')));
    session.close();
    await closeServer(server);
  },
  'http2: requests and responses of the compatibility interface': async (api, t) => {
    const server = api.http2.createServer(async (request, response) => {
      const body = await readAll(request.stream);
      response.setHeader('x-length', body.length);
      response.writeHead(201);
      response.end(`${request.method} ${request.url}`);
    });
    const port = await listen(api, t, server);
    const session = api.http2.connect(`http://${api.host}:${port}`);
    t.note('client', String(await ask(session, '/compat', 'body')));
    session.close();
    await closeServer(server);
  },
};
