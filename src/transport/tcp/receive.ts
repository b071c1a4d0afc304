/**
 * The data and the FIN of a segment. Read RFC 9293 section 3.10.7.4 (seventh and eighth), RFC 5681 section 4.2 (when to
 * acknowledge) and RFC 9293 section 3.8.6.3 (delayed ACK) first.
 *
 * Data is copied straight into the receive FIFO, at its place behind the readable bytes; what lies behind a gap is noted
 * in `reassembly` and becomes readable when the gap is closed.
 */
import { seqAdd, seqDiff, seqGt } from '../../base/seqnum.js';
import { PacketFlag } from '../../mem/packet-pool.js';
import { NO_SLOT } from '../../mem/slot.js';
import { TcpFlag } from '../../wire/tcp.js';
import { autotuneReceiveBuffer } from './autotune.js';
import { TcpEvent } from './event-queue.js';
import { enterTimeWait, resetConnection } from './lifecycle.js';
import { announcedMss } from './path.js';
import { noteRecentRange } from './sack-receiver.js';
import type { Segment } from './segment.js';
import type { TcpCore } from './tcp-core.js';
import { TcpCounter } from './tcp-counters.js';
import { ConnectionFlag, TcpState, TcpTimer } from './tcp-state.js';

/** Most duplicate ACKs owed to a peer without SACK at a time. */
const MAX_OWED_ACKS = 16;

/** Takes data and FIN of an acceptable segment. */
export function receiveText(tcp: TcpCore, connection: number, segment: Segment): void {
  const table = tcp.table;
  if (table.flags[connection]! & ConnectionFlag.finReceived) {
    // Nothing can follow the peer's FIN; this is an old segment once more.
    tcp.requestOutput(connection, ConnectionFlag.ackNow);
    return;
  }
  const next = table.rcvNxt[connection]!;
  const skip = Math.max(seqDiff(next, segment.seq), 0);
  const edge = table.rcvAdv[connection]!;
  const end = seqAdd(segment.seq, segment.length);
  let length = segment.length;
  if (seqGt(end, edge)) length = seqDiff(edge, segment.seq);
  else if (segment.flags & TcpFlag.fin) noteFin(tcp, connection, end);
  if (length > skip) {
    if ((table.flags[connection]! & ConnectionFlag.held) === 0) {
      // Data for an application that is gone. RFC 9293 section 3.6.1, RFC 1122 section 4.2.2.13.
      resetConnection(tcp, connection);
      return;
    }
    const ahead = Math.max(seqDiff(segment.seq, next), 0);
    if (ahead === 0) receiveInOrder(tcp, connection, segment, skip, length - skip);
    else receiveAhead(tcp, connection, segment, ahead, length);
  } else if (segment.length > 0) {
    // All of it is there already: the peer has not seen our acknowledgment. RFC 9293 section 3.10.7.4.
    tcp.requestOutput(connection, ConnectionFlag.ackNow);
  }
  if (table.flags[connection]! & ConnectionFlag.finSeen && table.finSeq[connection] === table.rcvNxt[connection]) {
    receiveFin(tcp, connection);
  }
}

/** `count` bytes from the payload's byte `skip` on are the next ones. */
export function receiveInOrder(tcp: TcpCore, connection: number, segment: Segment, skip: number, count: number): void {
  const { table, fifos, reassembly } = tcp;
  const fifo = connection * 2;
  let taken = copyPayload(tcp, fifo, segment, skip, count, 0);
  if (taken < count) tcp.counters[TcpCounter.noMemory]!++;
  if (taken === 0) return;
  const hadGap = reassembly.count[connection] !== 0;
  if (hadGap) taken = closeGap(tcp, connection, taken);
  fifos.commit(fifo, taken);
  table.rcvNxt[connection] = (table.rcvNxt[connection]! + taken) | 0;
  tcp.eventQueue.add(connection, TcpEvent.readable);
  noteSegmentSize(tcp, connection, segment);
  autotuneReceiveBuffer(tcp, connection, segment);
  if (hadGap || isAckDue(tcp, connection)) tcp.requestOutput(connection, ConnectionFlag.ackNow);
  else delayAck(tcp, connection);
}

/**
 * Every second full-sized segment at least is acknowledged at once (RFC 5681 section 4.2), and what leaves the peer no
 * window for two more.
 */
function isAckDue(tcp: TcpCore, connection: number): boolean {
  const { rcvNxt, lastAckSent, rcvAdv, rcvMss } = tcp.table;
  const twoSegments = 2 * rcvMss[connection]!;
  const next = rcvNxt[connection]!;
  return seqDiff(next, lastAckSent[connection]!) >= twoSegments || seqDiff(rcvAdv[connection]!, next) < twoSegments;
}

