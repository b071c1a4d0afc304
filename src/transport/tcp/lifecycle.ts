/**
 * Beginning and end of connections: rows, flows, queues, TIME-WAIT. RFC 9293 sections 3.3.2, 3.5, 3.6; RFC 6191 for the reuse
 * of TIME-WAIT.
 *
 * A row is freed when the protocol is done with it (state closed), the session layer does not hold it, and neither the output
 * queue nor the event queue carries its number.
 */
import { setFlowKey } from '../../flow/flow-table.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { IPV4_DEFAULT_TTL } from '../../wire/ipv4.js';
import { type ErrnoName, TRANSPORT_ERRORS } from '../events.js';
import { TcpEvent } from './event-queue.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TCP_TIMER_BITS, TcpState, TcpTimer } from './tcp-state.js';
import { NO_CONNECTION, NO_LISTENER } from './tcp-table.js';

/**
 * Takes a row for the IPv4 flow and enters it into the flow table; state closed. NO_CONNECTION when rows or memory are out. When rows
 * are out the oldest TIME-WAIT makes room.
 */
export function openConnection(
  tcp: TcpCore,
  namespace: number,
  stack: number,
  local: number,
  remote: number,
  ports: number,
): number {
  const { table, flows, fifos, config } = tcp;
  if (table.isFull) evictTimeWait(tcp);
  const connection = table.take();
  if (connection === NO_CONNECTION) return NO_CONNECTION;
  table.namespace[connection] = namespace;
  table.stack[connection] = stack;
  table.local2[connection] = 0xffff;
  table.local3[connection] = local;
  table.remote2[connection] = 0xffff;
  table.remote3[connection] = remote;
  table.ports[connection] = ports;
  tcp.setKeyOf(connection);
  if (!flows.add(tcp.key, connection)) {
    table.give(connection);
    return NO_CONNECTION;
  }
  fifos.open(connection * 2, config.receiveBufferBytes);
  fifos.open(connection * 2 + 1, config.sendBufferBytes);
  table.ipFields[connection] = IPV4_DEFAULT_TTL;
  table.rtoMs[connection] = config.initialRtoMs;
  table.userTimeoutMs[connection] = config.userTimeoutMs;
  table.keepAliveIntervalMs[connection] = config.keepAliveIntervalMs;
  table.keepAliveProbes[connection] = config.keepAliveProbes;
  // No generation of routes: the first look asks.
  table.routeGeneration[connection] = tcp.routes.generation - 1;
  table.lastReceivedMs[connection] = tcp.clockMs();
  return connection;
}

/** Ends the oldest connection in TIME-WAIT that nobody holds. */
function evictTimeWait(tcp: TcpCore): void {
  const { flags, next } = tcp.table;
  let connection = tcp.timeWaitHead;
  while (connection !== NO_CONNECTION && flags[connection]! & ConnectionFlag.held) connection = next[connection]!;
  if (connection !== NO_CONNECTION) endConnection(tcp, connection);
}

/** The protocol is over: nothing is sent or received any more. Unread data stays while the session layer holds the connection. */
export function endConnection(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  const state = table.state[connection]!;
  if (state === TcpState.timeWait) unlinkTimeWait(tcp, connection);
  if (state === TcpState.synReceived) leaveSynQueue(tcp, connection);
  table.state[connection] = TcpState.closed;
  tcp.setKeyOf(connection);
  tcp.flows.remove(tcp.key);
  for (let kind = 0; kind < 1 << TCP_TIMER_BITS; kind++) tcp.stopTimer(connection, kind);
  tcp.fifos.close(connection * 2 + 1);
  tcp.reassembly.clear(connection);
  tcp.scoreboard.clear(connection);
  if ((table.flags[connection]! & ConnectionFlag.held) === 0) freeConnection(tcp, connection);
}

/** Ends the connection with an error that the session layer is told. */
export function failConnection(tcp: TcpCore, connection: number, errno: ErrnoName): void {
  const { table } = tcp;
  if (table.flags[connection]! & ConnectionFlag.held) {
    table.error[connection] = TRANSPORT_ERRORS.indexOf(errno) + 1;
    tcp.eventQueue.add(connection, TcpEvent.failed);
  }
  endConnection(tcp, connection);
}

