/**
 * A stack as an application uses it: Node's network modules, each bound to this one stack. Several stacks live side by
 * side in a process, and nothing global changes.
 *
 * ```js
 * const { http, net, fetch } = network.stack('web');
 * http.createServer((request, response) => response.end('hello')).listen(80);
 * ```
 */
import type { LookupFunction } from 'node:net';
import { UsernetError } from '../base/errors.js';
import type { SessionPort } from '../session/port.js';
import { hasPreload, runInStack, type StackContext } from './current-stack.js';
import type { DnsServer } from './dns/dns-exchange.js';
import { StackNames } from './dns/stack-names.js';
import { guardPassing } from './passing-guard.js';
import { WHOLE_WORLD } from './policy.js';
import { separatePools } from './separate-pools.js';
import { makeStackDgram, type StackDgram } from './stack-dgram.js';
import { makeStackDns, type StackDns } from './stack-dns.js';
import { StackFetch } from './stack-fetch.js';
import { makeStackHttp, makeStackHttps, type StackHttp, type StackHttps } from './stack-http.js';
import { makeStackHttp2, type StackHttp2 } from './stack-http2.js';
import { makeStackNet, type StackDialer, type StackNet } from './stack-net.js';
import { StackSockets } from './stack-sockets.js';
import { makeStackTls, type StackTls } from './stack-tls.js';

export interface StackOptions {
  /** Name servers that the stack's resolvers ask. */
  readonly nameServers?: readonly DnsServer[];
}

export class Stack {
  readonly name: string;
  readonly net: StackNet;
  readonly dns: StackDns;
  /** `stack.net.connect`. */
  readonly connect: StackNet['connect'];
  /** `stack.net.createServer`. */
  readonly createServer: StackNet['createServer'];
  readonly #context: StackContext;
  readonly #dialer: StackDialer;
  #tls: StackTls | undefined;
  #dgram: StackDgram | undefined;
  #http: StackHttp | undefined;
  #https: StackHttps | undefined;
  #http2: StackHttp2 | undefined;
  #fetch: StackFetch | undefined;

  /** Takes over the port: from now on its events are the stack's. */
  constructor(name: string, port: SessionPort, options: StackOptions = {}) {
    guardPassing();
    const sockets = new StackSockets(name, port);
    const names = new StackNames(sockets, options.nameServers ?? []);
    this.name = name;
    const fetchHere: typeof fetch = (input, init) => this.fetch(input, init);
    this.#context = { sockets, names, policy: WHOLE_WORLD, asksKernel: false, fetch: fetchHere };
    this.dns = makeStackDns(this.#context);
    this.#dialer = { sockets, lookup: this.dns.lookup as LookupFunction };
    this.net = makeStackNet(this.#dialer);
    this.connect = this.net.connect;
    this.createServer = this.net.createServer;
  }

  get tls(): StackTls {
    this.#tls ??= makeStackTls(this.#dialer);
    return this.#tls;
  }

  get dgram(): StackDgram {
    this.#dgram ??= makeStackDgram(this.#dialer);
    return this.#dgram;
  }

  get http(): StackHttp {
    this.#http ??= makeStackHttp(this.#dialer, this.net);
    return this.#http;
  }

  get https(): StackHttps {
    this.#https ??= makeStackHttps(this.#dialer);
    return this.#https;
  }

  get http2(): StackHttp2 {
    this.#http2 ??= makeStackHttp2(this.#dialer, this.net, this.tls);
    return this.#http2;
  }

  /** As the global fetch, with connections of its own. */
  get fetch(): typeof fetch {
    this.#fetch ??= new StackFetch(this.net, this.tls);
    return this.#fetch.fetch;
  }

  /**
   * Runs `action` so that sockets which Node's own modules make in it, now or later, are of this stack. It takes the
   * preload (`--import usernet/register`): without it those modules hold on to the kernel's sockets.
   *
   * @throws UsernetError USERNET_NO_PRELOAD without it
   */
  run<Args extends unknown[], Result>(action: (...args: Args) => Result, ...args: Args): Result {
    if (!hasPreload()) {
      throw new UsernetError(
        'USERNET_NO_PRELOAD',
        "stack.run() needs the preload: without it Node's own modules use the kernel's network",
        'start node with --import usernet/register, or use stack.net, stack.http and so on',
      );
    }
    separatePools();
    return runInStack(this.#context, action, ...args);
  }

  /** Ends the stack's sockets: connections are reset, servers report an error. */
  close(): void {
    this.#fetch?.close();
    this.#http?.globalAgent.destroy();
    this.#https?.globalAgent.destroy();
    this.#context.sockets.close();
  }
}
