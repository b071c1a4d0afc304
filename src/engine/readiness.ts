import { wordsFromIpv4 } from '../session/address.js';
import { covers } from '../session/session-table.js';
import { parseIpv4 } from '../wire/address.js';
import type { Worker } from './worker.js';

/** True when a stack of the worker listens at an address and port, or when no stack has the address. */
export function isListening(worker: Worker, { host, port }: { host: string; port: number }): boolean {
  const { l3, sessions } = worker;
  const address = parseIpv4(host);
  const words = wordsFromIpv4(address);
  let isOurs = false;
  for (let stack = 0; stack < l3.stacks.maxStacks; stack++) {
    if (!l3.stacks.has(stack) || !l3.isLocal(stack, address)) continue;
    isOurs = true;
    for (const session of sessions.state.table(stack).listenSessions) {
      const isPort = session.isAnyPort || session.port === port;
      if (isPort && (covers(session, words) || session.local[3] === words[3])) return true;
    }
  }
  return !isOurs;
}
