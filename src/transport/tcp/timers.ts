/** What happens when a timer of a connection expires. Read RFC 6298 section 5 and RFC 9293 sections 3.8.3, 3.8.4, 3.8.6.1 first. */
import { seqDiff } from '../../base/seqnum.js';
import { type ErrnoName, TRANSPORT_ERRORS } from '../events.js';
import { reduceThreshold } from './congestion.js';
import { endConnection, failConnection } from './lifecycle.js';
import { armRetransmission, patienceMs } from './retransmission-timer.js';
import { cancelTiming } from './rtt.js';
import { tellWritable } from './send-buffer.js';
import { rememberWindow } from './spurious.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TCP_TIMER_BITS, TcpState, TcpTimer } from './tcp-state.js';

/** Called by the timing wheel. */
export function timerExpired(tcp: TcpCore, timer: number): void {
  const connection = timer >> TCP_TIMER_BITS;
  const kind = timer & ((1 << TCP_TIMER_BITS) - 1);
  if (kind === TcpTimer.retransmit) retransmissionExpired(tcp, connection);
  else if (kind === TcpTimer.delayedAck) delayedAckExpired(tcp, connection);
  else if (kind === TcpTimer.keepAlive) keepAliveExpired(tcp, connection);
  else lingerExpired(tcp, connection);
}

/** The end of TIME-WAIT, or of FIN-WAIT-2 that nobody holds; else memory for the send FIFO may be there again. */
function lingerExpired(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  const state = table.state[connection]!;
  const isOrphan = (table.flags[connection]! & ConnectionFlag.held) === 0;
  if (state === TcpState.timeWait || (state === TcpState.finWait2 && isOrphan)) endConnection(tcp, connection);
  else tellWritable(tcp, connection);
}

function delayedAckExpired(tcp: TcpCore, connection: number): void {
  if (tcp.table.flags[connection]! & ConnectionFlag.ackDelayed) tcp.requestOutput(connection, ConnectionFlag.ackNow);
}

function retransmissionExpired(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  const nowMs = tcp.clockMs();
  const state = table.state[connection]!;
  if (table.backoff[connection] === 0 && state >= TcpState.established) table.stalledSinceMs[connection] = nowMs;
  if (((nowMs - table.stalledSinceMs[connection]!) | 0) >= patienceMs(tcp, connection)) {
    failConnection(tcp, connection, timeoutError(tcp, connection));
    return;
  }
  table.backoff[connection]!++;
  if (state === TcpState.synSent || state === TcpState.synReceived) retransmitSyn(tcp, connection);
  else if (table.flags[connection]! & ConnectionFlag.persist || table.sndWnd[connection] === 0)
    probeWindow(tcp, connection);
  else retransmitAfterTimeout(tcp, connection);
}

/** A soft error that was heard of meanwhile says more than the timeout. RFC 5461 section 2.2. */
function timeoutError(tcp: TcpCore, connection: number): ErrnoName {
  const soft = tcp.table.softError[connection]!;
  return soft === 0 ? 'ETIMEDOUT' : TRANSPORT_ERRORS[soft - 1]!;
}

function retransmitSyn(tcp: TcpCore, connection: number): void {
  tcp.table.retransmits[connection]!++;
  cancelTiming(tcp, connection);
  armRetransmission(tcp, connection);
  tcp.requestOutput(connection, ConnectionFlag.synNow);
}

/**
 * RFC 9293 section 3.8.6.1: the first byte that is not acknowledged goes out although the window is shut; the answer tells how large
 * the window is. `transmit` starts the timer again with a doubled time.
 */
function probeWindow(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  table.sndNxt[connection] = table.sndUna[connection]!;
  cancelTiming(tcp, connection);
  armRetransmission(tcp, connection);
  tcp.requestOutput(connection, ConnectionFlag.forceSend);
}

/** RFC 6298 (5.4) to (5.7), RFC 5681 section 3.1: one segment, then slow start from the first one that is missing. */
function retransmitAfterTimeout(tcp: TcpCore, connection: number): void {
  const { table, scoreboard } = tcp;
  const una = table.sndUna[connection]!;
  if ((table.flags[connection]! & ConnectionFlag.loss) === 0 || table.backoff[connection] === 1) {
    rememberWindow(tcp, connection);
    reduceThreshold(tcp, connection, seqDiff(table.sndMax[connection]!, una));
  }
  // A peer that has let go of what it acknowledged selectively (RFC 2018 section 8) would be waited for in vain.
  const isReneging = scoreboard.count[connection]! > 0 && scoreboard.left(connection, 0) === una;
  if (isReneging) scoreboard.clear(connection);
  table.recover[connection] = table.sndMax[connection]!;
  table.cwnd[connection] = table.mss[connection]!;
  table.sndNxt[connection] = una;
  table.highRxt[connection] = una;
  table.dupAcks[connection] = 0;
  table.flags[connection]! &= ~ConnectionFlag.recovery;
  cancelTiming(tcp, connection);
  armRetransmission(tcp, connection);
  tcp.requestOutput(connection, ConnectionFlag.loss | ConnectionFlag.retransmitFirst);
}

/** RFC 9293 section 3.8.4. */
function keepAliveExpired(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  const idleLimitMs = table.keepAliveMs[connection]!;
  const state = table.state[connection]!;
  if (idleLimitMs === 0 || state < TcpState.established || state === TcpState.timeWait) return;
  const idleMs = (tcp.clockMs() - table.lastReceivedMs[connection]!) | 0;
  const sent = table.keepAliveSent[connection]!;
  if (idleMs < idleLimitMs) {
    tcp.startTimer(connection, TcpTimer.keepAlive, idleLimitMs - idleMs);
    return;
  }
  if (sent >= table.keepAliveProbes[connection]!) {
    // The peer may still be there and only not hear us.
    tcp.requestOutput(connection, ConnectionFlag.resetNow);
    failConnection(tcp, connection, timeoutError(tcp, connection));
    return;
  }
  table.keepAliveSent[connection] = sent + 1;
  tcp.startTimer(connection, TcpTimer.keepAlive, table.keepAliveIntervalMs[connection]!);
  tcp.requestOutput(connection, ConnectionFlag.probeNow);
}
