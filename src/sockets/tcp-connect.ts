/** A connect under way. Like libuv's connect request it keeps the event loop alive until it is answered or given up. */
import type { SessionMessage } from '../session/message.js';
import type { Endpoint } from './endpoint.js';
import type { NodeRequest } from './node-binding.js';
import type { EventTarget, StackSockets } from './stack-sockets.js';

export class TcpConnect {
  readonly nodeRequest: NodeRequest;
  readonly #sockets: StackSockets;
  readonly #request: number;
  #isOver = false;

  constructor(sockets: StackSockets, nodeRequest: NodeRequest, local: Endpoint, remote: Endpoint, target: EventTarget) {
    this.nodeRequest = nodeRequest;
    this.#sockets = sockets;
    this.#request = sockets.port.connect({
      remote: remote.words,
      remotePort: remote.port,
      local: local.words,
      localPort: local.port,
    });
    sockets.ownRequest(this.#request, target);
    sockets.liveness.retain();
  }

  /** The event is the answer to this connect. */
  isAnsweredBy(event: SessionMessage): boolean {
    return event.request === this.#request;
  }

  /** Nobody waits for the answer any more. */
  cancel(): void {
    this.#sockets.forgetRequest(this.#request);
    this.#sockets.port.cancel(this.#request);
  }

  /** The request is over: answered, or its handle has closed. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sockets.liveness.release();
  }
}
