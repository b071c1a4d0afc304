/** The shape of a packet slot; see packet-pool.ts. */

export const SLOT_BYTES = 2048;
export const HEADROOM_BYTES = 128;
export const MAX_HEADER_BYTES = 256;
const COLOURS = 4;
const COLOUR_BYTES = 64;
/** Bytes that every slot has room for behind its head: an Ethernet frame of 1,518 bytes and more. */
export const SLOT_DATA_BYTES = SLOT_BYTES - HEADROOM_BYTES - (COLOURS - 1) * COLOUR_BYTES;
export const NO_SLOT = -1;

/** Offset at which a fresh packet in `slot` begins: behind headroom and colour. `firstSlotAt` is the offset of slot 0. */
export function slotDataStart(firstSlotAt: number, slot: number): number {
  return firstSlotAt + slot * SLOT_BYTES + HEADROOM_BYTES + (slot & (COLOURS - 1)) * COLOUR_BYTES;
}
