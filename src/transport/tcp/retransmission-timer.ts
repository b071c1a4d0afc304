/** When the retransmission timer runs and what its expiry does. Read RFC 6298 section 5 and RFC 9293 section 3.8.6.1 first. */
import { backedOffRtoMs } from './rtt.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TcpTimer } from './tcp-state.js';

/** (5.1), (5.3): starts the timer anew. */
export function armRetransmission(tcp: TcpCore, connection: number): void {
  tcp.table.flags[connection]! &= ~ConnectionFlag.persist;
  tcp.startTimer(connection, TcpTimer.retransmit, backedOffRtoMs(tcp, connection));
}

/** (5.2): all is acknowledged. */
export function stopRetransmission(tcp: TcpCore, connection: number): void {
  tcp.table.flags[connection]! &= ~ConnectionFlag.persist;
  tcp.stopTimer(connection, TcpTimer.retransmit);
}

/** There is data, nothing is in the network, and the window is shut: probe when the timer expires. */
export function armPersist(tcp: TcpCore, connection: number): void {
  if (tcp.table.flags[connection]! & ConnectionFlag.persist) return;
  tcp.table.flags[connection]! |= ConnectionFlag.persist;
  tcp.startTimer(connection, TcpTimer.retransmit, backedOffRtoMs(tcp, connection));
}
