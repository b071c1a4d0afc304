/** What the application's end of a connection means. Read RFC 9293 sections 3.6 and 3.10.4, and RFC 2525 section 2.17 first. */
import { endConnection, leaveAcceptQueue, releaseConnection, resetConnection } from './lifecycle.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TcpState, TcpTimer } from './tcp-state.js';

/** FIN goes out behind the data of the send FIFO. */
export function shutdownConnection(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  const state = table.state[connection]!;
  if (state === TcpState.established) table.state[connection] = TcpState.finWait1;
  else if (state === TcpState.closeWait) table.state[connection] = TcpState.lastAck;
  else if (state !== TcpState.synSent && state !== TcpState.synReceived) return;
  tcp.requestOutput(connection, ConnectionFlag.finQueued);
}

/** The session layer lets go of the connection in whatever state it is. */
export function closeConnection(tcp: TcpCore, connection: number): void {
  const { table, fifos } = tcp;
  const state = table.state[connection]!;
  if (state === TcpState.synSent) {
    table.flags[connection]! &= ~ConnectionFlag.held;
    endConnection(tcp, connection);
    return;
  }
  const mayPeerSend = state === TcpState.synReceived || state === TcpState.established;
  const isUnread = fifos.readable(connection * 2) > 0 && state !== TcpState.closed;
  if (state === TcpState.synReceived || (isUnread && (mayPeerSend || state < TcpState.closing))) {
    // Data that the application never saw must not look delivered.
    leaveAcceptQueue(tcp, connection);
    resetConnection(tcp, connection);
    return;
  }
  shutdownConnection(tcp, connection);
  if (state === TcpState.finWait2) tcp.startTimer(connection, TcpTimer.linger, tcp.config.finWait2Ms);
  releaseConnection(tcp, connection);
}
