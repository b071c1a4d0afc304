/**
 * The sender's view of what is in the network. Read RFC 6675 sections 2 to 4 first: IsLost, SetPipe, NextSeg.
 *
 * ```
 *   sndUna        ████        ████        ████              sndMax      █ acknowledged selectively
 *     │   hole     │   hole    │   hole    │    not known     │
 *     │◄──────── lost ────────►│  < lostEdge: three ranges, or more than two segments, lie above
 * ```
 * Everything is computed per range, not per byte: a hole is lost or not as a whole.
 */
import { seqGt, seqLt } from '../../base/seqnum.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

/** RFC 5681 section 3.2. */
export const DUPLICATE_ACK_THRESHOLD = 3;

/** Everything before it that is not acknowledged is lost, as IsLost() of RFC 6675 section 4 decides. SND.UNA when nothing is. */
export function lostEdge(tcp: TcpCore, connection: number): number {
  const { table, scoreboard } = tcp;
  const tooMuch = (DUPLICATE_ACK_THRESHOLD - 1) * table.mss[connection]!;
  const count = scoreboard.count[connection]!;
  let bytes = 0;
  for (let i = count - 1; i >= 0; i--) {
    bytes += (scoreboard.right(connection, i) - scoreboard.left(connection, i)) | 0;
    if (count - i >= DUPLICATE_ACK_THRESHOLD || bytes > tooMuch) return scoreboard.left(connection, i);
  }
  return table.sndUna[connection]!;
}

/** Bytes that are thought to be in the network: SetPipe() of RFC 6675 section 4. */
export function pipeBytes(tcp: TcpCore, connection: number): number {
  const { table, scoreboard } = tcp;
  const una = table.sndUna[connection]!;
  const count = scoreboard.count[connection]!;
  if (table.flags[connection]! & ConnectionFlag.loss || count === 0) return sentOnce(tcp, connection);
  const lost = lostEdge(tcp, connection);
  const rescued = table.highRxt[connection]!;
  let holeLeft = una;
  let pipe = 0;
  for (let i = 0; i < count; i++) {
    const holeRight = scoreboard.left(connection, i);
    if (seqGt(holeRight, lost)) pipe += (holeRight - holeLeft) | 0;
    if (seqGt(rescued, holeLeft)) pipe += ((seqLt(rescued, holeRight) ? rescued : holeRight) - holeLeft) | 0;
    holeLeft = scoreboard.right(connection, i);
  }
  return pipe + ((table.sndNxt[connection]! - holeLeft) | 0);
}

/** Without a scoreboard to judge by: all that was sent (again, after a timeout) and not acknowledged in any way. */
function sentOnce(tcp: TcpCore, connection: number): number {
  const { table, scoreboard } = tcp;
  const next = table.sndNxt[connection]!;
  let sent = (next - table.sndUna[connection]!) | 0;
  for (let i = 0; i < scoreboard.count[connection]!; i++) {
    const left = scoreboard.left(connection, i);
    if (!seqLt(left, next)) break;
    const right = scoreboard.right(connection, i);
    sent -= ((seqLt(right, next) ? right : next) - left) | 0;
  }
  return sent > 0 ? sent : 0;
}

/** First byte from `sequence` on that is not acknowledged selectively. */
export function skipSacked(tcp: TcpCore, connection: number, sequence: number): number {
  const range = tcp.scoreboard.find(connection, sequence);
  return range < 0 ? sequence : tcp.scoreboard.right(connection, range);
}

/** Where the hole that begins at `sequence` ends: the next range's left edge, or `limit`. */
export function holeEnd(tcp: TcpCore, connection: number, sequence: number, limit: number): number {
  const { scoreboard } = tcp;
  const index = scoreboard.indexAfter(connection, sequence);
  if (index === scoreboard.count[connection]) return limit;
  const left = scoreboard.left(connection, index);
  return seqLt(left, limit) ? left : limit;
}

/** Right edge of the highest range; SND.UNA when there is none. */
export function highestSacked(tcp: TcpCore, connection: number): number {
  const { table, scoreboard } = tcp;
  const count = scoreboard.count[connection]!;
  return count === 0 ? table.sndUna[connection]! : scoreboard.right(connection, count - 1);
}
