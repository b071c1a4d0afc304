/** The stack that a new socket belongs to: that of the running `stack.run()`, else the default of the process. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Policy, WHOLE_WORLD } from './policy.js';
import type { StackSockets } from './stack-sockets.js';

/** A stack, and what of the traffic it gets. */
export interface StackContext {
  readonly sockets: StackSockets;
  readonly policy: Policy;
}

const storage = new AsyncLocalStorage<StackContext>();
let findDefault: (() => StackContext) | undefined;

/** The stack of new sockets here and now; undefined: the kernel. */
export function currentStack(): StackContext | undefined {
  return storage.getStore() ?? findDefault?.();
}

/** The stack of the running `stack.run()`. */
export function enclosingStack(): StackContext | undefined {
  return storage.getStore();
}

/** Runs `action` so that all sockets that are made in it, now or later, are of this stack. */
export function runInStack<Args extends unknown[], Result>(
  sockets: StackSockets,
  action: (...args: Args) => Result,
  ...args: Args
): Result {
  return storage.run({ sockets, policy: WHOLE_WORLD }, action, ...args);
}

/** Says what new sockets outside of every `stack.run()` belong to; `find` is asked for each of them. */
export function setDefaultStack(find: (() => StackContext) | undefined): void {
  findDefault = find;
}
