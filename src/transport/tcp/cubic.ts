/**
 * CUBIC. Read RFC 9438 section 4 first. Windows are bytes here; C and the window W(t) count segments there.
 *
 * ```
 *   W(t) = C (t − K)³ + W_max         K = cbrt((W_max − cwnd) / C)
 * ```
 */
import type { TcpCore } from './tcp-core.js';

/** RFC 9438 section 5: C = 0.4 segments per cubic second; section 4.6: beta = 0.7. */
const C = 0.4;
const BETA = 0.7;
/** RFC 9438 section 4.3: additive increase that makes the estimate as fair as Reno. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
const MS_PER_S = 1_000;
/** The window moves when this part of it is acknowledged: often enough, and large enough to count in whole bytes. */
const STEPS_PER_WINDOW = 32;

/** Congestion avoidance: `acked` bytes were acknowledged. RFC 9438 sections 4.2 to 4.5. */
export function cubicAcked(tcp: TcpCore, connection: number, acked: number): void {
  const table = tcp.table;
  const cwnd = table.cwnd[connection]!;
  const bytes = table.ackedBytes[connection]! + acked;
  table.ackedBytes[connection] = bytes;
  if (bytes * STEPS_PER_WINDOW < cwnd) return;
  table.ackedBytes[connection] = 0;
  const nowMs = tcp.clockMs();
  if (table.cubicOrigin[connection] === 0) beginEpoch(tcp, connection, cwnd, nowMs);
  const mss = table.mss[connection]!;
  const friendly = table.cubicWEst[connection]! + Math.round((reno(table, connection, cwnd) * mss * bytes) / cwnd);
  table.cubicWEst[connection] = friendly;
  // W(t + RTT), at most half as large again as the window (section 4.2).
  const elapsedMs = (nowMs - table.cubicEpochMs[connection]! + table.srttUs[connection]! / 1_000) | 0;
  const t = (elapsedMs - table.cubicKMs[connection]!) / MS_PER_S;
  const target = Math.min(table.cubicOrigin[connection]! + C * t * t * t * mss, 1.5 * cwnd);
  if (friendly > target) table.cwnd[connection] = Math.max(cwnd, friendly);
  else if (target > cwnd) table.cwnd[connection] = cwnd + Math.round(((target - cwnd) * Math.min(bytes, cwnd)) / cwnd);
}

/** Section 4.3: once the estimate has reached the window before the reduction, it grows as Reno's does. */
function reno(table: TcpCore['table'], connection: number, cwnd: number): number {
  return table.cubicWEst[connection]! >= Math.max(table.cubicWMax[connection]!, cwnd) ? 1 : ALPHA;
}

function beginEpoch(tcp: TcpCore, connection: number, cwnd: number, nowMs: number): void {
  const table = tcp.table;
  const wMax = table.cubicWMax[connection]!;
  const mss = table.mss[connection]!;
  table.cubicEpochMs[connection] = nowMs;
  table.cubicWEst[connection] = cwnd;
  table.cubicKMs[connection] = wMax > cwnd ? Math.round(Math.cbrt((wMax - cwnd) / mss / C) * MS_PER_S) : 0;
  table.cubicOrigin[connection] = wMax > cwnd ? wMax : cwnd;
}

/** A congestion event with `flightBytes` in the network: returns the new slow-start threshold. Sections 4.6 and 4.7 (fast convergence). */
export function cubicLoss(tcp: TcpCore, connection: number, flightBytes: number): number {
  const table = tcp.table;
  const cwnd = table.cwnd[connection]!;
  const isShrinking = cwnd < table.cubicWMax[connection]!;
  table.cubicWMax[connection] = isShrinking ? Math.round((cwnd * (1 + BETA)) / 2) : cwnd;
  endEpoch(tcp, connection);
  return Math.round(flightBytes * BETA);
}

/** The next growth begins a new epoch: after a reduction, and after idle time (section 5.8). */
export function endEpoch(tcp: TcpCore, connection: number): void {
  tcp.table.cubicOrigin[connection] = 0;
  tcp.table.ackedBytes[connection] = 0;
}
