/** The nodes of a worker's graph and its feature arcs. A new node is added here. */
import { deviceInput } from '../drivers/device-input.js';
import { drop } from '../drivers/drop.js';
import { interfaceOutput } from '../drivers/interface-output.js';
import type { ArcSpec } from '../graph/graph.js';
import type { NodeSpec } from '../graph/node.js';
import { ethernetInput } from '../l2/ethernet-input.js';
import type { L2Context } from '../l2/l2-context.js';
import { l2Flood } from '../l2/l2-flood.js';
import { l2Input } from '../l2/l2-input.js';
import { arpInput } from '../l3/arp-input.js';
import { icmp4Input } from '../l3/icmp4-input.js';
import { ip4Arp } from '../l3/ip4-arp.js';
import { ip4Fragment } from '../l3/ip4-fragment.js';
import { ip4IcmpError } from '../l3/ip4-icmp-error.js';
import { ip4Input } from '../l3/ip4-input.js';
import { ip4Local } from '../l3/ip4-local.js';
import { ip4Lookup } from '../l3/ip4-lookup.js';
import { ip4Multicast } from '../l3/ip4-multicast.js';
import { ip4Null } from '../l3/ip4-null.js';
import { ip4Output } from '../l3/ip4-output.js';
import { ip4Reassembly } from '../l3/ip4-reassembly.js';
import { ip4Rewrite } from '../l3/ip4-rewrite.js';
import type { L3Context } from '../l3/l3-context.js';
import { l3Source } from '../l3/l3-source.js';
import type { TcpContext } from '../transport/tcp/tcp-context.js';
import { tcp4Input } from '../transport/tcp/tcp4-input.js';
import { tcp4Output } from '../transport/tcp/tcp4-output.js';
import type { UdpContext } from '../transport/udp/udp-context.js';
import { udp4Input } from '../transport/udp/udp4-input.js';
import { udp4Output } from '../transport/udp/udp4-output.js';

/** What the nodes of all layers are given together. */
export interface WorkerContext extends L2Context, L3Context, TcpContext, UdpContext {}

/** In the order in which packets meet them. */
export const GRAPH_NODES: readonly NodeSpec<WorkerContext>[] = [
  deviceInput,
  l3Source,
  l2Input,
  l2Flood,
  ethernetInput,
  arpInput,
  ip4Input,
  ip4Lookup,
  ip4Multicast,
  ip4Local,
  ip4Reassembly,
  icmp4Input,
  tcp4Input,
  udp4Input,
  tcp4Output,
  udp4Output,
  ip4Output,
  ip4IcmpError,
  ip4Arp,
  ip4Null,
  ip4Rewrite,
  ip4Fragment,
  interfaceOutput,
  drop,
];

/** Where features can be put between two nodes, per interface. */
export const GRAPH_ARCS: readonly ArcSpec[] = [{ name: 'ip4-unicast', end: 'ip4-lookup' }];
