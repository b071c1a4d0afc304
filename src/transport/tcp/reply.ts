/**
 * Answers to segments that belong to no connection, or to one that never was. Read RFC 9293 section 3.10.7.1 first.
 *
 * The answer is written over the packet that caused it: no memory is needed, and there are never more answers than packets.
 */
import { seqAdd } from '../../base/seqnum.js';
import { PacketFlag } from '../../mem/packet-pool.js';
import { NO_SLOT } from '../../mem/slot.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { IPV4_DEFAULT_TTL, IPV4_MIN_HEADER_BYTES, Ipv4Flag, writeIpv4 } from '../../wire/ipv4.js';
import { TCP_MIN_HEADER_BYTES, TcpFlag, tcpFlagsSequenceLength, writeTcp } from '../../wire/tcp.js';
import type { Segment } from './segment.js';
import type { TcpCore } from './tcp-core.js';
import { TcpCounter } from './tcp-counters.js';

/** What becomes of a packet that was handled. */
export const Reply = {
  /** It is given back. */
  none: 0,
  /** Its sender is to be answered with RST. */
  reset: 1,
  /** It has been turned into the answer. */
  answer: 2,
} as const;

/** Turns the segment's packet into a RST to its sender. Returns false if none is due: the segment is a RST itself. */
export function turnIntoReset(tcp: TcpCore, segment: Segment): boolean {
  if (segment.flags & TcpFlag.rst) return false;
  const hasAck = (segment.flags & TcpFlag.ack) !== 0;
  const sequenceLength = segment.length + tcpFlagsSequenceLength(segment.flags);
  const seq = hasAck ? segment.ack : 0;
  const ack = hasAck ? 0 : seqAdd(segment.seq, sequenceLength);
  const flags = hasAck ? TcpFlag.rst : TcpFlag.rst | TcpFlag.ack;
  tcp.counters[TcpCounter.resetsSent]!++;
  turnInto(tcp, segment, seq, ack, flags, 0, 0);
  return true;
}

/** Writes both headers of an answer without data over the packet of `segment`. The caller writes the `optionBytes` behind them. */
export function turnInto(
  tcp: TcpCore,
  segment: Segment,
  seq: number,
  ack: number,
  flags: number,
  window: number,
  optionBytes: number,
): void {
  const { pool } = tcp;
  const slot = segment.slot;
  const rest = pool.next[slot]!;
  if (rest !== NO_SLOT) {
    pool.next[slot] = NO_SLOT;
    pool.give(rest);
  }
  const ip = pool.dataStart(slot);
  const at = ip + IPV4_MIN_HEADER_BYTES;
  const headerBytes = TCP_MIN_HEADER_BYTES + optionBytes;
  const bytes = IPV4_MIN_HEADER_BYTES + headerBytes;
  writeTcp(pool.view, at, segment.destinationPort, segment.sourcePort, seq, ack, headerBytes, flags, window);
  writeIpv4(
    pool.view,
    ip,
    0,
    bytes,
    0,
    Ipv4Flag.dontFragment,
    IPV4_DEFAULT_TTL,
    IpProtocol.tcp,
    segment.destination,
    segment.source,
  );
  pool.head[slot] = ip;
  pool.length[slot] = bytes;
  pool.totalLength[slot] = bytes;
  pool.network[slot] = ip;
  pool.transport[slot] = at;
  pool.rxInterface[slot] = 0;
  pool.flowHash[slot] = 0;
  pool.gsoSize[slot] = 0;
  pool.flags[slot] = PacketFlag.checksumPartial;
}
