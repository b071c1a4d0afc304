/**
 * `stack.fetch`: the fetch of Node on one stack. Node does not export the undici in it, but its `fetch` takes a
 * dispatcher, and the global dispatcher is an Agent of that undici: another Agent of the same class, which connects by
 * the stack, does what is wanted without touching anything global.
 */
import { UsernetError } from '../base/errors.js';
import type { StackNet } from './stack-net.js';
import type { StackTls } from './stack-tls.js';

/** Where undici keeps the dispatcher of its fetch: Node 24 and later, and before. */
const DISPATCHER_SYMBOLS = [Symbol.for('undici.globalDispatcher.2'), Symbol.for('undici.globalDispatcher.1')];

interface Dispatcher {
  close(): Promise<void>;
}

interface Dial {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
  readonly servername?: string;
  readonly localAddress?: string;
}

type AgentClass = new (options: { connect: (dial: Dial, callback: ConnectCallback) => void }) => Dispatcher;
type ConnectCallback = (error: Error | null, socket: unknown) => void;

export class StackFetch {
  readonly #net: StackNet;
  readonly #tls: StackTls;
  #dispatcher: Dispatcher | undefined;

  constructor(net: StackNet, tls: StackTls) {
    this.#net = net;
    this.#tls = tls;
  }

  readonly fetch: typeof fetch = (input, init) => {
    this.#dispatcher ??= new (findAgentClass())({ connect: (dial, callback) => this.#connect(dial, callback) });
    return fetch(input, { dispatcher: this.#dispatcher, ...init } as RequestInit);
  };

  /** Ends the connections that are kept alive. */
  close(): void {
    void this.#dispatcher?.close();
    this.#dispatcher = undefined;
  }

  #connect(dial: Dial, callback: ConnectCallback): void {
    const isSecure = dial.protocol === 'https:';
    const host = dial.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = dial.port === '' ? (isSecure ? 443 : 80) : Number(dial.port);
    const local = dial.localAddress ? { localAddress: dial.localAddress } : {};
    const socket = isSecure
      ? this.#tls.connect({ host, port, ...local, servername: dial.servername || host, ALPNProtocols: ['http/1.1'] })
      : this.#net.connect({ host, port, noDelay: true, ...local });
    const onError = (error: Error): void => callback(error, null);
    socket.once('error', onError);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      socket.off('error', onError);
      callback(null, socket);
    });
  }
}

function findAgentClass(): AgentClass {
  // The first use of a member of fetch's family loads undici, which sets the dispatcher.
  void globalThis.Headers;
  const holder = globalThis as unknown as Record<symbol, { constructor: AgentClass } | undefined>;
  for (const symbol of DISPATCHER_SYMBOLS) {
    const found = holder[symbol]?.constructor;
    if (found?.name === 'Agent') return found;
  }
  throw new UsernetError(
    'USERNET_NO_FETCH',
    'stack.fetch does not find the Agent of fetch: the global dispatcher has been replaced',
    'call stack.fetch before setGlobalDispatcher(), or use stack.http.request',
  );
}
