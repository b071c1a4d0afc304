/** TCP of one worker: listeners and connections as the session layer sees them, time and events as the engine does. */
import { NS_PER_MS, type TimerSource } from '../../base/time.js';
import { setFlowKeyIpv4 } from '../../flow/flow-table.js';
import type { IcmpErrorHandler } from '../../l3/icmp-error-handlers.js';
import type { FifoTable } from '../../mem/fifo.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import type { ErrnoName, TransportEvents } from '../events.js';
import { connectTo } from './active-open.js';
import { closeConnection, shutdownConnection } from './close.js';
import { chooseListenPort, isListening } from './ephemeral-port.js';
import { icmpErrorArrives } from './icmp-error.js';
import { connectionInfo } from './info.js';
import {
  endConnection,
  failConnection,
  freeConnection,
  leaveAcceptQueue,
  releaseConnection,
  resetConnection,
} from './lifecycle.js';
import { resumeSyn } from './listen.js';
import { isWindowUpdateDue } from './receive-window.js';
import { hasRoomToTell } from './send-buffer.js';
import { applySetting } from './setting.js';
import type { AddressWords, ConnectOptions, ListenOptions, Tcp, TcpInfo } from './tcp.js';
import { listenerValue, TcpCore, type TcpOptions } from './tcp-core.js';
import { ConnectionFlag, TcpState, TcpTimer } from './tcp-state.js';
import { timerExpired } from './timers.js';

/** A parked connection is tried again after this, if nothing else happens before. */
const PARKED_RETRY_NS = NS_PER_MS;
const MEMORY_RETRY_MS = 10;

export class TcpTransport implements Tcp, TimerSource {
  readonly core: TcpCore;
  /** To be registered with the network layer for the protocol TCP. */
  readonly onIcmpError: IcmpErrorHandler;
  readonly #expire: (timer: number) => void;
  readonly #free: (connection: number) => void;

  constructor(options: TcpOptions) {
    const core = new TcpCore(options);
    this.core = core;
    this.onIcmpError = (stack, type, code, info, quoteAt) => icmpErrorArrives(core, stack, type, code, info, quoteAt);
    this.#expire = (timer) => timerExpired(core, timer);
    this.#free = (connection) => freeConnection(core, connection);
  }

  get events(): TransportEvents {
    return this.core.events;
  }

  set events(events: TransportEvents) {
    this.core.events = events;
  }

  get fifos(): FifoTable {
    return this.core.fifos;
  }

  /** Called when there is something to send and there was nothing before: the engine schedules a run. */
  set wake(wake: () => void) {
    this.core.output.wake = wake;
  }

  /** Stacks of the same namespace share listeners and ports. By default each has its own, of the stack's number. */
  setNamespace(stack: number, namespace: number): void {
    this.core.namespaceOfStack[stack] = namespace;
  }

  // Listeners.

  listen(
    namespace: number,
    local: AddressWords,
    port: number,
    options: ListenOptions & { readonly anyPort?: boolean },
  ): number | ErrnoName {
    const { core } = this;
    const { listeners } = core;
    const address = local[3] | 0;
    let chosen = port;
    if (port === 0 && options.anyPort !== true) chosen = chooseListenPort(core, namespace, address);
    if (isListening(core, namespace, address, chosen)) return 'EADDRINUSE';
    if (chosen === 0 && options.anyPort !== true) return 'EADDRINUSE';
    const listener = listeners.take();
    if (listener < 0) return 'ENOBUFS';
    setFlowKeyIpv4(core.key, namespace, IpProtocol.tcp, address, 0, chosen << 16);
    if (!core.flows.add(core.key, listenerValue(listener))) {
      listeners.give(listener);
      return 'ENOBUFS';
    }
    listeners.namespace[listener] = namespace;
    listeners.local[listener] = address;
    listeners.port[listener] = chosen;
    listeners.backlog[listener] = Math.max(options.backlog, 1);
    listeners.context[listener] = options.context ?? 0;
    return listener;
  }

  unlisten(listener: number): void {
    const { core } = this;
    const { table, listeners } = core;
    const address = listeners.local[listener]!;
    setFlowKeyIpv4(
      core.key,
      listeners.namespace[listener]!,
      IpProtocol.tcp,
      address,
      0,
      listeners.port[listener]! << 16,
    );
    core.flows.remove(core.key);
    for (let connection = 0; connection < table.end; connection++) {
      if (table.listener[connection] !== listener) continue;
      const isWaiting = (table.flags[connection]! & ConnectionFlag.acceptQueued) !== 0;
      if (isWaiting || table.state[connection] === TcpState.synReceived) this.abort(connection);
      table.listener[connection] = -1;
    }
    listeners.give(listener);
  }

