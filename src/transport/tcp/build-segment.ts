/**
 * Builds packets: IPv4 header, TCP header, options, and payload copied from the send FIFO. The checksum is left to the
 * interface (PacketFlag.checksumPartial).
 *
 * ```
 *   first slot:  headroom │ IPv4 │ TCP │ options │ payload …      following slots: payload from their first byte on
 * ```
 */
import { PacketFlag } from '../../mem/packet-pool.js';
import { NO_SLOT } from '../../mem/slot.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { IPV4_MIN_HEADER_BYTES, Ipv4Flag, writeIpv4 } from '../../wire/ipv4.js';
import { TCP_MIN_HEADER_BYTES, TcpFlag, writeTcp } from '../../wire/tcp.js';
import {
  tcpSackBlocksThatFit,
  writeTcpMss,
  writeTcpSack,
  writeTcpSackPermitted,
  writeTcpTimestamps,
  writeTcpWindowScale,
} from '../../wire/tcp-options.js';
import { announcedMss } from './path.js';
import { takeSynWindow, takeWindow } from './receive-window.js';
import { timestampNow } from './rtt.js';
import { collectSackBlocks } from './sack-receiver.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TcpState } from './tcp-state.js';

/**
 * A segment of an established connection: `length` bytes of the send FIFO from `seq` on. Carries the current acknowledgment and window.
 * Returns its slot, or NO_SLOT when the pool is empty.
 */
export function buildSegment(tcp: TcpCore, connection: number, seq: number, length: number, flags: number): number {
  const { pool, table } = tcp;
  const slot = pool.take();
  if (slot === NO_SLOT) return NO_SLOT;
  const ip = pool.head[slot]!;
  const at = ip + IPV4_MIN_HEADER_BYTES;
  const headerBytes = TCP_MIN_HEADER_BYTES + writeOptions(tcp, connection, at + TCP_MIN_HEADER_BYTES, length);
  const ports = table.ports[connection]!;
  const ack = table.rcvNxt[connection]!;
  const window = takeWindow(tcp, connection);
  writeTcp(pool.view, at, ports >>> 16, ports & 0xffff, seq, ack, headerBytes, flags | TcpFlag.ack, window);
  finishHeaders(tcp, connection, slot, ip, headerBytes, length);
  if (length > 0 && !appendPayload(tcp, connection, slot, seq, length)) return NO_SLOT;
  acknowledged(tcp, connection, ack);
  return slot;
}

/** SYN or SYN-ACK with all options. RFC 9293 section 3.7.1, RFC 7323 sections 2.2 and 3.2, RFC 2018 section 2. */
export function buildSyn(tcp: TcpCore, connection: number): number {
  const { pool, table } = tcp;
  const slot = pool.take();
  if (slot === NO_SLOT) return NO_SLOT;
  const ip = pool.head[slot]!;
  const at = ip + IPV4_MIN_HEADER_BYTES;
  const isReply = table.state[connection] === TcpState.synReceived;
  const connectionFlags = table.flags[connection]!;
  let option = at + TCP_MIN_HEADER_BYTES;
  option += writeTcpMss(pool.view, option, announcedMss(tcp, connection));
  if (connectionFlags & ConnectionFlag.sack) option += writeTcpSackPermitted(pool.view, option);
  if (connectionFlags & ConnectionFlag.timestamps) option += writeTimestamps(tcp, connection, option);
  if (connectionFlags & ConnectionFlag.windowScale) {
    option += writeTcpWindowScale(pool.view, option, table.rcvScale[connection]!);
  }
  const ports = table.ports[connection]!;
  const ack = isReply ? table.rcvNxt[connection]! : 0;
  const flags = isReply ? TcpFlag.syn | TcpFlag.ack : TcpFlag.syn;
  const window = takeSynWindow(tcp, connection);
  writeTcp(pool.view, at, ports >>> 16, ports & 0xffff, table.iss[connection]!, ack, option - at, flags, window);
  finishHeaders(tcp, connection, slot, ip, option - at, 0);
  if (isReply) acknowledged(tcp, connection, ack);
  return slot;
}

