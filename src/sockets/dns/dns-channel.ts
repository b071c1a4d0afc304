/**
 * A stack's stand-in for the ChannelWrap of Node's cares_wrap binding: what a dns.Resolver asks. Its answers come through
 * `oncomplete(code, records, timesToLive)` of the request.
 */
import { AsyncResource } from 'node:async_hooks';
import type { NodeRequest } from '../node-binding.js';
import type { StackSockets } from '../stack-sockets.js';
import { DEFAULT_PATIENCE, DnsClient, type DnsPatience } from './dns-client.js';
import { DnsError } from './dns-error.js';
import type { DnsQuestion, DnsServer } from './dns-exchange.js';
import { shapeRecords, timesToLive } from './dns-records.js';
import { reverseName } from './reverse-name.js';

/** The query methods of a channel, and the types of records that they ask for. */
export const QUERIES: Readonly<Record<string, DnsQuestion['type']>> = {
  queryAny: 'ANY',
  queryA: 'A',
  queryAaaa: 'AAAA',
  queryCaa: 'CAA',
  queryCname: 'CNAME',
  queryMx: 'MX',
  queryNs: 'NS',
  queryTxt: 'TXT',
  queryTlsa: 'TLSA',
  querySrv: 'SRV',
  queryPtr: 'PTR',
  queryNaptr: 'NAPTR',
  querySoa: 'SOA',
};

type ServerEntry = readonly [family: number, address: string, port: number];

export class StackChannel {
  readonly #client: DnsClient;

  constructor(sockets: StackSockets, servers: readonly DnsServer[], timeoutMs = -1, tries = DEFAULT_PATIENCE.tries) {
    const patience: DnsPatience = { timeoutMs: timeoutMs > 0 ? timeoutMs : DEFAULT_PATIENCE.timeoutMs, tries };
    this.#client = new DnsClient(sockets, servers, patience);
  }

  /** Asks for records of a type. Returns 0: the answer comes later. */
  query(request: NodeRequest, name: string, type: DnsQuestion['type']): number {
    const resource = new AsyncResource('QUERYWRAP');
    const settle = (code: string | null, ...results: unknown[]): void => {
      resource.runInAsyncScope(request.oncomplete as (...args: unknown[]) => void, request, code, ...results);
    };
    this.#client.query(name, type).then(
      (answers) => settle(null, shapeRecords(type, answers), timesToLive(answers)),
      (error) => settle(error instanceof DnsError ? error.code : 'EBADRESP'),
    );
    return 0;
  }

  getHostByAddr(request: NodeRequest, address: string): number {
    return this.query(request, reverseName(address), 'PTR');
  }

  getServers(): [address: string, port: number][] {
    return this.#client.servers.map(({ address, port }) => [address, port]);
  }

  setServers(servers: readonly ServerEntry[]): number {
    this.#client.servers = servers.map(([, address, port]) => ({ address, port }));
    return 0;
  }

  /** The stack chooses the address by route. */
  setLocalAddress(_ipv4: string, _ipv6?: string): void {}

  cancel(): void {
    this.#client.cancel();
  }
}

for (const [method, type] of Object.entries(QUERIES)) {
  Object.defineProperty(StackChannel.prototype, method, {
    value(this: StackChannel, request: NodeRequest, name: string): number {
      return this.query(request, name, type);
    },
    configurable: true,
    writable: true,
  });
}
