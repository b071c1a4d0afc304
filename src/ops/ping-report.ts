/** Echo requests from a stack, one after the other, and what became of each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UsernetError } from '../base/errors.js';
import type { Network } from '../engine/network.js';
import type { PingResult } from '../l3/icmp-echo.js';
import { formatIpv4, parseIpv4 } from '../wire/address.js';
import { Icmpv4Type, Icmpv4Unreachable } from '../wire/icmpv4.js';

export interface PingRequest {
  /** IPv4 address or a name that the stack knows. */
  readonly host: string;
  readonly from: string;
  readonly count: number;
  readonly intervalMs: number;
  /** Bytes of data. */
  readonly bytes: number;
}

/** What a ping tells, event by event. */
export type PingEvent =
  | {
      readonly event: 'reply';
      readonly sequence: number;
      readonly address: string;
      readonly bytes: number;
      readonly ttl: number;
      readonly milliseconds: number;
    }
  | { readonly event: 'timeout'; readonly sequence: number }
  /** An ICMP error came instead of a reply. */
  | { readonly event: 'error'; readonly sequence: number; readonly address: string; readonly message: string }
  | {
      readonly event: 'summary';
      readonly sent: number;
      readonly received: number;
      /** 0 when nothing was received. */
      readonly minMs: number;
      readonly avgMs: number;
      readonly maxMs: number;
    };

const TIMEOUT_MS = 1000;
const MAX_COUNT = 100_000;

/** Sends the requests and calls `report` for each that is over; ends early when `isCancelled` says so. */
export async function pingFrom(
  network: Network,
  request: PingRequest,
  report: (event: PingEvent) => void,
  isCancelled: () => boolean = () => false,
): Promise<void> {
  const stack = network.stackRow(request.from);
  const destination = resolveHost(network, request);
  const times: number[] = [];
  const count = Math.min(request.count, MAX_COUNT);
  let sent = 0;
  for (let sequence = 1; sequence <= count && !isCancelled(); sequence++) {
    const pause = sequence === count ? undefined : sleep(request.intervalMs);
    sent++;
    const event = describe(sequence, await pingOnce(network, stack, destination, request.bytes));
    if (event.event === 'reply') times.push(event.milliseconds);
    report(event);
    await pause;
  }
  const received = times.length;
  const total = times.reduce((sum, each) => sum + each, 0);
  report({
    event: 'summary',
    sent,
    received,
    minMs: received === 0 ? 0 : Math.min(...times),
    avgMs: received === 0 ? 0 : total / received,
    maxMs: received === 0 ? 0 : Math.max(...times),
  });
}

function resolveHost(network: Network, { host, from }: PingRequest): number {
  const address = parseIpv4(host);
  if (!Number.isNaN(address)) return address;
  const [known] = network.names.lookup(from, host);
  if (known !== undefined) return known;
  throw new UsernetError('USERNET_NO_HOST', `the stack "${from}" knows no host "${host}"`, 'use an IPv4 address');
}

function pingOnce(network: Network, stack: number, destination: number, bytes: number): Promise<PingResult> {
  return new Promise((done, fail) => {
    const isSent = network.worker.l3.ping(stack, destination, { bytes, timeoutMs: TIMEOUT_MS }, done);
    if (!isSent) fail(new UsernetError('USERNET_PING', 'there is no room for an echo request now'));
    network.wake();
  });
}

function describe(sequence: number, result: PingResult): PingEvent {
  switch (result.kind) {
    case 'reply':
      return {
        event: 'reply',
        sequence,
        address: formatIpv4(result.from),
        bytes: result.bytes,
        ttl: result.ttl,
        milliseconds: result.rttNs / 1e6,
      };
    case 'timeout':
      return { event: 'timeout', sequence };
    case 'error':
      return {
        event: 'error',
        sequence,
        address: formatIpv4(result.from),
        message: describeError(result.type, result.code),
      };
  }
}

const UNREACHABLE: Readonly<Record<number, string>> = {
  [Icmpv4Unreachable.network]: 'network unreachable',
  [Icmpv4Unreachable.host]: 'host unreachable',
  [Icmpv4Unreachable.protocol]: 'protocol unreachable',
  [Icmpv4Unreachable.port]: 'port unreachable',
  [Icmpv4Unreachable.fragmentationNeeded]: 'fragmentation needed',
};

function describeError(type: number, code: number): string {
  if (type === Icmpv4Type.timeExceeded) return 'time to live exceeded';
  if (type === Icmpv4Type.destinationUnreachable) return UNREACHABLE[code] ?? `destination unreachable, code ${code}`;
  return `ICMP type ${type}, code ${code}`;
}
