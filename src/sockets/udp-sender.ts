/** The sending half of a UDP handle: datagrams go straight to the port while it has room, and wait here otherwise. */
import { AsyncResource } from 'node:async_hooks';
import { MAX_DATAGRAM_BYTES, type SessionMessage } from '../session/message.js';
import { callInto } from './callback.js';
import type { NodeRequest } from './node-binding.js';
import type { EventTarget, StackSockets } from './stack-sockets.js';
import { uvCode, uvCodeOf } from './uv-errno.js';

const UV_EMSGSIZE = uvCode('EMSGSIZE');

export class UdpSender {
  readonly #sockets: StackSockets;
  readonly #socket: number;
  readonly #waiting: Datagram[] = [];
  readonly #unanswered = new Set<Datagram>();
  #waitingBytes = 0;

  constructor(sockets: StackSockets, socket: number) {
    this.#sockets = sockets;
    this.#socket = socket;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /**
   * Sends a datagram made of `chunks` to `remote`, undefined for the connected peer. `request` hears of the outcome if
   * `hasCallback`. Returns what UDPWrap's `send` returns: an error code, 0 if the outcome comes later, or bytes + 1.
   */
  send(
    request: NodeRequest,
    chunks: readonly ArrayBufferView[],
    remote: Int32Array | undefined,
    remotePort: number,
    hasCallback: boolean,
  ): number {
    const bytes = chunks.length === 1 ? bytesOf(chunks[0]!) : Buffer.concat(chunks.map(bytesOf));
    if (bytes.length > MAX_DATAGRAM_BYTES) return UV_EMSGSIZE;
    const datagram = new Datagram(this.#sockets, request, bytes, remote, remotePort, hasCallback, this.#unanswered);
    if (this.#waiting.length > 0 || !datagram.submit(this.#socket)) {
      // The application may change its buffer: only a request with a callback makes it wait.
      if (!hasCallback) datagram.bytes = Buffer.from(bytes);
      this.#waiting.push(datagram);
      this.#waitingBytes += bytes.length;
      return 0;
    }
    return hasCallback ? 0 : bytes.length + 1;
  }

  /** There is room again. */
  flush(): void {
    while (this.#waiting.length > 0) {
      const datagram = this.#waiting[0]!;
      if (!datagram.submit(this.#socket)) return;
      this.#waiting.shift();
      this.#waitingBytes -= datagram.bytes.length;
    }
  }

  /** Ends everything that has no answer with `code`. */
  fail(code: number): void {
    const datagrams = [...this.#unanswered, ...this.#waiting];
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    for (const datagram of datagrams) datagram.complete(code);
  }
}

/** dgram passes on what it got: any typed array or DataView. */
function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** One send. Like libuv's send request it keeps the event loop alive until it is done. */
class Datagram implements EventTarget {
  bytes: Uint8Array;
  readonly #sockets: StackSockets;
  readonly #nodeRequest: NodeRequest;
  readonly #remote: Int32Array | undefined;
  readonly #remotePort: number;
  readonly #hasCallback: boolean;
  readonly #unanswered: Set<Datagram>;
  readonly #resource: AsyncResource | undefined;
  #request = 0;
  #isRetained = false;

  constructor(
    sockets: StackSockets,
    nodeRequest: NodeRequest,
    bytes: Uint8Array,
    remote: Int32Array | undefined,
    remotePort: number,
    hasCallback: boolean,
    unanswered: Set<Datagram>,
  ) {
    this.#sockets = sockets;
    this.#nodeRequest = nodeRequest;
    this.bytes = bytes;
    this.#remote = remote;
    this.#remotePort = remotePort;
    this.#hasCallback = hasCallback;
    this.#unanswered = unanswered;
    this.#resource = hasCallback ? new AsyncResource('UDPSENDWRAP') : undefined;
  }

  /** Hands the datagram to the port; false when there is no room, and then the loop stays alive for it. */
  submit(socket: number): boolean {
    const { port } = this.#sockets;
    const { bytes } = this;
    const request = port.sendDatagram(
      socket,
      bytes,
      0,
      bytes.length,
      this.#remote,
      this.#remotePort,
      this.#hasCallback,
    );
    if (request === 0) {
      this.#retain();
      return false;
    }
    if (!this.#hasCallback) {
      this.#release();
      return true;
    }
    this.#request = request;
    this.#unanswered.add(this);
    this.#sockets.ownRequest(request, this);
    this.#retain();
    return true;
  }

  onSessionEvent(event: SessionMessage): void {
    this.complete(uvCodeOf(event.errno));
  }

  complete(code: number): void {
    this.#unanswered.delete(this);
    this.#sockets.forgetRequest(this.#request);
    this.#release();
    const { oncomplete } = this.#nodeRequest;
    if (this.#resource === undefined || oncomplete === undefined) return;
    callInto(this.#resource, oncomplete, this.#nodeRequest, code, code === 0 ? this.bytes.length : 0);
  }

  #retain(): void {
    if (this.#isRetained) return;
    this.#isRetained = true;
    this.#sockets.liveness.retain();
  }

  #release(): void {
    if (!this.#isRetained) return;
    this.#isRetained = false;
    this.#sockets.liveness.release();
  }
}
