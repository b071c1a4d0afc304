/**
 * The three-way handshake: SYN-SENT, what a SYN says, and the ACK that completes it. Listeners: listen.ts.
 * Read RFC 9293 sections 3.5 and 3.10.7.3, RFC 7323 sections 2.2 and 3.2 first.
 */
import { seqAdd, seqGt, seqLeq } from '../../base/seqnum.js';
import { TcpFlag } from '../../wire/tcp.js';
import { TCP_DEFAULT_MSS_IPV4, TcpOptionBit } from '../../wire/tcp-options.js';
import { initialWindow } from './congestion.js';
import { TcpEvent } from './event-queue.js';
import { initialSequence, timestampOffset } from './isn.js';
import { failConnection } from './lifecycle.js';
import { announcedMss, refreshPath, updateMss } from './path.js';
import { windowScaleFor } from './receive-window.js';
import { armRetransmission, stopRetransmission } from './retransmission-timer.js';
import { sampleRtt, startTiming } from './rtt.js';
import type { Segment } from './segment.js';
import type { TcpCore } from './tcp-core.js';
import { TcpCounter } from './tcp-counters.js';
import { ConnectionFlag, TcpState } from './tcp-state.js';
import { NO_LISTENER } from './tcp-table.js';

/** A flow that was used before goes on beyond all that may still be on its way. RFC 9293 section 3.6.1. */
const ISS_GAP = 65_536;

/** Options that we offer in a SYN. */
export const OFFERED_OPTIONS = ConnectionFlag.sack | ConnectionFlag.timestamps | ConnectionFlag.windowScale;

/** Begins to send SYN or SYN-ACK. */
export function startSyn(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  const iss = table.iss[connection]!;
  table.sndUna[connection] = iss;
  table.sndNxt[connection] = seqAdd(iss, 1);
  table.sndMax[connection] = seqAdd(iss, 1);
  table.sndSmall[connection] = iss;
  table.stalledSinceMs[connection] = tcp.clockMs();
  startTiming(tcp, connection, iss);
  armRetransmission(tcp, connection);
  tcp.requestOutput(connection, ConnectionFlag.synNow);
}

/** Numbers of a connection that is being made. RFC 6528; RFC 7323 section 5.4. */
export function chooseIss(tcp: TcpCore, connection: number): void {
  const sequence = initialSequence(tcp, connection);
  const isBehind = tcp.hasIssFloor && seqLeq(sequence, tcp.issFloor);
  tcp.table.iss[connection] = isBehind ? seqAdd(tcp.issFloor, ISS_GAP) : sequence;
  tcp.hasIssFloor = false;
  const { namespace, local3, remote3 } = tcp.table;
  tcp.table.tsOffset[connection] = timestampOffset(
    tcp,
    namespace[connection]!,
    local3[connection]!,
    remote3[connection]!,
  );
  tcp.table.rcvScale[connection] = windowScaleFor(tcp.config.maxReceiveBufferBytes);
}

/** Takes over what the peer's SYN says; options count only if both ends have them. `offered`: ours. */
export function takeSyn(tcp: TcpCore, connection: number, segment: Segment, offered: number): void {
  const { table } = tcp;
  const { options } = segment;
  table.irs[connection] = segment.seq;
  table.rcvNxt[connection] = seqAdd(segment.seq, 1);
  table.rcvAdv[connection] = table.rcvNxt[connection]!;
  table.lastAckSent[connection] = table.rcvNxt[connection]!;
  table.rcvSpaceSeq[connection] = table.rcvNxt[connection]!;
  let agreed = 0;
  if (options.present & TcpOptionBit.timestamps) {
    agreed |= ConnectionFlag.timestamps;
    table.tsRecent[connection] = options.tsVal;
    table.tsRecentMs[connection] = tcp.clockMs();
  }
  if (options.present & TcpOptionBit.sackPermitted) agreed |= ConnectionFlag.sack;
  if (options.present & TcpOptionBit.windowScale) agreed |= ConnectionFlag.windowScale;
  agreed &= offered;
  table.sndScale[connection] = agreed & ConnectionFlag.windowScale ? options.windowScale : 0;
  table.flags[connection] = (table.flags[connection]! & ~OFFERED_OPTIONS) | agreed;
  table.peerMss[connection] = options.present & TcpOptionBit.mss ? options.mss : TCP_DEFAULT_MSS_IPV4;
  table.sndWnd[connection] = segment.window;
  table.maxSndWnd[connection] = segment.window;
  table.sndWl1[connection] = segment.seq;
  table.sndWl2[connection] = segment.ack;
}

