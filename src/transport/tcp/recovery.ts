/**
 * Fast retransmit and fast recovery: with SACK as in RFC 6675 section 5, the window held by proportional rate reduction (RFC 6937
 * section 3); without SACK as in RFC 6582 section 3.2 (NewReno).
 */
import { seqDiff, seqGeq, seqGt, seqLeq, seqLt } from '../../base/seqnum.js';
import { reduceThreshold } from './congestion.js';
import { armRetransmission } from './retransmission-timer.js';
import { cancelTiming } from './rtt.js';
import { DUPLICATE_ACK_THRESHOLD, lostEdge, pipeBytes } from './scoreboard.js';
import { rememberWindow } from './spurious.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

/** A duplicate ACK has come; with SACK one that brought news. `delivered`: bytes it acknowledged selectively. */
export function duplicateAck(tcp: TcpCore, connection: number, delivered: number): void {
  const table = tcp.table;
  const flags = table.flags[connection]!;
  table.dupAcks[connection]!++;
  if (flags & ConnectionFlag.recovery) {
    if (flags & ConnectionFlag.sack) reduceProportionally(tcp, connection, delivered);
    // RFC 6582 section 3.2, step 3: a segment has left the network.
    else table.cwnd[connection]! += table.mss[connection]!;
  } else if (isLossNoticed(tcp, connection)) {
    enterRecovery(tcp, connection, delivered);
  }
  tcp.output.push(connection);
}

function isLossNoticed(tcp: TcpCore, connection: number): boolean {
  const table = tcp.table;
  const una = table.sndUna[connection]!;
  // What was sent before a timeout may still cause duplicates: RFC 6582 section 3.2 step 1, RFC 6675 section 5.1.
  if (table.flags[connection]! & ConnectionFlag.loss && seqLt(una, table.recover[connection]!)) return false;
  if (table.dupAcks[connection]! >= DUPLICATE_ACK_THRESHOLD) return true;
  return seqGt(lostEdge(tcp, connection), una);
}

function enterRecovery(tcp: TcpCore, connection: number, delivered: number): void {
  const table = tcp.table;
  const una = table.sndUna[connection]!;
  const flight = seqDiff(table.sndMax[connection]!, una);
  // Holes beyond the last recovery's end may be repaired already: the first one is retransmitted only if it was not.
  const isRepaired = seqGt(table.highRxt[connection]!, una);
  if (!isRepaired) table.highRxt[connection] = una;
  table.recover[connection] = table.sndMax[connection]!;
  table.recoverFs[connection] = flight;
  table.prrDelivered[connection] = 0;
  table.prrOut[connection] = 0;
  table.flags[connection]! &= ~(ConnectionFlag.rescued | ConnectionFlag.loss | ConnectionFlag.undoable);
  if (!isRepaired) rememberWindow(tcp, connection);
  const threshold = reduceThreshold(tcp, connection, flight);
  table.flags[connection]! |= ConnectionFlag.recovery | (isRepaired ? 0 : ConnectionFlag.retransmitFirst);
  // After a timeout SND.NXT may stand behind; recovery counts from the highest byte sent.
  table.sndNxt[connection] = table.sndMax[connection]!;
  cancelTiming(tcp, connection);
  if (table.flags[connection]! & ConnectionFlag.sack) reduceProportionally(tcp, connection, delivered);
  else table.cwnd[connection] = threshold + DUPLICATE_ACK_THRESHOLD * table.mss[connection]!;
  armRetransmission(tcp, connection);
}

/** RFC 6937 section 3: what is sent is proportional to what was delivered, and ends at the threshold. */
function reduceProportionally(tcp: TcpCore, connection: number, delivered: number): void {
  const table = tcp.table;
  const threshold = table.ssthresh[connection]!;
  table.prrDelivered[connection]! += delivered;
  const pipe = pipeBytes(tcp, connection);
  const total = table.prrDelivered[connection]!;
  const out = table.prrOut[connection]!;
  let count: number;
  if (pipe > threshold) {
    count = Math.ceil((total * threshold) / Math.max(table.recoverFs[connection]!, 1)) - out;
  } else {
    // Slow start part (PRR-SSRB).
    const limit = Math.max(total - out, delivered) + table.mss[connection]!;
    count = Math.min(threshold - pipe, limit);
  }
  table.cwnd[connection] = pipe + Math.max(count, 0);
}

/**
 * New data was acknowledged during recovery: `acked` bytes in order, `delivered` in all. Ends recovery when all that was sent
 * before it is acknowledged.
 */
export function recoveryAck(tcp: TcpCore, connection: number, acked: number, delivered: number): void {
  const table = tcp.table;
  const una = table.sndUna[connection]!;
  const isSack = (table.flags[connection]! & ConnectionFlag.sack) !== 0;
  if (seqGeq(una, table.recover[connection]!)) {
    const flight = seqDiff(table.sndMax[connection]!, una);
    const mss = table.mss[connection]!;
    const threshold = table.ssthresh[connection]!;
    // RFC 6582 section 3.2 step 3, full acknowledgment (1): no burst.
    table.cwnd[connection] = isSack ? threshold : Math.min(threshold, Math.max(flight, mss) + mss);
    table.flags[connection]! &= ~(ConnectionFlag.recovery | ConnectionFlag.retransmitFirst);
  } else if (isSack) {
    if (seqLeq(table.highRxt[connection]!, una)) table.highRxt[connection] = una;
    reduceProportionally(tcp, connection, delivered);
  } else {
    // RFC 6582 section 3.2 step 3, partial acknowledgment: the next hole begins here; deflate by what was acknowledged.
    const mss = table.mss[connection]!;
    table.cwnd[connection] = Math.max(table.cwnd[connection]! - acked + (acked >= mss ? mss : 0), mss);
    table.flags[connection]! |= ConnectionFlag.retransmitFirst;
  }
}
