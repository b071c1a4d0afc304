/**
 * The network layer of a worker: stacks, VRFs, routes, adjacencies, neighbors, fragments, path MTUs. Nodes read its
 * tables; everything that configures or asks goes through the methods of {@link L3}.
 *
 * IPv4 addresses are unsigned numbers here; tables hold them as IPv4-mapped 128-bit addresses. An interface exists in the
 * interface table first, then `addInterface` makes it known here; it is taken out in the opposite order.
 */
import { UsernetError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { Clock, TimerSource } from '../base/time.js';
import { InterfaceFlag, type InterfaceTable, NO_INTERFACE } from '../drivers/interface-table.js';
import type { Kernels } from '../kernels/kernels.js';
import { makeToeplitzTable, TOEPLITZ_KEY_SYMMETRIC } from '../kernels/toeplitz.js';
import type { Arena } from '../mem/arena.js';
import type { PacketPool } from '../mem/packet-pool.js';
import { formatIpv4Cidr, isIpv4Unicast } from '../wire/address.js';
import { AddressTable } from './address-table.js';
import { Adjacency, AdjacencyKind, AdjacencyTable, FIRST_GROUP_ADDRESS, groupAdjacency } from './adjacency.js';
import { IcmpErrorColumn } from './icmp-error-column.js';
import { InterfaceLinks } from './interface-links.js';
import { Ip4Fib } from './ip4-fib.js';
import { type Ip4RouteOptions, Ip4Routes } from './ip4-routes.js';
import {
  type AddressInfo,
  listAddresses,
  listNeighbors,
  listRoutes,
  type NeighborInfo,
  type RouteInfo,
} from './l3-info.js';
import { NeighborMachine } from './neighbor-machine.js';
import { NO_NEIGHBOR } from './neighbor-table.js';
import { Outbox } from './outbox.js';
import { PathMtuTable } from './path-mtu.js';
import { StackTable } from './stack-table.js';

/** What L3 is given. */
export interface L3Parts {
  readonly arena: Arena;
  readonly pool: PacketPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly interfaces: InterfaceTable;
  readonly kernels: Kernels;
  /** Called when there is something to send while the graph may be idle. */
  readonly wake?: () => void;
}

export interface L3Limits {
  readonly stacks: number;
  readonly vrfs: number;
  /** Next hops of all stacks: neighbors, and two for each interface. */
  readonly adjacencies: number;
  /** Neighbors of one interface. */
  readonly neighbors: number;
  /** Packets that wait for the link address of one neighbor. */
  readonly neighborQueuePackets: number;
  /** Entries of the path MTU table; a power of two. */
  readonly pathMtus: number;
}

export const DEFAULT_L3_LIMITS: L3Limits = {
  stacks: 1024,
  vrfs: 2048,
  adjacencies: 65_536,
  neighbors: 1024,
  neighborQueuePackets: 16,
  pathMtus: 1024,
};

/**
 * Told of ICMP errors about packets that this stack sent, and of packets that could not leave it. `quoteAt` is the
 * arena offset of the packet's IPv4 header, of which `quoteBytes` bytes are there (at least header and 8 bytes more);
 * `info` is the MTU to use from now on for "fragmentation needed" (type 3, code 4), else 0.
 * Returns true if the packet belongs to a connection or socket and may be genuine: only then a path MTU is believed.
 */
export type IcmpErrorHandler = (
  stack: number,
  type: number,
  code: number,
  info: number,
  quoteAt: number,
  quoteBytes: number,
) => boolean;

/** Socket error that a route's kind means for connect and send; undefined if packets can be sent. */
export type RouteErrno = 'ENETUNREACH' | 'EHOSTUNREACH' | 'EACCES' | 'EINVAL' | undefined;

export class L3 implements TimerSource {
  readonly fib: Ip4Fib;
  readonly stacks: StackTable;
  readonly adjacencies: AdjacencyTable;
  readonly addresses = new AddressTable();
  readonly links: InterfaceLinks;
  readonly neighbors: NeighborMachine;
  readonly icmpErrors: IcmpErrorColumn;
  readonly pathMtus: PathMtuTable;
  readonly outbox: Outbox;
  /** For toeplitz2 and toeplitz4: both directions of a flow have the same hash. */
  readonly flowHashTable = makeToeplitzTable(TOEPLITZ_KEY_SYMMETRIC);
  readonly interfaces: InterfaceTable;
  readonly #routes: Ip4Routes;
  readonly #icmpErrorHandlers: (IcmpErrorHandler | undefined)[] = new Array(256).fill(undefined);

  constructor(parts: L3Parts, limits: Partial<L3Limits> = {}) {
    const all = { ...DEFAULT_L3_LIMITS, ...limits };
    const { arena, pool, clock, random, interfaces } = parts;
    this.interfaces = interfaces;
    this.fib = new Ip4Fib(arena, all.vrfs);
    this.stacks = new StackTable(arena, this.fib, all.stacks, all.vrfs);
    this.adjacencies = new AdjacencyTable(arena, interfaces, all.adjacencies);
    this.links = new InterfaceLinks(interfaces, this.adjacencies);
    this.icmpErrors = new IcmpErrorColumn(arena, pool.slotCount);
    this.pathMtus = new PathMtuTable(clock, random, all.pathMtus);
    this.outbox = new Outbox(pool, parts.wake ?? (() => {}));
    const { adjacencies, addresses, stacks, icmpErrors } = this;
    this.neighbors = new NeighborMachine(
      { arena, pool, clock, random, interfaces, adjacencies, addresses, stacks, icmpErrors },
      {
        neighbors: all.neighbors,
        queuePackets: all.neighborQueuePackets,
        totalQueuePackets: pool.slotCount >> 3,
      },
      this.outbox.send,
    );
    this.#routes = new Ip4Routes(stacks, interfaces, this.links, this.neighbors);
  }

  // Stacks and interfaces.

  /** Adds a stack: a host, or a router if `forwarding`. Returns its row. Throws USERNET_STACK_LIMIT. */
  createStack(options: { readonly forwarding?: boolean } = {}): number {
    return this.stacks.add(options.forwarding ?? false);
  }

  /** Removes a stack. Precondition: `removeInterface` was called for its interfaces. */
  removeStack(stack: number): void {
    this.#routes.removeAll(this.stacks.vrf[stack]!);
    this.pathMtus.clear(this.stacks.vrf[stack]!);
    this.stacks.remove(stack);
  }

  setForwarding(stack: number, isOn: boolean): void {
    this.stacks.forwarding[this.stacks.vrf[stack]!] = isOn ? 1 : 0;
  }

  /** Makes an interface known whose `stack` is set; puts it into the stack's default VRF. */
  addInterface(interfaceIndex: number): void {
    const stack = this.interfaces.stack[interfaceIndex]!;
    this.interfaces.vrf[interfaceIndex] = this.stacks.vrf[stack]!;
    this.links.add(interfaceIndex);
    if (!this.links.isLoopback(interfaceIndex)) return;
    this.stacks.loopback[stack] = interfaceIndex;
    this.stacks.loopbackAdjacency[stack] = this.links.link(interfaceIndex);
  }

  /** Takes an interface out with its addresses, routes and neighbors. To be called before it leaves the interface table. */
  removeInterface(interfaceIndex: number): void {
    const stack = this.interfaces.stack[interfaceIndex]!;
    for (const { address } of [...this.addresses.of(interfaceIndex)]) this.removeAddress(interfaceIndex, address);
    this.#routes.removeInterface(interfaceIndex);
    for (const row of this.neighbors.table.rowsOf(interfaceIndex)) this.neighbors.remove(row);
    if (this.stacks.loopback[stack] === interfaceIndex) {
      this.stacks.loopback[stack] = NO_INTERFACE;
      this.stacks.loopbackAdjacency[stack] = Adjacency.none;
    }
    this.links.remove(interfaceIndex);
  }

  /** Switches an interface on or off; its routes go and come with it. */
  setInterfaceUp(interfaceIndex: number, isUp: boolean): void {
    if (this.interfaces.isUp(interfaceIndex) === isUp) return;
    this.interfaces.setFlags(interfaceIndex, InterfaceFlag.up, isUp);
    this.#routes.interfaceChanged(interfaceIndex);
    if (isUp) this.#announce(interfaceIndex);
    else for (const row of this.neighbors.table.rowsOf(interfaceIndex)) this.neighbors.remove(row);
  }

  /** To be called after an interface's MTU or link address has changed. */
  refreshInterface(interfaceIndex: number): void {
    const { adjacencies } = this;
    const rows = [this.links.link(interfaceIndex), this.links.broadcast(interfaceIndex)];
    for (const row of [...rows, ...this.neighbors.table.rowsOf(interfaceIndex)]) {
      adjacencies.refresh(row);
      adjacencies.setLinkAddress(row, adjacencies.macHi(row), adjacencies.macLo(row));
    }
    this.#announce(interfaceIndex);
  }

  // Addresses, routes, neighbors.

  /**
   * Gives an interface an address, and routes to it and its network. It is announced on the link (gratuitous ARP).
   * Throws USERNET_ADDRESS_INVALID if no host can have it, USERNET_ADDRESS_IN_USE if the stack has it.
   */
  addAddress(interfaceIndex: number, address: number, prefixLength: number): void {
    const isRight = isIpv4Unicast(address) && prefixLength >= 1 && prefixLength <= 32;
    if (!isRight) {
      const text = formatIpv4Cidr(address, prefixLength);
      throw new UsernetError('USERNET_ADDRESS_INVALID', `no interface can have the address ${text}`);
    }
    if (this.#holder(this.interfaces.stack[interfaceIndex]!, address) !== NO_INTERFACE) {
      const text = formatIpv4Cidr(address, prefixLength);
      throw new UsernetError('USERNET_ADDRESS_IN_USE', `the stack has the address ${text} already`);
    }
    this.addresses.add(interfaceIndex, address, prefixLength);
    this.#routes.addAddress(interfaceIndex, address, prefixLength);
    if (this.interfaces.isUp(interfaceIndex)) this.#announceAddress(interfaceIndex, address);
  }

  /** Takes an address away. False if the interface does not have it. */
  removeAddress(interfaceIndex: number, address: number): boolean {
    const own = this.addresses.find(interfaceIndex, address);
    if (own === undefined) return false;
    this.addresses.remove(interfaceIndex, address);
    this.#routes.removeAddress(interfaceIndex, address, own.prefixLength);
    return true;
  }

  /** Adds a static route, or replaces the one with the same prefix, metric and router. */
  addRoute(vrf: number, network: number, prefixLength: number, options: Ip4RouteOptions): void {
    this.#routes.add(vrf, network, prefixLength, options);
  }

  /** Removes the best static route of the prefix, or the one by `via`. False if there is none. */
  removeRoute(vrf: number, network: number, prefixLength: number, via?: number): boolean {
    return this.#routes.remove(vrf, network, prefixLength, via);
  }

  /** Sets a neighbor's link address for good. False if the interface has no room for one more neighbor. */
  addNeighbor(interfaceIndex: number, address: number, macHi: number, macLo: number): boolean {
    const row = this.neighbors.obtain(interfaceIndex, address);
    if (row === NO_NEIGHBOR) return false;
    this.neighbors.setPermanent(row, macHi, macLo);
    this.#showHost(interfaceIndex, address, row);
    return true;
  }

  /** Forgets a neighbor. False if it is unknown. */
  removeNeighbor(interfaceIndex: number, address: number): boolean {
    const row = this.neighbors.table.find(interfaceIndex, address);
    if (row === NO_NEIGHBOR) return false;
    this.neighbors.remove(row);
    return true;
  }

  // Questions of transports.

  /** The adjacency for a destination in a VRF, 224.0.0.0/3 included. */
  lookup(vrf: number, destination: number): number {
    return destination >= FIRST_GROUP_ADDRESS ? groupAdjacency(destination) : this.fib.lookup(vrf, destination);
  }

  /** The adjacency for packets that the stack itself sends. */
  route(stack: number, destination: number): number {
    return this.lookup(this.stacks.vrf[stack]!, destination);
  }

  /** Why nothing can be sent to the destination; undefined if it can. Broadcast is the socket's business. */
  routeErrno(stack: number, destination: number): RouteErrno {
    switch (this.adjacencies.kind[this.route(stack, destination)]) {
      case AdjacencyKind.none:
        return 'ENETUNREACH';
      case AdjacencyKind.unreachable:
        return 'EHOSTUNREACH';
      case AdjacencyKind.prohibit:
        return 'EACCES';
      case AdjacencyKind.blackhole:
      case AdjacencyKind.reserved:
        return 'EINVAL';
      default:
        return undefined;
    }
  }

  /** Interface by which packets of the stack to the destination leave; the loopback for its own addresses; 0 for none. */
  egress(stack: number, destination: number): number {
    const row = this.route(stack, destination);
    return this.adjacencies.kind[row] === AdjacencyKind.local
      ? this.stacks.loopback[stack]!
      : this.adjacencies.interface[row]!;
  }

  /** The source address for packets of the stack to the destination; 0 if it has none. RFC 1122 section 3.3.4.3. */
  selectSource(stack: number, destination: number): number {
    const row = this.route(stack, destination);
    if (this.adjacencies.kind[row] === AdjacencyKind.local) return destination;
    const egress = this.adjacencies.interface[row]!;
    if (egress === NO_INTERFACE) return this.#primaryAddress(stack);
    const isNeighbor = this.adjacencies.kind[row]! <= AdjacencyKind.incomplete && this.links.isEthernet(egress);
    const nextHop = isNeighbor ? this.adjacencies.nextHop(row) : destination;
    return this.addresses.sourceFor(egress, nextHop) || this.#primaryAddress(stack);
  }

  /** Largest IP packet that reaches the destination in one piece, as far as is known. RFC 1191. */
  pathMtu(stack: number, destination: number): number {
    const egress = this.egress(stack, destination);
    if (egress === NO_INTERFACE) return 0;
    return this.pathMtus.get(this.stacks.vrf[stack]!, destination, this.interfaces.mtu[egress]!);
  }

  /** True if the address is one of the stack's own. */
  isLocal(stack: number, address: number): boolean {
    return this.adjacencies.kind[this.route(stack, address)] === AdjacencyKind.local;
  }

  /** True for addresses that several hosts listen to: limited and directed broadcast. */
  isBroadcast(stack: number, address: number): boolean {
    return this.adjacencies.kind[this.route(stack, address)] === AdjacencyKind.broadcast;
  }

  /** A transport has seen forward progress with the destination: its next hop needs no probe. RFC 4861 section 7.3.1. */
  confirmReachable(stack: number, destination: number): void {
    const row = this.route(stack, destination);
    const egress = this.adjacencies.interface[row]!;
    const isNeighbor = this.adjacencies.kind[row]! <= AdjacencyKind.incomplete && this.links.isEthernet(egress);
    if (isNeighbor) this.neighbors.confirmReachable(row);
  }

  /** Registers who is told of errors about packets of an IP protocol. */
  onIcmpError(protocol: number, handler: IcmpErrorHandler): void {
    this.#icmpErrorHandlers[protocol] = handler;
  }

  /** For nodes: tells the protocol's handler; false without one. */
  reportIcmpError(
    protocol: number,
    stack: number,
    type: number,
    code: number,
    info: number,
    quoteAt: number,
    quoteBytes: number,
  ): boolean {
    const handler = this.#icmpErrorHandlers[protocol];
    return handler?.(stack, type, code, info, quoteAt, quoteBytes) ?? false;
  }

  // For people.

  listAddresses(stack: number): AddressInfo[] {
    return listAddresses(this, stack);
  }

  listRoutes(vrf: number): RouteInfo[] {
    return listRoutes(this, vrf);
  }

  listNeighbors(stack: number): NeighborInfo[] {
    return listNeighbors(this, stack);
  }

  // Time.

  nextDeadlineNs(): number {
    return this.outbox.count > 0 ? 0 : this.neighbors.nextDeadlineNs();
  }

  advance(nowNs: number): void {
    this.neighbors.advance(nowNs);
  }

  /** Gives every packet back to the pool. */
  close(): void {
    this.outbox.clear();
    for (let index = 1; index < this.interfaces.end; index++) {
      for (const row of this.neighbors.table.rowsOf(index)) this.neighbors.queues.clear(row);
    }
  }

  #showHost(interfaceIndex: number, address: number, row: number): void {
    const rib = this.stacks.rib(this.interfaces.vrf[interfaceIndex]!);
    rib.addHost(address, interfaceIndex, row, this.links.link(interfaceIndex));
  }

  /** The interface of the stack that has the address, or NO_INTERFACE. */
  #holder(stack: number, address: number): number {
    for (let index = 1; index < this.interfaces.end; index++) {
      if (this.interfaces.stack[index] === stack && this.addresses.find(index, address) !== undefined) return index;
    }
    return NO_INTERFACE;
  }

  /** Any address of the stack that is good outside of it. */
  #primaryAddress(stack: number): number {
    for (let index = 1; index < this.interfaces.end; index++) {
      if (this.interfaces.stack[index] !== stack || this.links.isLoopback(index)) continue;
      const first = this.addresses.of(index)[0];
      if (first !== undefined) return first.address;
    }
    return 0;
  }

  #announce(interfaceIndex: number): void {
    for (const { address } of this.addresses.of(interfaceIndex)) this.#announceAddress(interfaceIndex, address);
  }

  #announceAddress(interfaceIndex: number, address: number): void {
    if (this.links.isEthernet(interfaceIndex)) this.neighbors.announce(interfaceIndex, address, this.outbox.send);
  }
}
