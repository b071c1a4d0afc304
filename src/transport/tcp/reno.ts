/** Congestion avoidance as in RFC 5681 section 3.1, with bytes counted (RFC 3465 section 2.1). */
import type { TcpCore } from './tcp-core.js';

/** One segment per window of acknowledged bytes. */
export function renoAcked(tcp: TcpCore, connection: number, acked: number): void {
  const { cwnd, ackedBytes, mss } = tcp.table;
  const window = cwnd[connection]!;
  const bytes = ackedBytes[connection]! + acked;
  if (bytes < window) {
    ackedBytes[connection] = bytes;
  } else {
    ackedBytes[connection] = Math.min(bytes - window, window);
    cwnd[connection] = window + mss[connection]!;
  }
}

/** A congestion event: returns the new slow-start threshold. RFC 5681 section 3.1, equation (4). */
export function renoLoss(tcp: TcpCore, connection: number, flightBytes: number): number {
  tcp.table.ackedBytes[connection] = 0;
  return flightBytes >> 1;
}
