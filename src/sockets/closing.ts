/**
 * The closing phase of the event loop: `close` callbacks come after the immediates of the same turn, and closing handles
 * keep the loop alive until then. A native handle without a descriptor that is closed along with ours gives both.
 */
import { emptyQueues, reportUncaught } from './callback.js';
import { nodeBinding } from './node-binding.js';

const { Pipe, constants } = nodeBinding('pipe_wrap');

let waiting: (() => void)[] = [];

/** Runs `action` in the closing phase of this turn of the event loop. */
export function atClosing(action: () => void): void {
  if (waiting.length === 0) new Pipe(constants.SOCKET).close(runWaiting);
  waiting.push(action);
}

function runWaiting(): void {
  const actions = waiting;
  waiting = [];
  for (const action of actions) {
    try {
      action();
    } catch (error) {
      reportUncaught(error);
      emptyQueues();
    }
  }
}
