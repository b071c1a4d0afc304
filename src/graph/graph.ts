/**
 * The packet graph of one worker: nodes in topological order, frames on their way, and the dispatcher.
 *
 * A pass calls each input node once and then runs the internal nodes front to back until no frame is pending. A node
 * gets its whole frame at once; when all packets of a frame go to the same next (the common case) the frame itself
 * moves on and no slot number is copied. There is one graph per worker, shared by all its stacks.
 */
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';
import type { Clock } from '../base/time.js';
import type { PacketPool } from '../mem/packet-pool.js';
import { FeatureArc } from './feature-arc.js';
import { FRAME_PACKETS, Frame } from './frame.js';
import { CONSUMED, type NodeContext, type NodeRun, type NodeSpec } from './node.js';
import { NodeStats } from './node-stats.js';
import { Tracer } from './tracer.js';

export interface ArcSpec {
  readonly name: string;
  /** Where packets go that met no feature, or passed them all. */
  readonly end: string;
}

export interface GraphOptions<Context extends NodeContext> {
  readonly pool: PacketPool;
  readonly clock: Clock;
  readonly nodes: readonly NodeSpec<Context>[];
  readonly arcs?: readonly ArcSpec[];
  readonly maxInterfaces: number;
  /** What the layers add to the context of their nodes: tables, interfaces, random numbers … */
  readonly context: Omit<Context, keyof NodeContext>;
  /** Time source for ns per packet; without it nodes are not timed. Nanoseconds. */
  readonly stopwatch?: () => number;
}

/** Frames, oldest first. Emptied by its count: an array that is cut to nothing gives its memory back and takes it anew. */
class FrameList {
  readonly frames: Frame[] = [];
  count = 0;

  add(frame: Frame): void {
    this.frames[this.count++] = frame;
  }

  take(): Frame | undefined {
    return this.count > 0 ? this.frames[--this.count] : undefined;
  }
}

/** A node in place: its successors, pending frames and statistics. */
class Vertex {
  readonly successors: Vertex[] = [];
  /** Frames that wait; the last one is filled up before another is begun. */
  pending = new FrameList();
  /** The list that was pending before, emptied: the two take turns. */
  spare = new FrameList();
  run!: NodeRun;

  constructor(
    readonly name: string,
    readonly order: number,
    readonly stats: NodeStats,
  ) {}
}

/** One dispatch in so many is timed. */
const TIMED_DISPATCHES = 16;

export class Graph<Context extends NodeContext = NodeContext> {
  readonly tracer: Tracer;
  readonly pool: PacketPool;
  readonly arcs = new Map<string, FeatureArc>();
  readonly #inputs: Vertex[] = [];
  readonly #internals: Vertex[];
  readonly #byName = new Map<string, Vertex>();
  readonly #idleFrames = new FrameList();
  readonly #next = new Uint8Array(FRAME_PACKETS);
  /** The same bytes, four at a time. */
  readonly #nextWords = new Int32Array(this.#next.buffer);
  readonly #stopwatch: (() => number) | undefined;
  #dispatches = 0;
  /** Lowest position in `#internals` that may have a pending frame. */
  #firstPending = Infinity;

