/** What a node did: deltas while it runs, totals for those who look. */
export class NodeStats {
  /** Counts since the last commit. Written by: the node. */
  readonly deltas: Uint32Array;
  /** Counts since the start, in the order of `counterNames`. Written by: commit. Read by: any. */
  readonly totals: Float64Array;
  /** Times the node was called; an input node is called in each pass, with or without packets. */
  calls = 0;
  /** Calls that had packets. */
  vectors = 0;
  packets = 0;
  /** Time spent in the dispatches that were timed, and their packets. */
  timedNs = 0;
  timedPackets = 0;

  constructor(
    readonly name: string,
    readonly counterNames: readonly string[],
  ) {
    this.deltas = new Uint32Array(counterNames.length);
    this.totals = new Float64Array(counterNames.length);
  }

  commit(): void {
    for (let i = 0; i < this.deltas.length; i++) {
      this.totals[i]! += this.deltas[i]!;
      this.deltas[i] = 0;
    }
  }

  /** Nanoseconds per packet, from the dispatches that were timed; 0 when none was. */
  get nsPerPacket(): number {
    return this.timedPackets === 0 ? 0 : this.timedNs / this.timedPackets;
  }

  /** Total of a counter, with what is not committed yet. */
  count(counter: string): number {
    const index = this.counterNames.indexOf(counter);
    return index < 0 ? 0 : this.totals[index]! + this.deltas[index]!;
  }
}
