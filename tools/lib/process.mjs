/**
 * Child processes for the tools. Nothing here loads `node:child_process` before it is needed: loading it loads Node's
 * `net`, and `bin/usernet.js` must stay able to replace the socket bindings first.
 */
import { existsSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout, without a trailing slash. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

/** Progress goes to stderr: stdout belongs to what the user asked for (`npm start -- --json`). */
export function say(/** @type {string} */ text) {
  process.stderr.write(`${text}\n`);
}

/** A failure that is explained to the user without a stack trace. */
export class ToolError extends Error {
  constructor(/** @type {string} */ message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a command to its end with the terminal's own streams, and passes SIGINT, SIGTERM and SIGHUP on to it.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, stdoutTo?: 'stdout' | 'stderr' }} [options]
 * @returns {Promise<number>} the exit code; 128 + n when signal n ended it
 */
export async function run(command, args, { cwd = root, env = {}, stdoutTo = 'stdout' } = {}) {
  const { spawn } = await import('node:child_process');
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['inherit', stdoutTo === 'stderr' ? 2 : 'inherit', 'inherit'],
  });
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

/**
 * Runs a program out of node_modules with this Node; its output goes to stderr.
 *
 * @param {string} path for example `typescript/bin/tsc`
 * @param {readonly string[]} args
 * @param {string} [cwd]
 */
export function runModule(path, args, cwd = root) {
  return run(process.execPath, [join(root, 'node_modules', path), ...args], { cwd, stdoutTo: 'stderr' });
}

/**
 * Runs a command and gives its stdout; stderr is passed through.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<string>}
 * @throws {ToolError} when it ends with another code than 0
 */
export async function capture(command, args) {
  const { spawnSync } = await import('node:child_process');
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 26,
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new ToolError(`${command} ${args.join(' ')}: exit code ${result.status}`);
  return result.stdout;
}

/** The command line of npm: the npm that started us, if one did, so that no second version comes in. */
export function npmCommand() {
  const execPath = process.env.npm_execpath;
  if (execPath?.endsWith('npm-cli.js')) return { command: process.execPath, args: [execPath] };
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
}

/** True when this module is the program that Node was started with. */
export function isMain(/** @type {string} */ moduleUrl) {
  const script = process.argv[1];
  return script !== undefined && existsSync(script) && realpathSync(script) === fileURLToPath(moduleUrl);
}

/**
 * Runs a tool's main function: its result is the exit code (none: 0), a ToolError is printed as one line.
 *
 * @param {() => Promise<number | void> | number | void} main
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    say(error.message);
    process.exitCode = error.exitCode;
  }
}
