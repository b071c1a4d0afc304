import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Arena } from '../mem/arena.js';
import { PacketPool } from '../mem/packet-pool.js';
import { Graph } from './graph.js';
import { CONSUMED, type NodeContext, type NodeSpec } from './node.js';

/** in → work → end; 'work' keeps packets while it is told to, and takes a byte off those that pass. */
function makeTraceLab() {
  const pool = new PacketPool(new Arena(8 << 20), { slots: 256 });
  const kept: number[] = [];
  const state = { keeps: false };
  const nodes: NodeSpec<NodeContext>[] = [
    {
      name: 'work',
      nexts: ['end'],
      counters: [],
      make: () => (frame, next) => {
        for (let i = 0; i < frame.count; i++) {
          const slot = frame.slots[i]!;
          next[i] = 0;
          if (state.keeps) {
            kept.push(slot);
            next[i] = CONSUMED;
          } else {
            pool.head[slot]!++;
            pool.length[slot]!--;
            pool.totalLength[slot]!--;
            pool.txInterface[slot] = 8;
          }
        }
      },
    },
    {
      name: 'end',
      nexts: [],
      counters: [],
      make: () => (frame, next) => {
        pool.giveMany(frame.slots, frame.count);
        next.fill(CONSUMED, 0, frame.count);
      },
    },
  ];
  const graph = new Graph({ pool, clock: { nowNs: 0 }, nodes, maxInterfaces: 4, context: {} });
  const bring = (first: number, bytes = 100) => {
    const slot = pool.take();
    pool.bytes.fill(first, pool.head[slot]!, pool.head[slot]! + bytes);
    pool.bytes[pool.head[slot]! + 1] = first + 1;
    pool.length[slot] = bytes;
    pool.totalLength[slot] = bytes;
    pool.rxInterface[slot] = 3;
    pool.txInterface[slot] = 0;
    graph.inject('work', slot);
  };
  const resume = () => {
    state.keeps = false;
    retry();
    graph.run();
  };
  /** Puts what was kept before the node again. */
  const retry = () => {
    for (const slot of kept.splice(0)) graph.inject('work', slot);
  };
  return { graph, tracer: graph.tracer, state, bring, resume, retry };
}

describe('Tracer', () => {
  it('records the way of as many packets as it is told, as they were at each node', () => {
    const { graph, tracer, bring } = makeTraceLab();
    bring(1);
    graph.run();
    assert.equal(tracer.records.length, 0);
    tracer.start(2);
    for (const first of [10, 20, 30]) bring(first);
    graph.run();
    assert.equal(tracer.records.length, 2);
    assert.deepEqual(
      tracer.records.map(({ id }) => id),
      [1, 2],
    );
    const [work, end] = tracer.records[1]!.steps;
    assert.deepEqual([work!.node, end!.node], ['work', 'end']);
    assert.deepEqual([work!.totalLength, end!.totalLength], [100, 99]);
    assert.deepEqual([work!.rxInterface, work!.txInterface, end!.txInterface], [3, 0, 8]);
    assert.deepEqual([work!.bytes[0], end!.bytes[0]], [20, 21]);
    assert.equal(work!.bytes.length, 64);
    assert.notEqual(work!.bytes.buffer, graph.pool.view.buffer);
  });

  it('does not run over a short packet’s end', () => {
    const { graph, tracer, bring } = makeTraceLab();
    tracer.start(1);
    bring(1, 5);
    graph.run();
    assert.deepEqual(
      tracer.records[0]!.steps.map(({ bytes }) => bytes.length),
      [5, 4],
    );
  });

  it('follows a packet that waited somewhere, and does not take it for one of a later trace', () => {
    const { graph, tracer, state, bring, resume } = makeTraceLab();
    state.keeps = true;
    tracer.start(1);
    bring(1);
    graph.run();
    resume();
    assert.deepEqual(
      tracer.records[0]!.steps.map(({ node }) => node),
      ['work', 'work', 'end'],
    );
    state.keeps = true;
    tracer.start(1);
    bring(50);
    graph.run();
    state.keeps = false;
    tracer.start(1);
    bring(60);
    graph.run();
    resume();
    assert.equal(tracer.records.length, 1);
    assert.deepEqual(
      tracer.records[0]!.steps.map(({ node, bytes }) => [node, bytes[0]]),
      [
        ['work', 60],
        ['end', 61],
      ],
    );
  });

  it('looks at no packet once it is stopped', () => {
    const { graph, tracer, bring } = makeTraceLab();
    tracer.start(5);
    bring(1);
    graph.run();
    tracer.stop();
    assert.equal(tracer.isActive, false);
    bring(2);
    graph.run();
    assert.equal(tracer.records.length, 1);
    tracer.start(0);
    assert.equal(tracer.isActive, false);
  });

  it('keeps a bounded count of steps of a packet that goes round', () => {
    const { graph, tracer, state, bring, retry } = makeTraceLab();
    tracer.start(1);
    state.keeps = true;
    bring(1);
    for (let round = 0; round < 100; round++) {
      graph.run();
      retry();
    }
    assert.equal(tracer.records[0]!.steps.length, 64);
  });
});
