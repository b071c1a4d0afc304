/** When a new connection may take the place of one in TIME-WAIT. Read RFC 6191 section 2 and RFC 9293 section 3.6.1 first. */
import { seqGt } from '../../base/seqnum.js';
import { TcpFlag } from '../../wire/tcp.js';
import { TcpOptionBit } from '../../wire/tcp-options.js';
import { endConnection } from './lifecycle.js';
import type { Segment } from './segment.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

/** True if the segment opens a new connection that old segments cannot be mistaken for. */
export function isReusable(tcp: TcpCore, connection: number, segment: Segment): boolean {
  const table = tcp.table;
  if ((segment.flags & (TcpFlag.syn | TcpFlag.ack | TcpFlag.rst)) !== TcpFlag.syn) return false;
  const isBeyond = seqGt(segment.seq, table.rcvNxt[connection]!);
  const hadTimestamps = (table.flags[connection]! & ConnectionFlag.timestamps) !== 0;
  if (!hadTimestamps) return isBeyond;
  if ((segment.options.present & TcpOptionBit.timestamps) === 0) return isBeyond;
  const { tsVal } = segment.options;
  if (seqGt(tsVal, table.tsRecent[connection]!)) return true;
  return tsVal === table.tsRecent[connection] && isBeyond;
}

/** Ends a connection in TIME-WAIT for one with the same flow, whose numbers will begin behind the old ones. */
export function makeRoom(tcp: TcpCore, connection: number): void {
  tcp.issFloor = tcp.table.sndMax[connection]!;
  tcp.hasIssFloor = true;
  endConnection(tcp, connection);
}
