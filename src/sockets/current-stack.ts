/** The stack that a new socket belongs to: that of the running `stack.run()`, else the default of the process. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { StackNames } from './dns/stack-names.js';
import type { Policy } from './policy.js';
import type { StackSockets } from './stack-sockets.js';

/** A stack, and what of the traffic it gets. */
export interface StackContext {
  readonly sockets: StackSockets;
  readonly policy: Policy;
  readonly names: StackNames;
  /** Names that the stack does not know are looked up by the kernel's resolver. */
  readonly asksKernel: boolean;
  /** `fetch` with connections of the stack's own. */
  readonly fetch?: typeof fetch;
}

const KERNEL = 'kernel';

const storage = new AsyncLocalStorage<StackContext | typeof KERNEL>();
let findDefault: (() => StackContext | undefined) | undefined;

/** The stack of new sockets here and now; undefined: the kernel. */
export function currentStack(): StackContext | undefined {
  const enclosing = storage.getStore();
  if (enclosing === undefined) return findDefault?.();
  return enclosing === KERNEL ? undefined : enclosing;
}

/** The stack of the running `stack.run()`; undefined outside of every one. */
export function enclosingStack(): StackContext | undefined {
  const enclosing = storage.getStore();
  return enclosing === KERNEL ? undefined : enclosing;
}

/** Runs `action` so that all sockets that are made in it, now or later, are of this stack. */
export function runInStack<Args extends unknown[], Result>(
  context: StackContext,
  action: (...args: Args) => Result,
  ...args: Args
): Result {
  return storage.run(context, action, ...args);
}

/** Runs `action` so that all sockets that are made in it, now or later, are the kernel's. */
export function runOnKernel<Result>(action: () => Result): Result {
  return storage.run(KERNEL, action);
}

/** Sockets that Node's own modules make in this thread can be a stack's: only the preload sets a default. */
export function hasPreload(): boolean {
  return findDefault !== undefined;
}

/** Says what new sockets outside of every `stack.run()` belong to; `find` is asked for each of them. */
export function setDefaultStack(find: (() => StackContext | undefined) | undefined): void {
  findDefault = find;
}
