/** The echo client: sends echo requests and matches what comes back. Read RFC 792 "Echo" first. */
import type { Random } from '../base/random.js';
import { type Clock, NS_PER_MS, type TimerSource } from '../base/time.js';
import { TimingWheel } from '../base/timing-wheel.js';
import { makePacket } from '../drivers/copy-packet.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import {
  ICMPV4_HEADER_BYTES,
  Icmpv4Type,
  icmpv4EchoIdentifier,
  icmpv4EchoSequence,
  icmpv4Type,
  writeIcmpv4Echo,
} from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import {
  IPV4_DEFAULT_TTL,
  IPV4_MAX_TOTAL_BYTES,
  IPV4_MIN_HEADER_BYTES,
  Ipv4Flag,
  ipv4Destination,
  ipv4HeaderBytes,
  ipv4Source,
  ipv4Ttl,
  writeIpv4,
} from '../wire/ipv4.js';
import type { Identifications } from './identification.js';
import { L3Target, type Send } from './l3-target.js';

const MAX_PINGS = 1024;
const DEFAULT_DATA_BYTES = 56;
const DEFAULT_TIMEOUT_MS = 1000;
export const MAX_PING_BYTES = IPV4_MAX_TOTAL_BYTES - IPV4_MIN_HEADER_BYTES - ICMPV4_HEADER_BYTES;

export interface PingOptions {
  /** Source address. */
  readonly source: number;
  /** Bytes behind the ICMP header, 0..65507. Default: 56. */
  readonly bytes?: number;
  readonly ttl?: number;
  readonly timeoutMs?: number;
  readonly dontFragment?: boolean;
}

/** What became of an echo request. `from` is 0 if this stack itself could not send it. */
export type PingResult =
  | {
      readonly kind: 'reply';
      readonly from: number;
      readonly bytes: number;
      readonly ttl: number;
      readonly rttNs: number;
    }
  | {
      readonly kind: 'error';
      readonly from: number;
      readonly type: number;
      readonly code: number;
      readonly info: number;
    }
  | { readonly kind: 'timeout' };

interface PendingPing {
  readonly stack: number;
  readonly destination: number;
  readonly sentNs: number;
  readonly done: (result: PingResult) => void;
}

export interface EchoParts {
  readonly pool: PacketPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly identifications: Identifications;
  readonly vrfOfStack: Int32Array;
}

export class EchoClient implements TimerSource {
  readonly #parts: EchoParts;
  readonly #send: Send;
  readonly #wheel: TimingWheel;
  /** A ping is an entry here; its index is the sequence number. */
  readonly #pending: (PendingPing | undefined)[] = new Array(MAX_PINGS).fill(undefined);
  /** Tells this client's echoes from others'; a stranger has to guess it. */
  readonly #identifier: number;
  #next = 0;

  constructor(parts: EchoParts, send: Send) {
    this.#parts = parts;
    this.#send = send;
    this.#identifier = parts.random.uint32() & 0xffff;
    this.#wheel = new TimingWheel(MAX_PINGS, parts.clock.nowNs / NS_PER_MS);
  }

  nextDeadlineNs(): number {
    return this.#wheel.nextDeadlineMs() * NS_PER_MS;
  }

  advance(nowNs: number): void {
    this.#wheel.advance(nowNs / NS_PER_MS, (ping) => this.#finish(ping, { kind: 'timeout' }));
  }

