/** The send FIFO as the application sees it: how much it holds, and when it has room again. */
import { TcpEvent } from './event-queue.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag } from './tcp-state.js';

/** True if there is so much room that a writer who waits should be told: a quarter of the buffer. */
export function hasRoomToTell(tcp: TcpCore, connection: number): boolean {
  const { fifos } = tcp;
  const fifo = connection * 2 + 1;
  return fifos.space(fifo) >= fifos.limit(fifo) >> 2;
}

/** Tells a writer who waits for room, if there is enough. */
export function tellWritable(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  if ((table.flags[connection]! & ConnectionFlag.wantWritable) === 0 || !hasRoomToTell(tcp, connection)) return;
  table.flags[connection]! &= ~ConnectionFlag.wantWritable;
  if (table.flags[connection]! & ConnectionFlag.held) tcp.eventQueue.add(connection, TcpEvent.writable);
}

/** The buffer holds twice what the path and the peer take, so that an ACK never finds it empty. */
export function growSendBuffer(tcp: TcpCore, connection: number): void {
  const { fifos, table, config } = tcp;
  if (table.flags[connection]! & ConnectionFlag.fixedSendBuffer) return;
  const fifo = connection * 2 + 1;
  const limit = fifos.limit(fifo);
  const wanted = 2 * Math.min(table.cwnd[connection]!, table.sndWnd[connection]!);
  if (wanted <= limit || limit >= config.maxSendBufferBytes) return;
  fifos.setLimit(fifo, Math.min(wanted, config.maxSendBufferBytes));
}
