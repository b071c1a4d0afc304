import { controlPath, REQUEST_LIMITS, streamFromNetwork } from '../ops/control-client.js';
import type { PingEvent } from '../ops/ping-report.js';
import { ExitCode, print, printJson, readNumber, reportError } from './output.js';

export interface PingOptions {
  readonly from: string;
  readonly count: string;
  readonly interval: string;
  readonly size: string;
  readonly control?: string;
  readonly json?: boolean;
}

/** Exit code 0 when at least one reply came. */
export async function ping(host: string, options: PingOptions): Promise<number> {
  let received = 0;
  try {
    const request = {
      host,
      from: options.from,
      count: readNumber('--count', options.count, 1, REQUEST_LIMITS.count),
      intervalMs: readNumber('--interval', options.interval, 0, REQUEST_LIMITS.intervalMs, false),
      bytes: readNumber('--size', options.size, 0, REQUEST_LIMITS.bytes),
    };
    await streamFromNetwork(controlPath(options.control), '/ping', request, (line) => {
      const event = line as PingEvent;
      if (event.event === 'summary') received = event.received;
      if (options.json) printJson(event);
      else print(formatPingEvent(event));
    });
  } catch (error) {
    return reportError(error, options.json === true);
  }
  return received > 0 ? ExitCode.ok : ExitCode.failed;
}

/** The lines that everybody knows from ping(8). */
export function formatPingEvent(event: PingEvent): string {
  switch (event.event) {
    case 'reply':
      return `${event.bytes} bytes from ${event.address}: icmp_seq=${event.sequence} ttl=${event.ttl} time=${event.milliseconds.toFixed(3)} ms`;
    case 'timeout':
      return `no answer to icmp_seq=${event.sequence}`;
    case 'error':
      return `from ${event.address}: icmp_seq=${event.sequence} ${event.message}`;
    case 'summary': {
      const lost = event.sent === 0 ? 0 : Math.round((100 * (event.sent - event.received)) / event.sent);
      const times =
        event.received === 0
          ? ''
          : `\nrtt min/avg/max = ${event.minMs.toFixed(3)}/${event.avgMs.toFixed(3)}/${event.maxMs.toFixed(3)} ms`;
      return `\n${event.sent} sent, ${event.received} received, ${lost}% lost${times}`;
    }
  }
}