  /**
   * Sends one echo request; `done` is called once. False, and `done` is not called, if there are too many pings or no
   * slots.
   */
  ping(stack: number, destination: number, options: PingOptions, done: (result: PingResult) => void): boolean {
    const ping = this.#freeEntry();
    if (ping < 0) return false;
    const slot = makePacket(this.#parts.pool, this.#build(destination, options, ping));
    if (slot === NO_SLOT) return false;
    const { pool, clock, vrfOfStack } = this.#parts;
    pool.network[slot] = pool.head[slot]!;
    pool.transport[slot] = pool.head[slot]! + IPV4_MIN_HEADER_BYTES;
    pool.stack[slot] = stack;
    pool.vrf[slot] = vrfOfStack[stack]!;
    pool.flags[slot] = PacketFlag.checksumValid;
    this.#pending[ping] = { stack, destination, sentNs: clock.nowNs, done };
    this.#wheel.start(ping, options.timeoutMs ?? DEFAULT_TIMEOUT_MS, clock.nowNs / NS_PER_MS);
    this.#send(slot, L3Target.lookup);
    return true;
  }

  /** An echo reply has come: the IP header at `ip`, the message of `bytes` bytes at `at`. False if nobody waits for it. */
  receive(stack: number, ip: number, at: number, bytes: number): boolean {
    const { view } = this.#parts.pool;
    const from = ipv4Source(view, ip);
    const ping = this.#match(stack, from, at);
    if (ping < 0) return false;
    const rttNs = this.#parts.clock.nowNs - this.#pending[ping]!.sentNs;
    this.#finish(ping, { kind: 'reply', from, bytes: bytes - ICMPV4_HEADER_BYTES, ttl: ipv4Ttl(view, ip), rttNs });
    return true;
  }

  /** The handler of ICMP errors about ICMP packets. */
  receiveError(stack: number, type: number, code: number, info: number, quoteAt: number, from: number): boolean {
    const { view } = this.#parts.pool;
    const at = quoteAt + ipv4HeaderBytes(view, quoteAt);
    if (icmpv4Type(view, at) !== Icmpv4Type.echoRequest) return false;
    const ping = this.#match(stack, ipv4Destination(view, quoteAt), at);
    if (ping < 0) return false;
    this.#finish(ping, { kind: 'error', from, type, code, info });
    return true;
  }

  #freeEntry(): number {
    for (let i = 0; i < MAX_PINGS; i++) {
      const ping = (this.#next + i) % MAX_PINGS;
      if (this.#pending[ping] !== undefined) continue;
      this.#next = (ping + 1) % MAX_PINGS;
      return ping;
    }
    return -1;
  }

  #match(stack: number, peer: number, at: number): number {
    const { view } = this.#parts.pool;
    if (icmpv4EchoIdentifier(view, at) !== this.#identifier) return -1;
    const sequence = icmpv4EchoSequence(view, at);
    const pending = this.#pending[sequence];
    return pending?.stack === stack && pending.destination === peer ? sequence : -1;
  }

  #finish(ping: number, result: PingResult): void {
    const { done } = this.#pending[ping]!;
    this.#wheel.stop(ping);
    this.#pending[ping] = undefined;
    done(result);
  }

  #build(destination: number, options: PingOptions, ping: number): Uint8Array {
    const dataBytes = Math.min(options.bytes ?? DEFAULT_DATA_BYTES, MAX_PING_BYTES);
    const icmpBytes = ICMPV4_HEADER_BYTES + dataBytes;
    const packet = new Uint8Array(IPV4_MIN_HEADER_BYTES + icmpBytes);
    const view = new DataView(packet.buffer);
    const data = IPV4_MIN_HEADER_BYTES + ICMPV4_HEADER_BYTES;
    for (let i = 0; i < dataBytes; i++) packet[data + i] = i;
    writeIcmpv4Echo(view, IPV4_MIN_HEADER_BYTES, Icmpv4Type.echoRequest, this.#identifier, ping, icmpBytes);
    const { source, ttl = IPV4_DEFAULT_TTL } = options;
    const fragment = options.dontFragment === true ? Ipv4Flag.dontFragment : 0;
    const id = this.#parts.identifications.next(source, destination, IpProtocol.icmp);
    writeIpv4(view, 0, 0, packet.length, id, fragment, ttl, IpProtocol.icmp, source, destination);
    return packet;
  }
}
