import type { InterfaceTable } from '../../drivers/interface-table.js';
import type { L3 } from '../../l3/l3.js';
import type { UdpErrno } from './udp.js';

/** What UDP asks of the network layer. IPv4 addresses are unsigned numbers. */
export interface UdpRoutes {
  /** True if the address is one of the stack's own. */
  isLocal(stack: number, address: number): boolean;
  /** True for limited and directed broadcast. */
  isBroadcast(stack: number, address: number): boolean;
  /** Why nothing can be sent to the destination; undefined if it can. Groups and broadcast can. */
  errno(stack: number, destination: number): UdpErrno | undefined;
  /** Address that packets to `destination` should come from; 0 when there is none. */
  source(stack: number, destination: number): number;
  /** Interface by which packets to `destination` leave; 0 for none. */
  egress(stack: number, destination: number): number;
  /** Most bytes of an IP packet on the interface. */
  mtu(interfaceIndex: number): number;
  /** Packets the interface would take now. */
  txSpace(interfaceIndex: number): number;
  /** The next identification of a packet. RFC 6864. */
  identification(source: number, destination: number, protocol: number): number;
  /** Interface on which a group is joined: the one with the address `local`, or that of the default route for 0; 0 for none. */
  groupInterface(stack: number, local: number): number;
  joinGroup(interfaceIndex: number, group: number): void;
  leaveGroup(interfaceIndex: number, group: number): void;
}

/** The answers of the network layer of this worker. */
export class L3UdpRoutes implements UdpRoutes {
  readonly #l3: L3;
  readonly #interfaces: InterfaceTable;

  constructor(l3: L3) {
    this.#l3 = l3;
    this.#interfaces = l3.interfaces;
  }

  isLocal(stack: number, address: number): boolean {
    return this.#l3.isLocal(stack, address);
  }

  isBroadcast(stack: number, address: number): boolean {
    return this.#l3.isBroadcast(stack, address);
  }

  errno(stack: number, destination: number): UdpErrno | undefined {
    return this.#l3.routeErrno(stack, destination);
  }

  source(stack: number, destination: number): number {
    return this.#l3.selectSource(stack, destination);
  }

  egress(stack: number, destination: number): number {
    return this.#l3.egress(stack, destination);
  }

  mtu(interfaceIndex: number): number {
    return this.#interfaces.mtu[interfaceIndex]!;
  }

  txSpace(interfaceIndex: number): number {
    return this.#interfaces.txSpace(interfaceIndex);
  }

  identification(source: number, destination: number, protocol: number): number {
    return this.#l3.identifications.next(source, destination, protocol);
  }

  groupInterface(stack: number, local: number): number {
    return local === 0 ? this.#l3.routesOut.forGroup(stack, 0) : this.#l3.routesOut.holder(stack, local);
  }

  joinGroup(interfaceIndex: number, group: number): void {
    this.#l3.joinGroup(interfaceIndex, group);
  }

  leaveGroup(interfaceIndex: number, group: number): void {
    this.#l3.leaveGroup(interfaceIndex, group);
  }
}
