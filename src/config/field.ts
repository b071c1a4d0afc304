/** Schemas of single values: addresses, ports, quantities, names. Each says what it expected, and how to write it. */
import { z } from 'zod';
import {
  type Ipv4Cidr,
  ipv4Network,
  isIpv4Unicast,
  parseIpv4,
  parseIpv4Cidr,
  parseIpv6,
  parseIpv6Cidr,
} from '../wire/address.js';
import { isMacMulticast, type Mac, parseMac } from '../wire/ethernet.js';
import { parseBitRate, parseBytes, parseFraction, parseMilliseconds } from './quantity.js';
import type { Tunable } from './tunable-table.js';

const MAX_NAME_LETTERS = 63;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
/** RFC 1035 section 2.3.4: 255 bytes on the wire, which is 253 letters. */
const MAX_HOST_NAME_LETTERS = 253;
const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/;
const NO_IPV6 = 'IPv6 is not supported yet: use an IPv4 address';

type Issue = { message: string; hint?: string };

/** A text that `read` turns into a value or into an issue. */
function textField<T>(read: (text: string) => T | Issue, isIssue: (result: T | Issue) => result is Issue) {
  return z.string().transform((text, context): T => {
    const result = read(text);
    if (!isIssue(result)) return result;
    fail(context, result);
    return z.NEVER;
  });
}

/** Adds a problem with its hint. */
export function fail(context: z.RefinementCtx, issue: Issue, path: (string | number)[] = []): void {
  context.addIssue({ code: 'custom', message: issue.message, path, params: { hint: issue.hint } });
}

function isIssue(result: unknown): result is Issue {
  return typeof result === 'object' && result !== null && 'message' in result;
}

/** Name of a stack, interface, switch or program. */
export const nameField = z.string().superRefine((name, context) => {
  if (NAME.test(name) && name.length <= MAX_NAME_LETTERS) return;
  fail(context, {
    message: `"${name}" can't be a name`,
    hint: `letters, digits, "-" and "_", at most ${MAX_NAME_LETTERS}, beginning with a letter or digit`,
  });
});

/** A name of a host, as programs look it up. */
export const hostNameField = z.string().superRefine((name, context) => {
  if (HOST_NAME.test(name) && name.length <= MAX_HOST_NAME_LETTERS) return;
  fail(context, {
    message: `"${name}" can't be the name of a host`,
    hint: 'letters, digits, "-", "_" and "." between its parts, as db.example',
  });
});

/** An IPv4 address of a host: `10.0.0.1`. */
export const addressField = textField<number>(readHostAddress, isIssue);

/** An interface's address and its network: `10.0.0.1/24`. */
export const interfaceAddressField = textField<Ipv4Cidr>((text) => {
  const cidr = readCidr(text, 'write address/prefix length, as 10.0.0.1/24');
  if (isIssue(cidr)) return cidr;
  if (!isIpv4Unicast(cidr.address)) return { message: `${text} is not the address of a host` };
  const isNetworkAddress = cidr.prefixLength < 31 && ipv4Network(cidr.address, cidr.prefixLength) === cidr.address;
  const isBroadcast =
    cidr.prefixLength < 31 && ipv4Network(~cidr.address >>> 0, cidr.prefixLength) === ~cidr.address >>> 0;
  if (isBroadcast) return { message: `${text} is the broadcast address of its network`, hint: 'give a host in it' };
  if (isNetworkAddress) return { message: `${text} is the address of the network itself`, hint: 'give a host in it' };
  return cidr;
}, isIssue);

/** A route's destination: `default`, `10.2.0.0/16` or a single address. */
export const prefixField = textField<Ipv4Cidr>((text) => {
  if (text === 'default') return { address: 0, prefixLength: 0 };
  const cidr = readCidr(text.includes('/') ? text : `${text}/32`, 'write default, 10.2.0.0/16 or an address');
  if (isIssue(cidr)) return cidr;
  const network = ipv4Network(cidr.address, cidr.prefixLength);
  if (network !== cidr.address) {
    return { message: `${text} has bits behind its prefix length`, hint: 'clear the host part' };
  }
  return cidr;
}, isIssue);

