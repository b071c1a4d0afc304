/**
 * Round-trip time and retransmission timeout. Read RFC 6298 sections 2 and 3, and RFC 7323 section 4 first.
 *
 * One segment per round trip is timed in microseconds; while segments are being retransmitted, timestamps give a sample
 * that is sure to belong to the acknowledged transmission (RFC 7323 section 4.1, in place of Karn's algorithm).
 */
import { seqGeq } from '../../base/seqnum.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

/** Clock granularity G of RFC 6298: the timing wheel's. */
const GRANULARITY_US = 1_000;
const US_PER_MS = 1_000;
/** A timestamp this old is none of ours. */
const MAX_SAMPLE_US = 600_000_000;

/** RFC 6298 section 2, (2.1) to (2.5). */
export function updateRtt(tcp: TcpCore, connection: number, sampleUs: number): void {
  const { srttUs, rttvarUs, rtoMs } = tcp.table;
  const sample = sampleUs < 1 ? 1 : sampleUs;
  if (sample > MAX_SAMPLE_US) return;
  const srtt = srttUs[connection]!;
  if (srtt === 0) {
    srttUs[connection] = sample;
    rttvarUs[connection] = sample >> 1;
  } else {
    const error = sample > srtt ? sample - srtt : srtt - sample;
    rttvarUs[connection] = Math.round(0.75 * rttvarUs[connection]! + 0.25 * error);
    srttUs[connection] = Math.max(1, Math.round(0.875 * srtt + 0.125 * sample));
  }
  const timeoutUs = srttUs[connection]! + Math.max(GRANULARITY_US, 4 * rttvarUs[connection]!);
  rtoMs[connection] = clampRto(tcp, Math.ceil(timeoutUs / US_PER_MS));
}

/** The timeout after `backoff` doublings. RFC 6298 (5.5). */
export function backedOffRtoMs(tcp: TcpCore, connection: number): number {
  const { rtoMs, backoff } = tcp.table;
  return clampRto(tcp, rtoMs[connection]! * 2 ** Math.min(backoff[connection]!, 16));
}

function clampRto(tcp: TcpCore, ms: number): number {
  const { minRtoMs, maxRtoMs } = tcp.config;
  return ms < minRtoMs ? minRtoMs : ms > maxRtoMs ? maxRtoMs : ms;
}

/** Begins to time the round trip of a segment that starts at `seq`, unless another is being timed. */
export function startTiming(tcp: TcpCore, connection: number, seq: number): void {
  const table = tcp.table;
  if (table.flags[connection]! & ConnectionFlag.timing) return;
  table.flags[connection]! |= ConnectionFlag.timing;
  table.rttSeq[connection] = seq;
  table.rttStartUs[connection] = tcp.nowUs();
}

/** Karn's algorithm: a retransmission makes the measurement ambiguous. RFC 6298 section 3. */
export function cancelTiming(tcp: TcpCore, connection: number): void {
  tcp.table.flags[connection]! &= ~ConnectionFlag.timing;
}

/** Takes a sample if the acknowledgment of new data gives one. `hasTimestamp`: the segment carried `tsEcr`. */
export function sampleRtt(tcp: TcpCore, connection: number, ack: number, hasTimestamp: boolean, tsEcr: number): void {
  const table = tcp.table;
  if (table.flags[connection]! & ConnectionFlag.timing) {
    if (seqGeq(table.rttSeq[connection]!, ack)) return;
    table.flags[connection]! &= ~ConnectionFlag.timing;
    updateRtt(tcp, connection, (tcp.nowUs() - table.rttStartUs[connection]!) | 0);
    tcp.routes.confirmReachable(table.stack[connection]!, table.remote3[connection]! >>> 0);
  } else if (hasTimestamp && tsEcr !== 0 && isRetransmitting(tcp, connection)) {
    const elapsedMs = (timestampNow(tcp, connection) - tsEcr) | 0;
    if (elapsedMs >= 0) updateRtt(tcp, connection, elapsedMs * US_PER_MS);
  }
}

function isRetransmitting(tcp: TcpCore, connection: number): boolean {
  const { flags, backoff } = tcp.table;
  return (flags[connection]! & (ConnectionFlag.recovery | ConnectionFlag.loss)) !== 0 || backoff[connection]! > 0;
}

/** TSval: milliseconds with an offset of the connection's own. RFC 7323 section 5.4. */
export function timestampNow(tcp: TcpCore, connection: number): number {
  return (tcp.clockMs() + tcp.table.tsOffset[connection]!) | 0;
}