  constructor(options: GraphOptions<Context>) {
    this.pool = options.pool;
    this.tracer = new Tracer(options.pool);
    this.#stopwatch = options.stopwatch;
    for (const spec of options.arcs ?? []) this.arcs.set(spec.name, makeArc(spec, options));
    refuseTwins(options.nodes);
    const sorted = sortNodes(options.nodes, (spec) => this.#nextsOf(spec));
    sorted.forEach((spec, order) => {
      this.#byName.set(spec.name, new Vertex(spec.name, order, new NodeStats(spec.name, spec.counters)));
    });
    for (const spec of sorted) this.#connect(spec, options);
    const isInput = new Set(sorted.filter((spec) => spec.kind === 'input').map((spec) => spec.name));
    const all = [...this.#byName.values()];
    this.#inputs = all.filter((vertex) => isInput.has(vertex.name));
    this.#internals = all;
  }

  /** Statistics of each node, in the order in which packets meet them. */
  get stats(): readonly NodeStats[] {
    return this.#internals.map((vertex) => vertex.stats);
  }

  /** Names of the nodes that follow `name`. */
  nextsOf(name: string): readonly string[] {
    return this.#vertex(name).successors.map((vertex) => vertex.name);
  }

  arc(name: string): FeatureArc {
    const arc = this.arcs.get(name);
    assert(arc, `there is no arc ${name}`);
    return arc;
  }

  /** Puts a packet before a node from outside the graph: tests, injected packets, packets that waited for a neighbor. */
  inject(node: string, slot: number): void {
    this.#append(this.#vertex(node), slot);
  }

  /** One pass: input nodes, then everything they set in motion. Returns the packets that came in. */
  run(): number {
    let received = 0;
    for (const input of this.#inputs) {
      const frame = this.#idleFrames.take() ?? new Frame();
      const startNs = this.#startTiming();
      input.run(frame, this.#next);
      input.stats.calls++;
      if (frame.count === 0) {
        this.#idleFrames.add(frame);
        continue;
      }
      received += frame.count;
      this.#finish(input, frame, startNs);
      this.#pass(input, frame);
    }
    this.#drain();
    return received;
  }

  /** Adds the nodes' counter deltas to their totals. To be called at least once a second. */
  commitCounters(): void {
    for (const vertex of this.#internals) vertex.stats.commit();
  }

  /** Gives back every packet that waits in the graph: when it is closed. */
  close(): void {
    for (const vertex of this.#internals) {
      const { frames, count } = vertex.pending;
      for (let i = 0; i < count; i++) this.pool.giveMany(frames[i]!.slots, frames[i]!.count);
      vertex.pending.count = 0;
    }
  }

  #drain(): void {
    const vertices = this.#internals;
    while (this.#firstPending < vertices.length) {
      const from = this.#firstPending;
      this.#firstPending = Infinity;
      for (let i = from; i < vertices.length; i++) {
        const vertex = vertices[i]!;
        if (vertex.pending.count > 0) this.#dispatch(vertex);
      }
    }
  }

  #dispatch(vertex: Vertex): void {
    const list = vertex.pending;
    // What the node sends to itself is for the next round.
    vertex.pending = vertex.spare;
    for (let i = 0; i < list.count; i++) {
      const frame = list.frames[i]!;
      if (this.tracer.isActive) this.tracer.record(vertex.name, frame);
      const startNs = this.#startTiming();
      vertex.run(frame, this.#next);
      vertex.stats.calls++;
      this.#finish(vertex, frame, startNs);
      this.#pass(vertex, frame);
    }
    list.count = 0;
    vertex.spare = list;
  }

  #startTiming(): number {
    if (this.#stopwatch === undefined || ++this.#dispatches % TIMED_DISPATCHES !== 0) return 0;
    return this.#stopwatch();
  }

  #finish(vertex: Vertex, frame: Frame, startNs: number): void {
    const stats = vertex.stats;
    stats.vectors++;
    stats.packets += frame.count;
    if (startNs === 0) return;
    stats.timedNs += this.#stopwatch!() - startNs;
    stats.timedPackets += frame.count;
  }

  /** Hands a processed frame on: whole when all its packets go the same way. The frame is no longer the node's. */
  #pass(vertex: Vertex, frame: Frame): void {
    const first = this.#next[0]!;
    if (!this.#isUniform(frame.count)) {
      this.#scatter(vertex, frame);
    } else if (first !== CONSUMED) {
      const target = vertex.successors[first]!;
      if (target.pending.count === 0) {
        target.pending.add(frame);
        if (target.order < this.#firstPending) this.#firstPending = target.order;
        return;
      }
      this.#scatter(vertex, frame);
    }
    frame.count = 0;
    this.#idleFrames.add(frame);
  }

  /** True when the first `count` entries of `next` are equal. Four are compared at a time. */
  #isUniform(count: number): boolean {
    const next = this.#next;
    const words = this.#nextWords;
    const first = next[0]!;
    const word = Math.imul(first, 0x01010101);
    const whole = count >> 2;
    let i = 0;
    while (i < whole && words[i] === word) i++;
    if (i < whole) return false;
    for (i <<= 2; i < count; i++) if (next[i] !== first) return false;
    return true;
  }

  #scatter(vertex: Vertex, frame: Frame): void {
    const next = this.#next;
    const slots = frame.slots;
    const successors = vertex.successors;
    for (let i = 0; i < frame.count; i++) {
      const target = next[i]!;
      if (target !== CONSUMED) this.#append(successors[target]!, slots[i]!);
    }
  }

