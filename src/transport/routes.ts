import type { InterfaceTable } from '../drivers/interface-table.js';
import { InterfaceFlag } from '../drivers/interface-table.js';
import { AdjacencyKind } from '../l3/adjacency.js';
import type { L3 } from '../l3/l3.js';
import type { ErrnoName } from './events.js';

/** What a transport asks of the network layer about the way to a destination. IPv4 addresses are unsigned numbers. */
export interface TransportRoutes {
  /** Changes with everything that may change an answer: what was remembered is to be asked anew. */
  readonly generation: number;
  /** Interface that packets of the stack to `destination` leave by; 0 when there is no route. */
  egress(stack: number, destination: number): number;
  /** Address that packets to `destination` should come from, unsigned; 0 when there is none. */
  source(stack: number, destination: number): number;
  /** True if the address is one of the stack's own. */
  isLocal(stack: number, address: number): boolean;
  /** Most bytes of an IP packet that reaches the destination in one piece, as far as is known; 0 without a route. RFC 1191. */
  pathMtu(stack: number, destination: number): number;
  /** Why nothing can be sent to the destination; undefined if it can. */
  errno(stack: number, destination: number): ErrnoName | undefined;
  /** Most bytes of an IP packet on the interface. */
  mtu(interfaceIndex: number): number;
  /** True if the interface takes super-segments. */
  hasGso(interfaceIndex: number): boolean;
  /** Packets the interface would take now. */
  txSpace(interfaceIndex: number): number;
  /** The destination has answered: its next hop is there (RFC 4861 section 7.3.1). */
  confirmReachable(stack: number, destination: number): void;
}

/** The answers of the network layer of this worker. */
export class L3Routes implements TransportRoutes {
  readonly #l3: L3;
  readonly #interfaces: InterfaceTable;

  constructor(l3: L3) {
    this.#l3 = l3;
    this.#interfaces = l3.interfaces;
  }

  get generation(): number {
    return this.#l3.fib.generation;
  }

  egress(stack: number, destination: number): number {
    return this.#l3.egress(stack, destination);
  }

  pathMtu(stack: number, destination: number): number {
    return this.#l3.pathMtu(stack, destination);
  }

  /** Broadcast and multicast addresses are no destinations for a connection: RFC 1122 section 4.2.3.10. */
  errno(stack: number, destination: number): ErrnoName | undefined {
    if (this.#l3.routesOut.kind(stack, destination) >= AdjacencyKind.broadcast) return 'ENETUNREACH';
    const errno = this.#l3.routeErrno(stack, destination);
    return errno === 'EINVAL' ? 'ENETUNREACH' : errno;
  }

  source(stack: number, destination: number): number {
    return this.#l3.selectSource(stack, destination);
  }

  isLocal(stack: number, address: number): boolean {
    return this.#l3.isLocal(stack, address);
  }

  mtu(interfaceIndex: number): number {
    return this.#interfaces.mtu[interfaceIndex]!;
  }

  hasGso(interfaceIndex: number): boolean {
    return (this.#interfaces.flags[interfaceIndex]! & InterfaceFlag.gso) !== 0;
  }

  txSpace(interfaceIndex: number): number {
    return this.#interfaces.txSpace(interfaceIndex);
  }

  confirmReachable(stack: number, destination: number): void {
    this.#l3.confirmReachable(stack, destination);
  }
}
