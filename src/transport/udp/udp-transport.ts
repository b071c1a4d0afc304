/**
 * UDP of one worker: sockets as the session layer sees them. What packets do stands in udp4-input.ts and udp4-output.ts.
 * Read RFC 768 and RFC 1122 section 4.1 first.
 */
import type { TimerSource } from '../../base/time.js';
import { isIpv4Multicast } from '../../wire/address.js';
import type { AddressWords, Udp, UdpBindOptions, UdpDatagram, UdpErrno, UdpEvents, UdpInfo } from './udp.js';
import { bindSocket, closeSocket, connectSocket, disconnectSocket } from './udp-bind.js';
import { ipv4OfWords, UdpCore, type UdpOptions, wordsOfIpv4 } from './udp-core.js';
import { udpIcmpErrorArrives } from './udp-icmp-error.js';
import { sendDatagram, unblockSockets } from './udp-send.js';
import { applyUdpSetting } from './udp-setting.js';

export class UdpTransport implements Udp, TimerSource {
  readonly core: UdpCore;

  constructor(options: UdpOptions) {
    this.core = new UdpCore(options);
  }

  get events(): UdpEvents {
    return this.core.events;
  }

  set events(events: UdpEvents) {
    this.core.events = events;
  }

  get wake(): () => void {
    return this.core.wake;
  }

  set wake(wake: () => void) {
    this.core.wake = wake;
  }

  bind(options: UdpBindOptions): number | UdpErrno {
    return bindSocket(this.core, options);
  }

  connect(socket: number, remote: AddressWords, remotePort: number): UdpErrno | undefined {
    return connectSocket(this.core, socket, remote, remotePort);
  }

  disconnect(socket: number): UdpErrno | undefined {
    return disconnectSocket(this.core, socket);
  }

  send(
    socket: number,
    bytes: Uint8Array,
    from: number,
    count: number,
    remote: AddressWords | undefined,
    remotePort: number,
  ): UdpErrno | undefined {
    return sendDatagram(this.core, socket, bytes, from, count, remote, remotePort);
  }

  receive(socket: number, into: Uint8Array, at: number, info: UdpDatagram): number {
    return this.core.queue.take(socket, into, at, info);
  }

  nextLength(socket: number): number {
    return this.core.queue.nextLength(socket);
  }

  set(socket: number, setting: number, value: number): UdpErrno | undefined {
    return applyUdpSetting(this.core, socket, setting, value);
  }

  setMembership(socket: number, group: AddressWords, local: AddressWords, join: boolean): UdpErrno | undefined {
    const { table, routes, memberships } = this.core;
    const groupAddress = ipv4OfWords(group);
    const localAddress = ipv4OfWords(local);
    if (groupAddress === undefined || !isIpv4Multicast(groupAddress)) return 'EINVAL';
    if (localAddress === undefined) return 'EADDRNOTAVAIL';
    const interfaceIndex = routes.groupInterface(table.stack[socket]!, localAddress);
    if (interfaceIndex === 0) return 'EADDRNOTAVAIL';
    return join
      ? memberships.join(socket, interfaceIndex, groupAddress)
      : memberships.leave(socket, interfaceIndex, groupAddress);
  }

  close(socket: number): void {
    closeSocket(this.core, socket);
  }

  info(socket: number): UdpInfo {
    const { table, queue } = this.core;
    return {
      local: wordsOfIpv4(table.local[socket]!),
      localPort: table.localPort[socket]!,
      remote: wordsOfIpv4(table.remote[socket]!),
      remotePort: table.remotePort[socket]!,
      stack: table.stack[socket]!,
      queuedBytes: queue.fifos.readable(socket),
      drops: table.drops[socket]!,
    };
  }

  flushEvents(): void {
    unblockSockets(this.core);
    this.core.eventQueue.flush(this.core.events);
  }

  get hasOutput(): boolean {
    return this.core.output.count > 0;
  }

  /** Handler of ICMP errors about UDP, for the network layer. */
  icmpErrorArrives(stack: number, type: number, code: number, quoteAt: number): boolean {
    return udpIcmpErrorArrives(this.core, stack, type, code, quoteAt);
  }

  /** While sockets wait for room, the engine has to look from time to time: `flushEvents` does. */
  nextDeadlineNs(): number {
    return this.core.retryNs;
  }

  advance(): void {}

  /** Gives every packet back to the pool. */
  destroy(): void {
    this.core.output.clear();
    this.core.outputPackets = 0;
  }
}
