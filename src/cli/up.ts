/** Starts a network, keeps it in the foreground, and ends it with everything it started. */
import { resolve } from 'node:path';
import { loadConfigFile } from '../config/load.js';
import { packageFolder } from '../config/package-folder.js';
import type { Network, NetworkEvent } from '../engine/network.js';
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
  let isReady = false;
  const onEvent = (event: NetworkEvent): void => {
    // The first line of --json output is `ready`.
    if (asJson && isReady) printJson(event);
    else complain(formatEvent(event));
  };
  try {
    const directory = configFile === undefined ? packageFolder() : process.cwd();
    const config = loadConfigFile(configFile === undefined ? resolve(directory, 'examples/demo.yaml') : configFile);
    const network = await startNetwork(config, {
      directory,
      control: true,
      programOutput: { stdout: asJson ? STDERR : STDOUT, stderr: STDERR },
      onEvent,
    });
    try {
      const isUp = await Promise.race([waitUntilReady(network), stop.promise.then(() => false)]);
      if (isUp) {
        isReady = true;
        announce(network, asJson);
        await stop.promise;
      }
    } finally {
      await network.close();
    }
    return ExitCode.ok;
  } catch (error) {
    return reportError(error, asJson);
  } finally {
    stop.close();
  }
}

async function waitUntilReady(network: Network): Promise<boolean> {
  const impatience = setTimeout(() => {
    for (const { to } of network.forwards.filter((forward) => !forward.isReady)) {
      complain(`usernet: waiting for a program that listens at ${to}`);
    }
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
