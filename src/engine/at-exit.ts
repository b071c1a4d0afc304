/** What must be done when the process ends without its networks having been closed; one listener for all of it. */
const actions = new Set<() => void>();

function runAll(): void {
  for (const action of actions) action();
}

/** Has `action` run when the process exits, until {@link forgetAtExit}. It may not wait for anything. */
export function doAtExit(action: () => void): void {
  if (actions.size === 0) process.on('exit', runAll);
  actions.add(action);
}

export function forgetAtExit(action: () => void): void {
  actions.delete(action);
  if (actions.size === 0) process.off('exit', runAll);
}
