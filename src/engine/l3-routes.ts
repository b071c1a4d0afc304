import { InterfaceFlag } from '../drivers/interface-table.js';
import type { L3 } from '../l3/l3.js';
import type { TransportRoutes } from '../transport/routes.js';

/** The network layer, as transports ask it for the way to a destination. */
export class L3Routes implements TransportRoutes {
  readonly #l3: L3;

  constructor(l3: L3) {
    this.#l3 = l3;
  }

  get generation(): number {
    return this.#l3.fib.generation;
  }

  egress(stack: number, destination: number): number {
    return this.#l3.egress(stack, destination >>> 0);
  }

  source(stack: number, destination: number): number {
    return this.#l3.selectSource(stack, destination >>> 0);
  }

  isLocal(stack: number, address: number): boolean {
    return this.#l3.isLocal(stack, address >>> 0);
  }

  mtu(interfaceIndex: number): number {
    return this.#l3.interfaces.mtu[interfaceIndex]!;
  }

  hasGso(interfaceIndex: number): boolean {
    return (this.#l3.interfaces.flags[interfaceIndex]! & InterfaceFlag.gso) !== 0;
  }

  txSpace(interfaceIndex: number): number {
    return this.#l3.interfaces.txSpace(interfaceIndex);
  }
}
