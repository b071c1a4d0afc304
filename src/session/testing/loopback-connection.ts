/** A connection of the transport without packets: its state, and the events that wait. */
import type { ErrnoName, TransportEvents } from '../../transport/events.js';
import { copyWords } from '../address.js';

export const NO_LISTENER = -1;

export interface Connection {
  readonly index: number;
  readonly namespace: number;
  readonly stack: number;
  readonly local: Int32Array;
  readonly localPort: number;
  readonly remote: Int32Array;
  readonly remotePort: number;
  listener: number;
  context: number;
  peer: Connection | undefined;
  state: 'syn' | 'hang' | 'deferred' | 'established' | 'gone';
  /** The session layer holds the index. */
  isHeld: boolean;
  isInAcceptQueue: boolean;
  hasShutdown: boolean;
  isFinSent: boolean;
  hasPeerFin: boolean;
  wantsWritable: boolean;
  // Events that wait.
  accepted: boolean;
  connected: boolean;
  readable: boolean;
  writable: boolean;
  peerClosed: boolean;
  closed: boolean;
  failed: ErrnoName | undefined;
}

export function makeConnection(
  index: number,
  owner: { readonly namespace: number; readonly stack: number },
  local: Int32Array,
  localPort: number,
  remote: Int32Array,
  remotePort: number,
): Connection {
  const made: Connection = {
    index,
    namespace: owner.namespace,
    stack: owner.stack,
    local: new Int32Array(4),
    localPort,
    remote: new Int32Array(4),
    remotePort,
    listener: NO_LISTENER,
    context: 0,
    peer: undefined,
    state: 'syn',
    isHeld: false,
    isInAcceptQueue: false,
    hasShutdown: false,
    isFinSent: false,
    hasPeerFin: false,
    wantsWritable: false,
    accepted: false,
    connected: false,
    readable: false,
    writable: false,
    peerClosed: false,
    closed: false,
    failed: undefined,
  };
  copyWords(made.local, local);
  copyWords(made.remote, remote);
  return made;
}

/** Gives the events of a connection that wait; `isStill` says whether it has not been let go of in the meantime. */
export function reportEvents(each: Connection, events: TransportEvents, isStill: () => boolean): void {
  const { index } = each;
  if (each.accepted) {
    each.accepted = false;
    events.onAccepted(each.listener, index);
  }
  if (isStill() && each.connected) {
    each.connected = false;
    events.onConnected(index);
  }
  if (isStill() && each.readable) {
    each.readable = false;
    events.onReadable(index);
  }
  if (isStill() && each.writable) {
    each.writable = false;
    events.onWritable(index);
  }
  if (isStill() && each.peerClosed) {
    each.peerClosed = false;
    events.onPeerClosed(index);
  }
  if (isStill() && each.failed !== undefined) {
    const errno = each.failed;
    each.failed = undefined;
    each.state = 'gone';
    events.onFailed(index, errno);
  }
  if (isStill() && each.closed) {
    each.closed = false;
    events.onClosed(index);
  }
}
