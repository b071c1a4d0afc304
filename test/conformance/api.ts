/** What the cases of the suite are given: Node's network modules, or a stack's, and an address to use. */
import type * as dgram from 'node:dgram';
import type * as dns from 'node:dns';
import type * as http from 'node:http';
import type * as http2 from 'node:http2';
import type * as https from 'node:https';
import type * as net from 'node:net';
import type * as tls from 'node:tls';

export interface NetworkApi {
  readonly net: Pick<typeof net, 'connect' | 'createConnection' | 'createServer' | 'Socket' | 'Server'>;
  readonly dgram: Pick<typeof dgram, 'createSocket'>;
  readonly dns: Pick<typeof dns, 'lookup'> & { readonly promises: Pick<typeof dns.promises, 'lookup'> };
  readonly http: Pick<typeof http, 'request' | 'get' | 'createServer' | 'Agent'>;
  readonly https: Pick<typeof https, 'request' | 'get' | 'createServer' | 'Agent'>;
  readonly http2: Pick<typeof http2, 'connect' | 'createServer' | 'createSecureServer'>;
  readonly tls: Pick<typeof tls, 'connect' | 'createServer'>;
  readonly fetch: typeof fetch;
  /** An address of the host that the sockets are on. */
  readonly host: string;
}

/** A case notes what happens in a trace; traces of all implementations must be the same. */
export type Case = (api: NetworkApi, trace: Trace) => Promise<unknown>;
export type Cases = Readonly<Record<string, Case>>;

/** What an error looks like in a trace: everything that Node documents, ports by name. */
interface SystemError extends Error {
  code?: string;
  errno?: number;
  syscall?: string;
  address?: string;
  port?: number;
  localAddress?: string;
}

/**
 * What happened, in lanes: the order of the events of one socket counts, the order among several does not, because no
 * implementation promises it.
 */
export class Trace {
  readonly lanes: Record<string, string[]> = {};
  readonly #ports = new Map<number, string>();

  /** From now on the port is called `name`. */
  namePort(port: number, name: string): number {
    this.#ports.set(port, name);
    return port;
  }

  note(lane: string, ...what: unknown[]): void {
    const events = this.lanes[lane] ?? [];
    this.lanes[lane] = events;
    events.push(what.map((value) => this.#describe(value)).join(' '));
  }

  /** Notes each of these events of an emitter. */
  watch<Emitter extends NodeJS.EventEmitter>(lane: string, emitter: Emitter, ...events: string[]): Emitter {
    for (const event of events) emitter.on(event, (...args: unknown[]) => this.note(lane, event, ...args));
    return emitter;
  }

  #describe(value: unknown): string {
    if (value instanceof Error) return this.#describeError(value);
    if (Buffer.isBuffer(value)) return `<${value.length} bytes>`;
    if (typeof value === 'string') return value;
    if (typeof value === 'number')
      return this.#ports.get(value) ?? (value >= 32_768 && value < 65_536 ? 'port' : `${value}`);
    if (typeof value !== 'object' || value === null) return String(value);
    if (Array.isArray(value)) return `[${value.map((item) => this.#describe(item)).join(', ')}]`;
    if (Object.getPrototypeOf(value) !== Object.prototype) return value.constructor?.name ?? 'Object';
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${this.#describe(item)}`)
      .join(', ')}}`;
  }

  #describeError(error: SystemError): string {
    const fields = [error.name, error.code, error.errno, error.syscall, error.address, error.port, error.localAddress];
    const shown = fields.map((field) => (field === undefined ? '-' : this.#describe(field)));
    const message = error.message.replace(/:\d{4,5}\b/g, ':port');
    return `${shown.join(',')} "${message}"`;
  }
}