/** Window scale counts from the handshake's end on; the congestion window begins. */
function establish(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  // What the application has asked for meanwhile: RFC 9293 section 3.10.4, SYN-RECEIVED.
  const isClosing = (table.flags[connection]! & ConnectionFlag.finQueued) !== 0;
  table.state[connection] = isClosing ? TcpState.finWait1 : TcpState.established;
  if ((table.flags[connection]! & ConnectionFlag.windowScale) === 0) table.rcvScale[connection] = 0;
  refreshPath(tcp, connection);
  updateMss(tcp, connection);
  const mss = table.mss[connection]!;
  table.rcvMss[connection] = Math.min(TCP_DEFAULT_MSS_IPV4, announcedMss(tcp, connection));
  // RFC 5681 section 3.1: a lost SYN lets the window begin with one segment.
  table.cwnd[connection] = table.retransmits[connection]! > 0 ? mss : initialWindow(mss);
  table.ssthresh[connection] = 0x3fff_ffff;
  table.recover[connection] = table.iss[connection]!;
  table.highRxt[connection] = table.iss[connection]!;
  table.rcvSpaceUs[connection] = tcp.nowUs();
  table.lastSentMs[connection] = tcp.clockMs();
  tcp.output.push(connection);
}

/** The ACK of our SYN in SYN-RECEIVED. Returns false when the segment is to be dropped: the accept queue is full. */
export function completeHandshake(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const { table, listeners } = tcp;
  const listener = table.listener[connection]!;
  if (table.flags[connection]! & ConnectionFlag.deferred) return false;
  if (listener !== NO_LISTENER) {
    if (listeners.acceptQueued[listener]! >= listeners.backlog[listener]!) {
      tcp.counters[TcpCounter.acceptOverflow]!++;
      return false;
    }
    listeners.halfOpen[listener]!--;
    listeners.acceptQueued[listener]!++;
    table.flags[connection]! |= ConnectionFlag.acceptQueued | ConnectionFlag.held;
    tcp.eventQueue.add(connection, TcpEvent.accepted);
  } else {
    tcp.eventQueue.add(connection, TcpEvent.connected);
  }
  synAcknowledged(tcp, connection, segment);
  return true;
}

/** Our SYN is acknowledged: the first round trip is measured. */
function synAcknowledged(tcp: TcpCore, connection: number, segment: Segment): void {
  const { table } = tcp;
  const iss = table.iss[connection]!;
  table.sndUna[connection] = seqAdd(iss, 1);
  sampleRtt(tcp, connection, segment.ack, false, 0);
  table.backoff[connection] = 0;
  table.sndWnd[connection] = segment.window * (segment.flags & TcpFlag.syn ? 1 : 1 << table.sndScale[connection]!);
  table.maxSndWnd[connection] = Math.max(table.maxSndWnd[connection]!, table.sndWnd[connection]!);
  table.sndWl1[connection] = segment.seq;
  table.sndWl2[connection] = segment.ack;
  stopRetransmission(tcp, connection);
  establish(tcp, connection);
}

/** A segment in SYN-SENT: RFC 9293 section 3.10.7.3. Returns true if it is to be answered with RST. */
export function synSentInput(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const { table } = tcp;
  const flags = segment.flags;
  const hasAck = (flags & TcpFlag.ack) !== 0;
  if (hasAck) {
    const isOurs = seqGt(segment.ack, table.iss[connection]!) && seqLeq(segment.ack, table.sndMax[connection]!);
    if (!isOurs) return (flags & TcpFlag.rst) === 0;
  }
  if (flags & TcpFlag.rst) {
    // Without an acceptable ACK anyone could have sent it.
    if (hasAck) failConnection(tcp, connection, 'ECONNREFUSED');
    return false;
  }
  if ((flags & TcpFlag.syn) === 0) return false;
  takeSyn(tcp, connection, segment, table.flags[connection]! & OFFERED_OPTIONS);
  table.lastReceivedMs[connection] = tcp.clockMs();
  if (hasAck) {
    synAcknowledged(tcp, connection, segment);
    tcp.eventQueue.add(connection, TcpEvent.connected);
    tcp.requestOutput(connection, ConnectionFlag.ackNow);
    return false;
  }
  // Both ends have sent SYN: RFC 9293 section 3.5, figure 8.
  table.state[connection] = TcpState.synReceived;
  tcp.requestOutput(connection, ConnectionFlag.synNow);
  return false;
}
