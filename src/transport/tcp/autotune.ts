/**
 * Lets the receive buffer grow with the path (dynamic right-sizing: Fisk and Feng, 2001): when more than half of the buffer
 * arrives in one round trip, and the application reads as fast, the buffer limits the sender and is doubled.
 */
import { seqDiff } from '../../base/seqnum.js';
import { TcpOptionBit } from '../../wire/tcp-options.js';
import { timestampNow } from './rtt.js';
import type { Segment } from './segment.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

const US_PER_MS = 1_000;
/** Timestamps of 1 ms cannot tell shorter round trips. */
const MIN_TIMESTAMP_RTT_MS = 2;

/** To be called for each segment with data in order. */
export function autotuneReceiveBuffer(tcp: TcpCore, connection: number, segment: Segment): void {
  const { table, fifos, config } = tcp;
  if (table.flags[connection]! & ConnectionFlag.fixedReceiveBuffer) return;
  const fifo = connection * 2;
  const limit = fifos.limit(fifo);
  if (limit >= config.maxReceiveBufferBytes) return;
  measureRtt(tcp, connection, segment);
  const nowUs = tcp.nowUs();
  const elapsedUs = (nowUs - table.rcvSpaceUs[connection]!) | 0;
  const rttUs = table.rcvRttUs[connection]!;
  if (rttUs === 0 || elapsedUs < rttUs) return;
  const received = seqDiff(table.rcvNxt[connection]!, table.rcvSpaceSeq[connection]!);
  table.rcvSpaceUs[connection] = nowUs;
  table.rcvSpaceSeq[connection] = table.rcvNxt[connection]!;
  // After a pause the count says nothing about one round trip.
  if (elapsedUs > 2 * rttUs || received <= limit >> 1 || fifos.readable(fifo) > limit >> 1) return;
  fifos.setLimit(fifo, Math.min(limit * 2, config.maxReceiveBufferBytes));
}

/** A receiver's view of the round trip: the handshake's, then from the echo of its own timestamps. */
function measureRtt(tcp: TcpCore, connection: number, segment: Segment): void {
  const table = tcp.table;
  if (table.rcvRttUs[connection] === 0) table.rcvRttUs[connection] = table.srttUs[connection]!;
  if ((segment.options.present & TcpOptionBit.timestamps) === 0 || segment.options.tsEcr === 0) return;
  const sampleMs = (timestampNow(tcp, connection) - segment.options.tsEcr) | 0;
  if (sampleMs < MIN_TIMESTAMP_RTT_MS || sampleMs > 60_000) return;
  const rtt = table.rcvRttUs[connection]!;
  table.rcvRttUs[connection] = Math.round(rtt + (sampleMs * US_PER_MS - rtt) / 8);
}
