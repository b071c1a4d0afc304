/**
 * The few places inside Node's objects that the explicit API reaches: found by their documented or visible names, and
 * reported clearly when a future Node no longer has them.
 */
import type { Socket as UdpSocket } from 'node:dgram';
import { Server, Socket } from 'node:net';
import { UsernetError } from '../base/errors.js';
import { type NativeHandle, nodeBinding, type TcpHandle, type UdpHandle } from './node-binding.js';
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

/** The method by which net.js gives a socket another handle. */
export const reinitializeHandle = symbolOf(Socket.prototype, 'kReinitializeHandle');

/** net.Server's own `_listen2`: makes the handle if there is none, and listens. */
export const listenNatively = (Server.prototype as unknown as InnerServer)._listen2;

/** What a dgram socket keeps to itself. */
export interface UdpSocketState {
  handle: UdpHandle & { lookup: unknown };
}

export function udpSocketState(socket: UdpSocket): UdpSocketState {
  return (socket as unknown as Record<symbol, UdpSocketState>)[symbolOf(socket, 'state symbol')]!;
}

/** Puts `handle` in the place of a handle that has done nothing yet, with what its owner noted on it. */
export function replaceHandle(owner: object, old: NativeHandle, handle: NativeHandle): void {
  for (const key of Object.getOwnPropertySymbols(old)) {
    Object.assign(handle, { [key]: (old as unknown as Record<symbol, unknown>)[key] });
  }
  old.close();
  const id = Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === 'async_id_symbol');
  if (id !== undefined) Object.assign(owner, { [id]: handle.getAsyncId() });
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
