/** What can be seen of a network, as plain data: for the control API, the command line and metrics. */

import { packageVersion } from '../config/package-folder.js';
import { InterfaceFlag, NO_BRIDGE, NO_STACK } from '../drivers/interface-table.js';
import type { Network } from '../engine/network.js';
import { formatMac } from '../wire/ethernet.js';
import { isErrorCounter } from './counter-kind.js';

export interface NetworkSummary {
  readonly version: string;
  readonly pid: number;
  readonly node: string;
  readonly control: string | undefined;
  readonly uptimeSeconds: number;
  readonly stacks: readonly {
    readonly name: string;
    readonly forwarding: boolean;
    readonly addresses: readonly string[];
  }[];
  readonly switches: readonly string[];
  readonly forwards: Network['forwards'];
}

export interface InterfaceRow {
  /** Null for a port of a switch. */
  readonly stack: string | null;
  readonly name: string;
  readonly kind: string;
  readonly switch: string | null;
  readonly isUp: boolean;
  readonly mtu: number;
  readonly linkAddress: string | null;
  readonly addresses: readonly string[];
  readonly rxPackets: number;
  readonly rxBytes: number;
  readonly txPackets: number;
  readonly txBytes: number;
  readonly rxDrops: number;
  readonly txDrops: number;
}

export interface NeighborRow {
  readonly stack: string;
  readonly interface: string;
  readonly address: string;
  readonly linkAddress: string | null;
  readonly state: string;
  readonly queued: number;
}

export interface RouteRow {
  readonly stack: string;
  readonly to: string;
  readonly kind: string;
  readonly via: string | null;
  readonly interface: string | null;
  readonly origin: string;
  readonly metric: number;
  readonly isActive: boolean;
}

export interface GraphRow {
  readonly node: string;
  readonly calls: number;
  readonly vectors: number;
  readonly packets: number;
  readonly packetsPerVector: number;
  /** 0 when no call was timed. */
  readonly nsPerPacket: number;
  readonly nexts: readonly string[];
}

export interface ErrorRow {
  readonly node: string;
  readonly counter: string;
  readonly count: number;
}

export interface MemoryReport {
  readonly arena: { readonly sizeBytes: number; readonly usedBytes: number };
  readonly packets: {
    readonly slots: number;
    readonly inUse: number;
    readonly free: { readonly cache: number; readonly l1: number; readonly l2: number };
  };
  readonly buffers: { readonly reservedBytes: number; readonly usedBytes: number };
  readonly process: { readonly rssBytes: number; readonly heapUsedBytes: number };
}

export function showNetwork(network: Network): NetworkSummary {
  const { l3, bridges } = network.worker;
  return {
    version: packageVersion(),
    pid: process.pid,
    node: process.version,
    control: network.controlPath,
    uptimeSeconds: Math.round(process.uptime()),
    stacks: network.stackNames.map((name) => {
      const row = network.stackRow(name);
      const addresses = l3.listAddresses(row).map((own) => own.address);
      return { name, forwarding: l3.stacks.forwarding[l3.stacks.vrf[row]!] === 1, addresses };
    }),
    switches: bridges.names.filter((name) => name !== undefined),
    forwards: network.forwards,
  };
}

export function showInterfaces(network: Network): InterfaceRow[] {
  const { interfaces } = network.worker;
  const rows: InterfaceRow[] = [];
  for (let index = 1; index < interfaces.end; index++) {
    if (interfaces.devices[index] !== undefined) rows.push(showInterface(network, index));
  }
  return rows.sort((a, b) => compareTexts(a.stack ?? '\uffff', b.stack ?? '\uffff'));
}

function showInterface(network: Network, index: number): InterfaceRow {
  const { interfaces, bridges, l3 } = network.worker;
  const row = interfaces.stack[index]!;
  const bridge = interfaces.bridge[index]!;
  const name = interfaces.names[index]!;
  const isEthernet = (interfaces.flags[index]! & InterfaceFlag.ethernet) !== 0;
  const own = row === NO_STACK ? [] : l3.listAddresses(row).filter((each) => each.interface === name);
  return {
    stack: row === NO_STACK ? null : (network.stackName(row) ?? null),
    name,
    kind: interfaces.devices[index]!.kind,
    switch: bridge === NO_BRIDGE ? null : (bridges.names[bridge] ?? null),
    isUp: interfaces.isUp(index),
    mtu: interfaces.mtu[index]!,
    linkAddress:
      isEthernet && row !== NO_STACK ? formatMac(interfaces.macHi[index]!, interfaces.macLo[index]! >>> 0) : null,
    addresses: own.map((each) => each.address),
    rxPackets: interfaces.rxPackets[index]!,
    rxBytes: interfaces.rxBytes[index]!,
    txPackets: interfaces.txPackets[index]!,
    txBytes: interfaces.txBytes[index]!,
    rxDrops: interfaces.rxDrops[index]!,
    txDrops: interfaces.txDrops[index]!,
  };
}

export function showNeighbors(network: Network): NeighborRow[] {
  return network.stackNames.flatMap((stack) =>
    network.worker.l3
      .listNeighbors(network.stackRow(stack))
      .map(({ linkAddress, ...neighbor }) => ({ stack, ...neighbor, linkAddress: linkAddress ?? null })),
  );
}

export function showRoutes(network: Network): RouteRow[] {
  const { l3 } = network.worker;
  return network.stackNames.flatMap((stack) =>
    l3
      .listRoutes(l3.stacks.vrf[network.stackRow(stack)]!)
      .map((route) => ({ stack, ...route, via: route.via ?? null, interface: route.interface ?? null })),
  );
}

export function showGraph(network: Network): GraphRow[] {
  const { graph } = network.worker;
  return graph.stats.map((stats) => ({
    node: stats.name,
    calls: stats.calls,
    vectors: stats.vectors,
    packets: stats.packets,
    packetsPerVector: stats.vectors === 0 ? 0 : stats.packets / stats.vectors,
    nsPerPacket: stats.nsPerPacket,
    nexts: graph.nextsOf(stats.name),
  }));
}

/** What went wrong with packets, by node and reason: only what has happened. */
export function showErrors(network: Network): ErrorRow[] {
  return network.worker.graph.stats.flatMap((stats) =>
    stats.counterNames
      .map((counter) => ({ node: stats.name, counter, count: stats.count(counter) }))
      .filter(({ counter, count }) => count > 0 && isErrorCounter(counter)),
  );
}

export function showMemory(network: Network): MemoryReport {
  const { arena, pool, buffers } = network.worker;
  const { rss, heapUsed } = process.memoryUsage();
  return {
    arena: { sizeBytes: arena.sizeBytes, usedBytes: arena.usedBytes },
    packets: { slots: pool.slotCount, inUse: pool.inUse, free: pool.levels() },
    buffers: { reservedBytes: buffers.reservedBytes, usedBytes: buffers.usedBytes },
    process: { rssBytes: rss, heapUsedBytes: heapUsed },
  };
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
