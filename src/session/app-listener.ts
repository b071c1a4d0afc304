/**
 * Listeners. One address and port of a namespace is a listen session; it has a reuseport group of app listeners, one for
 * each application; an app listener has a member for each worker of the application that listens there.
 *
 *   listen session 10.0.0.1:80 ─► reuseport group ─┬─► app listener of app1 ─► member w1
 *                                                  ├─► app listener of app2 ─► members w1, w2
 *                                                  └─► app listener of app3 ─► members w1, w2, w3
 *
 * Connections go in turn to the applications, and within an application in turn to its workers:
 * app1-w1, app2-w1, app3-w1, app1-w1, app2-w2, app3-w2, app1-w1, app2-w1, app3-w3, …
 */
import type { Application, AppWorker } from './application.js';
import type { Binding } from './session-table.js';

/** A worker's part in a listener. */
export interface ListenerMember {
  readonly worker: AppWorker;
  readonly appListener: AppListener;
  /** Request of the listen: named by the events of the listener. */
  readonly request: number;
  /** What the worker calls it. */
  handle: number;
}

export class AppListener {
  readonly application: Application;
  readonly session: ListenSession;
  readonly members: ListenerMember[] = [];
  #next = 0;

  constructor(application: Application, session: ListenSession) {
    this.application = application;
    this.session = session;
  }

  /** The member whose turn it is. */
  take(): ListenerMember | undefined {
    const member = this.members[this.#next];
    this.#next = this.#next + 1 >= this.members.length ? 0 : this.#next + 1;
    return member;
  }

  remove(member: ListenerMember): void {
    this.#next = removeFromTurn(this.members, member, this.#next);
  }
}

export class ReuseportGroup {
  readonly listeners: AppListener[] = [];
  #next = 0;

  /** The member whose turn it is; applications at their limit are passed over. Undefined when all are. */
  take(): ListenerMember | undefined {
    for (let tries = this.listeners.length; tries > 0; tries--) {
      const listener = this.listeners[this.#next]!;
      this.#next = this.#next + 1 >= this.listeners.length ? 0 : this.#next + 1;
      if (listener.application.hasSessionRoom) return listener.take();
    }
    return undefined;
  }

  /** False when all applications are at their limit. */
  get hasRoom(): boolean {
    return this.listeners.some((listener) => listener.application.hasSessionRoom);
  }

  find(application: Application): AppListener | undefined {
    return this.listeners.find((listener) => listener.application === application);
  }

  remove(listener: AppListener): void {
    this.#next = removeFromTurn(this.listeners, listener, this.#next);
  }
}

/** Takes `item` out of `list`; returns where the turn is now, so that nobody is passed over. */
function removeFromTurn<Item>(list: Item[], item: Item, next: number): number {
  const at = list.indexOf(item);
  list.splice(at, 1);
  const turn = at < next ? next - 1 : next;
  return turn >= list.length ? 0 : turn;
}

export class ListenSession implements Binding {
  readonly namespace: number;
  readonly local: Int32Array;
  readonly port: number;
  readonly isAnyPort: boolean;
  readonly isIpv6Only: boolean;
  readonly isReuseport: boolean;
  readonly asksOnSyn: boolean;
  readonly group = new ReuseportGroup();
  /** Index of the transport's listener. */
  readonly listener: number;

  /** @param port the one that was asked for, or chosen. */
  constructor(namespace: number, binding: Binding, port: number, listener: number) {
    this.namespace = namespace;
    this.local = Int32Array.from(binding.local);
    this.port = port;
    this.isAnyPort = binding.isAnyPort;
    this.isIpv6Only = binding.isIpv6Only;
    this.isReuseport = binding.isReuseport;
    this.asksOnSyn = binding.asksOnSyn;
    this.listener = listener;
  }
}
