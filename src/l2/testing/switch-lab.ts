/** A graph of switches only, with devices whose packets a test brings and collects. */
import { deviceInput } from '../../drivers/device-input.js';
import { drop } from '../../drivers/drop.js';
import { interfaceOutput } from '../../drivers/interface-output.js';
import { NO_STACK } from '../../drivers/interface-table.js';
import { type LinkLab, makeLinkLab, RecordingDevice } from '../../drivers/testing/link-lab.js';
import { recorderNode } from '../../drivers/testing/recorder-node.js';
import { Graph } from '../../graph/graph.js';
import { writeEthernet } from '../../wire/ethernet.js';
import { BridgeTable } from '../bridge-table.js';
import type { L2Context } from '../l2-context.js';
import { l2Flood } from '../l2-flood.js';
import { l2Input } from '../l2-input.js';

export interface SwitchLab extends LinkLab {
  readonly bridges: BridgeTable;
  readonly graph: Graph<L2Context>;
  /** Adds a port with a device of its own to a bridge. */
  addPort(bridge: number, name: string, mtu?: number): { device: RecordingDevice; index: number };
  /** Value of a counter of a node. */
  counter(node: string, name: string): number;
}

export function makeSwitchLab(slots = 2048): SwitchLab {
  const lab = makeLinkLab(slots);
  const { pool, clock, interfaces, kernels } = lab;
  const bridges = new BridgeTable(interfaces, clock);
  const graph = new Graph<L2Context>({
    pool,
    clock,
    maxInterfaces: 64,
    context: { interfaces, kernels, bridges },
    nodes: [
      deviceInput,
      l2Input,
      l2Flood,
      interfaceOutput,
      drop,
      recorderNode('ethernet-input', []),
      recorderNode('ip4-input', []),
    ],
  });
  return {
    ...lab,
    bridges,
    graph,
    addPort(bridge, name, mtu = 1500) {
      const device = new RecordingDevice(pool);
      const index = interfaces.create({ name, stack: NO_STACK, device, mtu });
      bridges.addPort(bridge, index);
      return { device, index };
    },
    counter: (node, name) => graph.stats.find((stats) => stats.name === node)!.count(name),
  };
}

/** The frame from station `source` to station `destination`, whose addresses are 02:00:00:00:00:xx; 0 = everybody. */
export function frameOf(destination: number, source: number, bytes = 60): Uint8Array {
  const frame = new Uint8Array(bytes);
  const view = new DataView(frame.buffer);
  const isBroadcast = destination === 0;
  writeEthernet(view, 0, isBroadcast ? 0xffff : 0x0200, isBroadcast ? 0xffffffff : destination, 0x0200, source, 0x0800);
  return frame;
}
