/**
 * Runs a program on a stack. Its sockets are led there by a preload; with --config the preload makes the network in the
 * program's own process, without it attaches to the running network.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { UsernetError } from '../base/errors.js';
import { loadConfigFile } from '../config/load.js';
import { ConfigError } from '../config/problem.js';
import { suggest } from '../config/suggest.js';
import { programEnvironment, programFile } from '../engine/program-environment.js';
import { GROUPS_VARIABLE, GroupFile } from '../engine/program-groups.js';
import { askNetwork, controlPath } from '../ops/control-client.js';
import type { NetworkSummary } from '../ops/show.js';
import { complain, ExitCode, reportError } from './output.js';

export interface RunOptions {
  readonly stack: string;
  readonly config?: string;
  readonly control?: string;
}

/** The exit code is the program's; 128 and the signal's number when a signal ended it. */
export async function run(command: readonly string[], options: RunOptions): Promise<number> {
  let environment: NodeJS.ProcessEnv;
  try {
    environment = await prepare(options);
  } catch (error) {
    return reportError(error, false);
  }
  if (environment.USERNET_CONFIG === undefined) return await runProgram(command, environment);
  // However the program ends, SIGKILL included: those of its network's programs that are left end with it.
  const groups = new GroupFile();
  try {
    return await runProgram(command, { ...environment, [GROUPS_VARIABLE]: groups.path });
  } finally {
    groups.end();
  }
}

async function prepare(options: RunOptions): Promise<NodeJS.ProcessEnv> {
  if (options.config !== undefined) {
    const { stacks } = loadConfigFile(options.config);
    if (!(options.stack in stacks)) throw unknownStack(options.stack, Object.keys(stacks), options.config);
    return programEnvironment(process.env, { config: resolve(options.config), stack: options.stack });
  }
  const path = resolve(controlPath(options.control));
  const { stacks } = (await askNetwork(path, '/network')) as NetworkSummary;
  const names = stacks.map(({ name }) => name);
  if (!names.includes(options.stack)) throw unknownStack(options.stack, names, path);
  return programEnvironment(process.env, { control: path, stack: options.stack });
}

function unknownStack(stack: string, known: readonly string[], where: string): Error {
  const message = `there is no stack "${stack}"`;
  const hint = suggest(stack, known);
  if (where.endsWith('.sock')) return new UsernetError('USERNET_NO_STACK', message, hint);
  return new ConfigError([{ file: where, path: 'stacks', message, ...(hint === undefined ? {} : { hint }) }]);
}

function runProgram(command: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(programFile(command[0]!), command.slice(1), { stdio: 'inherit', env: environment });
  // A terminal sends Ctrl-C to both: the program decides what it means, this command waits for it.
  const passOn = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, passOn);
  return new Promise((done) => {
    const finish = (exitCode: number): void => {
      for (const signal of signals) process.off(signal, passOn);
      done(exitCode);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      complain(
        `usernet: can't run ${command[0]}: ${error.code === 'ENOENT' ? 'there is no such program' : error.message}`,
      );
      finish(ExitCode.failed);
    });
    child.once('exit', (code, signal) => finish(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
