/**
 * Control of routes: finds the adjacency for each and keeps them active or not as addresses and interfaces come and go.
 * A static route whose router is on no connected network, or whose interface is down, waits until that changes.
 */
import type { InterfaceTable } from '../drivers/interface-table.js';
import { NO_INTERFACE } from '../drivers/interface-table.js';
import { ipv4DirectedBroadcast, ipv4Network } from '../wire/address.js';
import { MAX_BROADCAST_PREFIX } from './address-table.js';
import { Adjacency } from './adjacency.js';
import type { InterfaceLinks } from './interface-links.js';
import type { Ip4Rib, Ip4Route, RouteKind } from './ip4-rib.js';
import { RouteOrigin } from './ip4-rib.js';
import type { NeighborMachine } from './neighbor-machine.js';
import type { StackTable } from './stack-table.js';

/** A route as an operator gives it. Without a kind it is unicast, and `via` or `interface` is needed. */
export interface Ip4RouteOptions {
  readonly kind?: 'unicast' | 'blackhole' | 'unreachable' | 'prohibit';
  /** Router to send to. */
  readonly via?: number;
  /** Egress interface. Without it: the one on whose network `via` is. */
  readonly interface?: number;
  /** Default: 0. */
  readonly metric?: number;
}

/** Where routes of a kind that needs no interface lead to. */
const SHARED_ROWS: Readonly<Partial<Record<RouteKind, number>>> = {
  blackhole: Adjacency.blackhole,
  unreachable: Adjacency.unreachable,
  prohibit: Adjacency.prohibit,
  local: Adjacency.local,
};

export class Ip4Routes {
  readonly #stacks: StackTable;
  readonly #interfaces: InterfaceTable;
  readonly #links: InterfaceLinks;
  readonly #neighbors: NeighborMachine;

  constructor(stacks: StackTable, interfaces: InterfaceTable, links: InterfaceLinks, neighbors: NeighborMachine) {
    this.#stacks = stacks;
    this.#interfaces = interfaces;
    this.#links = links;
    this.#neighbors = neighbors;
  }

  /** Adds a static route; one with the same prefix, metric and router is replaced. */
  add(vrf: number, network: number, prefixLength: number, options: Ip4RouteOptions): void {
    const rib = this.#stacks.rib(vrf);
    const { kind = 'unicast', via, metric = 0 } = options;
    const prefix = ipv4Network(network, prefixLength);
    const old = rib
      .find(prefix, prefixLength)
      .find((each) => each.origin === RouteOrigin.static && each.via === via && each.metric === metric);
    if (old !== undefined) this.#remove(rib, old);
    const boundTo = options.interface ?? NO_INTERFACE;
    const origin = RouteOrigin.static;
    const route: Ip4Route = {
      network: prefix,
      prefixLength,
      kind,
      origin,
      metric,
      via,
      boundTo,
      interface: 0,
      adjacency: 0,
    };
    rib.add(route);
    this.#resolve(rib, route);
  }

  /** Removes the best static route of a prefix, or the best one by `via`. False if there is none. */
  remove(vrf: number, network: number, prefixLength: number, via?: number): boolean {
    const rib = this.#stacks.rib(vrf);
    const route = rib
      .find(ipv4Network(network, prefixLength), prefixLength)
      .find((each) => each.origin === RouteOrigin.static && (via === undefined || each.via === via));
    if (route === undefined) return false;
    this.#remove(rib, route);
    return true;
  }

  /** Adds what an address of an interface brings along: itself, its network, its broadcast address. */
  addAddress(interfaceIndex: number, address: number, prefixLength: number): void {
    const rib = this.#ribOf(interfaceIndex);
    for (const route of this.#addressRoutes(interfaceIndex, address, prefixLength)) rib.add(route);
    this.#refresh(rib);
  }

  removeAddress(interfaceIndex: number, address: number, prefixLength: number): void {
    const rib = this.#ribOf(interfaceIndex);
    for (const route of this.#addressRoutes(interfaceIndex, address, prefixLength)) {
      const same = rib
        .find(route.network, route.prefixLength)
        .find((each) => each.origin === route.origin && each.boundTo === interfaceIndex && each.kind === route.kind);
      if (same !== undefined) rib.remove(same);
    }
    this.#refresh(rib);
  }

  /** Brings all routes through the interface up or down with it. */
  interfaceChanged(interfaceIndex: number): void {
    const rib = this.#ribOf(interfaceIndex);
    for (const route of [...rib.routes()]) {
      if (route.origin !== RouteOrigin.connected || route.boundTo !== interfaceIndex) continue;
      rib.activate(route, this.#connectedRow(interfaceIndex, route.kind));
    }
    this.#refresh(rib);
  }

  /** Removes the static routes that name the interface. Precondition: its addresses are gone. */
  removeInterface(interfaceIndex: number): void {
    const rib = this.#ribOf(interfaceIndex);
    for (const route of [...rib.routes()]) {
      if (route.origin === RouteOrigin.static && route.boundTo === interfaceIndex) this.#remove(rib, route);
    }
  }

  /** Removes every static route of a VRF. */
  removeAll(vrf: number): void {
    const rib = this.#stacks.rib(vrf);
    for (const route of [...rib.routes()]) if (route.origin === RouteOrigin.static) this.#remove(rib, route);
  }

  #ribOf(interfaceIndex: number): Ip4Rib {
    return this.#stacks.rib(this.#interfaces.vrf[interfaceIndex]!);
  }

  /** Resolves the static routes anew, after addresses or interfaces have changed. */
  #refresh(rib: Ip4Rib): void {
    for (const route of [...rib.routes()]) if (route.origin === RouteOrigin.static) this.#resolve(rib, route);
  }

