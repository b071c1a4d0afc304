/** Local ends and peers of sockets. Read RFC 1122 section 4.1.3.5 first, and RFC 6056 for the choice of ports. */
import { randomBelow } from '../../base/random.js';
import { IPV4_LOOPBACK, isIpv4Multicast } from '../../wire/address.js';
import type { AddressWords, UdpBindOptions, UdpErrno } from './udp.js';
import { ipv4OfWords, type UdpCore } from './udp-core.js';
import { NO_SOCKET, SocketFlag } from './udp-table.js';

const ANY = 0;

/** Makes a socket with a local address and port. */
export function bindSocket(core: UdpCore, options: UdpBindOptions): number | UdpErrno {
  const { stack, isReuseport } = options;
  const local = localAddress(core, options);
  if (typeof local === 'string') return local;
  const port = options.port || chooseEphemeralPort(core, stack, local);
  if (port === 0) return 'EADDRINUSE';
  if (core.bindings.isTaken(stack, local, port, isReuseport)) return 'EADDRINUSE';
  const { table } = core;
  const socket = table.take();
  if (socket === NO_SOCKET) return 'ENOBUFS';
  table.stack[socket] = stack;
  table.bound[socket] = local;
  table.local[socket] = local;
  table.localPort[socket] = port;
  if (isReuseport) table.flags[socket]! |= SocketFlag.reuseport;
  if (!core.bindings.add(socket)) {
    table.give(socket);
    return 'ENOBUFS';
  }
  core.queue.fifos.open(socket, core.config.receiveBufferBytes);
  return socket;
}

/** One of the stack's addresses, a broadcast address or a group; 0 for any. */
function localAddress(core: UdpCore, options: UdpBindOptions): number | UdpErrno {
  const { stack, local } = options;
  const address = ipv4OfWords(local);
  if (address === undefined) return 'EADDRNOTAVAIL';
  if (address === ANY) return options.isIpv6Only && local[2] === 0 ? 'EAFNOSUPPORT' : ANY;
  const { routes } = core;
  const isOurs = routes.isLocal(stack, address) || isIpv4Multicast(address) || routes.isBroadcast(stack, address);
  return isOurs ? address : 'EADDRNOTAVAIL';
}

/** A random port, then those after it. RFC 6056 section 3.3.1 (algorithm 1). 0 when all are in use. */
function chooseEphemeralPort(core: UdpCore, stack: number, local: number): number {
  const { firstEphemeralPort, lastEphemeralPort } = core.config;
  const count = lastEphemeralPort - firstEphemeralPort + 1;
  const start = randomBelow(core.random, count);
  for (let attempt = 0; attempt < count; attempt++) {
    const port = firstEphemeralPort + ((start + attempt) % count);
    if (!core.bindings.isTaken(stack, local, port, false)) return port;
  }
  return 0;
}

/** Sets the peer, or another one; the local address is chosen by route unless it is bound. */
export function connectSocket(
  core: UdpCore,
  socket: number,
  remote: AddressWords,
  remotePort: number,
): UdpErrno | undefined {
  const { table, routes, bindings } = core;
  const stack = table.stack[socket]!;
  const asked = ipv4OfWords(remote);
  if (asked === undefined) return 'ENETUNREACH';
  if (remotePort === 0) return 'EINVAL';
  const address = asked === ANY ? IPV4_LOOPBACK : asked;
  const errno = routes.errno(stack, address);
  if (errno !== undefined) return errno;
  const isBroadcast = routes.isBroadcast(stack, address);
  if (isBroadcast && (table.flags[socket]! & SocketFlag.broadcast) === 0) return 'EACCES';
  const local = table.bound[socket]! || routes.source(stack, address);
  if (local === 0) return 'ENETUNREACH';
  if ((table.flags[socket]! & SocketFlag.connected) !== 0) disconnectSocket(core, socket);
  table.local[socket] = local;
  table.remote[socket] = address;
  table.remotePort[socket] = remotePort;
  if (bindings.connect(socket)) return undefined;
  forgetPeer(core, socket);
  return 'EADDRINUSE';
}

export function disconnectSocket(core: UdpCore, socket: number): UdpErrno | undefined {
  if ((core.table.flags[socket]! & SocketFlag.connected) === 0) return 'ENOTCONN';
  core.bindings.disconnect(socket);
  forgetPeer(core, socket);
  return undefined;
}

function forgetPeer(core: UdpCore, socket: number): void {
  const { table } = core;
  table.local[socket] = table.bound[socket]!;
  table.remote[socket] = ANY;
  table.remotePort[socket] = 0;
}

export function closeSocket(core: UdpCore, socket: number): void {
  core.memberships.leaveAll(socket);
  core.bindings.remove(socket);
  core.queue.fifos.close(socket);
  core.table.give(socket);
}
