/** What is wrong with a configuration: all of it at once, each problem with its place, what is wrong and what to do. */
import { UsernetError } from '../base/errors.js';

/** Keys and list positions from the top of the configuration down. */
export type ConfigPath = readonly (string | number)[];

export interface ConfigProblem {
  /** The file as it was named; absent for a configuration given as an object. */
  readonly file?: string;
  /** Line and column count from 1; absent for a configuration given as an object. */
  readonly line?: number;
  readonly column?: number;
  /** Where in the configuration, as `stacks.web.routes[0].via`. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** A configuration that can't be used. `code` is USERNET_CONFIG. */
export class ConfigError extends UsernetError {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super('USERNET_CONFIG', problems.map(formatProblem).join('\n'));
  }
}

/** `net.yaml:3:7: there is no switch "lan1" (hint: did you mean "lan0"?)`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.file === undefined ? problem.path || 'configuration' : formatPlace(problem);
  return `${place}: ${problem.message}${problem.hint === undefined ? '' : ` (hint: ${problem.hint})`}`;
}

function formatPlace({ file, line, column }: ConfigProblem): string {
  return line === undefined ? `${file}` : `${file}:${line}:${column}`;
}

/** `stacks.web.routes[0].via`; keys with other characters than letters, digits, `_` and `-` are quoted. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
