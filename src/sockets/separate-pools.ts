/**
 * Connections that are kept alive must not serve another stack. What pools them in a process is global: http.Agent by the
 * name of the destination, to which the stack's is added here; and fetch, which inside of `stack.run()` is the stack's.
 */
import { enclosingStack } from './current-stack.js';
import type { StackSockets } from './stack-sockets.js';

/** Marks the options of a request: they are asked for their name again when the connection comes free. */
const kStack = Symbol('stack');

let isDone = false;
const numbers = new WeakMap<StackSockets, number>();
let lastNumber = 0;

export function separatePools(): void {
  if (isDone) return;
  isDone = true;
  separateAgents();
  separateFetch();
}

interface PoolOptions {
  [kStack]?: number;
}

function separateAgents(): void {
  const { prototype } = process.getBuiltinModule('node:http').Agent;
  const getName = prototype.getName as (options?: object) => string;
  const getNameOnStack = function (this: typeof prototype, options: PoolOptions = {}): string {
    const name = getName.call(this, options);
    options[kStack] ??= currentNumber();
    return options[kStack] === 0 ? name : `${name}:stack ${options[kStack]}`;
  };
  prototype.getName = getNameOnStack as typeof prototype.getName;
}

function separateFetch(): void {
  const fetchAnywhere = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    // A dispatcher says itself how to connect: that of a stack, or the caller's own.
    const hasDispatcher = (init as { dispatcher?: unknown } | undefined)?.dispatcher !== undefined;
    const fetchHere = hasDispatcher ? undefined : enclosingStack()?.fetch;
    return (fetchHere ?? fetchAnywhere)(input, init);
  };
}

/** Tells stacks apart; 0 outside of every `stack.run()`. */
function currentNumber(): number {
  const sockets = enclosingStack()?.sockets;
  if (sockets === undefined) return 0;
  const number = numbers.get(sockets) ?? ++lastNumber;
  numbers.set(sockets, number);
  return number;
}
