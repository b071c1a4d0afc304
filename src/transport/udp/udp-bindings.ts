/**
 * Who receives what: sockets by local address and port, connected ones by the whole flow.
 *
 *   datagram ─► connected: (local, remote, ports) ─► bound: (local, port) ─► bound to any address: (port) ─► nobody
 *
 * Sockets that share an address and port form a group; a flow stays with one of its members.
 */
import { FLOW_KEY_WORDS, FlowTable, setFlowKeyIpv4 } from '../../flow/flow-table.js';
import type { Arena } from '../../mem/arena.js';
import type { RegionHeap } from '../../mem/region-heap.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { NO_SOCKET, SocketFlag, type UdpTable } from './udp-table.js';

const PORT_SPAN = 65_536;

export class UdpBindings {
  readonly #table: UdpTable;
  readonly #flows: FlowTable;
  readonly #key = new Int32Array(FLOW_KEY_WORDS);
  /** Sockets by stack and local port, for the rules on binding. */
  readonly #byPort = new Map<number, number[]>();
  /** Connected sockets: without any, one look-up less for each datagram. */
  #connected = 0;

  /** @param seed random; unknown to peers. */
  constructor(arena: Arena, heap: RegionHeap, table: UdpTable, seed: number) {
    this.#table = table;
    this.#flows = new FlowTable(arena, heap, seed);
  }

  /** The socket that a datagram to one host belongs to, or NO_SOCKET. `hash` is that of the flow. */
  find(stack: number, local: number, localPort: number, remote: number, remotePort: number, hash: number): number {
    if (this.#connected > 0) {
      const connected = this.#find(stack, local, remote, (localPort << 16) | remotePort);
      if (connected >= 0) return connected;
    }
    const bound = this.#choose(this.group(stack, local, localPort), hash);
    return bound >= 0 ? bound : this.#choose(this.group(stack, 0, localPort), hash);
  }

  /** The socket connected to that peer, or NO_SOCKET. */
  findConnected(stack: number, local: number, localPort: number, remote: number, remotePort: number): number {
    return this.#connected === 0 ? NO_SOCKET : this.#find(stack, local, remote, (localPort << 16) | remotePort);
  }

  /** First of the sockets bound to exactly that address (0: any) and port, or NO_SOCKET; `groupNext` leads on. */
  group(stack: number, local: number, localPort: number): number {
    return this.#find(stack, local, 0, localPort << 16);
  }

  /** True if no socket may be bound there beside those that are. */
  isTaken(stack: number, local: number, localPort: number, isReuseport: boolean): boolean {
    const others = this.#byPort.get(stack * PORT_SPAN + localPort);
    if (others === undefined) return false;
    const { bound, flags } = this.#table;
    const address = local | 0;
    return others.some((other) => {
      if (isReuseport && (flags[other]! & SocketFlag.reuseport) !== 0) return false;
      return address === 0 || bound[other] === 0 || bound[other] === address;
    });
  }

  /** Puts a socket in at its `bound` address and port. False when memory is out. */
  add(socket: number): boolean {
    const { stack, bound, localPort, groupNext } = this.#table;
    setFlowKeyIpv4(this.#key, stack[socket]!, IpProtocol.udp, bound[socket]!, 0, localPort[socket]! << 16);
    const first = this.#flows.find(this.#key);
    groupNext[socket] = first;
    if (first >= 0) this.#flows.replace(this.#key, socket);
    else if (!this.#flows.add(this.#key, socket)) return false;
    const port = stack[socket]! * PORT_SPAN + localPort[socket]!;
    const others = this.#byPort.get(port);
    if (others === undefined) this.#byPort.set(port, [socket]);
    else others.push(socket);
    return true;
  }

  remove(socket: number): void {
    const { stack, bound, localPort, groupNext, flags } = this.#table;
    if ((flags[socket]! & SocketFlag.connected) !== 0) this.disconnect(socket);
    setFlowKeyIpv4(this.#key, stack[socket]!, IpProtocol.udp, bound[socket]!, 0, localPort[socket]! << 16);
    const following = groupNext[socket]!;
    const first = this.#flows.find(this.#key);
    if (first !== socket) {
      let before = first;
      while (groupNext[before] !== socket) before = groupNext[before]!;
      groupNext[before] = following;
    } else if (following >= 0) this.#flows.replace(this.#key, following);
    else this.#flows.remove(this.#key);
    const port = stack[socket]! * PORT_SPAN + localPort[socket]!;
    const others = this.#byPort.get(port)!;
    if (others.length === 1) this.#byPort.delete(port);
    else others.splice(others.indexOf(socket), 1);
  }

  /** Puts a socket in under its flow, as `local` and `remote` say. False if another has it, or memory is out. */
  connect(socket: number): boolean {
    this.#setFlow(socket);
    if (this.#flows.find(this.#key) >= 0 || !this.#flows.add(this.#key, socket)) return false;
    this.#table.flags[socket]! |= SocketFlag.connected;
    this.#connected++;
    return true;
  }

  disconnect(socket: number): void {
    this.#setFlow(socket);
    this.#flows.remove(this.#key);
    this.#table.flags[socket]! &= ~SocketFlag.connected;
    this.#connected--;
  }

  #setFlow(socket: number): void {
    const { stack, local, remote, localPort, remotePort } = this.#table;
    const ports = (localPort[socket]! << 16) | remotePort[socket]!;
    setFlowKeyIpv4(this.#key, stack[socket]!, IpProtocol.udp, local[socket]!, remote[socket]!, ports);
  }

  #find(stack: number, local: number, remote: number, ports: number): number {
    setFlowKeyIpv4(this.#key, stack, IpProtocol.udp, local | 0, remote | 0, ports);
    return this.#flows.find(this.#key);
  }

  /** One member of a group that is not connected to somebody else; the same for each datagram of a flow. */
  #choose(first: number, hash: number): number {
    if (first < 0) return NO_SOCKET;
    const { groupNext, flags } = this.#table;
    if (groupNext[first] === NO_SOCKET) return (flags[first]! & SocketFlag.connected) === 0 ? first : NO_SOCKET;
    let count = 0;
    for (let member = first; member >= 0; member = groupNext[member]!) {
      if ((flags[member]! & SocketFlag.connected) === 0) count++;
    }
    if (count === 0) return NO_SOCKET;
    let turn = (hash >>> 0) % count;
    for (let member = first; ; member = groupNext[member]!) {
      if ((flags[member]! & SocketFlag.connected) === 0 && turn-- === 0) return member;
    }
  }
}
