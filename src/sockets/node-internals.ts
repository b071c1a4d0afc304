/**
 * The few places inside Node's objects that the explicit API reaches: found by their documented or visible names, and
 * reported clearly when a future Node no longer has them.
 */
import type { Socket as UdpSocket } from 'node:dgram';
import { UsernetError } from '../base/errors.js';
import { nodeBinding, type TcpHandle, type UdpHandle } from './node-binding.js';
import { StackTcp } from './tcp-handle.js';

/** `net.Socket`, with what net.js calls inside itself. */
export interface InnerSocket {
  _handle: TcpHandle | null;
  [reinitialize: symbol]: ((handle: TcpHandle) => void) | undefined;
}

/** `net.Server`, with what net.js calls inside itself. */
export interface InnerServer {
  _handle: TcpHandle | null;
  _listen2: ListenFunction;
}

export type ListenFunction = (
  this: unknown,
  address: string | null,
  port: number | null,
  addressType: number | null,
  backlog?: number,
  fd?: number,
  flags?: number,
) => void;

/** What net.js calls inside itself. */
export interface NetInternals {
  /** Name of the method by which it gives a socket another handle. */
  readonly reinitialize: symbol;
  /** That method. */
  readonly giveHandle: (this: object, handle: TcpHandle) => void;
  /** net.Server's own `_listen2`: makes the handle if there is none, and listens. */
  readonly listen: ListenFunction;
}

let internals: NetInternals | undefined;

/** Loads `net` if need be. */
export function netInternals(): NetInternals {
  if (internals !== undefined) return internals;
  const { Server, Socket } = process.getBuiltinModule('node:net');
  const reinitialize = symbolOf(Socket.prototype, 'kReinitializeHandle');
  internals = {
    reinitialize,
    giveHandle: (Socket.prototype as unknown as InnerSocket)[reinitialize]!,
    listen: (Server.prototype as unknown as InnerServer)._listen2,
  };
  return internals;
}

/** What a dgram socket keeps to itself. */
interface UdpSocketState {
  /** Null once it is closed. */
  handle: (UdpHandle & { lookup: unknown }) | null;
}

/** Puts `handle` in the place of the one that a dgram socket was made with; nothing if that is closed already. */
export function exchangeUdpHandle(socket: UdpSocket, handle: UdpHandle): void {
  const state = (socket as unknown as Record<symbol, UdpSocketState>)[symbolOf(socket, 'state symbol')]!;
  const old = state.handle;
  if (old === null) {
    handle.close();
    return;
  }
  // As dgram.js prepares a handle for its family.
  const { type } = socket as unknown as { type: string };
  const methods = type === 'udp6' ? { bind: handle.bind6, connect: handle.connect6, send: handle.send6 } : {};
  state.handle = Object.assign(handle, { lookup: old.lookup, ...methods });
  for (const key of Object.getOwnPropertySymbols(old)) {
    Object.assign(handle, { [key]: (old as unknown as Record<symbol, unknown>)[key] });
  }
  old.close();
  Object.assign(socket, { [symbolOf(socket, 'async_id_symbol')]: handle.getAsyncId() });
}

/** Makes `handle instanceof TCP`, by which net.js tells handles apart, true for ours. */
export function acceptAsTcp(): void {
  const { TCP } = nodeBinding('tcp_wrap');
  if (TCP[Symbol.hasInstance](Object.create(StackTcp.prototype))) return;
  Object.defineProperty(TCP, Symbol.hasInstance, {
    value: (object: unknown) => object instanceof StackTcp || Function.prototype[Symbol.hasInstance].call(TCP, object),
    configurable: true,
  });
}

function symbolOf(object: object, description: string): symbol {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertySymbols(at).find((symbol) => symbol.description === description);
    if (found !== undefined) return found;
  }
  throw new UsernetError('USERNET_NODE_CHANGED', `this Node.js (${process.version}) has no ${description} any more`);
}
