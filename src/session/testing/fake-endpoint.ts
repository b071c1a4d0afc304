/** What the handles of a fake network stand for. */
import { SessionEvent, SessionMessage } from '../message.js';
import type { ByteRing } from './byte-ring.js';
import type { FakePort } from './fake-port.js';

/** One end. */
export interface FakeEndpoint {
  readonly kind: 'session' | 'listener' | 'udp';
  readonly port: FakePort;
  handle: number;
  readonly local: Int32Array;
  localPort: number;
  readonly remote: Int32Array;
  remotePort: number;
}

export interface FakeSession extends FakeEndpoint {
  readonly kind: 'session';
  peer: FakeSession | undefined;
  readonly rx: ByteRing;
  /** A readable event was sent and nothing was read since. */
  isReadableKnown: boolean;
  wantsToWrite: boolean;
  hasShutdown: boolean;
  hasPeerShutdown: boolean;
  isGone: boolean;
  /** Request of a connect that is not answered yet, else 0. */
  connectRequest: number;
  /** The listener whose backlog it is in. */
  acceptedFor: FakeListener | undefined;
}

export interface FakeListener extends FakeEndpoint {
  readonly kind: 'listener';
  readonly request: number;
  readonly backlog: number;
  readonly isIpv6Only: boolean;
  readonly isAnyPort: boolean;
  readonly isReuseport: boolean;
  readonly asksOnSyn: boolean;
  waiting: number;
}

export interface FakeDatagram {
  readonly bytes: Uint8Array;
  readonly remote: Int32Array;
  readonly remotePort: number;
  readonly local: Int32Array;
  readonly ttl: number;
}

export interface FakeUdpSocket extends FakeEndpoint {
  readonly kind: 'udp';
  readonly isIpv6Only: boolean;
  readonly isReuseport: boolean;
  readonly datagrams: FakeDatagram[];
  bufferedBytes: number;
  receiveBufferBytes: number;
  ttl: number;
  canBroadcast: boolean;
}

/** An event with everything that names an end filled in. */
export function endpointEvent(type: number, request: number, end: FakeEndpoint): SessionMessage {
  const event = new SessionMessage().reset(type);
  event.request = request;
  event.session = end.handle;
  event.local.set(end.local);
  event.localPort = end.localPort;
  event.remote.set(end.remote);
  event.remotePort = end.remotePort;
  return event;
}

export function failedEvent(request: number, errno: number): SessionMessage {
  const event = new SessionMessage().reset(SessionEvent.failed);
  event.request = request;
  event.errno = errno;
  return event;
}
