/**
 * The congestion window: slow start, avoidance by the configured algorithm, restart after idle time.
 * Read RFC 5681 sections 3.1 and 4.1, RFC 6928 and RFC 7661 section 4 first.
 */
import { cubicAcked, cubicLoss, endEpoch } from './cubic.js';
import { renoAcked, renoLoss } from './reno.js';
import type { TcpCore } from './tcp-core.js';

/** Far above any window a peer can offer (RFC 7323 section 2.3), and far below the end of int32. */
const MAX_CWND = 0x3fff_ffff;
const INITIAL_WINDOW_SEGMENTS = 10;
const INITIAL_WINDOW_BYTES = 14_600;

/** RFC 6928 section 2: min(10 * MSS, max(2 * MSS, 14600)). */
export function initialWindow(mss: number): number {
  return Math.min(INITIAL_WINDOW_SEGMENTS * mss, Math.max(2 * mss, INITIAL_WINDOW_BYTES));
}

/** `acked` bytes of new data were acknowledged, outside of recovery; `flight` bytes had been in the network. */
export function growWindow(tcp: TcpCore, connection: number, acked: number, flight: number): void {
  const { cwnd, ssthresh, mss } = tcp.table;
  const window = cwnd[connection]!;
  let rest = acked;
  if (window < ssthresh[connection]!) {
    // A window that is not used says nothing about the path: it grows to twice what was (RFC 7661 section 4.3).
    if (window >= 2 * flight) return;
    const step = Math.min(acked, ssthresh[connection]! - window);
    cwnd[connection] = Math.min(window + step, MAX_CWND);
    rest -= step;
  }
  if (rest === 0 || flight + 2 * mss[connection]! < window) return;
  if (tcp.config.congestionControl === 'cubic') cubicAcked(tcp, connection, rest);
  else renoAcked(tcp, connection, rest);
  if (cwnd[connection]! > MAX_CWND) cwnd[connection] = MAX_CWND;
}

/** A loss was noticed while `flight` bytes were in the network: sets and returns the slow-start threshold. RFC 5681 section 3.1. */
export function reduceThreshold(tcp: TcpCore, connection: number, flight: number): number {
  const { mss, ssthresh } = tcp.table;
  const isCubic = tcp.config.congestionControl === 'cubic';
  const reduced = isCubic ? cubicLoss(tcp, connection, flight) : renoLoss(tcp, connection, flight);
  ssthresh[connection] = Math.max(reduced, 2 * mss[connection]!);
  return ssthresh[connection]!;
}

/** After an idle time longer than the RTO the window says nothing any more. RFC 5681 section 4.1. */
export function restartAfterIdle(tcp: TcpCore, connection: number): void {
  const table = tcp.table;
  if (table.sndUna[connection] !== table.sndMax[connection]) return;
  if (((tcp.clockMs() - table.lastSentMs[connection]!) | 0) <= table.rtoMs[connection]!) return;
  const initial = initialWindow(table.mss[connection]!);
  if (table.cwnd[connection]! <= initial) return;
  table.cwnd[connection] = initial;
  endEpoch(tcp, connection);
}
