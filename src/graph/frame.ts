/** Most packets in a frame: small enough for the first-level cache, large enough to spread the cost of a dispatch. */
export const FRAME_PACKETS = 256;

/** A vector of packets on its way to a node: `slots[0 … count − 1]`. */
export class Frame {
  readonly slots = new Int32Array(FRAME_PACKETS);
  count = 0;
}
