/** Where packets go that l3 sends on outside of a frame. */

/** Index in {@link L3_TARGETS}. Nodes that drive the neighbor machine have these names first in their `nexts`. */
export const L3Target = { interfaceOutput: 0, rewrite: 1, icmpError: 2, lookup: 3 } as const;
export const L3_TARGETS = ['interface-output', 'ip4-rewrite', 'ip4-icmp-error', 'ip4-lookup'] as const;

/** Passes a packet on: a node's `emit`, or the outbox where no node is running. */
export type Send = (slot: number, target: number) => void;
