/**
 * Who uses the session layer. An application is a program; each of its threads or event loops is an app worker with a
 * carrier of its own. Sessions, listeners and sockets belong to one worker; limits hold for the application.
 */
import type { SessionMessage } from './message.js';

/** Where the events of an app worker go: the session layer's end of its carrier. */
export interface EventSink {
  /** Takes over an event. The message is used again: what is kept of it must be copied. Never calls back at once. */
  event(message: SessionMessage): void;
}

export interface ApplicationLimits {
  /** Connections, those that wait to be accepted included. */
  readonly sessions: number;
  readonly listeners: number;
  readonly udpSockets: number;
}

export interface AttachOptions {
  /** For people: in lists and messages. */
  readonly name: string;
  /** Session namespace: the applications of one see each other's listeners. */
  readonly namespace: number;
  /** Row of the stack whose addresses and routes are used. */
  readonly stack: number;
  /** Default: all that there is. */
  readonly limits?: Partial<ApplicationLimits>;
}

export class Application {
  readonly name: string;
  readonly namespace: number;
  readonly stack: number;
  readonly limits: ApplicationLimits;
  /** Known to its workers: a further worker registers with it. */
  handle = 0;
  readonly workers: AppWorker[] = [];
  sessionCount = 0;
  listenerCount = 0;
  udpSocketCount = 0;

  constructor(options: AttachOptions, defaults: ApplicationLimits) {
    this.name = options.name;
    this.namespace = options.namespace;
    this.stack = options.stack;
    this.limits = { ...defaults, ...options.limits };
  }

  get hasSessionRoom(): boolean {
    return this.sessionCount < this.limits.sessions;
  }
}

export class AppWorker {
  /** Number among all app workers of the session layer. */
  readonly index: number;
  readonly application: Application;
  readonly sink: EventSink;

  constructor(index: number, application: Application, sink: EventSink) {
    this.index = index;
    this.application = application;
    this.sink = sink;
  }
}
