import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../mem/arena.js';
import { PacketPool } from '../mem/packet-pool.js';
import { FRAME_PACKETS } from './frame.js';
import { Graph, type GraphOptions } from './graph.js';
import { CONSUMED, type NodeContext, type NodeSpec } from './node.js';

type NodePart = Partial<NodeSpec> & Pick<NodeSpec, 'name' | 'make'>;

function node(part: NodePart): NodeSpec {
  return { nexts: [], counters: [], ...part };
}

/** Keeps what it gets, in order. */
function collector(name: string, into: number[], order?: string[]): NodeSpec {
  return node({
    name,
    make: () => (frame, next) => {
      order?.push(name);
      into.push(...frame.slots.subarray(0, frame.count));
      next.fill(CONSUMED, 0, frame.count);
    },
  });
}

/** Sends each packet to the next of which `choose` gives the index. */
function switcher(name: string, nexts: string[], choose: (slot: number) => number, order?: string[]): NodeSpec {
  return node({
    name,
    nexts,
    make: () => (frame, next) => {
      order?.push(name);
      for (let i = 0; i < frame.count; i++) next[i] = choose(frame.slots[i]!);
    },
  });
}

/** Brings in what stands in `from`, a frame at a time. */
function feeder(
  from: number[],
  nexts: string[],
  name = 'feeder',
  choose: (slot: number) => number = () => 0,
): NodeSpec {
  return node({
    name,
    kind: 'input',
    nexts,
    make: () => (frame, next) => {
      for (const slot of from.splice(0, FRAME_PACKETS)) {
        next[frame.count] = choose(slot);
        frame.slots[frame.count++] = slot;
      }
    },
  });
}

function makeGraph(nodes: NodeSpec[], options: Partial<GraphOptions<NodeContext>> = {}) {
  const pool = new PacketPool(new Arena(16 << 20), { slots: 4096 });
  const graph = new Graph({ pool, clock: { nowNs: 0 }, nodes, maxInterfaces: 16, context: {}, ...options });
  const take = (count: number) => Array.from({ length: count }, () => pool.take());
  const stats = (name: string) => graph.stats.find((candidate) => candidate.name === name)!;
  return { pool, graph, take, stats };
}

