/**
 * Turns a TCP handle of ours, whose destination turned out to be the kernel's, into a kernel's one.
 *
 * net.js makes the handle before it knows where to. If its socket or server uses the handle directly, the native handle
 * takes the place and ours is forgotten: such a socket is a stock one. If something in C++ sits on ours already (TLS), it
 * stays as a bridge: what is called on it is called on the native handle, and what that reads is passed up.
 */
import { emptyQueues } from './callback.js';
import { type JsStream, type NodeRequest, nodeBinding, type StreamHandle, type TcpHandle } from './node-binding.js';
import { uvCode } from './uv-errno.js';

const { ShutdownWrap, WriteWrap, kArrayBufferOffset, kLastWriteWasAsync, kReadBytesOrError, streamBaseState } =
  nodeBinding('stream_wrap');
const UV_EOF = uvCode('EOF');

/** The net.Socket or net.Server that a handle belongs to. */
interface Owner {
  _handle: unknown;
  [key: symbol]: unknown;
}

/** What of a handle is called on the native one once there is one. */
const METHODS = [
  'open',
  'bind',
  'bind6',
  'getsockname',
  'getpeername',
  'setNoDelay',
  'setKeepAlive',
  'setTypeOfService',
  'getTypeOfService',
  'setBlocking',
  'reset',
  'close',
  'ref',
  'unref',
  'hasRef',
  'writeBuffer',
  'writev',
  'writeUtf8String',
  'writeAsciiString',
  'writeLatin1String',
  'writeUcs2String',
  'shutdown',
] as const;
/** A server, or a socket that was made from a descriptor, takes its handle after that was bound or opened. */
const BEGINNINGS = ['listen', 'connect', 'connect6', 'readStart', 'readStop'] as const;
const GETTERS = ['fd', 'bytesRead', 'bytesWritten', 'writeQueueSize'] as const;

export interface Handover {
  readonly native: TcpHandle;
  readonly userBuffer: Uint8Array | undefined;
  /** The handle that C++ made on top of ours, if it did. */
  readonly upper: () => StreamHandle | undefined;
}

/** Makes `handle` stand for `handover.native` from now on. */
export function handOver(handle: TcpHandle & JsStream, handover: Handover): void {
  const { native } = handover;
  for (const name of METHODS) {
    const method = native[name] as ((...args: unknown[]) => unknown) | undefined;
    if (method !== undefined) define(handle, name, { value: method.bind(native) });
  }
  for (const name of GETTERS) define(handle, name, { get: () => native[name] });
  if (takePlace(handle, handover)) return;
  bridge(handle, handover);
  for (const name of BEGINNINGS) {
    const method = native[name] as (...args: unknown[]) => number;
    const begin = (...args: unknown[]): number => {
      takePlace(handle, handover);
      return method.apply(native, args);
    };
    define(handle, name, { value: begin });
  }
}

/** Puts the native handle in the place of ours, if a socket or server uses ours directly. */
function takePlace(handle: TcpHandle, { native, userBuffer, upper }: Handover): boolean {
  const ownerSymbol = Object.getOwnPropertySymbols(handle).find(isOwnerSymbol);
  if (ownerSymbol === undefined) return false;
  const owner = (handle as unknown as Record<symbol, Owner>)[ownerSymbol]!;
  Object.assign(native, { [ownerSymbol]: owner });
  if (owner._handle !== handle || upper() !== undefined) return false;
  // The native accessor aborts the process for anything but a function.
  if (handle.onread !== undefined) native.onread = handle.onread;
  native.onconnection = handle.onconnection;
  if (handle.reading !== undefined) native.reading = handle.reading;
  if (userBuffer !== undefined) native.useUserBuffer(userBuffer);
  const idSymbol = Object.getOwnPropertySymbols(owner).find((symbol) => symbol.description === 'async_id_symbol');
  if (idSymbol !== undefined) owner[idSymbol] = native.getAsyncId();
  owner._handle = native;
  return true;
}

function isOwnerSymbol(symbol: symbol): boolean {
  return symbol.description === 'owner_symbol';
}

/** Lets consumers of our handle in C++ read from and write to the native one. */
function bridge(handle: TcpHandle & JsStream, { native, upper }: Handover): void {
  native.onread = (data) => {
    const count = streamBaseState[kReadBytesOrError]!;
    if (count > 0) handle.readBuffer(new Uint8Array(data!, streamBaseState[kArrayBufferOffset], count));
    else if (count === UV_EOF) handle.emitEOF();
    else if (count < 0) reportError(upper() ?? handle, count);
    return undefined;
  };
  define(handle, 'onreadstart', { value: () => native.readStart() });
  define(handle, 'onreadstop', { value: () => native.readStop() });
  define(handle, 'onwrite', {
    value: (request: NodeRequest, chunks: Uint8Array[]) => write(handle, native, request, chunks),
  });
  define(handle, 'onshutdown', { value: (request: NodeRequest) => shutDown(handle, native, request) });
}

function reportError(target: StreamHandle, code: number): void {
  streamBaseState[kReadBytesOrError] = code;
  target.onread?.call(target);
}

function write(handle: JsStream, native: TcpHandle, request: NodeRequest, chunks: Uint8Array[]): number {
  const write = new WriteWrap();
  write.oncomplete = (status) => handle.finishWrite(request, status);
  write.buffer = chunks;
  const code = native.writev(write, chunks, true) as number;
  if (code === 0 && streamBaseState[kLastWriteWasAsync] === 0) {
    // Who writes in C++ must not hear of the end before the call returns.
    setImmediate(() => {
      handle.finishWrite(request, 0);
      emptyQueues();
    });
  }
  return code;
}

function shutDown(handle: JsStream, native: TcpHandle, request: NodeRequest): number {
  const shutdown = new ShutdownWrap();
  shutdown.oncomplete = (status) => handle.finishShutdown(request, status);
  return native.shutdown(shutdown);
}

function define(handle: object, name: string, property: PropertyDescriptor): void {
  Object.defineProperty(handle, name, { ...property, configurable: true });
}
