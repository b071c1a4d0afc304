/**
 * The process groups of a network's programs, in a file: whoever started the network's process ends them when that was
 * killed. Each line is `+GROUP` for one that began or `-GROUP` for one that is gone.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Environment variable with the path of the file; only the process that makes the network looks at it. */
export const GROUPS_VARIABLE = 'USERNET_GROUPS';

/** Notes that a group began or is gone, where somebody asked for that. */
export function noteGroup(group: number, isGone: boolean): void {
  const file = process.env[GROUPS_VARIABLE];
  if (file === undefined) return;
  try {
    appendFileSync(file, `${isGone ? '-' : '+'}${group}\n`);
  } catch {
    // Who asked is gone.
  }
}

/** A new file for groups, and the end of those that are left in it. */
export class GroupFile {
  readonly #folder = mkdtempSync(join(tmpdir(), 'usernet-groups-'));
  readonly path = join(this.#folder, 'groups');

  /** Kills every group that is not gone, and removes the file. */
  end(): void {
    for (const group of readGroups(this.path)) killGroup(group, 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function readGroups(file: string): Set<number> {
  const groups = new Set<number>();
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // No program was started.
  }
  for (const [, sign, group] of text.matchAll(/^([+-])(\d+)$/gm)) {
    if (sign === '+') groups.add(Number(group));
    else groups.delete(Number(group));
  }
  return groups;
}

/** Signals every process of a group. */
export function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The group has no process any more.
  }
}
