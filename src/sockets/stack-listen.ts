/** Has a server of Node's (net, tls, http, https, http2) listen on a stack. */
import type { ListenOptions, LookupFunction, Server } from 'node:net';
import type { TcpHandle } from './node-binding.js';
import { acceptAsTcp, type InnerServer, type ListenFunction, netInternals } from './node-internals.js';
import { familyOf } from './socket-address.js';
import type { StackSockets } from './stack-sockets.js';
import { StackTcp } from './tcp-handle.js';

const ANY_IPV4 = '0.0.0.0';

interface PortListen {
  readonly options: ListenOptions;
  readonly callback: (() => void) | undefined;
}

/** From now on listening on a port means the stack's; paths and descriptors stay the kernel's. Returns the server. */
export function listenOnStack<AnyServer extends Server>(
  server: AnyServer,
  sockets: StackSockets,
  lookup: LookupFunction,
): AnyServer {
  acceptAsTcp();
  const inner = server as unknown as InnerServer;
  const { listen: listenNatively } = netInternals();
  const listenInside: ListenFunction = (address, port, addressType, backlog, fd, flags) => {
    const isOnKernel = inner._handle !== null || typeof fd === 'number' || port === null || port < 0;
    if (isOnKernel) {
      listenNatively.call(server, address, port, addressType, backlog, fd, flags);
      return;
    }
    const local = address ?? ANY_IPV4;
    inner._handle = bindForListen(new StackTcp(sockets), local, port, flags);
    listenNatively.call(server, local, port, address === null ? 4 : addressType, backlog, fd, flags);
  };
  const listen = server.listen as (...args: unknown[]) => AnyServer;
  const listenOnPort = (...args: unknown[]): AnyServer => {
    const wanted = portListen(args);
    if (wanted === undefined) return listen.apply(server, args);
    const { options, callback } = wanted;
    const { host } = options;
    if (host === undefined || familyOf(host) !== 0) return listen.call(server, options, callback);
    lookup(host, { family: 4 }, (error, address) => {
      if (error === null) listen.call(server, { ...options, host: address }, callback);
      else server.emit('error', error);
    });
    return server;
  };
  Object.defineProperty(server, '_listen2', { value: listenInside, configurable: true, writable: true });
  Object.defineProperty(server, 'listen', { value: listenOnPort, configurable: true, writable: true });
  return server;
}

/** The arguments of `listen` if they name a port; undefined for a path, a descriptor or a handle. */
function portListen(args: readonly unknown[]): PortListen | undefined {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second, third] = callback === undefined ? args : args.slice(0, -1);
  // `exclusive`: a cluster's primary has no say in it.
  if (typeof first === 'object' && first !== null) {
    const isPort = 'port' in first && !('_handle' in first) && !('fd' in first);
    return isPort ? { options: { ...first, exclusive: true } as ListenOptions, callback } : undefined;
  }
  if (typeof first === 'string' && Number.isNaN(Number(first))) return undefined;
  const backlog = [second, third].find((value) => typeof value === 'number');
  const host = typeof second === 'string' ? { host: second } : {};
  const options = { port: first ?? 0, ...host, ...(backlog === undefined ? {} : { backlog }), exclusive: true };
  return { options: options as ListenOptions, callback };
}

/** Binds a handle to the address. What keeps it from that comes out of its `listen`, where net.js reports it. */
function bindForListen(handle: TcpHandle, address: string, port: number, flags: number | undefined): TcpHandle {
  const isIpv6 = familyOf(address) === 6;
  const code = isIpv6 ? handle.bind6(address, port, flags) : handle.bind(address, port, flags);
  if (code !== 0) Object.defineProperty(handle, 'listen', { value: () => code });
  return handle;
}