describe('Graph', () => {
  it('runs nodes before those that they lead to, in whatever order they were declared', () => {
    const order: string[] = [];
    const got: number[] = [];
    const nodes = () => [
      collector('end', got, order),
      switcher('c', ['end'], () => 0, order),
      switcher('b', ['c', 'end'], (slot) => slot & 1, order),
      switcher('a', ['b', 'c'], (slot) => slot & 1, order),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (positions) => {
        order.length = 0;
        got.length = 0;
        const waiting: number[] = [];
        const all = [...nodes(), feeder(waiting, ['a'])];
        const { graph, take } = makeGraph(positions.map((i) => all[i]!));
        waiting.push(...take(100));
        assert.equal(graph.run(), 100);
        assert.deepEqual(order, ['a', 'b', 'c', 'end']);
        assert.equal(got.length, 100);
      }),
      { seed: 10 },
    );
  });

  it('moves a frame that stays together on without splitting it, and merges what comes together', () => {
    const frames: number[] = [];
    const waiting: number[] = [];
    const sizes: NodeSpec = node({
      name: 'sizes',
      make: () => (frame, next) => {
        frames.push(frame.count);
        next.fill(CONSUMED, 0, frame.count);
      },
    });
    const { graph, take } = makeGraph([
      feeder(waiting, ['left', 'right'], 'feeder', (slot) => slot & 1),
      switcher('left', ['sizes'], () => 0),
      switcher('right', ['sizes'], () => 0),
      sizes,
    ]);
    waiting.push(...take(250));
    graph.run();
    assert.deepEqual(frames, [250]);
  });

  it('keeps the order of packets that go the same way', () => {
    const property = fc.property(
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 256, size: 'max' }),
      (ways) => {
        const got: number[][] = [[], [], [], []];
        const waiting: number[] = [];
        const order = new Map<number, number>();
        const { graph, take, pool } = makeGraph([
          feeder(waiting, ['split']),
          switcher('split', ['n0', 'n1', 'n2', 'n3'], (slot) => ways[order.get(slot)!]!),
          ...got.map((into, i) => collector(`n${i}`, into)),
        ]);
        const slots = take(ways.length);
        for (const [i, slot] of slots.entries()) order.set(slot, i);
        waiting.push(...slots);
        graph.run();
        for (let way = 0; way < 4; way++) {
          assert.deepEqual(
            got[way],
            slots.filter((_, i) => ways[i] === way),
          );
        }
        assert.equal(pool.inUse, ways.length);
      },
    );
    fc.assert(property, { seed: 11, numRuns: 60 });
  });

  it('runs a node that leads back to itself or to an earlier one until nothing is pending', () => {
    const rounds = new Map<number, number>();
    const got: number[] = [];
    const waiting: number[] = [];
    const count = (slot: number) => {
      rounds.set(slot, (rounds.get(slot) ?? 0) + 1);
      return rounds.get(slot)!;
    };
    const { graph, take, stats } = makeGraph([
      feeder(waiting, ['early']),
      switcher('early', ['self'], () => 0),
      // Three times to itself, then twice round by way of the earlier node, and out.
      switcher('self', ['self', 'early', 'end'], (slot) => {
        const round = count(slot);
        if (round <= 3) return 0;
        return round <= 5 ? 1 : 2;
      }),
      collector('end', got),
    ]);
    const slots = take(10);
    waiting.push(...slots);
    graph.run();
    assert.deepEqual(got, slots);
    assert.equal(stats('self').packets, 60);
    assert.equal(stats('early').packets, 30);
  });

  it('takes more packets than a frame holds: emitted ones, injected ones, many inputs', () => {
    const got: number[] = [];
    const waiting: number[] = [];
    const others: number[] = [];
    const frames: number[] = [];
    const multiply = node({
      name: 'multiply',
      nexts: ['end'],
      make:
        ({ pool, emit }) =>
        (frame, next) => {
          frames.push(frame.count);
          for (let i = 0; i < frame.count; i++) {
            emit(pool.take(), 0);
            emit(pool.take(), 0);
            next[i] = 0;
          }
        },
    });
    const { graph, take, stats, pool } = makeGraph([
      feeder(waiting, ['multiply'], 'one'),
      feeder(others, ['multiply'], 'two'),
      multiply,
      collector('end', got),
    ]);
    waiting.push(...take(200));
    others.push(...take(200));
    for (const slot of take(300)) graph.inject('multiply', slot);
    assert.equal(graph.run(), 400);
    assert.deepEqual(frames, [256, 256, 188]);
    assert.equal(got.length, 2100);
    assert.equal(new Set(got).size, 2100);
    assert.equal(stats('end').packets, 2100);
    assert.equal(pool.inUse, 2100);
  });

  it('lets a node consume packets and exchange slots in place', () => {
    const got: number[] = [];
    const waiting: number[] = [];
    const held: number[] = [];
    const { graph, take } = makeGraph([
      feeder(waiting, ['reassembly']),
      node({
        name: 'reassembly',
        nexts: ['end'],
        make: () => (frame, next) => {
          for (let i = 0; i < frame.count; i++) {
            const slot = frame.slots[i]!;
            const partner = held.pop();
            if (partner === undefined) {
              held.push(slot);
              next[i] = CONSUMED;
            } else {
              frame.slots[i] = partner;
              held.push(slot);
              next[i] = 0;
            }
          }
        },
      }),
      collector('end', got),
    ]);
    const slots = take(9);
    waiting.push(...slots);
    graph.run();
    assert.deepEqual(got, slots.slice(0, 8));
    assert.deepEqual(held, slots.slice(8));
  });

  it('uses the same frames again', () => {
    const waiting: number[] = [];
    const frames = new Set<unknown>();
    const { graph, take } = makeGraph([
      feeder(waiting, ['work', 'end'], 'feeder', (slot) => slot & 1),
      switcher('work', ['end'], () => 0),
      node({
        name: 'end',
        make:
          ({ pool }) =>
          (frame, next) => {
            frames.add(frame);
            pool.giveMany(frame.slots, frame.count);
            next.fill(CONSUMED, 0, frame.count);
          },
      }),
    ]);
    for (let round = 0; round < 100; round++) {
      waiting.push(...take(200));
      graph.run();
    }
    assert.ok(frames.size <= 4, `${frames.size} frames`);
  });

  it('counts calls, vectors and packets, and adds up counters when told to', () => {
    const waiting: number[] = [];
    const counting = node({
      name: 'counting',
      counters: ['even', 'odd'],
      make:
        ({ pool, counters }) =>
        (frame, next) => {
          for (let i = 0; i < frame.count; i++) counters[frame.slots[i]! & 1]!++;
          pool.giveMany(frame.slots, frame.count);
          next.fill(CONSUMED, 0, frame.count);
        },
    });
    const { graph, take, stats } = makeGraph([feeder(waiting, ['counting']), counting]);
    const bring = (count: number) => {
      waiting.push(...take(count));
      graph.run();
    };
    graph.run();
    bring(300);
    graph.run();
    const { deltas, totals } = stats('counting');
    assert.deepEqual([...deltas], [150, 150]);
    assert.deepEqual([...totals], [0, 0]);
    assert.equal(stats('counting').count('even'), 150);
    graph.commitCounters();
    assert.deepEqual([...deltas], [0, 0]);
    assert.deepEqual([...totals], [150, 150]);
    bring(100);
    assert.equal(stats('counting').count('odd'), 200);
    assert.equal(stats('counting').count('neither'), 0);
    assert.deepEqual([stats('feeder').calls, stats('feeder').vectors, stats('feeder').packets], [4, 3, 400]);
    assert.deepEqual([stats('counting').calls, stats('counting').packets], [3, 400]);
  });

  it('times one dispatch in so many', () => {
    const waiting: number[] = [];
    let nowNs = 0;
    const { graph, take, stats } = makeGraph(
      [
        feeder(waiting, ['slow']),
        node({
          name: 'slow',
          make:
            ({ pool }) =>
            (frame, next) => {
              nowNs += 50 * frame.count;
              pool.giveMany(frame.slots, frame.count);
              next.fill(CONSUMED, 0, frame.count);
            },
        }),
      ],
      { stopwatch: () => nowNs + 1 },
    );
    for (let round = 0; round < 100; round++) {
      waiting.push(...take(10));
      graph.run();
    }
    assert.ok(stats('slow').timedPackets > 0 && stats('slow').timedPackets < 200);
    assert.equal(stats('slow').nsPerPacket, 50);
    assert.equal(stats('feeder').nsPerPacket, 0);
  });

  it('gives back what waits when it is closed', () => {
    const { graph, take, pool } = makeGraph([collector('end', [])]);
    for (const slot of take(600)) graph.inject('end', slot);
    graph.close();
    assert.equal(pool.inUse, 0);
    assert.equal(graph.run(), 0);
  });

  it('says what is wrong with a graph', () => {
    const wrong = (nodes: NodeSpec[], message: RegExp) =>
      assert.throws(() => makeGraph(nodes), { code: 'USERNET_GRAPH', message });
    wrong([collector('a', []), collector('a', [])], /two nodes are named a/);
    wrong([switcher('a', ['b'], () => 0)], /a leads to b, which is not in the graph/);
    const { graph, take } = makeGraph([collector('a', [])]);
    assert.throws(() => graph.inject('b', take(1)[0]!), /there is no node b/);
    assert.throws(() => graph.arc('x'), /there is no arc x/);
  });
});

