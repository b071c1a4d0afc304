/** Starts a network, keeps it in the foreground, and ends it with everything it started. */
import { resolve } from 'node:path';
import { loadConfigFile } from '../config/load.js';
import { packageFolder } from '../config/package-folder.js';
import type { ResolvedConfig } from '../config/schema.js';
import type { Network, NetworkEvent } from '../engine/network.js';
import { asConfigFailure } from '../ops/config-failure.js';
import { startNetwork } from '../ops/start-network.js';
import { complain, ExitCode, print, printJson, reportError } from './output.js';

export interface UpOptions {
  readonly json?: boolean;
}

/** After so long without a listener behind every forward, it says what it is waiting for. */
const PATIENCE_MS = 5000;
const STDERR = 2;
const STDOUT = 1;
const FOREVER_MS = 0x7fff_ffff;

export async function up(configFile: string | undefined, options: UpOptions): Promise<number> {
  const asJson = options.json === true;
  const stop = new StopSignal();
  const events = new EventLog(asJson);
  let config: ResolvedConfig | undefined;
  try {
    const directory = configFile === undefined ? packageFolder() : process.cwd();
    config = loadConfigFile(configFile === undefined ? resolve(directory, 'examples/demo.yaml') : configFile);
    const network = await startNetwork(config, {
      directory,
      control: true,
      programOutput: { stdout: asJson ? STDERR : STDOUT, stderr: STDERR },
      onEvent: (event) => events.tell(event),
    });
    try {
      const isUp = await Promise.race([waitUntilReady(network, events), stop.promise.then(() => false)]);
      if (isUp) {
        announce(network, asJson);
        events.release();
        await stop.promise;
      }
    } finally {
      await network.close();
    }
    return ExitCode.ok;
  } catch (error) {
    return reportError(config === undefined ? error : asConfigFailure(config, error), asJson);
  } finally {
    events.release();
    stop.close();
  }
}

/** Tells what happens as it happens; with --json what comes before `ready`, the first line, is told right behind it. */
class EventLog {
  #held: NetworkEvent[] | undefined;

  constructor(readonly asJson: boolean) {
    this.#held = asJson ? [] : undefined;
  }

  get held(): readonly NetworkEvent[] {
    return this.#held ?? [];
  }

  tell(event: NetworkEvent): void {
    if (this.#held !== undefined) this.#held.push(event);
    else if (this.asJson) printJson(event);
    else complain(formatEvent(event));
  }

  /** From here on JSON lines are written as events come, after those that were held back. */
  release(): void {
    const { held } = this;
    this.#held = undefined;
    for (const event of held) this.tell(event);
  }
}

async function waitUntilReady(network: Network, events: EventLog): Promise<boolean> {
  const impatience = setTimeout(() => {
    for (const { to } of network.forwards.filter((forward) => !forward.isReady)) {
      complain(`usernet: waiting for a program that listens at ${to}`);
    }
    for (const event of events.held) if (event.event !== 'program-started') complain(formatEvent(event));
  }, PATIENCE_MS);
  await network.whenReady();
  clearTimeout(impatience);
  return true;
}

function announce(network: Network, asJson: boolean): void {
  const forwards = network.forwards.map(({ listen, to, from }) => ({ listen, to, from }));
  if (asJson) {
    printJson({ event: 'ready', control: network.controlPath, forwards });
    return;
  }
  const ways = forwards.map(({ listen, to, from }) => `${listen} → ${to} (from ${from})`);
  print(['ready', ...ways, `control ${network.controlPath}`].join('  '));
}

function formatEvent(event: NetworkEvent): string {
  if (event.event === 'capture-failed') return `usernet: ${event.file} is not written any more: ${event.error}`;
  const name = `usernet: ${event.program} on ${event.stack}`;
  if (event.event === 'program-started') return `${name} started, process ${event.pid}`;
  const how = event.error ?? (event.signal === null ? `exit code ${event.code}` : event.signal);
  const after = event.restartMs === undefined ? '' : `; starting it again in ${event.restartMs} ms`;
  return `${name} ended: ${how}${after}`;
}

/** A second signal that follows so closely is the first one again: npm passes on what the terminal has sent to all. */
const SAME_SIGNAL_MS = 300;

/**
 * Ctrl-C and its like: the first asks to end, the second ends at once. The handlers stay until the process has ended, so
 * that a late one does not turn an orderly end into a killed process.
 */
class StopSignal {
  readonly promise: Promise<void>;
  readonly #keepAlive = setInterval(() => {}, FOREVER_MS);

  constructor() {
    this.promise = new Promise((done) => {
      let askedMs = Infinity;
      const onSignal = (): void => {
        if (askedMs === Infinity) askedMs = performance.now();
        else if (performance.now() - askedMs > SAME_SIGNAL_MS) process.exit(ExitCode.failed);
        done();
      };
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    });
  }

  close(): void {
    clearInterval(this.#keepAlive);
  }
}
