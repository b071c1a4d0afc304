/**
 * The messages between an application and the session layer: 64 bytes each, sixteen int32, both ways.
 *
 *   word  0        1        2, 3             4      5              6      7               8 … 11         12 … 15
 *        ┌────────┬────────┬────────────────┬──────┬──────────────┬──────┬───────────────┬──────────────┬──────────────┐
 *        │type and│request │handle of       │errno │payload bytes │value │local port,    │local address │remote address│
 *        │flags   │        │session/listener│      │behind it     │      │remote port    │128 bit       │128 bit       │
 *        └────────┴────────┴────────────────┴──────┴──────────────┴──────┴───────────────┴──────────────┴──────────────┘
 *
 * `request` is a number that the application chooses; the answer carries it. What a listener reports later carries the
 * number of the `listen` that made it, what a session or UDP socket reports carries its handle.
 * On a byte stream (stream-protocol.ts) a message is in the machine's byte order and `payloadBytes` bytes follow it.
 */
import { handleFromWords, handleHighWord, handleLowWord } from './handle.js';

export const MESSAGE_WORDS = 16;
export const MESSAGE_BYTES = 64;
/** Longest payload of one message. */
export const MAX_PAYLOAD_BYTES = 65_536;
/** Longest datagram: 65,535 less the headers of IPv4 and UDP. RFC 768, RFC 791. */
export const MAX_DATAGRAM_BYTES = 65_507;

/** From the application to the session layer. Numbers are stable. */
export const Request = {
  /** First message. payload: name of the application. → attached | failed. */
  attach: 1,
  /** First message of a further worker (thread) of an application: session = its application handle. → attached | failed. */
  registerWorker: 2,
  /** flags: {@link ListenFlag}; value: backlog; local. → listening | failed; then accepted or synReceived events. */
  listen: 3,
  /** session = listener. No answer. */
  unlisten: 4,
  /** remote; local (any, 0 = to be chosen). → connected | failed. */
  connect: 5,
  /** value = request of a connect that nobody waits for any more. That request fails with ECANCELED. */
  cancel: 6,
  /** The application has taken the session of an `accepted` event: its place in the backlog is free. No answer. */
  accept: 7,
  /** Answer to synReceived: value = {@link SynAnswer}. No answer. */
  answerSyn: 8,
  /** No more bytes will be written: FIN behind what is there. No answer. */
  shutdown: 9,
  /** The application lets go of a session in order; the handle is dead. No answer. */
  close: 10,
  /** The same at once, with RST. No answer. */
  reset: 11,
  /** flags = {@link SocketOption}, value. Of a session or a UDP socket. → failed, only when refused. */
  setOption: 12,
  /** payload: bytes of a session. Stream carrier only. */
  data: 13,
  /** value: so many bytes may be sent to the application again. Stream carrier only. */
  credit: 14,
  /** flags: {@link UdpBindFlag}; local. → bound | failed. */
  udpBind: 15,
  /** remote. → done (with the local address) | failed. */
  udpConnect: 16,
  /** → done | failed. */
  udpDisconnect: 17,
  /** flags: {@link UdpSendFlag}; payload; remote. → sent, if asked for. Stream carrier only. */
  udpSend: 18,
  /** The handle is dead. No answer. */
  udpClose: 19,
  /** flags: 1 join, 0 leave; remote = group, local = an interface's address or any. → done | failed. */
  udpMembership: 20,
  /** payload: a host name; value: 4, 6 or 0 for both. → resolved | failed. */
  resolve: 21,
} as const;

/** From the session layer to the application. Numbers are stable. */
export const SessionEvent = {
  /** session = the application's handle, value = bytes in flight that each session allows (stream carrier). */
  attached: 64,
  /** A request was refused: errno. */
  failed: 65,
  /** session = listener; local: the port that was chosen. */
  listening: 66,
  /** request = that of the listen; session; local, remote. The session is connected. */
  accepted: 67,
  /** request = that of the listen; session, to be answered by answerSyn; local = where the peer wanted to go, remote. */
  synReceived: 68,
  /** request; session; local, remote. */
  connected: 69,
  /** There is something to read where there was nothing, of a session or UDP socket. */
  readable: 70,
  /** There is room to write after a write had been taken in part or not at all. */
  writable: 71,
  /** The peer sent FIN: what is still to be read is the last. */
  peerClosed: 72,
  /** The connection is gone: errno 0 = in order. What was received can still be read; closeSession() gives the handle back. */
  closed: 73,
  /** session = UDP socket; local. */
  bound: 74,
  /** The request was carried out; local, remote. */
  done: 75,
  /** An answer to one datagram that could not be sent (errno), or could. */
  sent: 76,
  /** An error of a UDP socket that no request asked for: ECONNREFUSED on a connected one. */
  udpError: 77,
  /** payload: addresses of 16 bytes each. */
  resolved: 78,
  /**
   * The carrier broke or the stack went away: errno. Everything that the port had is gone, requests without an answer
   * included. The last event of a port.
   */
  detached: 79,
  /** payload: bytes of a session. Stream carrier only; applications see `readable`. */
  data: 80,
  /** payload: a datagram; remote = sender, local = destination, value = ttl. Stream carrier only. */
  datagram: 81,
  /** value: so many bytes may be sent again. Stream carrier only; applications see `writable`. */
  credit: 82,
} as const;

