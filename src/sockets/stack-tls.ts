/** `stack.tls`: Node's `tls` on one stack. */
import { isIP } from 'node:net';
import type tls from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { listenOnStack } from './stack-listen.js';
import { connectArguments, type StackDialer, type StackNet } from './stack-net.js';
import { watchTls } from './tls-watch.js';

export type StackTls = typeof tls;

export function makeStackTls(dialer: StackDialer, net: StackNet): StackTls {
  watchTls();
  const tls = process.getBuiltinModule('node:tls');
  const connect = (...args: unknown[]): TLSSocket => {
    const [options, callback] = tlsArguments(args);
    if (options.socket !== undefined || options.path !== undefined) return tls.connect(options, callback);
    const socket = net.connect(options as Parameters<typeof net.connect>[0] & object);
    const secured = tls.connect({ ...options, socket }, callback);
    if (options.timeout) secured.setTimeout(options.timeout);
    return secured;
  };
  const createServer = (...args: Parameters<typeof tls.createServer>): tls.Server =>
    listenOnStack(tls.createServer(...args), dialer.sockets, dialer.lookup);
  return { ...tls, connect, createServer } as StackTls;
}

/** The forms of tls.connect(): options, or port, host and options, each with a callback or without. */
function tlsArguments(args: readonly unknown[]): [options: ConnectionOptions, callback: (() => void) | undefined] {
  const [options, callback] = connectArguments(args);
  const more = args.slice(1).find((each) => typeof each === 'object' && each !== null);
  const all = { ...options, ...more } as ConnectionOptions;
  // The name that the certificate is checked against, as tls.connect finds it when it connects by itself.
  const { host } = all;
  const servername = all.servername === undefined && host !== undefined && isIP(host) === 0 ? { servername: host } : {};
  return [{ ...all, ...servername }, callback];
}
