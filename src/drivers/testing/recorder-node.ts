import { CONSUMED, type NodeSpec } from '../../graph/node.js';

/** An end node of a test's graph: keeps the slots that reach it, in order. */
export function recorderNode(name: string, into: number[]): NodeSpec {
  return {
    name,
    nexts: [],
    counters: [],
    make: () => (frame, next) => {
      for (let i = 0; i < frame.count; i++) into.push(frame.slots[i]!);
      next.fill(CONSUMED, 0, frame.count);
    },
  };
}

/** An input node that brings in the slots that stand in `from`, and sends them all to `next`. */
export function feederNode(next: string, from: number[]): NodeSpec {
  return {
    name: 'feeder',
    kind: 'input',
    nexts: [next],
    counters: [],
    make: () => (frame, nexts) => {
      for (const slot of from.splice(0, frame.slots.length)) frame.slots[frame.count++] = slot;
      nexts.fill(0, 0, frame.count);
    },
  };
}
