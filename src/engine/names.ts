/** The names that a network knows by itself: those in a stack's `hosts`, and the stacks by their own names. */
import type { ResolvedConfig } from '../config/schema.js';
import { type AddressWords, wordsFromIpv4 } from '../session/address.js';
import { Errno } from '../session/errno.js';

const FAMILY_IPV6 = 6;

export class NameService {
  readonly #hosts = new Map<string, ReadonlyMap<string, readonly number[]>>();
  readonly #stacks = new Map<string, readonly number[]>();

  /** Takes over the names of a configuration. */
  update(config: ResolvedConfig): void {
    this.#hosts.clear();
    this.#stacks.clear();
    for (const [name, stack] of Object.entries(config.stacks)) {
      const hosts = Object.entries(stack.hosts).map(([host, addresses]) => [host.toLowerCase(), addresses] as const);
      this.#hosts.set(name, new Map(hosts));
      const addresses = Object.values(stack.interfaces).flatMap((each) => each.address.map((own) => own.address));
      this.#stacks.set(name.toLowerCase(), addresses);
    }
  }

  /** IPv4 addresses of a name as `stack` sees it, the best first; empty when it is not known here. */
  lookup(stack: string, name: string): readonly number[] {
    const wanted = name.toLowerCase().replace(/\.$/, '');
    return this.#hosts.get(stack)?.get(wanted) ?? this.#stacks.get(wanted) ?? [];
  }

  /** Answers a `resolve` request of the session layer. */
  resolve(
    stack: string,
    name: string,
    family: number,
    answer: (errno: number, addresses: readonly AddressWords[]) => void,
  ): void {
    const addresses = family === FAMILY_IPV6 ? [] : this.lookup(stack, name);
    if (addresses.length === 0) answer(Errno.ENOENT, []);
    else answer(0, addresses.map(wordsFromIpv4));
  }
}