  #append(target: Vertex, slot: number): void {
    const pending = target.pending;
    let frame = pending.count > 0 ? pending.frames[pending.count - 1]! : undefined;
    if (frame === undefined || frame.count === FRAME_PACKETS) {
      frame = this.#idleFrames.take() ?? new Frame();
      pending.add(frame);
      if (target.order < this.#firstPending) this.#firstPending = target.order;
    }
    frame.slots[frame.count++] = slot;
  }

  #vertex(name: string): Vertex {
    const vertex = this.#byName.get(name);
    if (vertex === undefined) throw new UsernetError('USERNET_GRAPH', `there is no node ${name}`);
    return vertex;
  }

  #nextsOf(spec: NodeSpec<Context>): readonly string[] {
    const arcName = spec.arcStart ?? spec.arcFeature?.arc;
    if (arcName === undefined) return spec.nexts;
    return [...spec.nexts, ...this.arc(arcName).nexts];
  }

  #connect(spec: NodeSpec<Context>, options: GraphOptions<Context>): void {
    const vertex = this.#vertex(spec.name);
    for (const name of this.#nextsOf(spec)) {
      const successor = this.#byName.get(name);
      if (successor === undefined) {
        throw new UsernetError('USERNET_GRAPH', `the node ${spec.name} leads to ${name}, which is not in the graph`);
      }
      vertex.successors.push(successor);
    }
    const arcName = spec.arcStart ?? spec.arcFeature?.arc;
    const context = {
      ...options.context,
      arena: options.pool.arena,
      pool: options.pool,
      clock: options.clock,
      counters: vertex.stats.deltas,
      emit: (slot: number, next: number) => this.#append(vertex.successors[next]!, slot),
      featureNext: arcName ? this.arc(arcName).tableFor(spec.name, spec.nexts.length) : new Uint8Array(0),
    };
    vertex.run = spec.make(context as unknown as Context);
  }
}

function refuseTwins(nodes: readonly { readonly name: string }[]): void {
  const names = new Set<string>();
  for (const { name } of nodes) {
    if (names.has(name)) throw new UsernetError('USERNET_GRAPH', `two nodes are named ${name}`);
    names.add(name);
  }
}

function makeArc<Context extends NodeContext>(spec: ArcSpec, options: GraphOptions<Context>): FeatureArc {
  const start = options.nodes.find((node) => node.arcStart === spec.name);
  if (start === undefined) throw new UsernetError('USERNET_GRAPH', `the arc ${spec.name} has no start node`);
  const features = options.nodes
    .filter((node) => node.arcFeature?.arc === spec.name)
    .map((node) => ({ node: node.name, after: node.arcFeature!.after ?? [], before: node.arcFeature!.before ?? [] }));
  return new FeatureArc(spec.name, start.name, spec.end, features, options.maxInterfaces);
}

/**
 * Depth-first order of the nodes: each before those it leads to, except where an edge closes a loop (a tunnel that
 * leads back to input, a reply to a request).
 */
function sortNodes<Context extends NodeContext>(
  nodes: readonly NodeSpec<Context>[],
  nextsOf: (spec: NodeSpec<Context>) => readonly string[],
): NodeSpec<Context>[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const finished: NodeSpec<Context>[] = [];
  const seen = new Set<string>();
  const visit = (node: NodeSpec<Context>): void => {
    if (seen.has(node.name)) return;
    seen.add(node.name);
    for (const name of nextsOf(node)) {
      const next = byName.get(name);
      if (next !== undefined) visit(next);
    }
    finished.push(node);
  };
  // Last declared first, so that after reversing the declared order is kept among unrelated nodes.
  for (const node of [...nodes].reverse()) if (node.kind !== 'input') visit(node);
  for (const node of [...nodes].reverse()) visit(node);
  return finished.reverse();
}
