/**
 * Multicast groups that interfaces listen to, with how many sockets want each. Read RFC 1112 sections 4 and 7 first.
 * Memberships are not reported to routers (no IGMP): groups reach as far as the link does.
 */

/** 224.0.0.1, to which every host belongs. RFC 1112 section 4. */
export const ALL_HOSTS_GROUP = 0xe0000001;
const ADDRESS_SPAN = 2 ** 32;

export class GroupTable {
  readonly #members = new Map<number, number>();

  /** One more listener on the interface. */
  join(interfaceIndex: number, group: number): void {
    const key = interfaceIndex * ADDRESS_SPAN + group;
    this.#members.set(key, (this.#members.get(key) ?? 0) + 1);
  }

  /** One listener less. False if there was none. */
  leave(interfaceIndex: number, group: number): boolean {
    const key = interfaceIndex * ADDRESS_SPAN + group;
    const count = this.#members.get(key);
    if (count === undefined) return false;
    if (count === 1) this.#members.delete(key);
    else this.#members.set(key, count - 1);
    return true;
  }

  has(interfaceIndex: number, group: number): boolean {
    return group === ALL_HOSTS_GROUP || this.#members.has(interfaceIndex * ADDRESS_SPAN + group);
  }

  /** Forgets an interface. */
  clear(interfaceIndex: number): void {
    for (const key of [...this.#members.keys()]) {
      if (Math.floor(key / ADDRESS_SPAN) === interfaceIndex) this.#members.delete(key);
    }
  }
}