  listenerPort(listener: number): number {
    return this.core.listeners.port[listener]!;
  }

  listenerContext(listener: number): number {
    return this.core.listeners.context[listener]!;
  }

  // Connections.

  connect(options: ConnectOptions): number | ErrnoName {
    return connectTo(this.core, options);
  }

  resumeSyn(connection: number, verdict: number): void {
    resumeSyn(this.core, connection, verdict);
  }

  accepted(connection: number): void {
    leaveAcceptQueue(this.core, connection);
  }

  send(connection: number): void {
    if (this.core.table.state[connection]! >= TcpState.established) this.core.output.push(connection);
  }

  wantWritable(connection: number): void {
    const { core } = this;
    core.table.flags[connection]! |= ConnectionFlag.wantWritable;
    // The buffer has room but memory is out: no acknowledgment may come to say when there is some again.
    if (hasRoomToTell(core, connection)) core.startTimer(connection, TcpTimer.linger, MEMORY_RETRY_MS);
  }

  consumed(connection: number): void {
    const { core } = this;
    const { state, flags } = core.table;
    if (state[connection]! < TcpState.established || flags[connection]! & ConnectionFlag.finReceived) return;
    if (isWindowUpdateDue(core, connection)) core.requestOutput(connection, ConnectionFlag.ackNow);
  }

  shutdown(connection: number): void {
    shutdownConnection(this.core, connection);
  }

  abort(connection: number): void {
    const { core } = this;
    const state = core.table.state[connection]!;
    leaveAcceptQueue(core, connection);
    if (state === TcpState.closed) releaseConnection(core, connection);
    else if (state === TcpState.synSent || state === TcpState.timeWait) {
      core.table.flags[connection]! &= ~ConnectionFlag.held;
      endConnection(core, connection);
    } else resetConnection(core, connection);
  }

  close(connection: number): void {
    closeConnection(this.core, connection);
  }

  set(connection: number, setting: number, value: number): void {
    applySetting(this.core, connection, setting, value);
  }

  info(connection: number): TcpInfo {
    return connectionInfo(this.core, connection);
  }

  context(connection: number): number {
    return this.core.table.context[connection]!;
  }

  setContext(connection: number, context: number): void {
    this.core.table.context[connection] = context;
  }

  listenerOf(connection: number): number {
    return this.core.table.listener[connection]!;
  }

  localPort(connection: number): number {
    return this.core.table.ports[connection]! >>> 16;
  }

  remotePort(connection: number): number {
    return this.core.table.ports[connection]! & 0xffff;
  }

  localAddress(connection: number, into: Int32Array, at: number): void {
    const { local0, local1, local2, local3 } = this.core.table;
    into[at] = local0[connection]!;
    into[at + 1] = local1[connection]!;
    into[at + 2] = local2[connection]!;
    into[at + 3] = local3[connection]!;
  }

  remoteAddress(connection: number, into: Int32Array, at: number): void {
    const { remote0, remote1, remote2, remote3 } = this.core.table;
    into[at] = remote0[connection]!;
    into[at + 1] = remote1[connection]!;
    into[at + 2] = remote2[connection]!;
    into[at + 3] = remote3[connection]!;
  }

  stackOf(connection: number): number {
    return this.core.table.stack[connection]!;
  }

  // Time and events.

  flushEvents(): void {
    this.core.eventQueue.flush(this.core.events, this.#free);
  }

  get hasOutput(): boolean {
    return !this.core.output.isEmpty;
  }

  nextDeadlineNs(): number {
    const timers = this.core.wheel.nextDeadlineMs() * NS_PER_MS;
    return this.core.output.hasParked ? Math.min(timers, this.core.clock.nowNs + PARKED_RETRY_NS) : timers;
  }

  advance(nowNs: number): void {
    this.core.wheel.advance(nowNs / NS_PER_MS, this.#expire);
  }

  // Ends.

  removeStack(stack: number): void {
    const { core } = this;
    const { table } = core;
    for (let connection = 0; connection < table.end; connection++) {
      if (table.state[connection] === TcpState.closed || table.stack[connection] !== stack) continue;
      failConnection(core, connection, 'ENETUNREACH');
    }
  }

  destroy(): void {
    const { core } = this;
    const { table, listeners } = core;
    for (let connection = 0; connection < table.end; connection++) {
      table.flags[connection]! &= ~ConnectionFlag.held;
      if (table.state[connection] !== TcpState.closed) endConnection(core, connection);
      core.fifos.close(connection * 2);
    }
    for (let listener = 0; listener < listeners.end; listener++) listeners.isOpen[listener] = 0;
    core.flows.clear();
  }
}
