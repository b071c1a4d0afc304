import { controlPath, REQUEST_LIMITS, streamFromNetwork } from '../ops/control-client.js';
import type { TracedPacket } from '../ops/trace-report.js';
import { ExitCode, print, printJson, readNumber, reportError } from './output.js';

export interface TraceOptions {
  readonly packets: string;
  readonly seconds: string;
  readonly control?: string;
  readonly json?: boolean;
}

/** Exit code 0 when at least one packet came by. */
export async function trace(options: TraceOptions): Promise<number> {
  let seen = 0;
  try {
    const request = {
      packets: readNumber('--packets', options.packets, 1, REQUEST_LIMITS.packets),
      seconds: readNumber('--seconds', options.seconds, 0, REQUEST_LIMITS.seconds, false),
    };
    await streamFromNetwork(controlPath(options.control), '/trace', request, (line) => {
      const packet = line as TracedPacket;
      seen++;
      if (options.json) printJson(packet);
      else print(formatPacket(packet));
    });
  } catch (error) {
    return reportError(error, options.json === true);
  }
  if (seen === 0 && !options.json) print('no packet came by');
  return seen > 0 ? ExitCode.ok : ExitCode.failed;
}

function formatPacket({ id, steps }: TracedPacket): string {
  const places = steps.map(({ rxInterface, txInterface }) =>
    txInterface === null ? `from ${rxInterface ?? 'here'}` : `to ${txInterface}`,
  );
  const nodeWidth = Math.max(...steps.map((step) => step.node.length));
  const placeWidth = Math.max(...places.map((place) => place.length));
  const lines = steps.map(
    (step, i) => `  ${step.node.padEnd(nodeWidth)}  ${places[i]!.padEnd(placeWidth)}  ${step.summary}`,
  );
  return [`packet ${id}`, ...lines].join('\n');
}
