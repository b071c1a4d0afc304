/** The adjacencies that each interface has of its own: to its whole link, and to everybody on it. */
import { assert } from '../base/assert.js';
import { InterfaceFlag, type InterfaceTable } from '../drivers/interface-table.js';
import { AdjacencyKind, type AdjacencyTable } from './adjacency.js';

export class InterfaceLinks {
  readonly #link: Int32Array;
  readonly #broadcast: Int32Array;
  readonly #interfaces: InterfaceTable;
  readonly #adjacencies: AdjacencyTable;

  constructor(interfaces: InterfaceTable, adjacencies: AdjacencyTable) {
    this.#interfaces = interfaces;
    this.#adjacencies = adjacencies;
    this.#link = new Int32Array(interfaces.maxInterfaces);
    this.#broadcast = new Int32Array(interfaces.maxInterfaces);
  }

  has(interfaceIndex: number): boolean {
    return this.#link[interfaceIndex] !== 0;
  }

  isEthernet(interfaceIndex: number): boolean {
    return (this.#interfaces.flags[interfaceIndex]! & InterfaceFlag.ethernet) !== 0;
  }

  isLoopback(interfaceIndex: number): boolean {
    return (this.#interfaces.flags[interfaceIndex]! & InterfaceFlag.loopback) !== 0;
  }

  add(interfaceIndex: number): void {
    assert(!this.has(interfaceIndex), `interface ${interfaceIndex} was added to l3 twice`);
    const kind = this.isEthernet(interfaceIndex) ? AdjacencyKind.glean : AdjacencyKind.rewrite;
    this.#link[interfaceIndex] = this.#adjacencies.add(kind, interfaceIndex, 0);
    this.#broadcast[interfaceIndex] = this.#adjacencies.add(AdjacencyKind.broadcast, interfaceIndex, 0xffffffff);
  }

  remove(interfaceIndex: number): void {
    this.#adjacencies.remove(this.#link[interfaceIndex]!);
    this.#adjacencies.remove(this.#broadcast[interfaceIndex]!);
    this.#link[interfaceIndex] = 0;
    this.#broadcast[interfaceIndex] = 0;
  }

  /** Row for destinations on the link: `glean` on Ethernet, else `rewrite`. */
  link(interfaceIndex: number): number {
    return this.#link[interfaceIndex]!;
  }

  /** Row for the link's broadcast addresses. */
  broadcast(interfaceIndex: number): number {
    return this.#broadcast[interfaceIndex]!;
  }
}