/** Sends RST, and ends the connection without telling the session layer. */
export function resetConnection(tcp: TcpCore, connection: number): void {
  tcp.table.flags[connection]! &= ~ConnectionFlag.held;
  // In the output queue first: it keeps the row until the RST is sent.
  tcp.requestOutput(connection, ConnectionFlag.resetNow);
  endConnection(tcp, connection);
}

/** The session layer has let go. */
export function releaseConnection(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  leaveAcceptQueue(tcp, connection);
  table.flags[connection]! &= ~ConnectionFlag.held;
  tcp.fifos.close(connection * 2);
  if (table.state[connection] === TcpState.closed) freeConnection(tcp, connection);
}

/** Gives the row back as soon as no queue carries its number. Precondition: closed and not held. */
export function freeConnection(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  tcp.fifos.close(connection * 2);
  tcp.fifos.close(connection * 2 + 1);
  if (table.flags[connection]! & ConnectionFlag.queued || table.pendingEvents[connection] !== 0) {
    table.flags[connection]! |= ConnectionFlag.dead;
  } else {
    table.give(connection);
  }
}

/** Both sides have finished, and ours was first: old segments must die out. RFC 9293 section 3.6.1. */
export function enterTimeWait(tcp: TcpCore, connection: number): void {
  const { table } = tcp;
  table.state[connection] = TcpState.timeWait;
  for (let kind = 0; kind < 1 << TCP_TIMER_BITS; kind++) tcp.stopTimer(connection, kind);
  tcp.startTimer(connection, TcpTimer.linger, tcp.config.timeWaitMs);
  table.next[connection] = NO_CONNECTION;
  table.previous[connection] = tcp.timeWaitTail;
  if (tcp.timeWaitTail === NO_CONNECTION) tcp.timeWaitHead = connection;
  else table.next[tcp.timeWaitTail] = connection;
  tcp.timeWaitTail = connection;
  tellClosed(tcp, connection);
}

/** To the session layer: both directions are finished in order. */
export function tellClosed(tcp: TcpCore, connection: number): void {
  if (tcp.table.flags[connection]! & ConnectionFlag.held) tcp.eventQueue.add(connection, TcpEvent.closed);
}

export function leaveAcceptQueue(tcp: TcpCore, connection: number): void {
  const { table, listeners } = tcp;
  if ((table.flags[connection]! & ConnectionFlag.acceptQueued) === 0) return;
  table.flags[connection]! &= ~ConnectionFlag.acceptQueued;
  listeners.acceptQueued[table.listener[connection]!]!--;
}

export function leaveSynQueue(tcp: TcpCore, connection: number): void {
  const listener = tcp.table.listener[connection]!;
  if (listener !== NO_LISTENER) tcp.listeners.halfOpen[listener]!--;
}

/** Listener for an IPv4 address and port: the exact one first, then any address, any port, any of both. NO_FLOW if there is none. */
export function findListenerValue(tcp: TcpCore, namespace: number, local: number, port: number): number {
  const { flows, key } = tcp;
  if (flows.count === 0) return -1;
  for (let wildcards = 0; wildcards < 4; wildcards++) {
    const isAnyAddress = (wildcards & 1) !== 0;
    const ports = wildcards & 2 ? 0 : port << 16;
    setFlowKey(
      key,
      namespace,
      IpProtocol.tcp,
      0,
      0,
      isAnyAddress ? 0 : 0xffff,
      isAnyAddress ? 0 : local,
      0,
      0,
      0,
      0,
      ports,
    );
    const value = flows.find(key);
    if (value !== -1) return value;
  }
  return -1;
}

function unlinkTimeWait(tcp: TcpCore, connection: number): void {
  const { next, previous } = tcp.table;
  const after = next[connection]!;
  const before = previous[connection]!;
  if (before === NO_CONNECTION) tcp.timeWaitHead = after;
  else next[before] = after;
  if (after === NO_CONNECTION) tcp.timeWaitTail = before;
  else previous[after] = before;
}
