/** What the kernel says about processes (Linux, /proc). */
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc/PID/stat a second: fixed in the kernel's interface for programs. */
const TICKS_PER_S = 100;
/** Fields of /proc/PID/stat behind the name in parentheses, counted from 0: proc(5) fields 3, 4, 14 and 15. */
const STATE = 0;
const PARENT = 1;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

function statusOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** True while the process runs; one that has ended and was not waited for does not. */
export function isRunning(pid: number): boolean {
  const status = statusOf(pid);
  return status !== undefined && status[STATE] !== 'Z';
}

/** Process numbers of the children. */
export function childrenOf(pid: number): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((each) => Number(statusOf(each)?.[PARENT]) === pid);
}

/** CPU time of the processes so far, user and system, in seconds. */
export function cpuSecondsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const status = statusOf(pid);
    if (status === undefined) throw new Error(`there is no process ${pid}`);
    ticks += Number(status[USER_TICKS]) + Number(status[SYSTEM_TICKS]);
  }
  return ticks / TICKS_PER_S;
}

/** Resident memory of a process in bytes. */
export function residentBytesOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}
