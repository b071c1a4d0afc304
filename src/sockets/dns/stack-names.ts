/**
 * Host names as a stack sees them: what getaddrinfo is on a machine.
 *
 *   localhost ──► names the network knows itself ──► hosts file ──► name servers of the stack
 *
 * RFC 6761 section 6.3 on localhost.
 */
import { formatAddressWords, isIpv4Words, parseAddressWords } from '../../session/address.js';
import { SessionEvent, type SessionMessage } from '../../session/message.js';
import type { EventTarget, StackSockets } from '../stack-sockets.js';
import { DnsClient } from './dns-client.js';
import { DnsError } from './dns-error.js';
import type { DnsServer } from './dns-exchange.js';
import { findInHostsFile } from './hosts-file.js';
import { reverseName } from './reverse-name.js';

const LOCALHOST = /^(.*\.)?localhost\.?$/i;
const ADDRESS_BYTES = 16;

/** ENOTFOUND: there is no such name, or no address of that family; EAI_AGAIN: nobody could tell now. */
export class LookupError extends Error {
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN';

  constructor(code: 'ENOTFOUND' | 'EAI_AGAIN') {
    super(code);
    this.code = code;
  }
}

export class StackNames {
  readonly #sockets: StackSockets;
  readonly servers: readonly DnsServer[];
  readonly #client: DnsClient;

  constructor(sockets: StackSockets, servers: readonly DnsServer[]) {
    this.#sockets = sockets;
    this.servers = servers;
    this.#client = new DnsClient(sockets, servers);
  }

  /** Addresses that are known without asking a name server; empty if there are none. */
  async lookupLocally(name: string, family: number): Promise<readonly string[]> {
    if (LOCALHOST.test(name)) return family === 6 ? [] : ['127.0.0.1'];
    const own = await this.#askNetwork(name, family);
    if (own.length > 0) return own;
    // The stack speaks IPv4: addresses that it can't reach are no answer unless they are asked for.
    return findInHostsFile(name.replace(/\.$/, '')).filter((address) => familyOf(address) === (family === 6 ? 6 : 4));
  }

  /** Addresses of a name, at least one. @throws LookupError */
  async lookup(name: string, family: number): Promise<readonly string[]> {
    const own = await this.lookupLocally(name, family);
    if (own.length > 0) return own;
    if (LOCALHOST.test(name) || this.servers.length === 0) throw new LookupError('ENOTFOUND');
    try {
      const answers = await this.#client.query(name, family === 6 ? 'AAAA' : 'A');
      return answers.map((answer) => (answer as { data: string }).data);
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** The name of an address; the address itself if it has none. */
  async nameOf(address: string): Promise<string> {
    if (this.servers.length === 0) return address;
    const [found] = await this.#client.query(reverseName(address), 'PTR').catch(() => []);
    return found === undefined ? address : (found as { data: string }).data;
  }

  #askNetwork(name: string, family: number): Promise<string[]> {
    const { port } = this.#sockets;
    if (port.isClosed) return Promise.resolve([]);
    return new Promise((resolve) => {
      const target: EventTarget = {
        onSessionEvent: (event) => {
          this.#sockets.liveness.release();
          resolve(event.type === SessionEvent.resolved ? readAddresses(event) : []);
        },
      };
      this.#sockets.liveness.retain();
      this.#sockets.ownRequest(port.resolve(name, family), target);
    });
  }
}

function failureOf(error: unknown): LookupError {
  const code = error instanceof DnsError ? error.code : 'ESERVFAIL';
  const isKnown = code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EBADNAME';
  return new LookupError(isKnown ? 'ENOTFOUND' : 'EAI_AGAIN');
}

function familyOf(address: string): 4 | 6 {
  return isIpv4Words(parseAddressWords(address) ?? []) ? 4 : 6;
}

/** Sixteen bytes an address, as the session protocol has them. */
function readAddresses({ payload }: SessionMessage): string[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const addresses: string[] = [];
  for (let at = 0; at + ADDRESS_BYTES <= payload.length; at += ADDRESS_BYTES) {
    addresses.push(formatAddressWords([0, 4, 8, 12].map((offset) => view.getInt32(at + offset))));
  }
  return addresses;
}