/** Bits of `flags` of a listen request. */
export const ListenFlag = {
  /** `::` takes no IPv4 connections. */
  ipv6Only: 1,
  /** Other applications may share address and port in the same way: a reuseport group. */
  reuseport: 2,
  /** All ports of the address; the port of the request is 0. */
  anyPort: 4,
  /** Each SYN is reported as synReceived and waits for answerSyn. */
  askOnSyn: 8,
} as const;

export const UdpBindFlag = { ipv6Only: 1, reuseport: 2 } as const;

export const UdpSendFlag = {
  /** What became of the datagram is told by a `sent` event. */
  answer: 1,
  /** To `remote`; else to the peer of a connected socket. */
  remote: 2,
} as const;

/** What to do with a SYN that waits. */
export const SynAnswer = { accept: 1, reject: 2 } as const;

/** `flags` of setOption. */
export const SocketOption = {
  /** 1 = send small segments at once (no Nagle). RFC 1122 section 4.2.3.4. */
  noDelay: 1,
  /** Milliseconds of silence before the first probe; 0 = off. RFC 1122 section 4.2.3.6. */
  keepAliveMs: 2,
  /** 1 = may send to broadcast addresses. */
  broadcast: 3,
  /** TTL of unicast datagrams, 1 … 255. */
  ttl: 4,
  /** TTL of multicast datagrams, 0 … 255. */
  multicastTtl: 5,
  /** 1 = what is sent to a group that this host is in comes back. */
  multicastLoop: 6,
  /** Bytes of received data that are kept until they are read. */
  receiveBufferBytes: 7,
  /** Bytes that may wait to be sent. */
  sendBufferBytes: 8,
  /** The traffic class: DSCP and ECN. */
  trafficClass: 9,
} as const;

const NO_PAYLOAD = new Uint8Array(0);

/** A message taken apart. One instance serves for many messages; who receives it copies what it wants to keep. */
export class SessionMessage {
  type = 0;
  flags = 0;
  request = 0;
  /** Handle of the session, listener, UDP socket or application; 0 = none. */
  session = 0;
  /** A number of the Errno table; 0 = no error. */
  errno = 0;
  payloadBytes = 0;
  value = 0;
  localPort = 0;
  remotePort = 0;
  readonly local = new Int32Array(4);
  readonly remote = new Int32Array(4);
  /** The payload where there is one at hand: valid during the call. Not encoded with the message. */
  payload: Uint8Array = NO_PAYLOAD;

  /** Makes the message one of type `type` with everything else zero. */
  reset(type: number): this {
    this.type = type;
    this.flags = 0;
    this.request = 0;
    this.session = 0;
    this.errno = 0;
    this.payloadBytes = 0;
    this.value = 0;
    this.localPort = 0;
    this.remotePort = 0;
    this.local.fill(0);
    this.remote.fill(0);
    this.payload = NO_PAYLOAD;
    return this;
  }
}

/** Writes the sixteen words of `message` at index `at` of `words`. */
export function encodeMessage(message: SessionMessage, words: Int32Array, at: number): void {
  words[at] = message.type | (message.flags << 16);
  words[at + 1] = message.request;
  words[at + 2] = handleLowWord(message.session);
  words[at + 3] = handleHighWord(message.session);
  words[at + 4] = message.errno;
  words[at + 5] = message.payloadBytes;
  words[at + 6] = message.value;
  words[at + 7] = message.localPort | (message.remotePort << 16);
  for (let i = 0; i < 4; i++) {
    words[at + 8 + i] = message.local[i]!;
    words[at + 12 + i] = message.remote[i]!;
  }
}

/** Reads sixteen words into `message`. Any words give a message; whether it makes sense is for the receiver to say. */
export function decodeMessage(words: Int32Array, at: number, message: SessionMessage): void {
  const typeAndFlags = words[at]!;
  message.type = typeAndFlags & 0xffff;
  message.flags = typeAndFlags >>> 16;
  message.request = words[at + 1]!;
  message.session = handleFromWords(words[at + 2]!, words[at + 3]!);
  message.errno = words[at + 4]!;
  message.payloadBytes = words[at + 5]!;
  message.value = words[at + 6]!;
  const ports = words[at + 7]!;
  message.localPort = ports & 0xffff;
  message.remotePort = ports >>> 16;
  for (let i = 0; i < 4; i++) {
    message.local[i] = words[at + 8 + i]!;
    message.remote[i] = words[at + 12 + i]!;
  }
  message.payload = NO_PAYLOAD;
}

const TYPE_NAMES = new Map<number, string>(
  [...Object.entries(Request), ...Object.entries(SessionEvent)].map(([name, type]) => [type, name]),
);

/** `listen` for 3; `type 99` for a number that is not in the tables. */
export function messageTypeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `type ${type}`;
}
