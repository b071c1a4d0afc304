/**
 * Calls into the application, as libuv and Node's C++ make them: each in the async context of its handle or request,
 * with the tick and microtask queues emptied after it, and an exception reported as uncaught without disturbing others.
 */
import { AsyncResource } from 'node:async_hooks';

const runTicks = (process as unknown as { _tickCallback?: () => void })._tickCallback;

/** The async context in which nothing of the application runs: connections are accepted in it. */
const root = new AsyncResource('USERNET');

/** Calls `callback` with `self` as this, in the context of `resource`. */
export function callInto<Args extends unknown[]>(
  resource: AsyncResource,
  callback: (...args: Args) => unknown,
  self: unknown,
  ...args: Args
): void {
  try {
    resource.runInAsyncScope(callback, self, ...args);
  } catch (error) {
    reportUncaught(error);
  }
  emptyQueues();
}

/** Runs `action` outside of every context of the application. */
export function inRootContext<Result>(action: () => Result): Result {
  return root.runInAsyncScope(action);
}

/** Runs what `process.nextTick` and promises have queued, as Node does after every callback from libuv. */
export function emptyQueues(): void {
  if (runTicks === undefined) return;
  for (;;) {
    try {
      runTicks();
      return;
    } catch (error) {
      // The tick that threw is gone, the others are still queued.
      reportUncaught(error);
    }
  }
}

/** Makes `error` an uncaught exception; the event loop goes on if the process has a handler for these. */
export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
