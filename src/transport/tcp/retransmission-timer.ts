/** When the retransmission timer runs and what its expiry does. Read RFC 6298 section 5 and RFC 9293 section 3.8.6.1 first. */
import { backedOffRtoMs } from './rtt.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TcpState, TcpTimer } from './tcp-state.js';

/** (5.1), (5.3): starts the timer anew. During the handshake it also ends the time that there is for it. */
export function armRetransmission(tcp: TcpCore, connection: number): void {
  const { flags, state } = tcp.table;
  flags[connection]! &= ~ConnectionFlag.persist;
  let delayMs = backedOffRtoMs(tcp, connection);
  if (state[connection]! < TcpState.established) delayMs = Math.min(delayMs, handshakeLeftMs(tcp, connection));
  tcp.startTimer(connection, TcpTimer.retransmit, delayMs);
}

/** Time that is left until a SYN without an answer is given up. */
function handshakeLeftMs(tcp: TcpCore, connection: number): number {
  const waitedMs = (tcp.clockMs() - tcp.table.stalledSinceMs[connection]!) | 0;
  return Math.max(0, patienceMs(tcp, connection) - waitedMs);
}

/** R2 of RFC 9293 section 3.8.3: how long something may stay without acknowledgment. */
export function patienceMs({ table, config }: TcpCore, connection: number): number {
  const state = table.state[connection]!;
  if (state === TcpState.synSent) return config.connectTimeoutMs;
  if (state === TcpState.synReceived) return config.handshakeTimeoutMs;
  const userTimeoutMs = table.userTimeoutMs[connection]!;
  const isHeld = (table.flags[connection]! & ConnectionFlag.held) !== 0;
  return isHeld ? userTimeoutMs : Math.min(userTimeoutMs, config.orphanTimeoutMs);
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
