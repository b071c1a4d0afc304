/**
 * The session table of a namespace: who listens where, and how many sessions there are, established and half open.
 * Packets find their connection in the transport's flow table; this one says what may be bound and whose it is.
 */
import { type AddressWords, areWordsEqual, isAnyWords, isIpv4Words } from './address.js';
import type { ListenSession } from './app-listener.js';

/** What is bound, or is to be. */
export interface Binding {
  /** Four words; `::` and ::ffff:0.0.0.0 stand for any address. */
  readonly local: AddressWords;
  /** 0 with `isAnyPort`, or to be chosen. */
  readonly port: number;
  readonly isAnyPort: boolean;
  readonly isIpv6Only: boolean;
  readonly isReuseport: boolean;
  /** Each SYN is reported and waits for an answer. */
  readonly asksOnSyn: boolean;
}

export class SessionTable {
  readonly namespace: number;
  readonly listenSessions = new Set<ListenSession>();
  /** Connections that applications hold. */
  established = 0;
  /** Connects without an answer, and SYNs that wait for an application's verdict. */
  halfOpen = 0;

  constructor(namespace: number) {
    this.namespace = namespace;
  }

  get isEmpty(): boolean {
    return this.listenSessions.size === 0 && this.established === 0 && this.halfOpen === 0;
  }

  /** The listen session of exactly this address and port. */
  find(wanted: Binding): ListenSession | undefined {
    for (const session of this.listenSessions) {
      if (session.port === wanted.port && session.isAnyPort === wanted.isAnyPort) {
        if (isSameAddress(session.local, wanted.local)) return session;
      }
    }
    return undefined;
  }

  /**
   * True if `wanted` would take connections of a listen session on another address of the same port, and not both agree
   * to share: an unspecified address takes those of every address.
   */
  isTaken(wanted: Binding): boolean {
    for (const session of this.listenSessions) {
      if (session.port !== wanted.port || session.isAnyPort !== wanted.isAnyPort) continue;
      if (isSameAddress(session.local, wanted.local) || (session.isReuseport && wanted.isReuseport)) continue;
      if (covers(session, wanted.local) || covers(wanted, session.local)) return true;
    }
    return false;
  }
}

/** `::` without ipv6Only and ::ffff:0.0.0.0 are one address for a stack that has IPv4. */
function isSameAddress(a: AddressWords, b: AddressWords): boolean {
  return areWordsEqual(a, b) || (isAnyWords(a) && isAnyWords(b));
}

/** True if a binding to an unspecified address stands for `address` too. */
export function covers(bound: { local: AddressWords; isIpv6Only: boolean }, address: AddressWords): boolean {
  if (!isAnyWords(bound.local)) return false;
  return isIpv4Words(address) ? !bound.isIpv6Only : !isIpv4Words(bound.local);
}
