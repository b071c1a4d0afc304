/**
 * A feature arc: a place in the graph where nodes can be put between a start node and an end node, per interface
 * (an access list on one interface, NAT on another), at no cost for the interfaces that have none.
 *
 *   start ──► feature a ──► feature b ──► … ──► end        each step looks up what is next on the packet's interface
 */
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';

export interface ArcFeature {
  readonly node: string;
  readonly after: readonly string[];
  readonly before: readonly string[];
}

export class FeatureArc {
  /** Features in the order in which packets meet them. */
  readonly features: readonly string[];
  readonly #enabled: Uint8Array[];
  /** Per position (0 = start node, i + 1 = feature i), per interface: next index on the arc's own scale. */
  readonly #following: Uint8Array[];
  /** The same tables, as the nodes read them: shifted by the number of the node's own nexts. */
  readonly #views = new Map<string, { base: number; table: Uint8Array }>();

  constructor(
    readonly name: string,
    readonly start: string,
    readonly end: string,
    features: readonly ArcFeature[],
    readonly maxInterfaces: number,
  ) {
    this.features = sortFeatures(name, features);
    this.#enabled = this.features.map(() => new Uint8Array(maxInterfaces));
    this.#following = Array.from({ length: this.features.length + 1 }, () => new Uint8Array(maxInterfaces));
    for (const table of this.#following) table.fill(this.features.length);
  }

  /** The nexts that the nodes of this arc get behind their own. */
  get nexts(): readonly string[] {
    return [...this.features, this.end];
  }

  /** The table for `node` (the start or a feature), whose own nexts take the first `base` indexes. */
  tableFor(node: string, base: number): Uint8Array {
    const view = { base, table: new Uint8Array(this.maxInterfaces) };
    this.#views.set(node, view);
    this.#publish(node);
    return view.table;
  }

  /** Switches a feature on or off for an interface. */
  set(feature: string, interfaceIndex: number, enabled: boolean): void {
    const position = this.features.indexOf(feature);
    assert(position >= 0, `${feature} is no feature of the arc ${this.name}`);
    this.#enabled[position]![interfaceIndex] = enabled ? 1 : 0;
    let following = this.features.length;
    for (let i = this.features.length - 1; i >= -1; i--) {
      this.#following[i + 1]![interfaceIndex] = following;
      if (i >= 0 && this.#enabled[i]![interfaceIndex] === 1) following = i;
    }
    for (const node of this.#views.keys()) this.#publish(node);
  }

  isEnabled(feature: string, interfaceIndex: number): boolean {
    return this.#enabled[this.features.indexOf(feature)]?.[interfaceIndex] === 1;
  }

  #publish(node: string): void {
    const view = this.#views.get(node)!;
    const from = this.#following[node === this.start ? 0 : this.features.indexOf(node) + 1]!;
    for (let i = 0; i < from.length; i++) view.table[i] = view.base + from[i]!;
  }
}

/** Topological order; features without an order between them stay as declared. */
function sortFeatures(arc: string, features: readonly ArcFeature[]): string[] {
  const sorted: string[] = [];
  const left = [...features];
  while (left.length > 0) {
    const ready = left.findIndex((candidate) =>
      left.every(
        (other) =>
          other === candidate || !(candidate.after.includes(other.node) || other.before.includes(candidate.node)),
      ),
    );
    if (ready < 0) {
      const names = left.map((feature) => feature.node).join(', ');
      throw new UsernetError('USERNET_FEATURE_CYCLE', `the features ${names} of the arc ${arc} wait for each other`);
    }
    sorted.push(left.splice(ready, 1)[0]!.node);
  }
  return sorted;
}
