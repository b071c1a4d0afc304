/** The stacks of a worker: hosts and routers as rows, and their VRFs. */
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';
import { NO_INTERFACE } from '../drivers/interface-table.js';
import type { Arena } from '../mem/arena.js';
import type { Ip4Fib } from './ip4-fib.js';
import { Ip4Rib } from './ip4-rib.js';

export class StackTable {
  readonly maxStacks: number;
  readonly maxVrfs: number;

  // Columns by stack. Written by: control operations. Read by: nodes.
  /** The VRF of locally made packets. */
  readonly vrf: Int32Array;
  /** The stack's loopback interface, or 0. */
  readonly loopback: Int32Array;
  /** The adjacency of that interface, or 0. */
  readonly loopbackAdjacency: Int32Array;

  // Columns by VRF.
  /** 1 where packets for others are forwarded, 0 for hosts. */
  readonly forwarding: Int32Array;
  /** The stack that the VRF belongs to. */
  readonly stackOfVrf: Int32Array;

  readonly #isUsed: boolean[];
  /** By VRF: its routes. */
  readonly #ribs: (Ip4Rib | undefined)[];
  readonly #fib: Ip4Fib;

  constructor(arena: Arena, fib: Ip4Fib, maxStacks: number, maxVrfs: number) {
    this.maxStacks = maxStacks;
    this.maxVrfs = maxVrfs;
    this.vrf = arena.int32(maxStacks);
    this.loopback = arena.int32(maxStacks);
    this.loopbackAdjacency = arena.int32(maxStacks);
    this.forwarding = arena.int32(maxVrfs);
    this.stackOfVrf = arena.int32(maxVrfs);
    this.#isUsed = new Array<boolean>(maxStacks).fill(false);
    this.#ribs = new Array<Ip4Rib | undefined>(maxVrfs).fill(undefined);
    this.#fib = fib;
  }

  has(stack: number): boolean {
    return this.#isUsed[stack] === true;
  }

  /** Adds a stack with its default VRF. Throws USERNET_STACK_LIMIT. */
  add(forwarding: boolean): number {
    const stack = this.#isUsed.indexOf(false);
    if (stack < 0) throw new UsernetError('USERNET_STACK_LIMIT', `there are ${this.maxStacks} stacks already`);
    this.#isUsed[stack] = true;
    this.loopback[stack] = NO_INTERFACE;
    this.loopbackAdjacency[stack] = 0;
    this.vrf[stack] = this.addVrf(stack, forwarding);
    return stack;
  }

  /** Precondition: its VRFs are gone. */
  remove(stack: number): void {
    this.#isUsed[stack] = false;
  }

  /** The VRFs of a stack. */
  vrfsOf(stack: number): number[] {
    const found: number[] = [];
    this.#ribs.forEach((rib, vrf) => {
      if (rib !== undefined && this.stackOfVrf[vrf] === stack) found.push(vrf);
    });
    return found;
  }

  /** Adds one more VRF to a stack. Throws USERNET_VRF_LIMIT. */
  addVrf(stack: number, forwarding: boolean): number {
    const vrf = this.#ribs.indexOf(undefined);
    if (vrf < 0) throw new UsernetError('USERNET_VRF_LIMIT', `there are ${this.maxVrfs} VRFs already`);
    this.#ribs[vrf] = new Ip4Rib(this.#fib, vrf);
    this.stackOfVrf[vrf] = stack;
    this.forwarding[vrf] = forwarding ? 1 : 0;
    return vrf;
  }

  removeVrf(vrf: number): void {
    this.rib(vrf).close();
    this.#ribs[vrf] = undefined;
  }

  rib(vrf: number): Ip4Rib {
    const rib = this.#ribs[vrf];
    assert(rib !== undefined, `there is no VRF ${vrf}`);
    return rib;
  }
}
