import { assert } from '../base/assert.js';
import type { PacketPool } from '../mem/packet-pool.js';
import { SLOT_DATA_BYTES } from '../mem/slot.js';
import type { Device, DeviceCapabilities, LinkType } from './device.js';

/** Templates are padded to whole cache lines; slots begin on one. */
const LINE_WORDS = 16;

/** A device that always has packets: copies of templates, one after the other. What it is told to transmit it discards. */
export class PatternSource implements Device {
  readonly kind = 'pattern';
  readonly linkType: LinkType;
  readonly capabilities: DeviceCapabilities = { gso: true, checksum: true };
  readonly txSpace = 1024;
  onPending: () => void = () => {};
  readonly receive: (into: Int32Array, at: number, max: number) => number;
  readonly #pool: PacketPool;

  /** @param templates packets of one common length, at most that of a slot; a flow each. */
  constructor(pool: PacketPool, linkType: LinkType, templates: readonly Uint8Array[]) {
    this.linkType = linkType;
    this.#pool = pool;
    this.receive = makeReceive(pool, templates, () => this.onPending());
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    this.#pool.giveMany(slots, count, at);
    return count;
  }

  close(): void {}
}

/** The templates as words, each padded to whole lines. */
function packTemplates(templates: readonly Uint8Array[]): Int32Array {
  const bytes = templates[0]?.length ?? 0;
  assert(bytes > 0 && bytes <= SLOT_DATA_BYTES, 'templates must fit into a slot');
  const lineBytes = Math.ceil(bytes / 4 / LINE_WORDS) * LINE_WORDS * 4;
  const packed = new Uint8Array(templates.length * lineBytes);
  templates.forEach((template, i) => {
    assert(template.length === bytes, 'templates must have one length');
    packed.set(template, i * lineBytes);
  });
  return new Int32Array(packed.buffer);
}

/** A closure over constants, not a method: see docs/adr/0002. */
function makeReceive(pool: PacketPool, templates: readonly Uint8Array[], onPending: () => void) {
  const { head, length, totalLength } = pool;
  const words = new Int32Array(pool.view.buffer);
  const packed = packTemplates(templates);
  const size = packed.length / templates.length;
  const bytes = templates[0]!.length;
  let from = 0;
  return function receive(into: Int32Array, at: number, max: number): number {
    const count = pool.takeMany(into, at, max);
    for (let i = at; i < at + count; i++) {
      const slot = into[i]!;
      const to = head[slot]! >> 2;
      for (let k = 0; k < size; k += LINE_WORDS) copyLine(words, to + k, packed, from + k);
      length[slot] = bytes;
      totalLength[slot] = bytes;
      from += size;
      if (from === packed.length) from = 0;
    }
    if (count < max) onPending();
    return count;
  };
}

/** Copies 64 bytes. Written out: a loop over the words takes three times as long. */
function copyLine(target: Int32Array, to: number, source: Int32Array, from: number): void {
  target[to] = source[from]!;
  target[to + 1] = source[from + 1]!;
  target[to + 2] = source[from + 2]!;
  target[to + 3] = source[from + 3]!;
  target[to + 4] = source[from + 4]!;
  target[to + 5] = source[from + 5]!;
  target[to + 6] = source[from + 6]!;
  target[to + 7] = source[from + 7]!;
  target[to + 8] = source[from + 8]!;
  target[to + 9] = source[from + 9]!;
  target[to + 10] = source[from + 10]!;
  target[to + 11] = source[from + 11]!;
  target[to + 12] = source[from + 12]!;
  target[to + 13] = source[from + 13]!;
  target[to + 14] = source[from + 14]!;
  target[to + 15] = source[from + 15]!;
}
