/**
 * A segment for a connection in SYN-RECEIVED or later. Read RFC 9293 section 3.10.7.4, RFC 5961 sections 3 to 5 and RFC 7323
 * section 5.3 first: the order of the checks here is theirs.
 */
import { seqAdd, seqDiff, seqGeq, seqGt, seqLeq, seqLt } from '../../base/seqnum.js';
import { TcpFlag } from '../../wire/tcp.js';
import { TcpOptionBit } from '../../wire/tcp-options.js';
import type { ErrnoName } from '../events.js';
import { processAck } from './ack.js';
import { challenge, challengeSyn } from './challenge.js';
import { completeHandshake } from './handshake.js';
import { failConnection } from './lifecycle.js';
import { receiveInOrder, receiveText } from './receive.js';
import type { Segment } from './segment.js';
import type { TcpCore } from './tcp-core.js';
import { TcpCounter } from './tcp-counters.js';
import { ConnectionFlag, TcpState, TcpTimer } from './tcp-state.js';

/** RFC 7323 section 5.5: a timestamp older than 24 days is no measure any more. */
const TS_RECENT_VALID_MS = 24 * 24 * 3_600_000;
const FAST_FLAGS = TcpFlag.syn | TcpFlag.fin | TcpFlag.rst | TcpFlag.urg | TcpFlag.ack;

/** Handles the segment. Returns true if the sender is to be answered with RST. */
export function segmentArrives(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const table = tcp.table;
  if (isExpected(tcp, connection, segment)) {
    takeExpected(tcp, connection, segment);
    return false;
  }
  if (table.state[connection] === TcpState.synReceived) takeSynOff(tcp, connection, segment);
  if (!isAcceptable(tcp, connection, segment)) return false;
  const flags = segment.flags;
  if (flags & TcpFlag.rst) {
    receiveReset(tcp, connection, segment);
    return false;
  }
  // RFC 5961 section 4.2: whatever the sequence number, a SYN is answered with a challenge.
  if (flags & TcpFlag.syn) {
    challenge(tcp, connection);
    return false;
  }
  if ((flags & TcpFlag.ack) === 0) return false;
  noteReceived(tcp, connection, segment);
  if (table.state[connection] === TcpState.synReceived) {
    // RFC 9293 section 3.10.7.4: SND.UNA < SEG.ACK =< SND.NXT, else RST.
    const isOurs = seqGt(segment.ack, table.sndUna[connection]!) && seqLeq(segment.ack, table.sndMax[connection]!);
    if (!isOurs) return true;
    if (!completeHandshake(tcp, connection, segment)) return false;
  }
  if (!processAck(tcp, connection, segment)) return false;
  const state = table.state[connection]!;
  if (state === TcpState.closed) return false;
  if (segment.length > 0 || flags & TcpFlag.fin) receiveText(tcp, connection, segment);
  return false;
}

/** Simultaneous open: the peer's SYN-ACK repeats the SYN that we know, and only its ACK is news. RFC 9293 section 3.5, figure 8. */
function takeSynOff(tcp: TcpCore, connection: number, segment: Segment): void {
  const { irs, sndMax } = tcp.table;
  const isSynAck = (segment.flags & (TcpFlag.syn | TcpFlag.ack)) === (TcpFlag.syn | TcpFlag.ack);
  if (!isSynAck || segment.seq !== irs[connection] || segment.ack !== sndMax[connection]) return;
  segment.flags &= ~TcpFlag.syn;
  segment.seq = seqAdd(segment.seq, 1);
  tcp.requestOutput(connection, ConnectionFlag.ackNow);
}

/** Header prediction: the next segment in order, or an ACK, of an established connection without gaps (Jacobson, 1990). */
function isExpected(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const table = tcp.table;
  if (
    table.state[connection] !== TcpState.established ||
    (segment.flags & FAST_FLAGS) !== TcpFlag.ack ||
    segment.seq !== table.rcvNxt[connection] ||
    segment.length > ((table.rcvAdv[connection]! - segment.seq) | 0) ||
    tcp.reassembly.count[connection] !== 0
  ) {
    return false;
  }
  const flags = table.flags[connection]!;
  if ((flags & (ConnectionFlag.held | ConnectionFlag.finSeen)) !== ConnectionFlag.held) return false;
  if ((flags & ConnectionFlag.timestamps) === 0) return true;
  const { present, tsVal } = segment.options;
  return (present & TcpOptionBit.timestamps) !== 0 && seqGeq(tsVal, table.tsRecent[connection]!);
}

function takeExpected(tcp: TcpCore, connection: number, segment: Segment): void {
  const table = tcp.table;
  tcp.counters[TcpCounter.fastPath]!++;
  noteReceived(tcp, connection, segment);
  if (!processAck(tcp, connection, segment)) return;
  if (segment.length > 0 && table.state[connection] !== TcpState.closed) {
    receiveInOrder(tcp, connection, segment, 0, segment.length);
  }
}

