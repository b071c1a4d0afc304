/** Sending. Read RFC 768 and RFC 1122 sections 4.1.3.4 to 4.1.3.6 first. */
import { NS_PER_MS } from '../../base/time.js';
import { IPV4_LOOPBACK, isIpv4Loopback, isIpv4Multicast } from '../../wire/address.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { IPV4_MIN_HEADER_BYTES } from '../../wire/ipv4.js';
import { UDP_HEADER_BYTES } from '../../wire/udp.js';
import { type AddressWords, UDP_MAX_PAYLOAD_BYTES, type UdpErrno } from './udp.js';
import { ipv4OfWords, type UdpCore } from './udp-core.js';
import { UdpEvent } from './udp-event-queue.js';
import { SocketFlag } from './udp-table.js';

/** A socket without room looks again after this, if nothing else happens before. */
const RETRY_NS = NS_PER_MS;
const ANY = 0;

export function sendDatagram(
  core: UdpCore,
  socket: number,
  bytes: Uint8Array,
  from: number,
  count: number,
  remote: AddressWords | undefined,
  remotePort: number,
): UdpErrno | undefined {
  const { table, departure } = core;
  if (count > UDP_MAX_PAYLOAD_BYTES) return 'EMSGSIZE';
  const isConnected = (table.flags[socket]! & SocketFlag.connected) !== 0;
  if (remote === undefined) {
    if (!isConnected) return 'EDESTADDRREQ';
    departure.destination = table.remote[socket]! >>> 0;
    departure.destinationPort = table.remotePort[socket]!;
  } else {
    if (isConnected) return 'EISCONN';
    const address = ipv4OfWords(remote);
    if (address === undefined) return 'ENETUNREACH';
    departure.destination = address === ANY ? IPV4_LOOPBACK : address;
    departure.destinationPort = remotePort;
  }
  if (departure.destinationPort === 0) return 'EINVAL';
  const errno = chooseSource(core, socket);
  if (errno !== undefined) return errno;
  return enqueue(core, socket, bytes, from, count);
}

/** Checks the destination against the routes and fills in everything but the payload. */
function chooseSource(core: UdpCore, socket: number): UdpErrno | undefined {
  const { table, routes, departure } = core;
  const { destination } = departure;
  const stack = table.stack[socket]!;
  const errno = routes.errno(stack, destination);
  if (errno !== undefined) return errno;
  const isGroup = isIpv4Multicast(destination);
  const isBroadcast = !isGroup && routes.isBroadcast(stack, destination);
  if (isBroadcast && (table.flags[socket]! & SocketFlag.broadcast) === 0) return 'EACCES';
  const bound = table.local[socket]! >>> 0;
  // Bound to a group or broadcast address, which is for receiving, the socket sends from the interface's own.
  const isHost = bound !== ANY && routes.isLocal(stack, bound);
  const source = isHost ? bound : routes.source(stack, destination);
  // A host that has no address yet may ask for one by broadcast. RFC 1122 section 3.2.1.3 (a).
  if (source === ANY && !isBroadcast) return 'ENETUNREACH';
  // RFC 1122 section 3.2.1.3 (g): a loopback address must not appear outside of the host.
  if (isIpv4Loopback(source) && !routes.isLocal(stack, destination)) return 'EINVAL';
  const ipFields = table.ipFields[socket]!;
  departure.socket = socket;
  departure.stack = stack;
  departure.source = source;
  departure.sourcePort = table.localPort[socket]!;
  departure.trafficClass = ipFields >>> 16;
  departure.timeToLive = isGroup ? (ipFields >>> 8) & 0xff : ipFields & 0xff;
  return undefined;
}

function enqueue(core: UdpCore, socket: number, bytes: Uint8Array, from: number, count: number): UdpErrno | undefined {
  const { departure, routes, output } = core;
  const egress = routes.egress(departure.stack, departure.destination);
  const packets = packetsOf(count, egress === 0 ? 0 : routes.mtu(egress));
  if (!hasRoom(core, egress, packets)) {
    block(core, socket, egress);
    return 'EAGAIN';
  }
  departure.identification = routes.identification(departure.source, departure.destination, IpProtocol.udp);
  if (!output.push(departure, bytes, from, count)) return 'ENOBUFS';
  core.outputPackets += packets;
  if (output.count === 1) core.wake();
  return undefined;
}

/** Packets that a datagram becomes on a link: fragments carry multiples of 8 bytes. RFC 791 section 3.2. */
function packetsOf(payloadBytes: number, mtu: number): number {
  const bytes = UDP_HEADER_BYTES + payloadBytes;
  if (mtu === 0 || bytes + IPV4_MIN_HEADER_BYTES <= mtu) return 1;
  return Math.ceil(bytes / ((mtu - IPV4_MIN_HEADER_BYTES) & ~7));
}

/**
 * True if the datagram can leave with the next pass. One that is larger than all the room there ever is may go when
 * nothing else waits.
 */
function hasRoom(core: UdpCore, egress: number, packets: number): boolean {
  const { output, outputPackets, config, pool, routes } = core;
  if (output.isFull || pool.isLow) return false;
  const space = egress === 0 ? config.outputPackets : Math.min(config.outputPackets, routes.txSpace(egress));
  return outputPackets + packets <= space || (outputPackets === 0 && space > 0);
}

function block(core: UdpCore, socket: number, egress: number): void {
  const { table } = core;
  table.egress[socket] = egress;
  if ((table.flags[socket]! & SocketFlag.blocked) !== 0) return;
  table.flags[socket]! |= SocketFlag.blocked;
  core.blocked.push(socket);
  core.retryNs = core.clock.nowNs + RETRY_NS;
}

/** Tells the sockets that waited for room, once there is some. */
export function unblockSockets(core: UdpCore): void {
  if (core.blocked.length === 0) return;
  const { table } = core;
  const waiting: number[] = [];
  for (const socket of core.blocked) {
    // Closed in the meantime; the row may be another's by now.
    if ((table.flags[socket]! & SocketFlag.blocked) === 0) continue;
    if (!hasRoom(core, table.egress[socket]!, 1)) {
      waiting.push(socket);
      continue;
    }
    table.flags[socket]! &= ~SocketFlag.blocked;
    core.eventQueue.add(socket, UdpEvent.writable);
  }
  core.blocked = waiting;
  core.retryNs = waiting.length === 0 ? Infinity : core.clock.nowNs + RETRY_NS;
}
