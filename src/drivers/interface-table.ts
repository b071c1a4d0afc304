/**
 * The interfaces of a worker: an interface is an index, its attributes are columns. Index 0 stands for "none": packets
 * that begin in this process.
 *
 * Devices that have packets to receive are kept in a ring of pending interfaces, so that idle ones cost nothing.
 */
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';
import type { TimerSource } from '../base/time.js';
import type { Mac } from '../wire/ethernet.js';
import type { Device } from './device.js';

export const NO_INTERFACE = 0;
/** Stack of an interface that belongs to none: a port of a bridge. */
export const NO_STACK = -1;
export const NO_BRIDGE = -1;

/** Bits of the `flags` column. */
export const InterfaceFlag = {
  up: 1,
  /** Takes frames for any link address. */
  promiscuous: 2,
  /** A port of the bridge domain in the column `bridge`. */
  bridged: 4,
  /** Packets begin with an Ethernet header. */
  ethernet: 8,
  loopback: 16,
  /** The device takes super-segments. */
  gso: 32,
  /** The device takes packets whose transport checksum is not computed. */
  checksum: 64,
} as const;

export interface InterfaceOptions {
  /** Unique among the interfaces of the stack. */
  readonly name: string;
  /** Row of the stack; NO_STACK for a port of a bridge. */
  readonly stack: number;
  readonly vrf?: number;
  readonly device: Device;
  /** Most bytes of an IP packet. */
  readonly mtu: number;
  /** Needed by Ethernet devices that are not ports of a bridge. */
  readonly mac?: Mac;
  /** Default: true. */
  readonly up?: boolean;
  readonly promiscuous?: boolean;
}

export class InterfaceTable implements TimerSource {
  readonly maxInterfaces: number;

  // Columns: one entry an interface. Written by: control operations. Read by: nodes.
  /** Row of the stack, or NO_STACK. */
  readonly stack: Int32Array;
  readonly vrf: Int32Array;
  readonly mtu: Int32Array;
  /** First 16 bits of the link address. */
  readonly macHi: Int32Array;
  /** Last 32 bits of the link address, signed. */
  readonly macLo: Int32Array;
  /** Bits of {@link InterfaceFlag}. */
  readonly flags: Int32Array;
  /** Bridge domain of a bridged interface, else NO_BRIDGE. */
  readonly bridge: Int32Array;

  // Counts since the interface was created. Written by: device-input and interface-output. Read by: any.
  readonly rxPackets: Float64Array;
  readonly rxBytes: Float64Array;
  readonly txPackets: Float64Array;
  readonly txBytes: Float64Array;
  readonly rxDrops: Float64Array;
  readonly txDrops: Float64Array;

  readonly devices: (Device | undefined)[];
  readonly names: string[];

  /** Called when a device has packets and none had before: the engine schedules a run. */
  wake: () => void = () => {};

  readonly #removalListeners: ((index: number) => void)[] = [];
  readonly #isPending: Uint8Array;
  readonly #pending: Int32Array;
  #pendingHead = 0;
  #pendingCount = 0;
  #end = 1;
  /** Devices with work at a time. */
  readonly #timers = new Map<number, TimerSource>();

  constructor(maxInterfaces = 1024) {
    this.maxInterfaces = maxInterfaces;
    this.stack = new Int32Array(maxInterfaces).fill(NO_STACK);
    this.vrf = new Int32Array(maxInterfaces);
    this.mtu = new Int32Array(maxInterfaces);
    this.macHi = new Int32Array(maxInterfaces);
    this.macLo = new Int32Array(maxInterfaces);
    this.flags = new Int32Array(maxInterfaces);
    this.bridge = new Int32Array(maxInterfaces).fill(NO_BRIDGE);
    this.rxPackets = new Float64Array(maxInterfaces);
    this.rxBytes = new Float64Array(maxInterfaces);
    this.txPackets = new Float64Array(maxInterfaces);
    this.txBytes = new Float64Array(maxInterfaces);
    this.rxDrops = new Float64Array(maxInterfaces);
    this.txDrops = new Float64Array(maxInterfaces);
    this.devices = new Array<Device | undefined>(maxInterfaces).fill(undefined);
    this.names = new Array<string>(maxInterfaces).fill('');
    this.#isPending = new Uint8Array(maxInterfaces);
    this.#pending = new Int32Array(maxInterfaces);
  }

  /** One more than the highest index in use: for loops over all interfaces; those without a device are not there. */
  get end(): number {
    return this.#end;
  }

