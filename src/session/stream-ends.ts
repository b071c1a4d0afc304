/** What an application's end of a stream carrier knows about its sessions, listeners and sockets. */
import { copyWords } from './address.js';
import type { SessionMessage } from './message.js';
import type { EndpointInfo } from './port.js';
import { ReceiveQueue } from './receive-queue.js';

export class StreamEnd implements EndpointInfo {
  readonly handle: number;
  readonly local = new Int32Array(4);
  localPort = 0;
  readonly remote = new Int32Array(4);
  remotePort = 0;

  constructor(event: SessionMessage) {
    this.handle = event.session;
    this.update(event);
  }

  /** Takes over the addresses of an event. */
  update(event: SessionMessage): void {
    copyWords(this.local, event.local);
    this.localPort = event.localPort;
    copyWords(this.remote, event.remote);
    this.remotePort = event.remotePort;
  }
}

/** An end under credits. */
export class CreditedEnd extends StreamEnd {
  /** Bytes that may be sent. */
  credit = 0;
  /** Bytes that were read and not given credit for yet. */
  owed = 0;
  /** A `readable` event is out, and nothing was read since. */
  isReadableKnown = false;
  wantsWritable = false;
}

export class StreamSession extends CreditedEnd {
  readonly received = new ReceiveQueue();
  isConnected = false;
  isShutdown = false;
  isGone = false;

  get isWritable(): boolean {
    return this.isConnected && !this.isShutdown && !this.isGone;
  }
}

export interface StreamDatagram {
  readonly bytes: Uint8Array;
  readonly remote: Int32Array;
  readonly remotePort: number;
  readonly local: Int32Array;
  readonly ttl: number;
}

export class StreamSocket extends CreditedEnd {
  readonly datagrams: StreamDatagram[] = [];
}
