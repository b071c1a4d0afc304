/** http: requests, bodies, connections that are kept, protocol corners, timeouts. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  ClientRequest,
  IncomingMessage,
  RequestListener,
  RequestOptions,
  Server,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Cases, NetworkApi, Trace } from '../api.js';
import { allClosed, closeServer, delay, freePort, listen, once, pattern, readAll } from '../tools.js';

interface Served {
  readonly server: Server;
  readonly port: number;
}

async function serve(api: NetworkApi, trace: Trace, listener: RequestListener, options = {}): Promise<Served> {
  const server = api.http.createServer(options, listener);
  return { server, port: await listen(api, trace, server) };
}

/** Sends a request with a body and gives the response and all of its body. */
async function ask(
  api: NetworkApi,
  port: number,
  options: RequestOptions = {},
  body?: string | Buffer,
): Promise<{ response: IncomingMessage; body: Buffer }> {
  const request = api.http.request({ port, host: api.host, agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { response, body: await readAll(response) };
}

/** Sends bytes as they are and gives all that comes back. */
async function askRaw(api: NetworkApi, port: number, text: string, pauseMs = 0): Promise<string> {
  const socket = api.net.connect(port, api.host);
  for (const part of text.split('|')) {
    socket.write(part);
    if (pauseMs > 0) await delay(pauseMs);
  }
  const answer = String(await readAll(socket));
  return answer.replace(/Date: [^\r]*/g, 'Date: …').replaceAll('\r\n', '⏎');
}

export const httpCases: Cases = {
  'http: get': async (api, t) => {
    const { server, port } = await serve(api, t, (request, response) => {
      t.note('server', request.method, request.url, request.httpVersion, request.headers.connection);
      response.setHeader('X-Test', ['one', 'two']);
      response.end('hello');
    });
    const { response, body } = await ask(api, port, { path: '/path?query', headers: { Accept: 'text/plain' } });
    t.note('client', response.statusCode, response.statusMessage, response.headers['x-test'], String(body));
    t.note('client', response.headers['content-length'], response.headers.connection, response.complete);
    await closeServer(server);
  },
  'http: post with a length': async (api, t) => {
    const { server, port } = await serve(api, t, async (request, response) => {
      const body = await readAll(request);
      t.note('server', request.headers['content-length'], request.headers['transfer-encoding'], String(body));
      response.writeHead(201, 'Made', { 'Content-Type': 'text/plain' });
      response.end(`${body.length}`);
    });
    const { response, body } = await ask(api, port, { method: 'POST' }, 'some body');
    t.note('client', response.statusCode, response.statusMessage, String(body));
    await closeServer(server);
  },
  'http: chunks both ways': async (api, t) => {
    const { server, port } = await serve(api, t, async (request, response) => {
      for await (const chunk of request) response.write(String(chunk).toUpperCase());
      response.end();
    });
    const request = api.http.request({ port, host: api.host, method: 'PUT', agent: false });
    const responded = once(request, 'response') as Promise<[IncomingMessage]>;
    request.write('one ');
    await delay(5);
    request.write('two ');
    await delay(5);
    request.end('three');
    const [response] = await responded;
    t.note('client', response.headers['transfer-encoding'], String(await readAll(response)));
    await closeServer(server);
  },
  'http: a large upload and a large download': async (api, t) => {
    const bytes = pattern(4_000_000);
    const { server, port } = await serve(api, t, async (request, response) => {
      const body = await readAll(request);
      t.note('server', body.equals(bytes));
      response.end(bytes);
    });
    const { body } = await ask(api, port, { method: 'POST' }, bytes);
    t.note('client', body.length, body.equals(bytes));
    await closeServer(server);
  },
  'http: pipeline of a response into a slow reader': async (api, t) => {
    const bytes = pattern(2_000_000);
    const { server, port } = await serve(api, t, (_request, response) => {
      response.write(bytes.subarray(0, 1_000_000));
      response.end(bytes.subarray(1_000_000));
      response.on('finish', () => t.note('server', 'finish'));
    });
    const request = api.http.get({ port, host: api.host, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    await pipeline(response, async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        chunks.push(chunk);
        if (chunks.length % 8 === 0) await delay(1);
      }
    });
    t.note('client', Buffer.concat(chunks).equals(bytes));
    await closeServer(server);
  },
  'http: drain of a response': async (api, t) => {
    let total = 0;
    const { server, port } = await serve(api, t, async (_request, response) => {
      for (let i = 0; i < 60; i++) {
        total += 100_000;
        if (!response.write(Buffer.alloc(100_000, i))) await once(response, 'drain');
      }
      response.end();
    });
    const { body } = await ask(api, port);
    t.note('client', body.length === total, body[5_950_000]);
    await closeServer(server);
  },
  'http: a head request has no body': async (api, t) => {
    const { server, port } = await serve(api, t, (_request, response) => {
      response.setHeader('Content-Length', 5);
      response.end('hello');
    });
    const { response, body } = await ask(api, port, { method: 'HEAD' });
    t.note('client', response.headers['content-length'], body.length);
    await closeServer(server);
  },
  'http: 204 and 304 have no body': async (api, t) => {
    const { server, port } = await serve(api, t, (request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      response.end();
    });
    for (const status of [204, 304]) {
      const { response, body } = await ask(api, port, { path: `/${status}` });
      t.note('client', response.statusCode, body.length, response.headers['transfer-encoding']);
    }
    await closeServer(server);
  },
  'http: trailers': async (api, t) => {
    const { server, port } = await serve(api, t, async (request, response) => {
      await readAll(request);
      t.note('server', request.trailers, request.rawTrailers);
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('body');
      response.addTrailers({ 'X-Sum': '42' });
      response.end();
    });
    const request = api.http.request({
      port,
      host: api.host,
      method: 'POST',
      agent: false,
      headers: { Trailer: 'X-Up' },
    });
    request.write('up');
    request.addTrailers({ 'X-Up': 'yes' });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await readAll(response);
    t.note('client', response.trailers);
    await closeServer(server);
  },
  'http: 100-continue': async (api, t) => {
    const { server, port } = await serve(api, t, async (request, response) => {
      t.note('server', 'request', String(await readAll(request)));
      response.end('done');
    });
    const request = api.http.request({
      port,
      host: api.host,
      method: 'POST',
      agent: false,
      headers: { Expect: '100-continue' },
    });
    request.flushHeaders();
    await once(request, 'continue');
    t.note('client', 'continue');
    request.end('body');
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    t.note('client', String(await readAll(response)));
    await closeServer(server);
  },
  'http: checkContinue refuses': async (api, t) => {
    const { server, port } = await serve(api, t, () => t.note('server', 'never'));
    server.on('checkContinue', (_request, response: ServerResponse) => {
      response.statusCode = 417;
      response.end();
    });
    const request = api.http.request({
      port,
      host: api.host,
      method: 'POST',
      agent: false,
      headers: { Expect: '100-continue' },
    });
    t.watch('client', request, 'continue');
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    t.note('client', response.statusCode);
    response.resume();
    request.destroy();
    server.closeAllConnections();
    await closeServer(server);
  },
  'http: 103 early hints and other information': async (api, t) => {
    const { server, port } = await serve(api, t, (_request, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('x');
    });
    const request = api.http.get({ port, host: api.host, agent: false });
    request.on('information', (information) => t.note('client', information.statusCode, information.headers.link));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    t.note('client', response.statusCode, String(await readAll(response)));
    await closeServer(server);
  },
  'http: upgrade': async (api, t) => {
    const { server, port } = await serve(api, t, () => {});
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      t.note('server', request.headers.upgrade, head.length);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst ');
      socket.pipe(socket);
    });
    const request = api.http.get({
      port,
      host: api.host,
      agent: false,
      headers: { Connection: 'Upgrade', Upgrade: 'echo' },
    });
    const [response, socket, head] = (await once(request, 'upgrade')) as [IncomingMessage, Socket, Buffer];
    t.note('client', response.statusCode, head.length > 0 ? 'head' : 'no head');
    let text = String(head);
    socket.on('data', (data) => {
      text += data;
    });
    socket.end('echoed');
    await once(socket, 'end');
    t.note('client', text);
    await closeServer(server);
  },
  'http: upgrade that carries many bytes': async (api, t) => {
    const { server, port } = await serve(api, t, () => {});
    server.on('upgrade', (_request: IncomingMessage, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
    });
    const request = api.http.get({
      port,
      host: api.host,
      agent: false,
      headers: { Connection: 'Upgrade', Upgrade: 'echo' },
    });
    const [, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Socket];
    const bytes = pattern(1_000_000);
    const received = readAll(socket);
    socket.end(bytes);
    t.note('client', (await received).equals(bytes));
    await closeServer(server);
  },
  'http: connect': async (api, t) => {
    const { server, port } = await serve(api, t, () => {});
    server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      t.note('server', request.url, String(head));
      socket.end('HTTP/1.1 200 OK\r\n\r\ntunnelled');
    });
    const request = api.http.request({ port, host: api.host, method: 'CONNECT', path: 'far.test:443', agent: false });
    request.end();
    const [response, socket, head] = (await once(request, 'connect')) as [IncomingMessage, Socket, Buffer];
    let text = String(head);
    socket.on('data', (data) => {
      text += data;
    });
    if (!socket.readableEnded) await once(socket.resume(), 'end');
    t.note('client', response.statusCode, text);
    await closeServer(server);
  },
  'http: an agent keeps connections': async (api, t) => {
    const ports = new Set<number | undefined>();
    const { server, port } = await serve(api, t, (request, response) => {
      ports.add(request.socket.remotePort);
      response.end('x');
    });
    const agent = new api.http.Agent({ keepAlive: true, maxSockets: 1 });
    const reused: boolean[] = [];
    for (let i = 0; i < 3; i++) {
      const request = api.http.get({ port, host: api.host, agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      reused.push(request.reusedSocket);
      t.note('client', response.headers.connection, response.headers['keep-alive']);
      await readAll(response);
      await delay(1);
    }
    t.note('client', reused, ports.size, Object.keys(agent.freeSockets).length);
    agent.destroy();
    await closeServer(server);
  },
  'http: an agent without keep-alive': async (api, t) => {
    const { server, port } = await serve(api, t, (_request, response) => response.end('x'));
    const agent = new api.http.Agent({ keepAlive: false });
    const { response } = await ask(api, port, { agent });
    t.note('client', response.headers.connection, Object.keys(agent.freeSockets).length);
    await closeServer(server);
  },
  'http: requests wait for a connection of the agent': async (api, t) => {
    let active = 0;
    let most = 0;
    const { server, port } = await serve(api, t, async (_request, response) => {
      most = Math.max(most, ++active);
      await delay(3);
      active--;
      response.end('x');
    });
    const agent = new api.http.Agent({ keepAlive: true, maxSockets: 2 });
    await Promise.all(Array.from({ length: 8 }, () => ask(api, port, { agent })));
    t.note('server', most);
    agent.destroy();
    await closeServer(server);
  },
  'http: the peer closes a kept connection': async (api, t) => {
    const { server, port } = await serve(api, t, (_request, response) => response.end('x'));
    server.keepAliveTimeout = 1;
    const agent = new api.http.Agent({ keepAlive: true });
    await ask(api, port, { agent });
    await delay(1_200);
    t.note('client', Object.keys(agent.freeSockets).length);
    const { body } = await ask(api, port, { agent });
    t.note('client', String(body));
    agent.destroy();
    await closeServer(server);
  },
  'http: pipelined requests': async (api, t) => {
    const { server, port } = await serve(api, t, (request, response) => response.end(`for ${request.url}`));
    const answer = await askRaw(
      api,
      port,
      'GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    t.note('client', answer);
    await closeServer(server);
  },
  'http: a request in pieces': async (api, t) => {
    const { server, port } = await serve(api, t, async (request, response) => {
      response.end(await readAll(request));
    });
    const text = 'PO|ST / HT|TP/1.1\r\nHo|st: x\r|\nContent-Le|ngth: 5\r\nConnection: close\r\n\r\nhe|llo';
    t.note('client', await askRaw(api, port, text, 2));
    await closeServer(server);
  },
  'http: HTTP/1.0': async (api, t) => {
    const { server, port } = await serve(api, t, (request, response) => response.end(request.httpVersion));
    t.note('client', await askRaw(api, port, 'GET / HTTP/1.0\r\n\r\n'));
    await closeServer(server);
  },
  'http: what is no HTTP is answered with 400': async (api, t) => {
    const { server, port } = await serve(api, t, () => t.note('server', 'never'));
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      t.note('server', error.code);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    t.note('client', await askRaw(api, port, 'this is no HTTP\r\n\r\n'));
    await closeServer(server);
  },
  'http: without a clientError listener': async (api, t) => {
    const { server, port } = await serve(api, t, () => t.note('server', 'never'));
    t.note('client', await askRaw(api, port, 'GET / HTTP/9.9\r\n\r\n'));
    await closeServer(server);
  },
  'http: headers that are too long': async (api, t) => {
    const { server, port } = await serve(api, t, () => t.note('server', 'never'));
    const answer = await askRaw(api, port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`);
    t.note('client', answer.slice(0, 50));
    await closeServer(server);
  },
  'http: a request without Host': async (api, t) => {
    const { server, port } = await serve(api, t, () => t.note('server', 'never'));
    t.note('client', (await askRaw(api, port, 'GET / HTTP/1.1\r\n\r\n')).slice(0, 24));
    await closeServer(server);
  },
  'http: refused': async (api, t) => {
    const request = api.http.get({ port: await freePort(api, t), host: api.host, agent: false });
    t.watch('client', request, 'socket', 'response', 'abort', 'error', 'close');
    await allClosed(request);
    t.note('client', request.destroyed, request.reusedSocket);
  },
  'http: the server hangs up before it answers': async (api, t) => {
    const { server, port } = await serve(api, t, (request) => request.socket.destroy());
    const request = api.http.get({ port, host: api.host, agent: false });
    t.watch('client', request, 'response', 'error', 'close');
    await allClosed(request);
    await closeServer(server);
  },
  'http: the server resets before it answers': async (api, t) => {
    const { server, port } = await serve(api, t, (request) => void request.socket.resetAndDestroy());
    const request = api.http.get({ port, host: api.host, agent: false });
    t.watch('client', request, 'response', 'error', 'close');
    await allClosed(request);
    await closeServer(server);
  },
  'http: the server hangs up in the middle of a body': async (api, t) => {
    const { server, port } = await serve(api, t, (request, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half', () => setTimeout(() => request.socket.destroy(), 5));
    });
    const request = api.http.get({ port, host: api.host, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    t.watch('client', response, 'aborted', 'error', 'end', 'close');
    response.on('data', (data) => t.note('client', String(data)));
    await allClosed(response);
    t.note('client', response.complete, response.destroyed);
    await closeServer(server);
  },
  'http: the client hangs up before it is answered': async (api, t) => {
    let done: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      done = resolve;
    });
    const { server, port } = await serve(api, t, (request, response) => {
      t.watch('server', request, 'aborted', 'error', 'close');
      response.on('close', () => {
        t.note('response', response.writableFinished, response.destroyed);
        done();
      });
    });
    const asked = once(server, 'request');
    const request = api.http.get({ port, host: api.host, agent: false });
    t.watch('client', request, 'error', 'close');
    await asked;
    request.destroy();
    await gone;
    await closeServer(server);
  },
  'http: an aborted signal': async (api, t) => {
    const { server, port } = await serve(api, t, () => {});
    const controller = new AbortController();
    const request = api.http.get({ port, host: api.host, agent: false, signal: controller.signal });
    const asked = once(server, 'request');
    t.watch('client', request, 'error', 'close');
    await asked;
    controller.abort();
    await allClosed(request);
    await closeServer(server);
  },
  'http: a timeout of the client': async (api, t) => {
    const { server, port } = await serve(api, t, () => {});
    const request = api.http.get({ port, host: api.host, agent: false, timeout: 30 });
    t.watch('client', request, 'timeout', 'error', 'close');
    request.on('timeout', () => request.destroy(new Error('too slow')));
    await allClosed(request);
    await closeServer(server);
  },
  'http: a timeout of the server': async (api, t) => {
    const { server, port } = await serve(api, t, () => {});
    server.setTimeout(30, (socket) => {
      t.note('server', 'timeout');
      socket.destroy();
    });
    const request = api.http.get({ port, host: api.host, agent: false });
    t.watch('client', request, 'error', 'close');
    await allClosed(request);
    await closeServer(server);
  },
  'http: headersTimeout and requestTimeout': async (api, t) => {
    for (const options of [{ headersTimeout: 50 }, { headersTimeout: 50, requestTimeout: 50 }]) {
      const { server, port } = await serve(api, t, () => t.note('server', 'never'), {
        ...options,
        connectionsCheckingInterval: 20,
      });
      t.note('client', await askRaw(api, port, 'GET / HTTP/1.1\r\nHost'));
      await closeServer(server);
    }
  },
  'http: closing a server ends idle connections': async (api, t) => {
    const { server, port } = await serve(api, t, (_request, response) => response.end('x'));
    const agent = new api.http.Agent({ keepAlive: true });
    await ask(api, port, { agent });
    await delay(2);
    await closeServer(server);
    t.note('server', 'closed');
    agent.destroy();
  },
  'http: closing all connections': async (api, t) => {
    const { server, port } = await serve(api, t, () => server.closeAllConnections());
    const request = api.http.get({ port, host: api.host, agent: false });
    t.watch('client', request, 'error', 'close');
    await allClosed(request);
    await closeServer(server);
  },
  'http: maxRequestsPerSocket': async (api, t) => {
    const { server, port } = await serve(api, t, (_request, response) => response.end('x'));
    server.maxRequestsPerSocket = 2;
    const agent = new api.http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) {
      const { response } = await ask(api, port, { agent });
      t.note('client', response.headers.connection);
      await delay(2);
    }
    agent.destroy();
    await closeServer(server);
  },
  'http: many requests at once': async (api, t) => {
    const { server, port } = await serve(api, t, (request, response) => response.end(request.url));
    const agent = new api.http.Agent({ keepAlive: true });
    const bodies = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(api, port, { agent, path: `/${i}` })));
    t.note(
      'client',
      bodies.every(({ body }, i) => String(body) === `/${i}`),
    );
    agent.destroy();
    await closeServer(server);
  },
  'http: async context of requests on a kept connection': async (api, t) => {
    const storage = new AsyncLocalStorage<string>();
    const { server, port } = await serve(api, t, (_request, response) => response.end('x'));
    const agent = new api.http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const name of ['one', 'two']) {
      await storage.run(name, async () => {
        const request = api.http.get({ port, host: api.host, agent });
        request.on('socket', () => t.note('client', 'socket', storage.getStore()));
        const [response] = (await once(request, 'response')) as [IncomingMessage];
        response.on('data', () => t.note('client', 'data', storage.getStore()));
        response.on('end', () => t.note('client', 'end', storage.getStore()));
        await once(response, 'close');
      });
      await delay(2);
    }
    agent.destroy();
    await closeServer(server);
  },
  'http: what a socket tells of its request': async (api, t) => {
    const { server, port } = await serve(api, t, (request, response) => {
      const { socket } = request;
      t.note('server', socket.remoteAddress, socket.remoteFamily, socket.localAddress, socket.localPort);
      t.note(
        'server',
        (socket as Socket & { server?: unknown }).server === server,
        response.socket === socket,
        socket.bytesRead > 0,
      );
      response.end('x');
    });
    await ask(api, port);
    await closeServer(server);
  },
  'http: a listener of data on the socket of a server': async (api, t) => {
    const { server, port } = await serve(api, t, async (request, response) => {
      await readAll(request);
      response.end('x');
    });
    server.on('connection', (socket: Socket) => {
      let bytes = 0;
      socket.on('data', (data) => {
        bytes += data.length;
      });
      socket.on('close', () => t.note('server', bytes > 100_000, socket.bytesRead === bytes));
    });
    await ask(api, port, { method: 'POST' }, Buffer.alloc(100_000));
    await closeServer(server);
    await delay(2);
  },
  'http: setNoDelay, setKeepAlive and setTimeout of a request': async (api, t) => {
    const { server, port } = await serve(api, t, (_request, response) => response.end('x'));
    const request = api.http.get({ port, host: api.host, agent: false }) as ClientRequest;
    request.setNoDelay(true);
    request.setSocketKeepAlive(true, 1000);
    request.setTimeout(5_000);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    t.note('client', request.socket?.timeout, String(await readAll(response)));
    await closeServer(server);
  },
  'fetch: get and post': async (api, t) => {
    const { server, port } = await serve(api, t, async (request, response) => {
      const body = await readAll(request);
      response.setHeader('X-Method', request.method ?? '');
      response.end(`<${body}>`);
    });
    const url = `http://${api.host}:${port}/`;
    const got = await api.fetch(url);
    t.note('client', got.status, got.headers.get('x-method'), await got.text());
    const posted = await api.fetch(url, { method: 'POST', body: 'body' });
    t.note('client', posted.status, posted.headers.get('x-method'), await posted.text());
    server.closeAllConnections();
    await closeServer(server);
  },
  'fetch: a stream and a large body': async (api, t) => {
    const bytes = pattern(1_500_000);
    const { server, port } = await serve(api, t, (_request, response) => response.end(bytes));
    const response = await api.fetch(`http://${api.host}:${port}/`);
    t.note('client', Buffer.from(await response.arrayBuffer()).equals(bytes));
    server.closeAllConnections();
    await closeServer(server);
  },
  'fetch: refused and aborted': async (api, t) => {
    const port = await freePort(api, t);
    const refused = await api.fetch(`http://${api.host}:${port}/`).catch((error) => error);
    t.note('client', refused, refused.cause);
    const { server, port: silent } = await serve(api, t, () => {});
    const aborted = await api
      .fetch(`http://${api.host}:${silent}/`, { signal: AbortSignal.timeout(30) })
      .catch((e) => e);
    t.note('client', aborted.name);
    server.closeAllConnections();
    await closeServer(server);
  },
  'fetch: a redirect': async (api, t) => {
    const { server, port } = await serve(api, t, (request, response) => {
      if (request.url === '/') response.writeHead(302, { Location: '/there' }).end();
      else response.end(request.url);
    });
    const response = await api.fetch(`http://${api.host}:${port}/`);
    t.note('client', response.redirected, await response.text());
    server.closeAllConnections();
    await closeServer(server);
  },
};
