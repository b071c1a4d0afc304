/**
 * `stack.http` and `stack.https`: Node's modules on one stack. Each stack has agents of its own, so that a kept-alive
 * connection is never used for another stack.
 */
import type http from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type https from 'node:https';
import type { NetConnectOpts, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { listenOnStack } from './stack-listen.js';
import type { StackDialer, StackNet } from './stack-net.js';

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
  const request = requester(http.request, globalAgent);
  const Server = serverClass(http.Server, dialer);
  const createServer = (...args: unknown[]): http.Server => new Server(...(args as []));
  return { ...http, Agent, globalAgent, request, get: getter(request), Server, createServer } as unknown as StackHttp;
}

export function makeStackHttps(dialer: StackDialer, net: StackNet): StackHttps {
  const https = process.getBuiltinModule('node:https');
  const { createConnection } = https.Agent.prototype as unknown as SecureAgent;
  class Agent extends https.Agent {
    override createConnection(options: NetConnectOpts, callback?: unknown): Duplex {
      const socket = net.connect(options);
      const connection = createConnection.call(this, { ...options, socket }, callback);
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

/** What an https.Agent does: puts TLS on a connection and remembers its session. */
interface SecureAgent {
  createConnection(this: https.Agent, ...args: unknown[]): Duplex;
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
