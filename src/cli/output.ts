/** What commands write: results to stdout, complaints to stderr; with --json one form for programs. */
import { UsernetError } from '../base/errors.js';
import { ConfigError } from '../config/problem.js';
import { formatFailure } from '../ops/failure-text.js';

/** Exit codes of the command. */
export const ExitCode = {
  ok: 0,
  failed: 1,
  /** The configuration or the command line is wrong. */
  wrongUse: 2,
} as const;

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** One JSON document on one line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Tells of an error and returns the exit code for it. */
export function reportError(error: unknown, asJson: boolean): number {
  const isWrongUse =
    error instanceof UsernetError && (error.code === 'USERNET_CONFIG' || error.code === 'USERNET_USAGE');
  const exitCode = isWrongUse ? ExitCode.wrongUse : ExitCode.failed;
  if (asJson) printJson({ event: 'error', ...describeError(error) });
  else complain(formatFailure(error));
  return exitCode;
}

/** An option's number, within limits. Throws USERNET_USAGE with the option and what it takes. */
export function readNumber(option: string, text: string, min: number, max: number, isWhole = true): number {
  const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  const what = isWhole ? 'a whole number' : 'a number';
  throw new UsernetError('USERNET_USAGE', `${option} takes ${what} of ${min} … ${max}, not "${text}"`);
}

function describeError(error: unknown): Record<string, unknown> {
  if (error instanceof ConfigError) {
    return { code: error.code, message: 'the configuration is wrong', problems: error.problems };
  }
  if (error instanceof UsernetError) return { code: error.code, message: error.message, hint: error.hint };
  const { code, message } = error as NodeJS.ErrnoException;
  return { code: code ?? 'USERNET_INTERNAL', message: message ?? String(error) };
}
