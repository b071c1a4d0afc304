/**
 * A program on a stack: a child process with the preload, which attaches to its stack by the control socket. It leads a
 * process group of its own, so that what it starts in turn ends with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { NS_PER_MS } from '../base/time.js';
import { monotonicNs } from '../host/clock.js';
import { doAtExit, forgetAtExit } from './at-exit.js';
import type { ObjectSpecs } from './object.js';
import { programEnvironment, programFile } from './program-environment.js';
import { killGroup, noteGroup } from './program-groups.js';

/** How long a program may take to end by itself: less than a second in all, for Ctrl-C. */
const GRACE_MS = 400;
const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 5000;
/** A program that ran for so long starts anew without delay. */
const STABLE_MS = 10_000;

export type ProgramEvent =
  | { readonly event: 'program-started'; readonly stack: string; readonly program: string; readonly pid: number }
  | {
      readonly event: 'program-ended';
      readonly stack: string;
      readonly program: string;
      readonly code: number | null;
      readonly signal: string | null;
      /** Why it never ran. */
      readonly error?: string;
      /** Milliseconds until it is started again; absent when it is not. */
      readonly restartMs?: number;
    };

export interface ProgramOptions {
  readonly spec: ObjectSpecs['program'];
  /** Path of the network's control socket. */
  readonly control: string;
  /** What relative paths in the configuration start from. */
  readonly directory: string;
  /** Where what the program prints goes: descriptors of this process. */
  readonly output: { readonly stdout: number; readonly stderr: number };
  readonly onEvent: (event: ProgramEvent) => void;
}

export class Program {
  readonly #options: ProgramOptions;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = FIRST_RESTART_MS;
  #isStopping = false;
  #isReferenced = true;

  constructor(options: ProgramOptions) {
    this.#options = options;
    doAtExit(this.#killNow);
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Asks the program to end, and makes it end when it does not. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    forgetAtExit(this.#killNow);
    const child = this.#child;
    if (child === undefined) return;
    child.ref();
    const ended = new Promise<void>((done) => child.once('exit', () => done()));
    kill(child, 'SIGTERM');
    const timer = setTimeout(() => kill(child, 'SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(timer);
    // What it started itself and left behind.
    kill(child, 'SIGKILL');
  }

  /** The program no longer keeps this process alive. */
  unref(): void {
    this.#isReferenced = false;
    this.#child?.unref();
    this.#restart?.unref();
  }

  readonly #start = (): void => {
    const { spec, control, directory, output, onEvent } = this.#options;
    const startNs = monotonicNs();
    const child = spawn(programFile(spec.run[0]!), spec.run.slice(1), {
      cwd: resolveFrom(directory, spec.cwd),
      env: programEnvironment({ ...process.env, ...spec.env }, { stack: spec.stack, control }),
      stdio: ['ignore', output.stdout, output.stderr],
      detached: true,
    });
    this.#child = child;
    if (!this.#isReferenced) child.unref();
    const names = { stack: spec.stack, program: spec.name };
    let hasEnded = false;
    const onEnd = (code: number | null, signal: string | null, error?: string): void => {
      if (hasEnded) return;
      hasEnded = true;
      this.#child = undefined;
      if (child.pid !== undefined) noteGroup(child.pid, true);
      if (this.#isStopping) return;
      const restartMs = this.#planRestart(code, monotonicNs() - startNs);
      onEvent({
        event: 'program-ended',
        ...names,
        code,
        signal,
        ...(error === undefined ? {} : { error }),
        ...(restartMs === undefined ? {} : { restartMs }),
      });
    };
    child.once('error', (error) => onEnd(null, null, describeFailure(error, directory, spec.cwd)));
    child.once('exit', (code, signal) => onEnd(code, signal));
    if (child.pid === undefined) return;
    noteGroup(child.pid, false);
    onEvent({ event: 'program-started', ...names, pid: child.pid });
  };

  #planRestart(code: number | null, ranNs: number): number | undefined {
    const { restart } = this.#options.spec;
    if (restart === 'no' || (restart === 'on-failure' && code === 0)) return undefined;
    if (ranNs >= STABLE_MS * NS_PER_MS) this.#restartMs = FIRST_RESTART_MS;
    const delayMs = this.#restartMs;
    this.#restartMs = Math.min(2 * delayMs, MAX_RESTART_MS);
    this.#restart = setTimeout(this.#start, delayMs);
    if (!this.#isReferenced) this.#restart.unref();
    return delayMs;
  }

  /** This process ends without having stopped the program. */
  readonly #killNow = (): void => {
    if (this.#child !== undefined) kill(this.#child, 'SIGKILL');
  };
}

/** The system reports a missing directory as if the program were missing. */
function describeFailure(error: Error, directory: string, cwd: string | undefined): string {
  const path = resolveFrom(directory, cwd);
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory ? error.message : `its cwd ${path} is no directory`;
}

function resolveFrom(directory: string, cwd: string | undefined): string {
  return cwd === undefined ? directory : resolve(directory, cwd);
}

/** Signals the program and everything in its process group. */
function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) killGroup(child.pid, signal);
}
