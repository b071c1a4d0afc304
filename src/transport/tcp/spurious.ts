/**
 * Retransmissions that were not needed: the segment had only come late. Read RFC 3522 section 3 (the Eifel detection algorithm) and
 * RFC 4015 section 3 (its response) first.
 *
 * The first acknowledgment after a retransmission echoes the timestamp of the segment that caused it: is it older than the
 * retransmission, then the original has arrived, and nothing was lost.
 */
import { seqDiff, seqLt } from '../../base/seqnum.js';
import { TcpOptionBit } from '../../wire/tcp-options.js';
import { initialWindow } from './congestion.js';
import { timestampNow } from './rtt.js';
import type { Segment } from './segment.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

/** To be called when something is about to be retransmitted, before the window is reduced. RFC 4015 section 3.2 (0), RFC 3522 (1), (2). */
export function rememberWindow(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  if ((table.flags[connection]! & ConnectionFlag.timestamps) === 0) return;
  const flight = seqDiff(table.sndMax[connection]!, table.sndUna[connection]!);
  table.priorWindow[connection] = Math.max(flight, table.ssthresh[connection]!);
  table.retransmitTs[connection] = timestampNow(tcp, connection);
  table.flags[connection]! |= ConnectionFlag.undoable;
}

/**
 * To be called with the first acknowledgment of new data after a retransmission. Returns true if the retransmission was
 * not needed: then the window is as it was, and recovery is over.
 */
export function undoIfSpurious(tcp: TcpCore, connection: number, segment: Segment, acked: number): boolean {
  const { table } = tcp;
  if ((table.flags[connection]! & ConnectionFlag.undoable) === 0) return false;
  table.flags[connection]! &= ~ConnectionFlag.undoable;
  const { present, tsEcr } = segment.options;
  const hasEcho = (present & TcpOptionBit.timestamps) !== 0 && tsEcr !== 0;
  if (!hasEcho || !seqLt(tsEcr, table.retransmitTs[connection]!)) return false;
  const { recovery, loss, retransmitFirst } = ConnectionFlag;
  table.flags[connection]! &= ~(recovery | loss | retransmitFirst);
  table.sndNxt[connection] = table.sndMax[connection]!;
  table.ssthresh[connection] = table.priorWindow[connection]!;
  // RFC 4015 section 3.2 (6): what is in the network, and a small burst.
  const flight = seqDiff(table.sndMax[connection]!, table.sndUna[connection]!);
  table.cwnd[connection] = flight + Math.min(acked, initialWindow(table.mss[connection]!));
  return true;
}