  #remove(rib: Ip4Rib, route: Ip4Route): void {
    this.#lead(rib, route, NO_INTERFACE, Adjacency.none);
    rib.remove(route);
  }

  #resolve(rib: Ip4Rib, route: Ip4Route): void {
    const shared = SHARED_ROWS[route.kind];
    if (shared !== undefined) {
      rib.activate(route, shared);
      return;
    }
    const egress = route.boundTo === NO_INTERFACE ? connectedInterface(rib, route.via) : route.boundTo;
    const isUsable = egress !== NO_INTERFACE && this.#links.has(egress) && this.#interfaces.isUp(egress);
    if (!isUsable) this.#lead(rib, route, NO_INTERFACE, Adjacency.none);
    else if (route.via === undefined || !this.#links.isEthernet(egress)) {
      this.#lead(rib, route, egress, this.#links.link(egress));
    } else this.#lead(rib, route, egress, this.#neighbors.obtain(egress, route.via));
  }

  /** Lets the route lead to another row, which the neighbor table keeps as long as the route does. */
  #lead(rib: Ip4Rib, route: Ip4Route, interfaceIndex: number, row: number): void {
    const oldRow = route.adjacency;
    const oldInterface = route.interface;
    if (row === oldRow) return;
    if (this.#isNeighbor(route, interfaceIndex)) this.#neighbors.retain(row);
    route.interface = interfaceIndex;
    rib.activate(route, row);
    if (this.#isNeighbor(route, oldInterface)) this.#neighbors.release(oldRow);
  }

  /** True if the route leads to a neighbor's row on that interface. */
  #isNeighbor(route: Ip4Route, interfaceIndex: number): boolean {
    return route.via !== undefined && interfaceIndex !== NO_INTERFACE && this.#links.isEthernet(interfaceIndex);
  }

  #connectedRow(interfaceIndex: number, kind: RouteKind): number {
    if (!this.#interfaces.isUp(interfaceIndex)) return Adjacency.none;
    return kind === 'broadcast' ? this.#links.broadcast(interfaceIndex) : this.#links.link(interfaceIndex);
  }

  #addressRoutes(interfaceIndex: number, address: number, prefixLength: number): Ip4Route[] {
    const make = (network: number, length: number, kind: RouteKind, origin: number, adjacency: number): Ip4Route => ({
      network,
      prefixLength: length,
      kind,
      origin,
      metric: 0,
      via: undefined,
      boundTo: interfaceIndex,
      interface: interfaceIndex,
      adjacency,
    });
    const network = ipv4Network(address, prefixLength);
    // All of 127.0.0.0/8 is this host. RFC 1122 section 3.2.1.3 (g).
    if (this.#links.isLoopback(interfaceIndex)) {
      return [make(network, prefixLength, 'local', RouteOrigin.local, Adjacency.local)];
    }
    const routes = [make(address, 32, 'local', RouteOrigin.local, Adjacency.local)];
    if (prefixLength < 32) {
      const row = this.#connectedRow(interfaceIndex, 'unicast');
      routes.push(make(network, prefixLength, 'unicast', RouteOrigin.connected, row));
    }
    if (prefixLength <= MAX_BROADCAST_PREFIX && this.#links.isEthernet(interfaceIndex)) {
      const broadcast = ipv4DirectedBroadcast(address, prefixLength);
      const row = this.#connectedRow(interfaceIndex, 'broadcast');
      routes.push(make(broadcast, 32, 'broadcast', RouteOrigin.connected, row));
    }
    return routes;
  }
}

/** The interface on whose network the router is, or NO_INTERFACE. */
function connectedInterface(rib: Ip4Rib, via: number | undefined): number {
  const route = via === undefined ? undefined : rib.lookup(via);
  return route?.origin === RouteOrigin.connected && route.kind === 'unicast' ? route.interface : NO_INTERFACE;
}
