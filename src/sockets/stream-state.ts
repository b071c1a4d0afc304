/** What the parts of a stream handle share: who it is, its session, and how the connection ended. */
import { AsyncResource } from 'node:async_hooks';
import type { SessionPort } from '../session/port.js';
import { HandleLiveness } from './liveness.js';
import type { JsStream, StreamHandle } from './node-binding.js';
import type { StackSockets } from './stack-sockets.js';
import { uvCode, uvCodeOf } from './uv-errno.js';

const UV_EPIPE = uvCode('EPIPE');

export class StreamState {
  readonly sockets: StackSockets;
  readonly port: SessionPort;
  readonly handle: JsStream;
  readonly loop: HandleLiveness;
  /** The async context of the handle's callbacks. */
  resource = new AsyncResource('TCPWRAP');
  /** Handle of the session; 0 before it is connected. */
  session = 0;
  onread: StreamHandle['onread'];
  /** The handle that C++ made on top of this one, if it did (TLS). */
  upper: StreamHandle | undefined;
  /** Where net.Socket's `onread` option wants its bytes. */
  userBuffer: Uint8Array | undefined;
  /** Someone in C++ reads. */
  isNative = false;
  isClosed = false;
  bytesRead = 0;
  bytesWritten = 0;
  /** The peer sent FIN. */
  hasPeerClosed = false;
  /** The session is gone. */
  isGone = false;
  #error = 0;

  constructor(sockets: StackSockets, handle: JsStream) {
    this.sockets = sockets;
    this.port = sockets.port;
    this.handle = handle;
    this.loop = new HandleLiveness(sockets.liveness);
  }

  /** The session is gone: in order, or with an errno of the session protocol. */
  markGone(errno: number): void {
    this.isGone = true;
    if (errno === 0) this.hasPeerClosed = true;
    else this.#error = uvCodeOf(errno);
  }

  /** The connection broke and nobody was told yet. */
  get hasError(): boolean {
    return this.#error !== 0;
  }

  /** What it broke with, once; EPIPE from then on, as on a kernel's socket. */
  takeError(): number {
    const error = this.#error === 0 ? UV_EPIPE : this.#error;
    this.#error = 0;
    return error;
  }

  /** The same handle serves a new user from now on (an agent's kept-alive connection). */
  renewResource(): void {
    this.resource = new AsyncResource('TCPWRAP');
  }
}
