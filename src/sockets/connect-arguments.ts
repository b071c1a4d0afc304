/** The forms in which net.connect and its kin take their arguments. */
import type { NetConnectOpts } from 'node:net';

export type ConnectArguments = readonly [options: NetConnectOpts, callback: (() => void) | undefined];

/** The forms of connect(): options, path, or port and host, each with a callback or without. */
export function connectArguments(args: readonly unknown[]): ConnectArguments {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = args;
  // net.js passes on arguments that it has put in order: [options, callback].
  if (Array.isArray(first)) return connectArguments(first.filter((each) => each !== null));
  if (typeof first === 'object' && first !== null) return [first as NetConnectOpts, callback];
  if (typeof first === 'string' && Number.isNaN(Number(first))) return [{ path: first }, callback];
  const host = typeof second === 'string' ? { host: second } : {};
  return [{ port: first as number, ...host }, callback];
}
