/** Asks the name servers of a stack, one after the other, again and again, with growing patience. RFC 1035 section 7.2. */
import type packet from 'dns-packet';
import type { StackSockets } from '../stack-sockets.js';
import { codeOfResponse, DnsError } from './dns-error.js';
import { type DnsAnswer, type DnsQuestion, type DnsServer, exchange } from './dns-exchange.js';

export interface DnsPatience {
  /** Milliseconds that the first try waits; each further round waits twice as long. */
  readonly timeoutMs: number;
  /** Rounds over all servers. */
  readonly tries: number;
}

/** Those of c-ares. */
export const DEFAULT_PATIENCE: DnsPatience = { timeoutMs: 2000, tries: 4 };

/** Names that a chain of CNAMEs may lead through. */
const MAX_ALIASES = 8;
const MAX_NAME_LENGTH = 253;

export class DnsClient {
  readonly #sockets: StackSockets;
  readonly #patience: DnsPatience;
  #abort = new AbortController();
  servers: readonly DnsServer[];

  constructor(sockets: StackSockets, servers: readonly DnsServer[], patience: DnsPatience = DEFAULT_PATIENCE) {
    this.#sockets = sockets;
    this.servers = servers;
    this.#patience = patience;
  }

  /**
   * The records of a name of this type, at the end of its aliases, and those of every type for ANY.
   * @throws DnsError
   */
  async query(name: string, type: DnsQuestion['type']): Promise<packet.Answer[]> {
    let at = name.replace(/\.$/, '');
    if (at.length > MAX_NAME_LENGTH) throw new DnsError('EBADNAME');
    for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
      const { answers = [], rcode } = await this.#ask({ name: at, type });
      const code = codeOfResponse(rcode);
      if (code !== undefined) throw new DnsError(code);
      const found = type === 'ANY' ? answers : answers.filter((answer) => answer.type === type);
      if (found.length > 0) return found;
      const next = endOfAliases(at, answers);
      if (next === at) throw new DnsError('ENODATA');
      at = next;
    }
    throw new DnsError('ENODATA');
  }

  /** Ends all queries under way with ECANCELLED. */
  cancel(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  async #ask(question: DnsQuestion): Promise<DnsAnswer> {
    const { signal } = this.#abort;
    let failure = new DnsError('ECONNREFUSED');
    let last: DnsAnswer | undefined;
    for (let round = 0; round < this.#patience.tries; round++) {
      for (const server of this.servers) {
        try {
          const answer = await exchange(this.#sockets, server, question, this.#patience.timeoutMs << round, signal);
          if (!isServersFault(answer.rcode)) return answer;
          last = answer;
        } catch (error) {
          failure = error as DnsError;
          if (failure.code === 'ECANCELLED') throw failure;
        }
      }
      if (last !== undefined) return last;
    }
    throw failure;
  }
}

/** Another server may know better. */
function isServersFault(rcode: string): boolean {
  return rcode === 'SERVFAIL' || rcode === 'NOTIMP' || rcode === 'REFUSED';
}

function endOfAliases(name: string, answers: readonly packet.Answer[]): string {
  let at = name;
  for (let steps = 0; steps < MAX_ALIASES; steps++) {
    const alias = answers.find((answer) => answer.type === 'CNAME' && answer.name.toLowerCase() === at.toLowerCase());
    if (alias === undefined) break;
    at = (alias as packet.StringAnswer).data;
  }
  return at;
}
