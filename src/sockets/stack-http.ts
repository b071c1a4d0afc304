/**
 * `stack.http`, `stack.https` and `stack.http2`: Node's modules on one stack. Each stack has agents of its own, so that a
 * kept-alive connection is never used for another stack.
 */
import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { isIP, type LookupFunction, type NetConnectOpts, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { listenOnStack } from './stack-listen.js';
import type { StackDialer, StackNet } from './stack-net.js';
import type { StackTls } from './stack-tls.js';

export type StackHttp = typeof http;
export type StackHttps = typeof https;
export type StackHttp2 = typeof http2;

type OnResponse = (response: IncomingMessage) => void;

export function makeStackHttp(dialer: StackDialer, net: StackNet): StackHttp {
  class Agent extends http.Agent {
    // Called by the agent itself, with the options of the request.
    override createConnection(options: NetConnectOpts): Socket {
      return net.connect(options);
    }
  }
  const globalAgent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });
  const request = requester(http.request, globalAgent);
  const Server = serverClass(http.Server, dialer);
  const createServer = (...args: unknown[]): http.Server => new Server(...(args as []));
  return { ...http, Agent, globalAgent, request, get: getter(request), Server, createServer } as unknown as StackHttp;
}

export function makeStackHttps(dialer: StackDialer, net: StackNet): StackHttps {
  class Agent extends https.Agent {
    override createConnection(options: NetConnectOpts, callback?: unknown): Duplex {
      const socket = net.connect(options);
      const connection = createSecureConnection.call(this, { ...options, socket }, callback);
      if (options.timeout) (connection as Socket).setTimeout(options.timeout);
      return connection;
    }
  }
  const globalAgent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });
  const request = requester(https.request, globalAgent);
  const Server = serverClass(https.Server, dialer);
  const createServer = (...args: unknown[]): https.Server => new Server(...(args as []));
  return { ...https, Agent, globalAgent, request, get: getter(request), Server, createServer } as unknown as StackHttps;
}

/** https.Agent's own: puts TLS on a connection and remembers its session. */
const createSecureConnection = (
  https.Agent.prototype as unknown as { createConnection: (this: https.Agent, ...args: unknown[]) => Duplex }
).createConnection;

export function makeStackHttp2({ sockets, lookup }: StackDialer, net: StackNet, tls: StackTls): StackHttp2 {
  const connect = (...args: unknown[]): http2.ClientHttp2Session => {
    const listener = args.find((each) => typeof each === 'function');
    const given = typeof args[1] === 'object' && args[1] !== null ? args[1] : {};
    const options = { createConnection: sessionConnector(net, tls), ...given };
    return http2.connect(args[0] as string, options as http2.ClientSessionOptions, listener as undefined);
  };
  const createServer = (...args: unknown[]): http2.Http2Server =>
    listenOnStack(http2.createServer(...(args as [])), sockets, lookup);
  const createSecureServer = (...args: unknown[]): http2.Http2SecureServer =>
    listenOnStack(http2.createSecureServer(...(args as [])), sockets, lookup);
  return { ...http2, connect, createServer, createSecureServer } as StackHttp2;
}

/** Connects an HTTP/2 session as http2.connect does: in the clear, or by TLS with ALPN. RFC 9113 section 3.2. */
function sessionConnector(net: StackNet, tls: StackTls): (authority: URL, options: ConnectionOptions) => Duplex {
  return (authority, options) => {
    const isSecure = authority.protocol === 'https:';
    const host = authority.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = authority.port === '' ? (isSecure ? 443 : 80) : Number(authority.port);
    if (!isSecure) return net.connect({ ...(options as object), port, host });
    const servername = isIP(host) === 0 ? { servername: host } : {};
    return tls.connect({ ALPNProtocols: ['h2'], ...servername, ...options, port, host });
  };
}

/** `request` in all its forms, with an agent of the stack where the caller gives none. */
function requester(
  request: (...args: never[]) => ClientRequest,
  agent: http.Agent,
): (...args: unknown[]) => ClientRequest {
  const call = request as (...args: unknown[]) => ClientRequest;
  return (...args) => {
    const [first, second] = args;
    const isUrlFirst = typeof first === 'string' || first instanceof URL;
    const hasOptions = typeof second === 'object' && second !== null;
    // `_defaultAgent` is what https hands to http in the same way: it also answers for `agent: false`.
    const options = {
      _defaultAgent: agent,
      ...((isUrlFirst ? hasOptions && second : first) as RequestOptions | false),
    };
    const callback = args.find((each) => typeof each === 'function') as OnResponse | undefined;
    return isUrlFirst ? call(first, options, callback) : call(options, callback);
  };
}

function getter(request: (...args: unknown[]) => ClientRequest): (...args: unknown[]) => ClientRequest {
  return (...args) => {
    const started = request(...args);
    started.end();
    return started;
  };
}

/** A server class of Node's whose instances listen on the stack. */
function serverClass<AnyServer extends Server>(
  base: new (...args: never[]) => AnyServer,
  { sockets, lookup }: { readonly sockets: StackDialer['sockets']; readonly lookup: LookupFunction },
): new () => AnyServer {
  const Base = base as unknown as new (...args: unknown[]) => Server;
  class StackServer extends Base {
    constructor(...args: unknown[]) {
      super(...args);
      listenOnStack(this, sockets, lookup);
    }
  }
  Object.defineProperty(StackServer, 'name', { value: 'Server' });
  return StackServer as unknown as new () => AnyServer;
}