/** The peer lives, and this is its clock. RFC 7323 section 4.3: TS.Recent from the segment that the last ACK was for. */
function noteReceived(tcp: TcpCore, connection: number, segment: Segment): void {
  const table = tcp.table;
  const nowMs = tcp.clockMs();
  table.lastReceivedMs[connection] = nowMs;
  table.keepAliveSent[connection] = 0;
  if ((segment.options.present & TcpOptionBit.timestamps) === 0) return;
  if ((table.flags[connection]! & ConnectionFlag.timestamps) === 0) return;
  if (
    seqLeq(segment.seq, table.lastAckSent[connection]!) &&
    seqGeq(segment.options.tsVal, table.tsRecent[connection]!)
  ) {
    table.tsRecent[connection] = segment.options.tsVal;
    table.tsRecentMs[connection] = nowMs;
  }
}

/** First check: timestamps (RFC 7323 section 5.3, R1) and sequence number (RFC 9293 section 3.10.7.4). */
function isAcceptable(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const table = tcp.table;
  const isReset = (segment.flags & TcpFlag.rst) !== 0;
  if (table.flags[connection]! & ConnectionFlag.timestamps && !isReset) {
    if ((segment.options.present & TcpOptionBit.timestamps) === 0) {
      // RFC 7323 section 3.2: once negotiated, every segment but RST carries them.
      tcp.counters[TcpCounter.noTimestamp]!++;
      return false;
    }
    if (isOldTimestamp(tcp, connection, segment)) {
      tcp.counters[TcpCounter.oldTimestamp]!++;
      answerUnacceptable(tcp, connection, segment);
      return false;
    }
  }
  if (isInWindow(tcp, connection, segment)) return true;
  tcp.counters[TcpCounter.unacceptable]!++;
  if (!isReset) answerUnacceptable(tcp, connection, segment);
  return false;
}

/** Protection against wrapped sequence numbers. RFC 7323 section 5.3 (R1) and 5.5. */
function isOldTimestamp(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const table = tcp.table;
  if (!seqLt(segment.options.tsVal, table.tsRecent[connection]!)) return false;
  const ageMs = (tcp.clockMs() - table.tsRecentMs[connection]!) | 0;
  return ageMs >= 0 && ageMs < TS_RECENT_VALID_MS;
}

/** The four cases of RFC 9293 section 3.10.7.4 table 6. */
function isInWindow(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const table = tcp.table;
  const next = table.rcvNxt[connection]!;
  const window = seqDiff(table.rcvAdv[connection]!, next);
  const length = segment.length + (segment.flags & TcpFlag.fin) + ((segment.flags & TcpFlag.syn) >> 1);
  const first = seqDiff(segment.seq, next);
  if (length === 0) return window === 0 ? first === 0 : first >= 0 && first < window;
  const last = first + length - 1;
  if (window === 0 && segment.length > 0) {
    return first === 0 && (segment.flags & TcpFlag.rst) === 0 && leaveAck(tcp, connection, segment);
  }
  // A FIN alone needs no room.
  if (window === 0) return first === 0;
  return (first >= 0 && first < window) || (last >= 0 && last < window);
}

/** A zero window takes no data, but the acknowledgment counts, and the probe is answered. RFC 9293 section 3.10.7.4, MUST-66. */
function leaveAck(tcp: TcpCore, connection: number, segment: Segment): boolean {
  segment.length = 0;
  segment.flags &= ~TcpFlag.fin;
  tcp.requestOutput(connection, ConnectionFlag.ackNow);
  return true;
}

/** An old or foreign segment is answered with an ACK; those without data not too often, or two ends might go on for ever. */
function answerUnacceptable(tcp: TcpCore, connection: number, segment: Segment): void {
  const table = tcp.table;
  if (table.state[connection] === TcpState.synReceived && segment.flags & TcpFlag.syn) {
    // The peer has not got our SYN-ACK.
    if ((table.flags[connection]! & ConnectionFlag.deferred) === 0) challengeSyn(tcp, connection);
  } else if (segment.length > 0 || segment.flags & TcpFlag.fin) {
    // The peer's FIN once more: it has not got our ACK, and TIME-WAIT begins anew (RFC 9293 section 3.10.7.4, eighth).
    if (table.state[connection] === TcpState.timeWait) {
      tcp.startTimer(connection, TcpTimer.linger, tcp.config.timeWaitMs);
    }
    tcp.requestOutput(connection, ConnectionFlag.ackNow);
  } else {
    challenge(tcp, connection);
  }
}

/** RFC 5961 section 3.2: only the exact sequence number resets; what is merely in the window is challenged. */
function receiveReset(tcp: TcpCore, connection: number, segment: Segment): void {
  const table = tcp.table;
  tcp.counters[TcpCounter.resetsReceived]!++;
  // RFC 1337 section 3: a RST must not end TIME-WAIT.
  if (table.state[connection] === TcpState.timeWait) return;
  if (segment.seq !== table.rcvNxt[connection]) {
    challenge(tcp, connection);
    return;
  }
  failConnection(tcp, connection, resetError(table.state[connection]!));
}

/** What a reset means to the application. As on Linux, a peer that had closed already is one that nobody can write to. */
function resetError(state: number): ErrnoName {
  if (state === TcpState.synReceived) return 'ECONNREFUSED';
  return state === TcpState.closeWait ? 'EPIPE' : 'ECONNRESET';
}
