/** `stack.tls`: Node's `tls` on one stack. */
import type tls from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connectArguments } from './connect-arguments.js';
import type { TcpHandle } from './node-binding.js';
import { type InnerSocket, netInternals } from './node-internals.js';
import { listenOnStack } from './stack-listen.js';
import type { StackDialer } from './stack-net.js';
import { StackTcp } from './tcp-handle.js';
import { dialOnStack, watchTls } from './tls-watch.js';

export type StackTls = typeof tls;

export function makeStackTls(dialer: StackDialer): StackTls {
  const tls = process.getBuiltinModule('node:tls');
  const connect = (...args: unknown[]): TLSSocket => {
    const [options, callback] = tlsArguments(args);
    return dialSecurely(dialer, options, (complete) => tls.connect(complete, callback));
  };
  const createServer = (...args: Parameters<typeof tls.createServer>): tls.Server =>
    listenOnStack(tls.createServer(...args), dialer.sockets, dialer.lookup);
  return { ...tls, connect, createServer } as StackTls;
}

/** Has `connect` make a TLS socket that connects by the stack, unless it is given a socket or a path. */
export function dialSecurely<Options extends ConnectionOptions>(
  { sockets, lookup }: StackDialer,
  options: Options,
  connect: (options: Options) => TLSSocket,
): TLSSocket {
  watchTls();
  if (options.socket !== undefined || options.path) return connect(options);
  const socket = dialOnStack(sockets, () => connect({ ...options, lookup: options.lookup ?? lookup }));
  const { reinitialize } = netInternals();
  const giveHandle = (socket as unknown as InnerSocket)[reinitialize]!;
  // net.js makes a handle of its own for each further address that it tries.
  const giveStackHandle = (_handle: TcpHandle): void => giveHandle.call(socket, new StackTcp(sockets));
  Object.defineProperty(socket, reinitialize, { value: giveStackHandle, configurable: true });
  return socket;
}

/** The forms of tls.connect(): options, or port, host and options, each with a callback or without. */
function tlsArguments(args: readonly unknown[]): [options: ConnectionOptions, callback: (() => void) | undefined] {
  const [options, callback] = connectArguments(args);
  const more = args.slice(1).find((each) => typeof each === 'object' && each !== null);
  return [{ ...options, ...more } as ConnectionOptions, callback];
}
