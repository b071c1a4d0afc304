/**
 * The acknowledgment of a segment. Read RFC 9293 section 3.10.7.4 (fifth, check the ACK field), RFC 5961 section 5, RFC 5681
 * section 2 (what a duplicate ACK is) and RFC 2018 section 5 first.
 */
import { seqDiff, seqGt, seqLeq, seqLt } from '../../base/seqnum.js';
import { TcpFlag } from '../../wire/tcp.js';
import { TcpOptionBit } from '../../wire/tcp-options.js';
import { challenge } from './challenge.js';
import { growWindow } from './congestion.js';
import { endConnection, enterTimeWait, tellClosed } from './lifecycle.js';
import { hasUnsent } from './next-segment.js';
import { duplicateAck, recoveryAck } from './recovery.js';
import { armRetransmission, stopRetransmission } from './retransmission-timer.js';
import { sampleRtt } from './rtt.js';
import type { Segment } from './segment.js';
import { growSendBuffer, tellWritable } from './send-buffer.js';
import { undoIfSpurious } from './spurious.js';
import type { TcpCore } from './tcp-core.js';
import { TcpCounter } from './tcp-counters.js';
import { ConnectionFlag, TcpState, TcpTimer } from './tcp-state.js';

/** Takes the acknowledgment in. Returns false when the segment is to be dropped. */
export function processAck(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const table = tcp.table;
  const una = table.sndUna[connection]!;
  const ack = segment.ack;
  // Something not yet sent, or something older than any window: RFC 9293 section 3.10.7.4, RFC 5961 section 5.2.
  if (seqGt(ack, table.sndMax[connection]!) || seqLt(ack, (una - table.maxSndWnd[connection]!) | 0)) {
    tcp.counters[TcpCounter.badAck]!++;
    challenge(tcp, connection);
    return false;
  }
  const windowBefore = table.sndWnd[connection]!;
  if (seqLeq(una, ack)) updateSendWindow(tcp, connection, segment);
  const acked = seqDiff(ack, una);
  const hasSack = (segment.options.present & TcpOptionBit.sack) !== 0;
  const sackedBefore = hasSack || tcp.scoreboard.count[connection]! > 0 ? tcp.scoreboard.bytes(connection) : 0;
  if (hasSack && table.flags[connection]! & ConnectionFlag.sack) addSackBlocks(tcp, connection, segment);
  if (acked > 0) newAck(tcp, connection, segment, acked, sackedBefore);
  else if (acked === 0) sameAck(tcp, connection, segment, sackedBefore, windowBefore);
  return true;
}

/** RFC 9293 section 3.10.7.4: SND.WND, unless the segment is older than the one it was last taken from. */
function updateSendWindow(tcp: TcpCore, connection: number, segment: Segment): void {
  const table = tcp.table;
  const wl1 = table.sndWl1[connection]!;
  const isNewer = seqLt(wl1, segment.seq) || (wl1 === segment.seq && seqLeq(table.sndWl2[connection]!, segment.ack));
  if (!isNewer) return;
  const before = table.sndWnd[connection]!;
  const window = segment.window * (1 << table.sndScale[connection]!);
  table.sndWl1[connection] = segment.seq;
  table.sndWl2[connection] = segment.ack;
  if (window === before) return;
  table.sndWnd[connection] = window;
  if (window > table.maxSndWnd[connection]!) table.maxSndWnd[connection] = window;
  if (window > 0 && (before === 0 || table.flags[connection]! & ConnectionFlag.persist))
    stopPersisting(tcp, connection);
  tcp.output.push(connection);
}

/** The window is open: what waited may go, a probe that was not taken included, and is timed as usual again. */
function stopPersisting(tcp: TcpCore, connection: number): void {
  const table = tcp.table;
  stopRetransmission(tcp, connection);
  table.backoff[connection] = 0;
  table.sndNxt[connection] = table.sndUna[connection]!;
}

/** Enters the blocks into the scoreboard, but for those that make no sense or are already acknowledged (RFC 2883). */
function addSackBlocks(tcp: TcpCore, connection: number, segment: Segment): void {
  const { table, scoreboard } = tcp;
  const floor = seqGt(segment.ack, table.sndUna[connection]!) ? segment.ack : table.sndUna[connection]!;
  const edges = segment.options.sackEdges;
  for (let i = 0; i < segment.options.sackCount; i++) {
    const left = edges[i * 2]!;
    const right = edges[i * 2 + 1]!;
    if (seqLeq(left, floor) || seqLeq(right, left) || seqGt(right, table.sndMax[connection]!)) continue;
    scoreboard.add(connection, left, right);
  }
}