describe('feature arcs of a graph', () => {
  /** A feature that notes what it saw and sends packets on to what follows. */
  function feature(name: string, seen: string[], place: { after?: string[]; before?: string[] } = {}): NodeSpec {
    return node({
      name,
      nexts: ['drop'],
      arcFeature: { arc: 'unicast', ...place },
      make:
        ({ pool, featureNext }) =>
        (frame, next) => {
          for (let i = 0; i < frame.count; i++) {
            seen.push(`${name}:${pool.rxInterface[frame.slots[i]!]}`);
            next[i] = featureNext[pool.rxInterface[frame.slots[i]!]!]!;
          }
        },
    });
  }

  function makeArcGraph() {
    const seen: string[] = [];
    const waiting: number[] = [];
    const { graph, take, pool } = makeGraph(
      [
        feeder(waiting, ['start']),
        node({
          name: 'start',
          nexts: ['drop', 'other'],
          arcStart: 'unicast',
          make:
            ({ pool: { rxInterface }, featureNext }) =>
            (frame, next) => {
              for (let i = 0; i < frame.count; i++) next[i] = featureNext[rxInterface[frame.slots[i]!]!]!;
            },
        }),
        feature('nat', seen, { after: ['acl'] }),
        feature('acl', seen),
        feature('police', seen, { before: ['acl'] }),
        feature('log', seen, { after: ['nat'] }),
        collector('drop', []),
        collector('other', []),
        node({
          name: 'lookup',
          make:
            ({ pool: own }) =>
            (frame, next) => {
              for (let i = 0; i < frame.count; i++) seen.push(`lookup:${own.rxInterface[frame.slots[i]!]}`);
              next.fill(CONSUMED, 0, frame.count);
            },
        }),
      ],
      { arcs: [{ name: 'unicast', end: 'lookup' }] },
    );
    const way = (interfaceIndex: number) => {
      seen.length = 0;
      const [slot] = take(1) as [number];
      pool.rxInterface[slot] = interfaceIndex;
      waiting.push(slot);
      graph.run();
      return seen.map((step) => step.split(':')[0]).join(' ');
    };
    return { graph, arc: graph.arc('unicast'), way };
  }

  it('lead past all features when none is on', () => {
    const { way, arc, graph } = makeArcGraph();
    assert.deepEqual(arc.features, ['police', 'acl', 'nat', 'log']);
    assert.equal(way(3), 'lookup');
    assert.deepEqual(graph.nextsOf('start'), ['drop', 'other', 'police', 'acl', 'nat', 'log', 'lookup']);
  });

  it('lead through the features of the interface, in order', () => {
    const { way, arc } = makeArcGraph();
    arc.set('nat', 3, true);
    arc.set('police', 3, true);
    arc.set('log', 4, true);
    assert.equal(way(3), 'police nat lookup');
    assert.equal(way(4), 'log lookup');
    assert.equal(way(5), 'lookup');
    for (const name of arc.features) arc.set(name, 3, true);
    assert.equal(way(3), 'police acl nat log lookup');
    arc.set('police', 3, false);
    arc.set('nat', 3, false);
    assert.equal(arc.isEnabled('nat', 3), false);
    assert.equal(arc.isEnabled('acl', 3), true);
    assert.equal(way(3), 'acl log lookup');
    assert.throws(() => arc.set('nothing', 3, true), /no feature/);
  });

  it('obey any sequence of switching features on and off', () => {
    const change = fc.record({
      feature: fc.integer({ min: 0, max: 3 }),
      interfaceIndex: fc.integer({ min: 0, max: 2 }),
      on: fc.boolean(),
    });
    const property = fc.property(fc.array(change, { maxLength: 30, size: 'max' }), (changes) => {
      const { way, arc } = makeArcGraph();
      const enabled = [new Set<string>(), new Set<string>(), new Set<string>()];
      for (const { feature: position, interfaceIndex, on } of changes) {
        const name = arc.features[position]!;
        arc.set(name, interfaceIndex, on);
        if (on) enabled[interfaceIndex]!.add(name);
        else enabled[interfaceIndex]!.delete(name);
      }
      enabled.forEach((names, index) => {
        assert.equal(way(index), [...arc.features.filter((name) => names.has(name)), 'lookup'].join(' '));
      });
    });
    fc.assert(property, { seed: 12, numRuns: 60 });
  });

  it('refuse features that wait for each other, and arcs without a start', () => {
    const seen: string[] = [];
    const start = node({ name: 'start', arcStart: 'unicast', make: () => () => {} });
    const end = collector('lookup', []);
    const arcs = [{ name: 'unicast', end: 'lookup' }];
    const cycle = [feature('a', seen, { after: ['b'] }), feature('b', seen, { after: ['a'] })];
    const drop = collector('drop', []);
    assert.throws(() => makeGraph([start, end, drop, ...cycle], { arcs }), { code: 'USERNET_FEATURE_CYCLE' });
    assert.throws(() => makeGraph([end], { arcs }), /no start node/);
  });
});
