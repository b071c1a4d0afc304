/**
 * The way packets of a connection take: egress interface, its limits, and the segment size that follows.
 * RFC 9293 section 3.7.1, RFC 6691, RFC 1191.
 */
import { IPV4_MIN_HEADER_BYTES } from '../../wire/ipv4.js';
import { TCP_MIN_HEADER_BYTES } from '../../wire/tcp.js';
import { TCP_ALIGNED_TIMESTAMPS_BYTES } from '../../wire/tcp-options.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

export const IPV4_AND_TCP_HEADER_BYTES = IPV4_MIN_HEADER_BYTES + TCP_MIN_HEADER_BYTES;
/** Largest IPv4 packet; also of a super-segment. */
const MAX_PACKET_BYTES = 65_535;
/** A peer that announces less would make us send mostly headers. */
const MIN_PEER_MSS = 64;
/** Used when there is no route (any more): packets will find out. RFC 9293 section 3.7.1, MUST-15. */
const DEFAULT_MTU = 576;

/** Asks for the route again if routes have changed since. Returns the egress interface, or 0 when there is none. */
export function refreshPath(tcp: TcpCore, connection: number): number {
  const { table, routes } = tcp;
  if (table.routeGeneration[connection] !== routes.generation) {
    const stack = table.stack[connection]!;
    const remote = table.remote3[connection]! >>> 0;
    table.routeGeneration[connection] = routes.generation;
    table.egress[connection] = routes.egress(stack, remote);
    table.pathMtu[connection] = routes.pathMtu(stack, remote);
    updateMss(tcp, connection);
  }
  return table.egress[connection]!;
}

/** Bytes of the largest packet on the connection's path. */
function pathMtu(tcp: TcpCore, connection: number): number {
  const mtu = tcp.table.pathMtu[connection]!;
  return mtu === 0 ? DEFAULT_MTU : Math.min(mtu, MAX_PACKET_BYTES);
}

/** What we announce in SYN: the interface's MTU without headers; the path's MTU does not count. RFC 6691 section 2. */
export function announcedMss(tcp: TcpCore, connection: number): number {
  return mssOfInterface(tcp, tcp.table.egress[connection]!);
}

/** The same for an interface; 0: none. */
export function mssOfInterface(tcp: TcpCore, egress: number): number {
  const mtu = egress === 0 ? DEFAULT_MTU : Math.min(tcp.routes.mtu(egress), MAX_PACKET_BYTES);
  return mtu - IPV4_AND_TCP_HEADER_BYTES;
}

/** Computes Eff.snd.MSS: what the peer takes, what the path carries, less the options of each segment. RFC 9293 section 3.7.1. */
export function updateMss(tcp: TcpCore, connection: number): void {
  const table = tcp.table;
  const peer = Math.max(table.peerMss[connection]!, MIN_PEER_MSS);
  const path = Math.max(pathMtu(tcp, connection) - IPV4_AND_TCP_HEADER_BYTES, MIN_PEER_MSS);
  const options = table.flags[connection]! & ConnectionFlag.timestamps ? TCP_ALIGNED_TIMESTAMPS_BYTES : 0;
  table.mss[connection] = Math.min(peer, path) - options;
}

/** Most payload bytes of one packet: a multiple of the segment size up to 64 KiB where the interface takes super-segments. */
export function maxPayload(tcp: TcpCore, connection: number): number {
  const mss = tcp.table.mss[connection]!;
  if (!tcp.routes.hasGso(tcp.table.egress[connection]!)) return mss;
  const room = MAX_PACKET_BYTES - IPV4_AND_TCP_HEADER_BYTES - TCP_ALIGNED_TIMESTAMPS_BYTES;
  return mss >= room ? mss : Math.floor(room / mss) * mss;
}
