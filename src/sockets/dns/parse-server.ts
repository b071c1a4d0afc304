/** Name servers as text: `10.0.0.1`, `10.0.0.1:5353`, `[2001:db8::1]:53`. */
import type { DnsServer } from './dns-exchange.js';

const DNS_PORT = 53;

export function parseServer(text: string): DnsServer {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { address: bracketed ?? plain ?? text, port: port === undefined ? DNS_PORT : Number(port) };
}