function newAck(tcp: TcpCore, connection: number, segment: Segment, acked: number, sackedBefore: number): void {
  const { table, fifos, scoreboard } = tcp;
  const ack = segment.ack;
  const flight = seqDiff(table.sndMax[connection]!, table.sndUna[connection]!);
  const fifo = connection * 2 + 1;
  const readable = fifos.readable(fifo);
  const bytes = acked < readable ? acked : readable;
  if (bytes > 0) fifos.drop(fifo, bytes);
  table.sndUna[connection] = ack;
  if (seqLt(table.sndNxt[connection]!, ack)) table.sndNxt[connection] = ack;
  const hasTimestamp = (segment.options.present & TcpOptionBit.timestamps) !== 0;
  sampleRtt(tcp, connection, ack, hasTimestamp, segment.options.tsEcr);
  table.backoff[connection] = 0;
  let delivered = acked;
  if (scoreboard.count[connection]! > 0) {
    const before = sackedBefore;
    scoreboard.trim(connection, ack);
    delivered = Math.max(0, acked + scoreboard.bytes(connection) - before);
  }
  table.dupAcks[connection] = 0;
  if (!undoIfSpurious(tcp, connection, segment, acked)) advanceCongestion(tcp, connection, acked, delivered, flight);
  if (ack === table.sndMax[connection]) stopRetransmission(tcp, connection);
  else armRetransmission(tcp, connection);
  if (table.flags[connection]! & ConnectionFlag.wantWritable) tellWritable(tcp, connection);
  growSendBuffer(tcp, connection);
  if (acked > readable) finAcknowledged(tcp, connection);
  else if (hasUnsent(tcp, connection) || table.sndUna[connection] !== table.sndMax[connection]) {
    tcp.output.push(connection);
  }
}

function advanceCongestion(tcp: TcpCore, connection: number, acked: number, delivered: number, flight: number): void {
  const { table, scoreboard } = tcp;
  const flags = table.flags[connection]!;
  if (flags & ConnectionFlag.recovery) {
    recoveryAck(tcp, connection, acked, delivered);
    return;
  }
  if (flags & ConnectionFlag.loss) {
    // Slow start after a timeout goes on until all is acknowledged that had been sent before it.
    if (!seqLt(table.sndUna[connection]!, table.recover[connection]!)) table.flags[connection]! &= ~ConnectionFlag.loss;
    growWindow(tcp, connection, acked, Math.max(flight, table.cwnd[connection]!));
    return;
  }
  // Holes that are left are no sign of a window that works.
  if (scoreboard.count[connection] === 0) growWindow(tcp, connection, acked, flight);
}

/** An acknowledgment that says nothing new in order; perhaps it is a duplicate. RFC 5681 section 2, RFC 6675 section 2. */
function sameAck(tcp: TcpCore, connection: number, segment: Segment, sackedBefore: number, windowBefore: number): void {
  const table = tcp.table;
  if (table.sndUna[connection] === table.sndMax[connection]) return;
  if (windowBefore === 0) {
    // The answer to a probe shows that the peer lives: probing may go on for ever (RFC 9293 section 3.8.6.1). What may go unanswered is
    // the next probe. Nobody waits for a connection without an application: its time runs on.
    if ((table.flags[connection]! & ConnectionFlag.held) === 0) return;
    table.stalledSinceMs[connection] = tcp.deadlineMs(connection, TcpTimer.retransmit) | 0;
    return;
  }
  if (table.flags[connection]! & ConnectionFlag.sack) {
    const delivered = tcp.scoreboard.count[connection]! > 0 ? tcp.scoreboard.bytes(connection) - sackedBefore : 0;
    if (delivered > 0) duplicateAck(tcp, connection, delivered);
    return;
  }
  const isDuplicate =
    segment.length === 0 &&
    (segment.flags & (TcpFlag.syn | TcpFlag.fin)) === 0 &&
    table.sndWnd[connection] === windowBefore;
  if (isDuplicate) duplicateAck(tcp, connection, table.mss[connection]!);
}

/** RFC 9293 section 3.10.7.4: FIN-WAIT-1, CLOSING, LAST-ACK. */
function finAcknowledged(tcp: TcpCore, connection: number): void {
  const table = tcp.table;
  const state = table.state[connection]!;
  if (state === TcpState.finWait1) {
    table.state[connection] = TcpState.finWait2;
    if ((table.flags[connection]! & ConnectionFlag.held) === 0) {
      tcp.startTimer(connection, TcpTimer.linger, tcp.config.finWait2Ms);
    }
  } else if (state === TcpState.closing) {
    enterTimeWait(tcp, connection);
  } else if (state === TcpState.lastAck) {
    tellClosed(tcp, connection);
    endConnection(tcp, connection);
  }
}
