/**
 * `stack.http` and `stack.https`: Node's modules on one stack. Each stack has agents of its own, so that a kept-alive
 * connection is never used for another stack.
 */
import type http from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type https from 'node:https';
import type { NetConnectOpts, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { listenOnStack } from './stack-listen.js';
import type { StackDialer, StackNet } from './stack-net.js';
import { dialSecurely } from './stack-tls.js';

export type StackHttp = typeof http;
export type StackHttps = typeof https;

type OnResponse = (response: IncomingMessage) => void;

export function makeStackHttp(dialer: StackDialer, net: StackNet): StackHttp {
  const http = process.getBuiltinModule('node:http');
  class Agent extends http.Agent {
    // Called by the agent itself, with the options of the request.
    override createConnection(options: NetConnectOpts): Socket {
      return net.connect(options);
    }
  }
  const globalAgent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });
  const request = requester(http.request, Agent, globalAgent);
  const Server = serverClass(http.Server, dialer);
  const createServer = (...args: unknown[]): http.Server => new Server(...(args as []));
  return { ...http, Agent, globalAgent, request, get: getter(request), Server, createServer } as unknown as StackHttp;
}

export function makeStackHttps(dialer: StackDialer): StackHttps {
  const https = process.getBuiltinModule('node:https');
  // What an https.Agent does: it connects by TLS and remembers the session.
  const { createConnection } = https.Agent.prototype as unknown as SecureAgent;
  class Agent extends https.Agent {
    override createConnection(options: SecureOptions, callback?: unknown): Duplex {
      return dialSecurely(dialer, options, (complete) => createConnection.call(this, complete, callback));
    }
  }
  const globalAgent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });
  const request = requester(https.request, Agent, globalAgent);
  const Server = serverClass(https.Server, dialer);
  const createServer = (...args: unknown[]): https.Server => new Server(...(args as []));
  return { ...https, Agent, globalAgent, request, get: getter(request), Server, createServer } as unknown as StackHttps;
}

type SecureOptions = NetConnectOpts & ConnectionOptions;

interface SecureAgent {
  createConnection(this: https.Agent, ...args: unknown[]): TLSSocket;
}

/** `request` in all its forms, with an agent of the stack where the caller gives none. */
function requester(
  request: (...args: never[]) => ClientRequest,
  Agent: new () => http.Agent,
  globalAgent: http.Agent,
): (...args: unknown[]) => ClientRequest {
  const call = request as (...args: unknown[]) => ClientRequest;
  return (...args) => {
    const [first, second] = args;
    const isUrlFirst = typeof first === 'string' || first instanceof URL;
    const given = isUrlFirst ? second : first;
    const options: RequestOptions = typeof given === 'object' && given !== null ? { ...given } : {};
    if (options.agent === false) options.agent = new Agent();
    else if (options.createConnection === undefined) options.agent ??= globalAgent;
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
  { sockets, lookup }: StackDialer,
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
