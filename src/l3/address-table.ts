/** The IPv4 addresses of each interface, in the order in which they were added: the first one is the primary. */
import { ipv4DirectedBroadcast, ipv4Network, ipv4PrefixMask } from '../wire/address.js';

export interface InterfaceAddress {
  readonly address: number;
  readonly prefixLength: number;
  /** Conflicting claims seen on the link. RFC 5227 section 2.4. */
  duplicates: number;
}

/** Longest prefix that has a directed broadcast address. RFC 3021 section 2.1. */
export const MAX_BROADCAST_PREFIX = 30;

const NONE: readonly InterfaceAddress[] = [];

export class AddressTable {
  readonly #byInterface = new Map<number, InterfaceAddress[]>();

  of(interfaceIndex: number): readonly InterfaceAddress[] {
    return this.#byInterface.get(interfaceIndex) ?? NONE;
  }

  find(interfaceIndex: number, address: number): InterfaceAddress | undefined {
    return this.of(interfaceIndex).find((each) => each.address === address);
  }

  add(interfaceIndex: number, address: number, prefixLength: number): void {
    const list = this.#byInterface.get(interfaceIndex) ?? [];
    list.push({ address, prefixLength, duplicates: 0 });
    this.#byInterface.set(interfaceIndex, list);
  }

  remove(interfaceIndex: number, address: number): void {
    const left = this.of(interfaceIndex).filter((each) => each.address !== address);
    if (left.length === 0) this.#byInterface.delete(interfaceIndex);
    else this.#byInterface.set(interfaceIndex, left);
  }

  /** True if `address` lies in one of the interface's networks. */
  isOnLink(interfaceIndex: number, address: number): boolean {
    const list = this.of(interfaceIndex);
    for (let i = 0; i < list.length; i++) {
      const own = list[i]!;
      if (((own.address ^ address) & ipv4PrefixMask(own.prefixLength)) === 0) return true;
    }
    return false;
  }

  /** True for the directed broadcast address of one of the interface's networks. RFC 1122 section 3.2.1.3 (d). */
  isBroadcast(interfaceIndex: number, address: number): boolean {
    const list = this.of(interfaceIndex);
    for (let i = 0; i < list.length; i++) {
      const own = list[i]!;
      if (own.prefixLength > MAX_BROADCAST_PREFIX) continue;
      if (ipv4DirectedBroadcast(own.address, own.prefixLength) === address) return true;
    }
    return false;
  }

  /** The address to use towards `nextHop`: the one of its network, else the primary; 0 without any. */
  sourceFor(interfaceIndex: number, nextHop: number): number {
    const list = this.of(interfaceIndex);
    for (let i = 0; i < list.length; i++) {
      const own = list[i]!;
      if (ipv4Network(own.address, own.prefixLength) === ipv4Network(nextHop, own.prefixLength)) return own.address;
    }
    return list[0]?.address ?? 0;
  }
}
