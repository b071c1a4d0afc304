/** What must be done when the process ends without its networks having been closed; one listener for all of it. */
const FATAL_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const actions = new Set<() => void>();

function runAll(): void {
  for (const action of actions) action();
}

/** Signals that nobody else handles end the process, without an `exit` event: what has to be done is done before. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  runAll();
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}

/** Has `action` run when the process exits, until {@link forgetAtExit}. It may not wait for anything. */
export function doAtExit(action: () => void): void {
  if (actions.size === 0) {
    process.on('exit', runAll);
    // In front of the application's listeners: one of them that listens once is still counted.
    for (const signal of FATAL_SIGNALS) process.prependListener(signal, onSignal);
  }
  actions.add(action);
}

export function forgetAtExit(action: () => void): void {
  actions.delete(action);
  if (actions.size > 0) return;
  process.off('exit', runAll);
  for (const signal of FATAL_SIGNALS) process.off(signal, onSignal);
}