  /** Adds an interface and returns its index. Throws USERNET_INTERFACE_LIMIT or USERNET_INTERFACE_EXISTS. */
  create(options: InterfaceOptions): number {
    const { name, stack, device } = options;
    if (this.find(stack, name) !== NO_INTERFACE) {
      throw new UsernetError('USERNET_INTERFACE_EXISTS', `the stack has an interface ${name} already`);
    }
    const index = this.#freeIndex();
    this.names[index] = name;
    this.devices[index] = device;
    this.stack[index] = stack;
    this.vrf[index] = options.vrf ?? 0;
    this.mtu[index] = options.mtu;
    this.macHi[index] = options.mac?.hi ?? 0;
    this.macLo[index] = options.mac?.lo ?? 0;
    this.bridge[index] = NO_BRIDGE;
    this.flags[index] =
      (options.up === false ? 0 : InterfaceFlag.up) |
      (options.promiscuous ? InterfaceFlag.promiscuous : 0) |
      (device.linkType === 'ethernet' ? InterfaceFlag.ethernet : 0) |
      (device.kind === 'loopback' ? InterfaceFlag.loopback : 0);
    this.refreshCapabilities(index);
    for (const counts of this.#counters()) counts[index] = 0;
    if (device.timers !== undefined) this.#timers.set(index, device.timers);
    device.onPending = () => this.markPending(index);
    this.markPending(index);
    return index;
  }

  /** Closes the interface's device and frees the index. */
  remove(index: number): void {
    const device = this.devices[index];
    assert(device !== undefined, `there is no interface ${index}`);
    for (const listener of this.#removalListeners) listener(index);
    device.onPending = () => {};
    device.close();
    this.devices[index] = undefined;
    this.names[index] = '';
    this.stack[index] = NO_STACK;
    this.flags[index] = 0;
    this.bridge[index] = NO_BRIDGE;
    this.#timers.delete(index);
    while (this.#end > 1 && this.devices[this.#end - 1] === undefined) this.#end--;
  }

  /** Registers a layer that has to let go of an interface before it is removed. */
  onRemoval(listener: (index: number) => void): void {
    this.#removalListeners.push(listener);
  }

  /** Index of the interface of that name in a stack, or NO_INTERFACE. */
  find(stack: number, name: string): number {
    for (let index = 1; index < this.#end; index++) {
      if (this.devices[index] !== undefined && this.stack[index] === stack && this.names[index] === name) return index;
    }
    return NO_INTERFACE;
  }

  /** Sets or clears bits of {@link InterfaceFlag}. */
  setFlags(index: number, bits: number, on: boolean): void {
    this.flags[index] = on ? this.flags[index]! | bits : this.flags[index]! & ~bits;
  }

  isUp(index: number): boolean {
    return (this.flags[index]! & InterfaceFlag.up) !== 0;
  }

  /** Takes over what the device can do: to be called when a device's capabilities have changed. */
  refreshCapabilities(index: number): void {
    const capabilities = this.devices[index]!.capabilities;
    this.setFlags(index, InterfaceFlag.gso, capabilities.gso && capabilities.checksum);
    this.setFlags(index, InterfaceFlag.checksum, capabilities.checksum);
  }

  /** Packets that the interface's device would take now. */
  txSpace(index: number): number {
    return this.devices[index]?.txSpace ?? 0;
  }

  /** Notes that the interface's device has packets to receive. */
  markPending(index: number): void {
    this.keepPending(index);
    if (this.#pendingCount === 1) this.wake();
  }

  /** Puts an interface that was polled, but not to the end, behind the others. */
  keepPending(index: number): void {
    if (this.#isPending[index] === 1) return;
    this.#isPending[index] = 1;
    this.#pending[(this.#pendingHead + this.#pendingCount) % this.maxInterfaces] = index;
    this.#pendingCount++;
  }

  /** Interfaces that wait to be polled. */
  get pendingCount(): number {
    return this.#pendingCount;
  }

  /** Takes the interface that has waited longest; it is no longer pending. NO_INTERFACE when none waits. */
  takePending(): number {
    if (this.#pendingCount === 0) return NO_INTERFACE;
    const index = this.#pending[this.#pendingHead]!;
    this.#pendingHead = this.#pendingHead + 1 === this.maxInterfaces ? 0 : this.#pendingHead + 1;
    this.#pendingCount--;
    this.#isPending[index] = 0;
    return index;
  }

  nextDeadlineNs(): number {
    let earliest = Infinity;
    for (const timers of this.#timers.values()) earliest = Math.min(earliest, timers.nextDeadlineNs());
    return earliest;
  }

  advance(nowNs: number): void {
    for (const timers of this.#timers.values()) timers.advance(nowNs);
  }

  /** Removes every interface. */
  close(): void {
    for (let index = this.#end - 1; index > 0; index--) if (this.devices[index] !== undefined) this.remove(index);
  }

  #counters(): Float64Array[] {
    return [this.rxPackets, this.rxBytes, this.txPackets, this.txBytes, this.rxDrops, this.txDrops];
  }

  #freeIndex(): number {
    for (let index = 1; index < this.#end; index++) if (this.devices[index] === undefined) return index;
    if (this.#end === this.maxInterfaces) {
      throw new UsernetError('USERNET_INTERFACE_LIMIT', `there are ${this.maxInterfaces - 1} interfaces already`);
    }
    return this.#end++;
  }
}
