/**
 * The network layer of a worker: stacks, VRFs, routes, adjacencies, neighbors, fragments, path MTUs. Nodes read its
 * tables; everything that configures or asks goes through the methods of {@link L3}.
 *
 * IPv4 addresses are unsigned numbers here; tables hold them as IPv4-mapped 128-bit addresses. An interface exists in the
 * interface table first, then `addInterface` makes it known here; it is taken out in the opposite order.
 */
import { UsernetError } from '../base/errors.js';
import type { TimerSource } from '../base/time.js';
import { InterfaceFlag, type InterfaceTable, NO_INTERFACE } from '../drivers/interface-table.js';
import { makeToeplitzTable, TOEPLITZ_KEY_SYMMETRIC } from '../kernels/toeplitz.js';
import { formatIpv4Cidr, isIpv4Unicast } from '../wire/address.js';
import { IPV4_MULTICAST_MAC_HI, ipv4MulticastMacLo } from '../wire/ethernet.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { AddressTable } from './address-table.js';
import { Adjacency, AdjacencyKind, AdjacencyTable } from './adjacency.js';
import { Egress, type RouteErrno } from './egress.js';
import { GroupTable } from './group-table.js';
import { EchoClient, type PingOptions, type PingResult } from './icmp-echo.js';
import { IcmpErrorColumn } from './icmp-error-column.js';
import { type IcmpErrorHandler, IcmpErrorHandlers } from './icmp-error-handlers.js';
import { Identifications } from './identification.js';
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
import { DEFAULT_L3_LIMITS, type L3Limits, type L3Parts } from './l3-options.js';
import { NeighborMachine } from './neighbor-machine.js';
import { NO_NEIGHBOR } from './neighbor-table.js';
import { Outbox } from './outbox.js';
import { PathMtuTable } from './path-mtu.js';
import { ReassemblyTable } from './reassembly-table.js';
import { StackTable } from './stack-table.js';
import { TokenBuckets } from './token-bucket.js';

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
  readonly groups = new GroupTable();
  readonly identifications: Identifications;
  readonly reassembly: ReassemblyTable;
  /** ICMP errors by stack. */
  readonly icmpLimits: TokenBuckets;
  readonly echo: EchoClient;
  /** For toeplitz2 and toeplitz4: both directions of a flow have the same hash. */
  readonly flowHashTable = makeToeplitzTable(TOEPLITZ_KEY_SYMMETRIC);
  readonly interfaces: InterfaceTable;
  readonly errorHandlers = new IcmpErrorHandlers();
  /** How packets leave a stack. */
  readonly routesOut: Egress;
  readonly #routes: Ip4Routes;

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
    const { fib, pathMtus } = this;
    this.routesOut = new Egress({ interfaces, fib, stacks, adjacencies, addresses, pathMtus });
    this.identifications = new Identifications(random);
    this.icmpLimits = new TokenBuckets(all.stacks, all.icmpErrorsPerSecond, all.icmpErrorBurst);
    const reassemblySlots = all.reassemblySlots ?? pool.slotCount >> 3;
    const reassemblyParts = { pool, clock, random, icmpErrors };
    this.reassembly = new ReassemblyTable(reassemblyParts, this.outbox.send, all.reassemblies, reassemblySlots);
    const { identifications } = this;
    this.echo = new EchoClient({ pool, clock, random, identifications, vrfOfStack: stacks.vrf }, this.outbox.send);
    this.onIcmpError(IpProtocol.icmp, (stack, type, code, info, quoteAt, _quoteBytes, from) =>
      this.echo.receiveError(stack, type, code, info, quoteAt, from),
    );
  }

  // Stacks and interfaces.

  /** Adds a stack: a host, or a router if `forwarding`. Returns its row. Throws USERNET_STACK_LIMIT. */
  createStack(options: { readonly forwarding?: boolean } = {}): number {
    return this.stacks.add(options.forwarding ?? false);
  }

  /** Removes a stack. Precondition: `removeInterface` was called for its interfaces. */
  removeStack(stack: number): void {
    for (const vrf of this.stacks.vrfsOf(stack)) this.removeVrf(vrf);
    this.stacks.remove(stack);
  }

  /** Adds one more VRF to a stack: routes and addresses apart from those of its default VRF. Returns its index. */
  createVrf(stack: number): number {
    return this.stacks.addVrf(stack, this.stacks.forwarding[this.stacks.vrf[stack]!] === 1);
  }

  /** Removes a VRF with its routes. Precondition: `removeInterface` was called for its interfaces. */
  removeVrf(vrf: number): void {
    this.#routes.removeAll(vrf);
    this.pathMtus.clear(vrf);
    this.stacks.removeVrf(vrf);
  }

  setForwarding(stack: number, isOn: boolean): void {
    for (const vrf of this.stacks.vrfsOf(stack)) this.stacks.forwarding[vrf] = isOn ? 1 : 0;
  }

  /** Makes an interface known whose `stack` is set; puts it into a VRF of that stack, by default its default one. */
  addInterface(interfaceIndex: number, vrf?: number): void {
    const stack = this.interfaces.stack[interfaceIndex]!;
    this.interfaces.vrf[interfaceIndex] = vrf ?? this.stacks.vrf[stack]!;
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
    this.groups.clear(interfaceIndex);
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
    this.fib.generation++;
    this.#announce(interfaceIndex);
  }

  // Addresses, routes, neighbors.

  /**
   * Gives an interface an address, and routes to it and its network. It is announced on the link (gratuitous ARP).
   * Throws USERNET_ADDRESS_INVALID if no host can have it, USERNET_ADDRESS_IN_USE if the interface's VRF has it.
   */
  addAddress(interfaceIndex: number, address: number, prefixLength: number): void {
    const isRight = isIpv4Unicast(address) && prefixLength >= 1 && prefixLength <= 32;
    if (!isRight) {
      const text = formatIpv4Cidr(address, prefixLength);
      throw new UsernetError('USERNET_ADDRESS_INVALID', `no interface can have the address ${text}`);
    }
    if (this.#hasAddress(this.interfaces.vrf[interfaceIndex]!, address)) {
      const text = formatIpv4Cidr(address, prefixLength);
      throw new UsernetError('USERNET_ADDRESS_IN_USE', `an interface has the address ${text} already`);
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

  // Multicast.

  /** Lets an interface listen to a group; as often as it is called, `leaveGroup` has to be. RFC 1112 section 7.1. */
  joinGroup(interfaceIndex: number, group: number): void {
    this.groups.join(interfaceIndex, group);
  }

  leaveGroup(interfaceIndex: number, group: number): boolean {
    return this.groups.leave(interfaceIndex, group);
  }

  /** For nodes: the adjacency of a group on a link, or NO_NEIGHBOR. RFC 1112 section 6.4. */
  groupNeighbor(interfaceIndex: number, group: number): number {
    if (!this.links.isEthernet(interfaceIndex)) return this.links.link(interfaceIndex);
    const row = this.neighbors.obtain(interfaceIndex, group);
    if (row !== NO_NEIGHBOR) this.neighbors.setGroup(row, IPV4_MULTICAST_MAC_HI, ipv4MulticastMacLo(group));
    return row;
  }

  // Questions of transports.

  /** The adjacency for a destination in a VRF, 224.0.0.0/3 included. */
  lookup(vrf: number, destination: number): number {
    return this.routesOut.lookup(vrf, destination);
  }

  /** The adjacency for packets that the stack itself sends. */
  route(stack: number, destination: number): number {
    return this.routesOut.route(stack, destination);
  }

  /** Why nothing can be sent to the destination; undefined if it can. Broadcast is the socket's business. */
  routeErrno(stack: number, destination: number): RouteErrno {
    return this.routesOut.errno(stack, destination);
  }

  /** Interface by which packets of the stack to the destination leave; the loopback for its own addresses; 0 for none. */
  egress(stack: number, destination: number): number {
    return this.routesOut.interface(stack, destination);
  }

  /** The source address for packets of the stack to the destination; 0 if it has none. RFC 1122 section 3.3.4.3. */
  selectSource(stack: number, destination: number): number {
    return this.routesOut.source(stack, destination);
  }

  /** Largest IP packet that reaches the destination in one piece, as far as is known; 0 without a route. RFC 1191. */
  pathMtu(stack: number, destination: number): number {
    return this.routesOut.pathMtu(stack, destination);
  }

  /** True if the address is one of the stack's own. */
  isLocal(stack: number, address: number): boolean {
    return this.routesOut.kind(stack, address) === AdjacencyKind.local;
  }

  /** True for addresses that several hosts listen to: limited and directed broadcast. */
  isBroadcast(stack: number, address: number): boolean {
    return this.routesOut.kind(stack, address) === AdjacencyKind.broadcast;
  }

  /** A transport has seen forward progress with the destination: its next hop needs no probe. RFC 4861 section 7.3.1. */
  confirmReachable(stack: number, destination: number): void {
    const row = this.routesOut.route(stack, destination);
    if (this.routesOut.isNeighbor(row)) this.neighbors.confirmReachable(row);
  }

  /** Registers who is told of errors about packets of an IP protocol. */
  onIcmpError(protocol: number, handler: IcmpErrorHandler): void {
    this.errorHandlers.set(protocol, handler);
  }

  /**
   * Sends one echo request from a stack; `done` is called once. The source is chosen if it is not given. Returns false,
   * without calling `done`, if there are too many pings on their way or no slots.
   */
  ping(stack: number, destination: number, options: Partial<PingOptions>, done: (result: PingResult) => void): boolean {
    const source = options.source ?? this.selectSource(stack, destination);
    return this.echo.ping(stack, destination, { ...options, source }, done);
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
    if (this.outbox.count > 0) return 0;
    const own = Math.min(this.neighbors.nextDeadlineNs(), this.reassembly.nextDeadlineNs());
    return Math.min(own, this.echo.nextDeadlineNs());
  }

  advance(nowNs: number): void {
    this.neighbors.advance(nowNs);
    this.reassembly.advance(nowNs);
    this.echo.advance(nowNs);
  }

  /** Gives every packet back to the pool. */
  close(): void {
    this.outbox.clear();
    this.reassembly.close();
    for (let row = 0; row < this.adjacencies.end; row++) this.neighbors.queues.clear(row);
  }

  #showHost(interfaceIndex: number, address: number, row: number): void {
    const rib = this.stacks.rib(this.interfaces.vrf[interfaceIndex]!);
    rib.addHost(address, interfaceIndex, row, this.links.link(interfaceIndex));
  }

  #hasAddress(vrf: number, address: number): boolean {
    for (let index = 1; index < this.interfaces.end; index++) {
      if (this.interfaces.vrf[index] === vrf && this.addresses.find(index, address) !== undefined) return true;
    }
    return false;
  }

  #announce(interfaceIndex: number): void {
    for (const { address } of this.addresses.of(interfaceIndex)) this.#announceAddress(interfaceIndex, address);
  }

  #announceAddress(interfaceIndex: number, address: number): void {
    if (this.links.isEthernet(interfaceIndex)) this.neighbors.announce(interfaceIndex, address, this.outbox.send);
  }
}
