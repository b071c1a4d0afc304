/** UDP of one worker: the operations that the session layer uses. All of them are synchronous. RFC 768, RFC 1122 section 4.1. */
import type { ErrnoName } from '../events.js';

/** A 128-bit address as four int32 words; IPv4 as ::ffff:a.b.c.d, the wildcard as four zeros or ::ffff:0.0.0.0. */
export type AddressWords = ArrayLike<number>;

/** Why an operation was refused: names of errno values. */
export type UdpErrno =
  | ErrnoName
  | 'EACCES'
  | 'EAFNOSUPPORT'
  | 'EAGAIN'
  | 'EDESTADDRREQ'
  | 'EINVAL'
  | 'EISCONN'
  | 'ENOTCONN';

/** Longest payload: 65,535 less the headers of IPv4 and UDP. RFC 768, RFC 791 section 3.1. */
export const UDP_MAX_PAYLOAD_BYTES = 65_507;

export interface UdpBindOptions {
  /** Row of the stack whose routes and addresses are used. */
  readonly stack: number;
  readonly local: AddressWords;
  /** 0: an ephemeral one. */
  readonly port: number;
  readonly isIpv6Only: boolean;
  /** Shares address and port with other sockets that ask for it too: datagrams of a flow go to the same one. */
  readonly isReuseport: boolean;
}

/** Options of a socket that can be set at any time. */
export const UdpSetting = {
  /** 0 or 1: may send to broadcast addresses. RFC 1122 section 4.1.3.6 leaves the check to the host. */
  broadcast: 0,
  /** Time to live of unicast datagrams, 1 … 255. */
  timeToLive: 1,
  /** Time to live of multicast datagrams, 0 … 255. */
  multicastTimeToLive: 2,
  /** 0 or 1: what is sent to a group that this host has joined is received here too. */
  multicastLoop: 3,
  /** Most bytes that wait to be received; what exceeds it is dropped and counted. */
  receiveBufferBytes: 4,
  /** DSCP and ECN byte of the datagrams sent. */
  trafficClass: 5,
} as const;

/** What is known about a received datagram; to be filled in. */
export interface UdpDatagram {
  readonly remote: Int32Array;
  remotePort: number;
  /** Where it was sent to. */
  readonly local: Int32Array;
  ttl: number;
}

/** What UDP tells the session layer. Events of a run are coalesced and given by `flushEvents`. */
export interface UdpEvents {
  /** Datagrams have come. */
  onReadable(socket: number): void;
  /** There is room again after `send` returned EAGAIN. */
  onWritable(socket: number): void;
  /** An ICMP error for something that a connected socket sent. RFC 1122 section 4.1.3.3. */
  onError(socket: number, errno: ErrnoName): void;
}

export interface UdpInfo {
  readonly local: Int32Array;
  readonly localPort: number;
  readonly remote: Int32Array;
  /** 0 while not connected. */
  readonly remotePort: number;
  readonly stack: number;
  /** Bytes that wait to be received, headers of the queue included. */
  readonly queuedBytes: number;
  /** Datagrams dropped because the queue was full. */
  readonly drops: number;
}

export interface Udp {
  /** Set by the session layer before the first packet. */
  events: UdpEvents;
  /** Called when a pass of the graph has something to send. */
  wake: () => void;

  /** Makes a socket and binds it; its index ≥ 0, or EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, ENOBUFS. */
  bind(options: UdpBindOptions): number | UdpErrno;
  /** Sets the peer. Only its datagrams are received from now on. */
  connect(socket: number, remote: AddressWords, remotePort: number): UdpErrno | undefined;
  disconnect(socket: number): UdpErrno | undefined;
  /** Sends a datagram to `remote`, or to the peer when it is undefined. EAGAIN: no room now, `onWritable` will follow. */
  send(
    socket: number,
    bytes: Uint8Array,
    from: number,
    count: number,
    remote: AddressWords | undefined,
    remotePort: number,
  ): UdpErrno | undefined;
  /** Takes the oldest datagram into `into[at …]`, cut off at the end; returns its whole length, or −1. */
  receive(socket: number, into: Uint8Array, at: number, info: UdpDatagram): number;
  /** Length of the oldest datagram, or −1. */
  nextLength(socket: number): number;
  /** @param setting one of {@link UdpSetting}. */
  set(socket: number, setting: number, value: number): UdpErrno | undefined;
  /** Joins or leaves a multicast group on the interface with the address `local` (any: chosen by route). */
  setMembership(socket: number, group: AddressWords, local: AddressWords, join: boolean): UdpErrno | undefined;
  close(socket: number): void;
  info(socket: number): UdpInfo;

  /** Gives the events of the run to `events`. To be called by the engine after each pass of the graph. */
  flushEvents(): void;
  /** True while a pass of the graph would send something. */
  readonly hasOutput: boolean;
}
