/** The listening side of a TCP handle: a listener of the session layer and the connections that it reports. */
import { Errno } from '../session/errno.js';
import { SessionEvent, SessionMessage } from '../session/message.js';
import type { EventTarget, StackSockets } from './stack-sockets.js';
import type { TcpBind } from './tcp-bind.js';
import { uvCode, uvCodeOf } from './uv-errno.js';

/** Hears of connections, or of the end of the listener. */
export interface TcpListenerEvents {
  /** A session that is connected; must be taken or closed. The message is valid during the call. */
  onAccepted(event: SessionMessage): void;
  /** The listener is gone; `code` is libuv's. */
  onListenerFailed(code: number): void;
}

const answer = new SessionMessage();

export class TcpListener implements EventTarget {
  readonly #sockets: StackSockets;
  readonly #events: TcpListenerEvents;
  #handle = 0;
  #request = 0;

  constructor(sockets: StackSockets, events: TcpListenerEvents) {
    this.#sockets = sockets;
    this.#events = events;
  }

  /** Listens on the address of `bind` and puts the port that was chosen there. Returns libuv's error code or 0. */
  open({ local, isReuseport }: TcpBind, backlog: number): number {
    const { port } = this.#sockets;
    const request = port.listen({
      local: local.words,
      localPort: local.port,
      backlog,
      reuseport: isReuseport,
    });
    if (!port.wait(request, answer)) return uvCode('ENETDOWN');
    if (answer.type === SessionEvent.failed) return uvCodeOf(answer.errno);
    this.#request = request;
    this.#handle = answer.session;
    local.set(answer.local, answer.localPort);
    this.#sockets.ownRequest(request, this);
    this.#sockets.ownSession(this.#handle, this);
    return 0;
  }

  close(): void {
    this.#sockets.forgetRequest(this.#request);
    this.#sockets.forgetSession(this.#handle);
    this.#sockets.port.unlisten(this.#handle);
  }

  onSessionEvent(event: SessionMessage): void {
    if (event.type === SessionEvent.accepted) this.#events.onAccepted(event);
    if (event.type !== SessionEvent.detached) return;
    // A stack that its owner has closed is no error of the server: it just hears nothing any more.
    if (event.errno !== Errno.ECONNABORTED) this.#events.onListenerFailed(uvCodeOf(event.errno));
  }
}
