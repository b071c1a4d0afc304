/**
 * Threads under the preload have it too. By itself Node drops it when a thread gets an environment or arguments of its
 * own, and version 20 runs no --import for code that is given as text: such a thread would be on the kernel's network.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';

const INVALID_ARGUMENTS = 'ERR_WORKER_INVALID_EXEC_ARGV';

/** Has every new thread load the preload: `file`, which the command line may know by its `url`. */
export function preloadThreads(file: string, url: string): void {
  const KernelWorker = workerThreads.Worker;
  const preload = ['--require', file];
  const started = [...process.execArgv, process.env.NODE_OPTIONS ?? ''];
  const isInherited = started.some((text) => [file, url, 'usernet/register'].some((name) => text.includes(name)));
  const Worker = new Proxy(KernelWorker, {
    construct(target, [code, options, ...rest], newTarget) {
      const given: WorkerOptions = options ?? {};
      const maker = newTarget === Worker ? target : newTarget;
      const make = (complete: WorkerOptions): object => Reflect.construct(target, [code, complete, ...rest], maker);
      const { env, execArgv } = given;
      const hasOwnEnvironment = typeof env === 'object' && env !== null;
      if (Array.isArray(execArgv) || hasOwnEnvironment) {
        const own = hasOwnEnvironment ? { env: { ...placeOf(process.env), ...env } } : {};
        return make({ ...given, ...own, execArgv: [...preload, ...(execArgv ?? [])] });
      }
      if (isInherited && given.eval !== true) return make(given);
      return withArguments(process.execArgv, (all) => make({ ...given, execArgv: [...preload, ...all] }));
    },
  });
  KernelWorker.prototype.constructor = Worker;
  workerThreads.Worker = Worker;
  syncBuiltinESMExports();
}

/** The variables that say which stack a program is on. */
function placeOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('USERNET_')));
}

/** Calls `make` with a process's arguments, without those that a thread refuses. */
function withArguments(args: readonly string[], make: (args: readonly string[]) => object): object {
  try {
    return make(args);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== INVALID_ARGUMENTS) throw error;
    const refused = message.slice(message.indexOf(': ') + 2).split(', ');
    return make(args.filter((argument) => !refused.includes(argument)));
  }
}
