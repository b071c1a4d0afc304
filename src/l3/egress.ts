/** How packets of a stack leave it: what transports ask before they send. Read RFC 1122 section 3.3.4 first. */
import { InterfaceFlag, type InterfaceTable, NO_INTERFACE } from '../drivers/interface-table.js';
import type { AddressTable } from './address-table.js';
import { AdjacencyKind, type AdjacencyTable, FIRST_GROUP_ADDRESS, groupAdjacency } from './adjacency.js';
import type { Ip4Fib } from './ip4-fib.js';
import type { PathMtuTable } from './path-mtu.js';
import type { StackTable } from './stack-table.js';

/** Socket error that a route's kind means for connect and send; undefined if packets can be sent. */
export type RouteErrno = 'ENETUNREACH' | 'EHOSTUNREACH' | 'EACCES' | 'EINVAL' | undefined;

export interface EgressParts {
  readonly interfaces: InterfaceTable;
  readonly fib: Ip4Fib;
  readonly stacks: StackTable;
  readonly adjacencies: AdjacencyTable;
  readonly addresses: AddressTable;
  readonly pathMtus: PathMtuTable;
}

export class Egress {
  readonly #parts: EgressParts;

  constructor(parts: EgressParts) {
    this.#parts = parts;
  }

  /** The adjacency for a destination in a VRF, 224.0.0.0/3 included. */
  lookup(vrf: number, destination: number): number {
    return destination >= FIRST_GROUP_ADDRESS ? groupAdjacency(destination) : this.#parts.fib.lookup(vrf, destination);
  }

  /** The adjacency for packets that the stack itself sends. */
  route(stack: number, destination: number): number {
    return this.lookup(this.#parts.stacks.vrf[stack]!, destination);
  }

  kind(stack: number, destination: number): number {
    return this.#parts.adjacencies.kind[this.route(stack, destination)]!;
  }

  errno(stack: number, destination: number): RouteErrno {
    switch (this.kind(stack, destination)) {
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

  /** The interface: the loopback for own addresses, that of the default route for groups; 0 for none. */
  interface(stack: number, destination: number): number {
    const row = this.route(stack, destination);
    const kind = this.#parts.adjacencies.kind[row]!;
    if (kind === AdjacencyKind.local) return this.#parts.stacks.loopback[stack]!;
    return this.#parts.adjacencies.interface[row]! || (kind >= AdjacencyKind.broadcast ? this.forGroup(stack, 0) : 0);
  }

  /** The interface for broadcasts and multicasts: that of the source address, else of the default route, else the first. */
  forGroup(stack: number, source: number): number {
    const { adjacencies, fib, stacks } = this.#parts;
    const holder = source === 0 ? NO_INTERFACE : this.holder(stack, source);
    if (holder !== NO_INTERFACE) return holder;
    return adjacencies.interface[fib.defaults[stacks.vrf[stack]!]!]! || this.#firstLink(stack);
  }

  /** RFC 1122 section 3.3.4.3: the address of the outgoing interface on the next hop's network. 0 without any. */
  source(stack: number, destination: number): number {
    const row = this.route(stack, destination);
    if (this.#parts.adjacencies.kind[row] === AdjacencyKind.local) return destination;
    const egress = this.interface(stack, destination);
    if (egress === NO_INTERFACE) return this.#anyAddress(stack);
    const nextHop = this.isNeighbor(row) ? this.#parts.adjacencies.nextHop(row) : destination;
    return this.#parts.addresses.sourceFor(egress, nextHop) || this.#anyAddress(stack);
  }

  /** RFC 1191. 0 without a route. */
  pathMtu(stack: number, destination: number): number {
    const egress = this.interface(stack, destination);
    if (egress === NO_INTERFACE) return 0;
    const { pathMtus, stacks, interfaces } = this.#parts;
    return pathMtus.get(stacks.vrf[stack]!, destination, interfaces.mtu[egress]!);
  }

  /** True if the row is that of one neighbor on an Ethernet link. */
  isNeighbor(row: number): boolean {
    const { adjacencies } = this.#parts;
    return adjacencies.kind[row]! <= AdjacencyKind.incomplete && adjacencies.headerBytes[row] !== 0;
  }

  /** The interface of the stack that has the address, or NO_INTERFACE. */
  holder(stack: number, address: number): number {
    const { interfaces, addresses } = this.#parts;
    for (let index = 1; index < interfaces.end; index++) {
      if (interfaces.stack[index] === stack && addresses.find(index, address) !== undefined) return index;
    }
    return NO_INTERFACE;
  }

  /** An address of the stack that is good outside of it. */
  #anyAddress(stack: number): number {
    for (let index = 1; index < this.#parts.interfaces.end; index++) {
      const first = this.#isLink(stack, index) ? this.#parts.addresses.of(index)[0] : undefined;
      if (first !== undefined) return first.address;
    }
    return 0;
  }

  #firstLink(stack: number): number {
    for (let index = 1; index < this.#parts.interfaces.end; index++) if (this.#isLink(stack, index)) return index;
    return NO_INTERFACE;
  }

  /** True for interfaces of the stack that are up and lead out of it. */
  #isLink(stack: number, index: number): boolean {
    const { interfaces } = this.#parts;
    const isLoopback = (interfaces.flags[index]! & InterfaceFlag.loopback) !== 0;
    return interfaces.stack[index] === stack && interfaces.isUp(index) && !isLoopback;
  }
}