/** `taken` bytes are new in order: returns how many are, with those that had arrived before. */
function closeGap(tcp: TcpCore, connection: number, taken: number): number {
  const { table, reassembly } = tcp;
  const end = seqAdd(table.rcvNxt[connection]!, taken);
  reassembly.trim(connection, end);
  if (reassembly.count[connection] === 0 || reassembly.left(connection, 0) !== end) return taken;
  const right = reassembly.right(connection, 0);
  reassembly.trim(connection, right);
  return taken + seqDiff(right, end);
}

/** Data behind a gap of `ahead` bytes. Each such segment is acknowledged at once: RFC 5681 section 4.2. */
function receiveAhead(tcp: TcpCore, connection: number, segment: Segment, ahead: number, count: number): void {
  const { table, reassembly } = tcp;
  tcp.counters[TcpCounter.outOfOrder]!++;
  const taken = copyPayload(tcp, connection * 2, segment, 0, count, ahead);
  if (taken > 0) {
    if (reassembly.add(connection, segment.seq, seqAdd(segment.seq, taken))) {
      noteRecentRange(tcp, connection, segment.seq);
    } else {
      tcp.counters[TcpCounter.outOfOrderOverflow]!++;
    }
  }
  const isSack = (table.flags[connection]! & ConnectionFlag.sack) !== 0;
  if (!isSack && table.dupAcksOwed[connection]! < MAX_OWED_ACKS) table.dupAcksOwed[connection]!++;
  tcp.requestOutput(connection, ConnectionFlag.ackNow);
}

/** Copies payload from byte `skip` on to `ahead` bytes behind the FIFO's tail; returns how many bytes there was room for. */
function copyPayload(tcp: TcpCore, fifo: number, segment: Segment, skip: number, count: number, ahead: number): number {
  const { pool, fifos } = tcp;
  let slot = segment.slot;
  let at = segment.at + segment.headerBytes;
  let piece = pool.head[slot]! + pool.length[slot]! - at;
  let left = skip;
  while (left >= piece) {
    left -= piece;
    slot = pool.next[slot]!;
    if (slot === NO_SLOT) return 0;
    at = pool.head[slot]!;
    piece = pool.length[slot]!;
  }
  at += left;
  piece -= left;
  let done = 0;
  for (;;) {
    const wanted = count - done < piece ? count - done : piece;
    const taken = fifos.place(fifo, ahead + done, at, wanted);
    done += taken;
    if (taken < wanted || done === count) return done;
    slot = pool.next[slot]!;
    if (slot === NO_SLOT) return done;
    at = pool.head[slot]!;
    piece = pool.length[slot]!;
  }
}

/** The peer's segment size is the largest payload seen; of a super-segment, that of its pieces. RFC 5681 section 4.2. */
function noteSegmentSize(tcp: TcpCore, connection: number, segment: Segment): void {
  const { pool, table } = tcp;
  const isSuper = (pool.flags[segment.slot]! & PacketFlag.gso) !== 0;
  const size = isSuper ? pool.gsoSize[segment.slot]! : segment.length;
  if (size <= table.rcvMss[connection]!) return;
  table.rcvMss[connection] = Math.min(size, announcedMss(tcp, connection));
}

/** RFC 9293 section 3.8.6.3. */
function delayAck(tcp: TcpCore, connection: number): void {
  const table = tcp.table;
  table.flags[connection]! |= ConnectionFlag.ackDelayed;
  if (!tcp.isTimerRunning(connection, TcpTimer.delayedAck)) {
    tcp.startTimer(connection, TcpTimer.delayedAck, tcp.config.delayedAckMs);
  }
}

function noteFin(tcp: TcpCore, connection: number, sequence: number): void {
  const table = tcp.table;
  if (table.flags[connection]! & ConnectionFlag.finSeen) return;
  table.flags[connection]! |= ConnectionFlag.finSeen;
  table.finSeq[connection] = sequence;
  if (sequence !== table.rcvNxt[connection]) tcp.requestOutput(connection, ConnectionFlag.ackNow);
}

/** RFC 9293 section 3.10.7.4, eighth: all data before the FIN is there. */
function receiveFin(tcp: TcpCore, connection: number): void {
  const table = tcp.table;
  table.rcvNxt[connection] = (table.rcvNxt[connection]! + 1) | 0;
  if (seqGt(table.rcvNxt[connection]!, table.rcvAdv[connection]!)) table.rcvAdv[connection] = table.rcvNxt[connection]!;
  table.flags[connection]! |= ConnectionFlag.finReceived;
  tcp.requestOutput(connection, ConnectionFlag.ackNow);
  if (table.flags[connection]! & ConnectionFlag.held) tcp.eventQueue.add(connection, TcpEvent.peerClosed);
  const state = table.state[connection]!;
  if (state === TcpState.established) table.state[connection] = TcpState.closeWait;
  else if (state === TcpState.finWait1) table.state[connection] = TcpState.closing;
  else if (state === TcpState.finWait2) enterTimeWait(tcp, connection);
}