export const macField = textField<Mac>((text) => {
  const mac = parseMac(text);
  if (mac === undefined)
    return { message: `"${text}" is no link address`, hint: 'write six bytes as 02:00:00:00:00:01' };
  if (isMacMulticast(mac.hi)) return { message: `${text} is a group address`, hint: 'the first byte must be even' };
  return mac;
}, isIssue);

/** An address and a port: `10.0.0.2:80`. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where a stack's socket is: an IPv4 address and a port. */
export const endpointField = textField<Endpoint>(readStackEndpoint, isIssue);

/** A name server: an IPv4 address, with a port unless it is 53. */
export const serverField = textField<Endpoint>(
  (text) => readStackEndpoint(/^[\d.]+$/.test(text) ? `${text}:53` : text),
  isIssue,
);

/** Where this machine listens: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; port 0 takes any free one. */
export const listenField = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(textField<Endpoint>((text) => readEndpoint(/^\d+$/.test(text) ? `127.0.0.1:${text}` : text, 0), isIssue));

/** A count within limits. */
export function countField(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** Milliseconds: a number or `200ms`, `10s`. */
export function millisecondsField(min: number, max: number) {
  return quantityField(parseMilliseconds, min, max, 'a time', 'write milliseconds or 200us, 10ms, 5s');
}

/** Bits a second: a number or `10Mbit`. */
export const bitRateField = quantityField(
  parseBitRate,
  1,
  1e12,
  'a rate',
  'write bits per second or 64kbit, 10Mbit, 1Gbit',
);

/** A share of one: 0.01 or `1%`. */
export const fractionField = quantityField(parseFraction, 0, 1, 'a share', 'write 0.01 or 1%');

export function tunableField(tunable: Tunable) {
  const { min, max } = tunable;
  if (tunable.unit === 'count') return countField(min, max);
  if (tunable.unit === 'milliseconds') return millisecondsField(min, max);
  return bytesField(min, max);
}

/** Bytes: a number or `64KiB`. */
export function bytesField(min: number, max: number) {
  return quantityField(parseBytes, min, max, 'a size', 'write bytes or 64KiB, 4MiB');
}

function quantityField(
  parse: (value: string | number) => number | undefined,
  min: number,
  max: number,
  what: string,
  hint: string,
) {
  return z.union([z.number(), z.string()]).transform((value, context): number => {
    const quantity = parse(value);
    if (quantity === undefined) fail(context, { message: `"${value}" is not ${what}`, hint });
    else if (quantity < min || quantity > max) fail(context, { message: `${value} is not within ${min} … ${max}` });
    else return quantity;
    return z.NEVER;
  });
}

function readHostAddress(text: string): number | Issue {
  const address = parseIpv4(text);
  if (Number.isNaN(address)) {
    if (parseIpv6(text) !== undefined) return { message: NO_IPV6 };
    return { message: `"${text}" is no IPv4 address`, hint: 'write four numbers of 0 … 255, as 10.0.0.1' };
  }
  return isIpv4Unicast(address) ? address : { message: `${text} is not the address of a host` };
}

function readCidr(text: string, hint: string): Ipv4Cidr | Issue {
  const cidr = parseIpv4Cidr(text);
  if (cidr !== undefined) return cidr;
  if (parseIpv6Cidr(text) !== undefined) return { message: NO_IPV6 };
  return { message: `"${text}" is no IPv4 prefix`, hint };
}

function readStackEndpoint(text: string): Endpoint | Issue {
  const endpoint = readEndpoint(text, 1);
  if (isIssue(endpoint)) return endpoint;
  const address = readHostAddress(endpoint.host);
  return isIssue(address) ? address : endpoint;
}

function readEndpoint(text: string, minPort: number): Endpoint | Issue {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return { message: `"${text}" is no address with a port`, hint: 'write 127.0.0.1:8080' };
  const port = Number(match[3]);
  if (port < minPort || port > 65_535) return { message: `port ${port} is not within ${minPort} … 65535` };
  return { host: match[1] ?? match[2]!, port };
}
