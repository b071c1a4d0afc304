import { UsernetError } from '../base/errors.js';
import { ConfigError, formatProblem } from '../config/problem.js';

/** A failure as people read it, with what to do. */
export function formatFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map(formatProblem).join('\n');
  if (error instanceof UsernetError) {
    return `usernet: ${error.message}${error.hint === undefined ? '' : `\n  hint: ${error.hint}`}`;
  }
  if (error instanceof Error && 'code' in error) return `usernet: ${error.message}`;
  return `usernet: ${error instanceof Error ? error.stack : String(error)}`;
}
