/** Addresses, routes and neighbors as plain objects, for those who show them. */

import { NO_INTERFACE } from '../drivers/interface-table.js';
import { formatIpv4, formatIpv4Cidr } from '../wire/address.js';
import { formatMac } from '../wire/ethernet.js';
import { ROUTE_ORIGIN_NAMES, type RouteKind } from './ip4-rib.js';
import type { L3 } from './l3.js';
import { NEIGHBOR_STATE_NAMES, NeighborState } from './neighbor-table.js';

export interface AddressInfo {
  readonly interface: string;
  /** `10.0.0.1/24`. */
  readonly address: string;
  /** Conflicting claims seen on the link. */
  readonly duplicates: number;
}

export interface RouteInfo {
  /** `10.0.0.0/24`, or `default`. */
  readonly to: string;
  readonly kind: RouteKind;
  readonly via: string | undefined;
  readonly interface: string | undefined;
  readonly origin: string;
  readonly metric: number;
  /** False while it waits for its interface or its router's network. */
  readonly isActive: boolean;
}

export interface NeighborInfo {
  readonly interface: string;
  readonly address: string;
  /** Undefined while it is not known. */
  readonly linkAddress: string | undefined;
  readonly state: string;
  /** Packets that wait for the link address. */
  readonly queued: number;
}

export function listAddresses(l3: L3, stack: number): AddressInfo[] {
  const { names } = l3.interfaces;
  return interfacesOf(l3, stack).flatMap((index) =>
    l3.addresses.of(index).map((own) => ({
      interface: names[index]!,
      address: formatIpv4Cidr(own.address, own.prefixLength),
      duplicates: own.duplicates,
    })),
  );
}

/** Routes of a VRF by prefix; the neighbors' own are left out. */
export function listRoutes(l3: L3, vrf: number): RouteInfo[] {
  return [...l3.stacks.rib(vrf).routes()]
    .filter((route) => route.origin <= 2)
    .sort((a, b) => a.network - b.network || a.prefixLength - b.prefixLength || a.metric - b.metric)
    .map((route) => ({
      to: route.prefixLength === 0 ? 'default' : formatIpv4Cidr(route.network, route.prefixLength),
      kind: route.kind,
      via: route.via === undefined ? undefined : formatIpv4(route.via),
      interface: route.interface === NO_INTERFACE ? undefined : l3.interfaces.names[route.interface],
      origin: ROUTE_ORIGIN_NAMES[route.origin] ?? String(route.origin),
      metric: route.metric,
      isActive: route.adjacency !== 0,
    }));
}

export function listNeighbors(l3: L3, stack: number): NeighborInfo[] {
  const { adjacencies, interfaces } = l3;
  const { table, queues } = l3.neighbors;
  return interfacesOf(l3, stack).flatMap((index) =>
    table.rowsOf(index).map((row) => {
      const state = table.state[row]!;
      const isKnown = state >= NeighborState.reachable && state !== NeighborState.failed;
      return {
        interface: interfaces.names[index]!,
        address: formatIpv4(adjacencies.nextHop(row)),
        linkAddress: isKnown ? formatMac(adjacencies.macHi(row), adjacencies.macLo(row)) : undefined,
        state: NEIGHBOR_STATE_NAMES[state]!,
        queued: queues.count(row),
      };
    }),
  );
}

function interfacesOf(l3: L3, stack: number): number[] {
  const found: number[] = [];
  for (let index = 1; index < l3.interfaces.end; index++) if (l3.interfaces.stack[index] === stack) found.push(index);
  return found;
}
