/**
 * Routes by prefix, and the forwarding table kept in step with them. A prefix may have several routes; the best one that
 * is active is in the FIB. When the last of a prefix goes, its range falls back to the longest prefix that covers it.
 */
import { ipv4PrefixMask } from '../wire/address.js';
import type { Ip4Fib } from './ip4-fib.js';

/** Where a route comes from; a lower number wins among routes of one prefix. */
export const RouteOrigin = {
  /** An address of the stack itself. */
  local: 0,
  /** The network of an address of the stack. */
  connected: 1,
  static: 2,
  /** A neighbor that packets were sent to: its own row instead of the network's glean row. Only a cache. */
  neighbor: 255,
} as const;

export const ROUTE_ORIGIN_NAMES: Readonly<Record<number, string>> = {
  [RouteOrigin.local]: 'local',
  [RouteOrigin.connected]: 'connected',
  [RouteOrigin.static]: 'static',
  [RouteOrigin.neighbor]: 'neighbor',
};

/** What a route does with packets, as `show routes` names it. */
export type RouteKind = 'unicast' | 'local' | 'broadcast' | 'blackhole' | 'unreachable' | 'prohibit';

export interface Ip4Route {
  readonly network: number;
  readonly prefixLength: number;
  readonly kind: RouteKind;
  /** One of {@link RouteOrigin}. */
  readonly origin: number;
  /** A lower one wins among routes of one origin. */
  readonly metric: number;
  /** Router to send to; undefined for destinations on the link itself. */
  readonly via: number | undefined;
  /** Interface that the operator named, or 0. */
  readonly boundTo: number;
  /** Egress interface; 0 while it is not known. */
  interface: number;
  /** Row it leads to, or 0 while it cannot be used: interface down, router not on a connected network. */
  adjacency: number;
}

const LENGTHS = 64;

function prefixKey(network: number, prefixLength: number): number {
  return network * LENGTHS + prefixLength;
}

/** True if `address` lies in the route's prefix. */
export function isInIp4Route(route: Ip4Route, address: number): boolean {
  return ((address ^ route.network) & ipv4PrefixMask(route.prefixLength)) === 0;
}

export class Ip4Rib {
  /** By address: the neighbor routes. */
  readonly #hosts = new Map<number, Ip4Route>();
  readonly #prefixes = new Map<number, Ip4Route[]>();
  readonly #fib: Ip4Fib;
  readonly #vrf: number;

  constructor(fib: Ip4Fib, vrf: number) {
    this.#fib = fib;
    this.#vrf = vrf;
    fib.addVrf(vrf);
  }

  /** Every route, active or not. */
  *routes(): IterableIterator<Ip4Route> {
    for (const list of this.#prefixes.values()) yield* list;
  }

  /** Routes of one prefix, the best first. */
  find(network: number, prefixLength: number): readonly Ip4Route[] {
    return this.#prefixes.get(prefixKey(network, prefixLength)) ?? [];
  }

  add(route: Ip4Route): void {
    const key = prefixKey(route.network, route.prefixLength);
    const list = this.#prefixes.get(key);
    if (list === undefined) this.#prefixes.set(key, [route]);
    else {
      const before = list.findIndex(
        (other) => other.origin > route.origin || (other.origin === route.origin && other.metric > route.metric),
      );
      list.splice(before < 0 ? list.length : before, 0, route);
    }
    if (route.adjacency !== 0) this.#publish(route);
  }

  remove(route: Ip4Route): void {
    const key = prefixKey(route.network, route.prefixLength);
    const list = this.#prefixes.get(key);
    const index = list === undefined ? -1 : list.indexOf(route);
    if (list === undefined || index < 0) return;
    list.splice(index, 1);
    if (list.length === 0) this.#prefixes.delete(key);
    if (route.adjacency !== 0) this.#publish(route);
  }

  /** Changes what the route leads to; 0 takes it out of use. */
  activate(route: Ip4Route, adjacency: number): void {
    if (route.adjacency === adjacency) return;
    route.adjacency = adjacency;
    this.#publish(route);
  }

  /** The active route for an address; neighbor routes do not count. */
  lookup(address: number): Ip4Route | undefined {
    return this.#longest(address, 32);
  }

  /**
   * Lets packets for `address` go to the neighbor's row, if its network leads to the glean row `glean` and no route
   * that somebody configured is more specific.
   */
  addHost(address: number, interfaceIndex: number, adjacency: number, glean: number): void {
    if (this.#hosts.has(address) || this.lookup(address)?.adjacency !== glean) return;
    const route: Ip4Route = {
      network: address,
      prefixLength: 32,
      kind: 'unicast',
      origin: RouteOrigin.neighbor,
      metric: 0,
      via: undefined,
      boundTo: interfaceIndex,
      interface: interfaceIndex,
      adjacency,
    };
    this.#hosts.set(address, route);
    this.add(route);
  }

  /** Takes back what `addHost` did for this row, if it did. */
  removeHost(address: number, adjacency: number): void {
    const route = this.#hosts.get(address);
    if (route === undefined || route.adjacency !== adjacency) return;
    this.#hosts.delete(address);
    this.remove(route);
  }

  /** Removes all routes and gives the VRF's tables back. */
  close(): void {
    for (const route of [...this.routes()]) this.remove(route);
    this.#hosts.clear();
    this.#fib.removeVrf(this.#vrf);
  }

  /** Brings the FIB in step with the routes of the prefix. */
  #publish(changed: Ip4Route): void {
    const { network, prefixLength } = changed;
    const best = this.find(network, prefixLength).find((route) => route.adjacency !== 0);
    if (best !== undefined) {
      this.#fib.set(this.#vrf, network, prefixLength, best.adjacency);
    } else {
      const cover = this.#longest(network, prefixLength - 1);
      const coverLength = cover?.prefixLength ?? 0;
      this.#fib.remove(this.#vrf, network, prefixLength, coverLength, coverLength === 0 ? 0 : cover!.adjacency);
    }
    // A neighbor's row stands for the same way out as the row of its network.
    if (changed.origin === RouteOrigin.neighbor) return;
    this.#fib.generation++;
    if (this.#hosts.size > 0) this.#checkHosts(changed);
  }

  /** Removes neighbor routes that a change has made wrong; the next packet brings back those that are right. */
  #checkHosts(changed: Ip4Route): void {
    for (const host of [...this.#hosts.values()]) {
      if (!isInIp4Route(changed, host.network)) continue;
      const cover = this.lookup(host.network);
      const isStillOnLink = cover?.origin === RouteOrigin.connected && cover.interface === host.interface;
      if (!isStillOnLink) this.removeHost(host.network, host.adjacency);
    }
  }

  /** The active route with the longest prefix of at most `longest` bits. */
  #longest(address: number, longest: number): Ip4Route | undefined {
    for (let length = longest; length >= 0; length--) {
      const list = this.#prefixes.get(prefixKey((address & ipv4PrefixMask(length)) >>> 0, length));
      const route = list?.find((each) => each.adjacency !== 0 && each.origin !== RouteOrigin.neighbor);
      if (route !== undefined) return route;
    }
    return undefined;
  }
}
