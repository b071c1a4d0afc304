/**
 * The sockets of one stack in this thread: owns the port to the session layer and hands each event to the handle that
 * it is about.
 *
 *   SessionPort ──event──► by request: connect, bind …   │ by session: readable, writable, closed …   ──► TCP, UDP handle
 */
import { Errno } from '../session/errno.js';
import { SessionEvent, SessionMessage } from '../session/message.js';
import type { SessionPort } from '../session/port.js';
import { emptyQueues, reportUncaught } from './callback.js';
import { Liveness } from './liveness.js';

/** Takes the events of its sessions, listeners, UDP sockets and requests. The message is valid during the call. */
export interface EventTarget {
  onSessionEvent(event: SessionMessage): void;
}

/** Something that wants to run once in the next turn of the event loop. */
export interface Turn {
  runTurn(): void;
}

export class StackSockets {
  readonly name: string;
  readonly port: SessionPort;
  readonly liveness = new Liveness();
  readonly #bySession = new Map<number, EventTarget>();
  readonly #byRequest = new Map<number, EventTarget>();
  #turns: Turn[] = [];

  /** `name` is for messages and for telling the connection pools of several stacks apart. */
  constructor(name: string, port: SessionPort) {
    this.name = name;
    this.port = port;
    port.onEvent = (event) => this.#onEvent(event);
  }

  /** Events that name `session` (also a listener or UDP socket) go to `target` until `forgetSession`. */
  ownSession(session: number, target: EventTarget): void {
    this.#bySession.set(session, target);
  }

  forgetSession(session: number): void {
    this.#bySession.delete(session);
  }

  /** The answer to `request` goes to `target`; with a listener everything that it reports. */
  ownRequest(request: number, target: EventTarget): void {
    this.#byRequest.set(request, target);
  }

  forgetRequest(request: number): void {
    this.#byRequest.delete(request);
  }

  /** Has `turn` run soon, once, outside of what is running now. */
  schedule(turn: Turn): void {
    if (this.#turns.length === 0) setImmediate(() => this.#runTurns());
    this.#turns.push(turn);
  }

  /** Ends the stack's sockets: their connections are reset. */
  close(): void {
    if (!this.port.isClosed) this.port.close();
    this.#failAll(Errno.ECONNABORTED);
    this.liveness.close();
  }

  #runTurns(): void {
    const turns = this.#turns;
    this.#turns = [];
    for (const turn of turns) {
      try {
        turn.runTurn();
      } catch (error) {
        reportUncaught(error);
        emptyQueues();
      }
    }
  }

  #onEvent(event: SessionMessage): void {
    try {
      if (event.type === SessionEvent.detached) this.#failAll(event.errno);
      else this.#targetOf(event)?.onSessionEvent(event);
    } catch (error) {
      reportUncaught(error);
      emptyQueues();
    }
  }

  #targetOf(event: SessionMessage): EventTarget | undefined {
    switch (event.type) {
      case SessionEvent.failed:
      case SessionEvent.connected:
      case SessionEvent.done:
      case SessionEvent.sent:
      case SessionEvent.bound:
      case SessionEvent.resolved: {
        const target = this.#byRequest.get(event.request);
        this.#byRequest.delete(event.request);
        return target;
      }
      case SessionEvent.accepted:
      case SessionEvent.synReceived:
        return this.#byRequest.get(event.request);
      default:
        return this.#bySession.get(event.session);
    }
  }

  /** Reports the end of the carrier to everyone. */
  #failAll(errno: number): void {
    const targets = new Set([...this.#byRequest.values(), ...this.#bySession.values()]);
    this.#byRequest.clear();
    this.#bySession.clear();
    const event = new SessionMessage().reset(SessionEvent.detached);
    event.errno = errno;
    for (const target of targets) target.onSessionEvent(event);
  }
}
