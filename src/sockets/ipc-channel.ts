/**
 * The channel of child_process.fork() under the preload. A child that is told of a channel opens it before any preload
 * runs, and loads `net` for that. So children that have the preload are told by other names, and open the channel when
 * the bindings are replaced:
 *
 *   parent: spawn, NODE_CHANNEL_FD ─► USERNET_CHANNEL_FD ─► child: preload, then what Node would have done
 */
import { nodeBinding } from './node-binding.js';

/** What Node tells a child by its environment, and what it is called on the way to the preload. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['NODE_CHANNEL_FD', 'USERNET_CHANNEL_FD'],
  ['NODE_CHANNEL_SERIALIZATION_MODE', 'USERNET_CHANNEL_SERIALIZATION_MODE'],
  ['NODE_UNIQUE_ID', 'USERNET_UNIQUE_ID'],
]);
const PACKAGE_PRELOAD = 'usernet/register';

interface ChildProcessInternals {
  _forkChild(fd: number, serialization: string): void;
}

interface ClusterInternals {
  _setupWorker(): void;
}

/** Has children with the preload `register` (a URL or path in their arguments or NODE_OPTIONS) open their channel late. */
export function renameChannels(register: readonly string[]): void {
  const { prototype } = nodeBinding('process_wrap').Process;
  const { spawn } = prototype;
  const names = [...register, PACKAGE_PRELOAD];
  const hasPreload = (text: string): boolean => names.some((name) => text.includes(name));
  const adapt = (args: readonly string[] = [], envPairs?: readonly string[]): readonly string[] | undefined => {
    if (envPairs === undefined) return undefined;
    const isTold = envPairs.some((pair) => pair.startsWith('NODE_CHANNEL_FD='));
    const isPreloaded = args.some(hasPreload) || envPairs.some((p) => p.startsWith('NODE_OPTIONS=') && hasPreload(p));
    return isTold && isPreloaded ? envPairs.map(rename) : envPairs;
  };
  prototype.spawn = function (...given) {
    const [first, args, directory, envPairs, ...rest] = given;
    if (typeof first === 'string') return spawn.call(this, first, args, directory, adapt(args, envPairs), ...rest);
    return spawn.call(this, { ...first, envPairs: adapt(first.args, first.envPairs) });
  };
}

function rename(pair: string): string {
  const end = pair.indexOf('=');
  const name = RENAMED.get(pair.slice(0, end));
  return name === undefined ? pair : name + pair.slice(end);
}

/** Opens the channel to the parent, if there is one, and makes this process a worker of the parent's cluster, if it is. */
export function openChannel(): void {
  const {
    USERNET_CHANNEL_FD: fd,
    USERNET_CHANNEL_SERIALIZATION_MODE: serialization,
    USERNET_UNIQUE_ID: id,
  } = process.env;
  if (fd === undefined) return;
  for (const name of RENAMED.values()) delete process.env[name];
  const childProcess = process.getBuiltinModule('child_process') as unknown as ChildProcessInternals;
  childProcess._forkChild(Number(fd), serialization ?? 'json');
  if (id === undefined) return;
  process.env.NODE_UNIQUE_ID = id;
  const cluster = process.getBuiltinModule('cluster') as unknown as ClusterInternals;
  cluster._setupWorker();
  delete process.env.NODE_UNIQUE_ID;
}
