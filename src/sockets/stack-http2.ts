/** `stack.http2`: Node's `http2` on one stack. */
import type http2 from 'node:http2';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { listenOnStack } from './stack-listen.js';
import type { StackDialer, StackNet } from './stack-net.js';
import type { StackTls } from './stack-tls.js';

export type StackHttp2 = typeof http2;

export function makeStackHttp2({ sockets, lookup }: StackDialer, net: StackNet, tls: StackTls): StackHttp2 {
  const http2 = process.getBuiltinModule('node:http2');
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
    if (!isSecure) return net.connect({ port, host, ...(options as object) });
    const servername = isIP(host) === 0 ? { servername: host } : {};
    return tls.connect({ port, host, ALPNProtocols: ['h2'], ...servername, ...options });
  };
}
