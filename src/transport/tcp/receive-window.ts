/**
 * The window that is offered to the peer. Read RFC 9293 section 3.8.6.2.2 (silly window avoidance of the receiver) and
 * RFC 7323 section 2 first.
 *
 * ```
 *        bytes the application has not read         window
 *   ────┼──────────────────────────────────┼──────────────────────┼──── sequence numbers
 *                                        rcvNxt                 rcvAdv   the right edge never moves left
 * ```
 */
import type { TcpCore } from './tcp-core.js';

const MAX_UNSCALED = 0xffff;

/** Shift with which the largest receive buffer can be offered. RFC 7323 section 2.3. */
export function windowScaleFor(bytes: number): number {
  let shift = 0;
  while (shift < 14 && bytes >> (shift + 1) >= 0x8000) shift++;
  return shift;
}

/**
 * The window field of the next segment; moves `rcvAdv`. The edge that was promised is kept, but for what the scale cannot express
 * (RFC 7323 section 2.4); it moves on by no less than a segment or half the buffer (RFC 9293 section 3.8.6.2.2). A remainder that
 * the scale turns into 0 is no promise any more: else each probe of the peer would bring a byte of it.
 */
export function takeWindow(tcp: TcpCore, connection: number): number {
  const table = tcp.table;
  const next = table.rcvNxt[connection]!;
  const promised = (table.rcvAdv[connection]! - next) | 0;
  const scale = table.rcvScale[connection]!;
  const space = windowSpace(tcp, connection);
  let window = promised > 0 ? promised : 0;
  if (space - window >= worthwhile(tcp, connection)) window = space;
  let field = (window + (1 << scale) - 1) >> scale;
  if (field * (1 << scale) > space) field = window >> scale;
  const edge = (next + field * (1 << scale)) | 0;
  if (field === 0 || ((edge - table.rcvAdv[connection]!) | 0) > 0) table.rcvAdv[connection] = edge;
  return field;
}

/** The window as it may be written into a SYN: never scaled. RFC 7323 section 2.2. */
export function takeSynWindow(tcp: TcpCore, connection: number): number {
  const window = Math.min(tcp.fifos.space(connection * 2), MAX_UNSCALED);
  tcp.table.rcvAdv[connection] = (tcp.table.rcvNxt[connection]! + window) | 0;
  return window;
}

/** True if the window would open by so much that the peer should be told at once. */
export function isWindowUpdateDue(tcp: TcpCore, connection: number): boolean {
  const table = tcp.table;
  const promised = (table.rcvAdv[connection]! - table.rcvNxt[connection]!) | 0;
  const space = windowSpace(tcp, connection);
  const limit = tcp.fifos.limit(connection * 2);
  const mss = table.rcvMss[connection]!;
  const growth = space - promised;
  // An open window is not worth a segment of its own before it has grown by a quarter of the buffer.
  return growth >= worthwhile(tcp, connection) && (promised < 2 * mss || growth >= limit >> 2);
}

/** RFC 9293 section 3.8.6.2.2: min(Fr * RCV.BUFF, Eff.snd.MSS) with Fr = 1/2. */
function worthwhile(tcp: TcpCore, connection: number): number {
  return Math.min(tcp.fifos.limit(connection * 2) >> 1, tcp.table.rcvMss[connection]!);
}

/** Room in the receive FIFO, as far as a window can express it. */
function windowSpace(tcp: TcpCore, connection: number): number {
  const space = tcp.fifos.space(connection * 2);
  const most = MAX_UNSCALED * (1 << tcp.table.rcvScale[connection]!);
  return space < most ? space : most;
}
