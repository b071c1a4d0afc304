/**
 * SessionPort: the application's end of a carrier, and all that sockets may use of the session layer.
 *
 * Every method that asks for something returns the number of the request; exactly one event answers it. Events come
 * through `onEvent` and never from inside a method of the port, so that a caller need not expect to be re-entered.
 *
 *   listen ──► listening ──► accepted*, synReceived*          connect ──► connected | failed
 *   session:  readable*, writable*, peerClosed, closed        UDP: bind ──► bound ──► readable*, writable*, udpError*
 *
 * A session belongs to the application from `connected` or `accepted` until it calls {@link SessionPort.closeSession} or
 * {@link SessionPort.reset}, exactly once, also after `closed`; after that call no event names its handle any more.
 */
import type { AddressWords } from './address.js';
import type { SessionMessage } from './message.js';

export interface ListenOptions {
  /** Default `::`, any address. */
  readonly local?: AddressWords;
  /** 0 or left out: a free one is chosen; the `listening` event tells it. */
  readonly localPort?: number;
  /** Connections that may wait for the application. Default 511. */
  readonly backlog?: number;
  /** `::` takes no IPv4 connections. */
  readonly ipv6Only?: boolean;
  /** Applications that all ask for this share the address in turn. */
  readonly reuseport?: boolean;
  /** All ports; `localPort` is left out. */
  readonly anyPort?: boolean;
  /** Each SYN is reported by a `synReceived` event and waits for {@link SessionPort.answerSyn}. */
  readonly askOnSyn?: boolean;
}

export interface ConnectOptions {
  readonly remote: AddressWords;
  readonly remotePort: number;
  /** Default: chosen by route. */
  readonly local?: AddressWords;
  readonly localPort?: number;
}

export interface UdpBindOptions {
  readonly local?: AddressWords;
  readonly localPort?: number;
  readonly ipv6Only?: boolean;
  /** Other sockets may bind to the same address and port in the same way; datagrams are spread by flow. */
  readonly reuseport?: boolean;
}

/** The ends of a session, listener or UDP socket; to be filled in by {@link SessionPort.info}. */
export interface EndpointInfo {
  readonly local: Int32Array;
  localPort: number;
  readonly remote: Int32Array;
  /** 0 while there is no peer. */
  remotePort: number;
}

export interface DatagramInfo {
  /** The sender. */
  readonly remote: Int32Array;
  remotePort: number;
  /** The address it was sent to. */
  readonly local: Int32Array;
  ttl: number;
}

export interface SessionPort {
  /** Receives each event. The message is used again: it is valid during the call. */
  onEvent: (event: SessionMessage) => void;
  /** True after close() and after the `detached` event: methods do nothing any more and no event follows. */
  readonly isClosed: boolean;

  // ── connections ──
  listen(options: ListenOptions): number;
  /** Ends a listener. Connections that were not reported as accepted yet are reset. */
  unlisten(listener: number): void;
  connect(options: ConnectOptions): number;
  /** Gives up a connect that is not answered yet. Its answer is `failed` with ECANCELED. */
  cancel(request: number): void;
  /** Answers a `synReceived` event. Accepted ones come back as `accepted` under the same handle once connected. */
  answerSyn(session: number, accept: boolean): void;
  /**
   * Writes `count` bytes from `bytes[from]` on and returns how many were taken; fewer than `count` means that there is
   * no more room now and a `writable` event will follow. 0 for a session that can't be written to any more.
   */
  write(session: number, bytes: Uint8Array, from: number, count: number): number;
  /**
   * Reads up to `count` bytes to `into[at]` and returns how many there were. A `readable` event comes when there was
   * nothing to read before: who leaves bytes behind asks {@link readable} later instead of waiting for an event.
   */
  read(session: number, into: Uint8Array, at: number, count: number): number;
  /** Bytes that can be read now. */
  readable(session: number): number;
  /** Sends FIN behind everything written. Reading goes on. */
  shutdown(session: number): void;
  /** Lets go of a session: what was written is still delivered, then FIN; RST if received bytes were not read. */
  closeSession(session: number): void;
  /** Lets go of a session with RST; nothing more is delivered. */
  reset(session: number): void;
  /** Sets a {@link SocketOption} of a session or UDP socket. Answered only when refused: `failed`. */
  setOption(handle: number, option: number, value: number): number;
  /** Fills in both ends of a session, listener or UDP socket; false if the handle is dead. */
  info(handle: number, into: EndpointInfo): boolean;

  // ── datagrams ──
  udpBind(options: UdpBindOptions): number;
  /** Sets the peer: only its datagrams are received, and its ICMP errors reported. Answer: `done` or `failed`. */
  udpConnect(socket: number, remote: AddressWords, remotePort: number): number;
  udpDisconnect(socket: number): number;
  /**
   * Sends a datagram to `remote`, or to the connected peer if `remote` is undefined. Returns the number of the request,
   * or 0 when there is no room now: a `writable` event will follow. With `wantsAnswer` a `sent` event tells what became
   * of it (EMSGSIZE, EACCES for broadcast without the option, ENETUNREACH …); otherwise nobody hears of errors.
   */
  sendDatagram(
    socket: number,
    bytes: Uint8Array,
    from: number,
    count: number,
    remote: AddressWords | undefined,
    remotePort: number,
    wantsAnswer: boolean,
  ): number;
  /**
   * Takes the oldest datagram into `into[at]`, cut off at the end of `into`, and fills in `info`. Returns its bytes as
   * they were sent (may be 0, may exceed the room), or −1 when there is none. `readable` events as for sessions.
   */
  receiveDatagram(socket: number, into: Uint8Array, at: number, info: DatagramInfo): number;
  /** Joins or leaves a multicast group on the interface that has `local` (any: by route). `done` or `failed`. */
  udpMembership(socket: number, group: AddressWords, local: AddressWords, join: boolean): number;
  udpClose(socket: number): void;

  // ── the rest ──
  /** Looks a host name up in the stack. `family` 4, 6 or 0. Answer: `resolved`, its payload 16 bytes an address. */
  resolve(name: string, family: number): number;
  /**
   * Waits for the answer to a request that the stack answers at once (listen, udpBind, udpConnect, udpDisconnect,
   * udpMembership), copies it to `answer` and does not report it as an event. For callers that must answer in the same
   * call, as Node's bind and listen do. Returns false if the carrier can't wait or the request is of another kind.
   */
  wait(request: number, answer: SessionMessage): boolean;
  /** The end of this client: all its sessions are reset, its listeners end. No event follows. */
  close(): void;
}
