/**
 * A device: where packets enter and leave the graph. Below it may be a ring to another device, a file, an
 * application's callback or the host's kernel.
 */
import type { TimerSource } from '../base/time.js';

export type LinkType = 'ethernet' | 'ip';

/** What a device takes as it is; for what it does not, interface-output does the work in software. */
export interface DeviceCapabilities {
  /** Takes TCP super-segments (PacketFlag.gso); means nothing without `checksum`, which is not computed for them. */
  readonly gso: boolean;
  /** Takes packets whose transport checksum is still to be computed (PacketFlag.checksumPartial). */
  readonly checksum: boolean;
}

export interface Device {
  /** 'veth', 'loopback', 'stream', 'pcap' …; wrappers keep the kind of what they wrap. */
  readonly kind: string;
  /** What packets begin with: an Ethernet header or an IP header. */
  readonly linkType: LinkType;
  readonly capabilities: DeviceCapabilities;
  /**
   * To be called by the device when it has packets to receive and `receive` returned fewer than it was asked for
   * last. Set by: the interface table.
   */
  onPending: () => void;
  /**
   * Hands out received packets: writes up to `max` slots to `into` from index `at` on and returns how many. The caller
   * becomes their owner. Fewer than `max` means that there are no more until the device calls `onPending`.
   * The packets' flags hold only what is true on this side of the link: checksum state and super-segment marks.
   */
  receive(into: Int32Array, at: number, max: number): number;
  /**
   * Takes the packets slots[at … at + count − 1] and returns how many it took. It may put the slots of this range in
   * another order: those it took become its own and come first, the rest stays the caller's and comes last.
   */
  transmit(slots: Int32Array, at: number, count: number): number;
  /** Packets that `transmit` would take now: senders in this process hold back instead of losing. */
  readonly txSpace: number;
  /** Work of the device that is due at some time (delayed packets). */
  readonly timers?: TimerSource | undefined;
  /** Gives every packet back to the pool. Nothing may be called afterwards but `close`. */
  close(): void;
}