/** RST of a connection that is being aborted. RFC 9293 section 3.10.5. */
export function buildReset(tcp: TcpCore, connection: number): number {
  const { pool, table } = tcp;
  const slot = pool.take();
  if (slot === NO_SLOT) return NO_SLOT;
  const ip = pool.head[slot]!;
  const ports = table.ports[connection]!;
  writeTcp(
    pool.view,
    ip + IPV4_MIN_HEADER_BYTES,
    ports >>> 16,
    ports & 0xffff,
    table.sndMax[connection]!,
    table.rcvNxt[connection]!,
    TCP_MIN_HEADER_BYTES,
    TcpFlag.rst | TcpFlag.ack,
    0,
  );
  finishHeaders(tcp, connection, slot, ip, TCP_MIN_HEADER_BYTES, 0);
  return slot;
}

/** Timestamps in each segment (RFC 7323 section 3.2); SACK blocks while there is data out of order (RFC 2018 section 4). */
function writeOptions(tcp: TcpCore, connection: number, at: number, payload: number): number {
  const flags = tcp.table.flags[connection]!;
  let bytes = 0;
  if (flags & ConnectionFlag.timestamps) bytes += writeTimestamps(tcp, connection, at);
  // Full-sized segments leave no room for SACK blocks.
  if (payload > 0 || (flags & ConnectionFlag.sack) === 0 || tcp.reassembly.count[connection] === 0) return bytes;
  const count = collectSackBlocks(tcp, connection, tcp.sackEdges, tcpSackBlocksThatFit(bytes));
  return bytes + writeTcpSack(tcp.pool.view, at + bytes, tcp.sackEdges, count);
}

function writeTimestamps(tcp: TcpCore, connection: number, at: number): number {
  return writeTcpTimestamps(tcp.pool.view, at, timestampNow(tcp, connection), tcp.table.tsRecent[connection]!);
}

function finishHeaders(
  tcp: TcpCore,
  connection: number,
  slot: number,
  ip: number,
  headerBytes: number,
  length: number,
): void {
  const { pool, table } = tcp;
  const ipFields = table.ipFields[connection]!;
  const bytes = IPV4_MIN_HEADER_BYTES + headerBytes;
  writeIpv4(
    pool.view,
    ip,
    ipFields >>> 8,
    bytes + length,
    0,
    Ipv4Flag.dontFragment,
    ipFields & 0xff,
    IpProtocol.tcp,
    table.local3[connection]!,
    table.remote3[connection]!,
  );
  pool.network[slot] = ip;
  pool.transport[slot] = ip + IPV4_MIN_HEADER_BYTES;
  pool.length[slot] = bytes;
  pool.totalLength[slot] = bytes + length;
  pool.stack[slot] = table.stack[connection]!;
  pool.flags[slot] = PacketFlag.checksumPartial;
}

/** Copies the payload behind the headers and into as many further slots as it takes. On failure everything goes back to the pool. */
function appendPayload(tcp: TcpCore, connection: number, first: number, seq: number, length: number): boolean {
  const { pool, fifos, table } = tcp;
  const fifo = connection * 2 + 1;
  const mss = table.mss[connection]!;
  if (length > mss) {
    pool.flags[first]! |= PacketFlag.gsoTcp4;
    pool.gsoSize[first] = mss;
  }
  let offset = (seq - table.sndUna[connection]!) | 0;
  let left = length;
  let slot = first;
  let at = pool.head[slot]! + pool.length[slot]!;
  for (;;) {
    const room = pool.dataEnd(slot) - at;
    const piece = left < room ? left : room;
    fifos.peek(fifo, offset, at, piece);
    pool.length[slot]! += piece;
    left -= piece;
    if (left === 0) return true;
    offset += piece;
    const following = pool.take();
    if (following === NO_SLOT) {
      pool.give(first);
      return false;
    }
    pool.next[slot] = following;
    slot = following;
    at = pool.slotStart(slot);
    pool.head[slot] = at;
  }
}

/** Every segment acknowledges: what was owed is paid. RFC 9293 section 3.8.6.3. */
function acknowledged(tcp: TcpCore, connection: number, ack: number): void {
  const table = tcp.table;
  table.lastAckSent[connection] = ack;
  table.flags[connection]! &= ~(ConnectionFlag.ackNow | ConnectionFlag.ackDelayed);
}
