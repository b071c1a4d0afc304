/**
 * The bindings under Node's own net, dgram and tls: the objects that `process.binding` gives are those that core itself
 * uses. Their shape is not documented; what is used of it here was found the same in Node 20, 22, 24 and 26, but for the
 * write protocol (see `WriteResult`). Nothing in this file may load `net`, not even indirectly: the preload depends on it.
 */
import { UsernetError } from '../base/errors.js';

/** What net.js passes to a handle for a connect, write or shutdown, and gets back in `oncomplete`. */
export interface NodeRequest {
  oncomplete: ((status: number, handle?: unknown, ...rest: unknown[]) => void) | undefined;
  [key: string | symbol]: unknown;
}

/**
 * What the write methods of a handle return. Node 20 to 24: an error number, 0 if the write was dispatched, and
 * `streamBaseState[kLastWriteWasAsync]` tells whether `oncomplete` of the request follows. Node 26: an error number, 0 if
 * the write is done, or an object of whose `oncomplete` the result comes.
 */
export type WriteResult = number | NodeRequest;

/** The writing half of a handle, as net.js calls it. */
export interface HandleWriter {
  writeBuffer(request: NodeRequest | null, bytes: Uint8Array, passedHandle?: unknown): WriteResult;
  writev(request: NodeRequest | null, chunks: unknown[], areBuffers: boolean): WriteResult;
  writeUtf8String(request: NodeRequest | null, text: string, passedHandle?: unknown): WriteResult;
  writeAsciiString(request: NodeRequest | null, text: string): WriteResult;
  writeLatin1String(request: NodeRequest | null, text: string): WriteResult;
  writeUcs2String(request: NodeRequest | null, text: string): WriteResult;
}

/** A native handle on a byte stream (JSStream, TCP, Pipe). */
export interface StreamHandle extends HandleWriter {
  onread: ((data?: ArrayBuffer) => unknown) | undefined;
  reading?: boolean;
  readonly fd: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly isStreamBase: boolean;
  readStart(): number;
  readStop(): number;
  shutdown(request: NodeRequest): number;
  useUserBuffer(buffer: Uint8Array): void;
  getAsyncId(): number;
}

/** A stream whose input and output are callbacks in JavaScript: isClosing, onreadstart, onreadstop, onwrite, onshutdown. */
export interface JsStream extends StreamHandle {
  finishWrite(request: NodeRequest, status: number): void;
  finishShutdown(request: NodeRequest, status: number): void;
  readBuffer(bytes: Uint8Array): void;
  emitEOF(): void;
}

/** What `getsockname` and `getpeername` fill in. */
export interface EndpointObject {
  address?: string;
  family?: string;
  port?: number;
}

export interface NativeHandle {
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  getAsyncId(): number;
}

export interface TcpHandle extends StreamHandle, NativeHandle {
  onconnection: ((status: number, client?: TcpHandle) => void) | undefined;
  readonly writeQueueSize: number;
  open(fd: number): number;
  bind(address: string, port: number, flags?: number): number;
  bind6(address: string, port: number, flags?: number): number;
  listen(backlog: number): number;
  connect(request: NodeRequest, address: string, port: number): number;
  connect6(request: NodeRequest, address: string, port: number): number;
  getsockname(out: EndpointObject): number;
  getpeername(out: EndpointObject): number;
  setNoDelay(enable: boolean): number;
  setKeepAlive(enable: boolean, seconds: number): number;
  setBlocking(enable: boolean): number;
  reset(callback?: () => void): number;
  setTypeOfService?(value: number): number;
  getTypeOfService?(): number;
}

export interface PipeHandle extends StreamHandle, NativeHandle {
  readonly writeQueueSize: number;
  open(fd: number): number;
  connect(request: NodeRequest, path: string): number;
  setBlocking(enable: boolean): number;
}

export type DatagramCallback = (bytes: number, handle: unknown, data: unknown, remote?: unknown) => void;

export interface UdpHandle extends NativeHandle {
  onmessage: DatagramCallback | undefined;
  readonly fd: number;
  open(fd: number): number;
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  connect(address: string, port: number): number;
  connect6(address: string, port: number): number;
  disconnect(): number;
  /** `send(request, list, count, port, address, hasCallback)`, or without port and address on a connected socket. */
  send(request: NodeRequest, list: readonly ArrayBufferView[], count: number, ...rest: unknown[]): number;
  send6(request: NodeRequest, list: readonly ArrayBufferView[], count: number, ...rest: unknown[]): number;
  recvStart(): number;
  recvStop(): number;
  getsockname(out: EndpointObject): number;
  getpeername(out: EndpointObject): number;
  addMembership(group: string, local?: string): number;
  dropMembership(group: string, local?: string): number;
  addSourceSpecificMembership(source: string, group: string, local?: string): number;
  dropSourceSpecificMembership(source: string, group: string, local?: string): number;
  setMulticastInterface(address: string): number;
  setMulticastTTL(ttl: number): number;
  setMulticastLoopback(enable: boolean): number;
  setBroadcast(enable: boolean): number;
  setTTL(ttl: number): number;
  bufferSize(size: number, isReceive: boolean, context: Record<string, unknown>): number | undefined;
  getSendQueueSize(): number;
  getSendQueueCount(): number;
}

export interface TcpBinding {
  TCP: new (type: number) => TcpHandle;
  readonly constants: Readonly<Record<'SOCKET' | 'SERVER' | 'UV_TCP_IPV6ONLY', number>> & { UV_TCP_REUSEPORT?: number };
}

export interface UdpBinding {
  UDP: new () => UdpHandle;
  readonly constants: Readonly<Record<'UV_UDP_IPV6ONLY' | 'UV_UDP_REUSEADDR', number>> & { UV_UDP_REUSEPORT?: number };
}

export interface PipeBinding {
  readonly Pipe: { new (type: number): PipeHandle; prototype: HandleWriter };
  readonly PipeConnectWrap: new () => NodeRequest;
  readonly constants: Readonly<Record<'SOCKET' | 'SERVER' | 'IPC', number>>;
}

/** What of a child's start is looked at. */
export interface SpawnOptions {
  readonly args?: readonly string[] | undefined;
  readonly envPairs?: readonly string[] | undefined;
}

export interface ProcessBinding {
  readonly Process: { prototype: { spawn(...given: SpawnArguments): number } };
}

/** Options in one object; newer versions from 24 on: one after the other. */
export type SpawnArguments =
  | [options: SpawnOptions, args?: undefined, directory?: undefined, envPairs?: undefined]
  | [
      file: string,
      args: readonly string[] | undefined,
      directory: string | undefined,
      envPairs: readonly string[] | undefined,
      ...rest: unknown[],
    ];

export interface StreamBinding {
  readonly WriteWrap: new () => NodeRequest;
  readonly ShutdownWrap: new () => NodeRequest;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
  readonly kBytesWritten: number;
  readonly kLastWriteWasAsync: number;
  /** Node 26 on: see {@link WriteResult}. */
  readonly kLastWriteErr?: number;
  readonly streamBaseState: Int32Array;
}

export interface TlsBinding {
  wrap(handle: object, context: object, isServer: boolean, ...rest: unknown[]): StreamHandle;
}

type UvBinding = {
  errname(code: number): string;
  getErrorMap?(): Map<number, [name: string, text: string]>;
} & Readonly<Record<`UV_${string}`, number>>;

/** What a dns.Resolver asks. */
export interface DnsChannel {
  getServers(): [address: string, port: number][];
  setServers(servers: [family: number, address: string, port: number][]): number;
  cancel(): void;
}

export interface CaresBinding {
  getaddrinfo(request: NodeRequest, name: string, family: number, hints: number, order: number): number;
  getnameinfo(request: NodeRequest, address: string, port: number): number;
  ChannelWrap: new (timeoutMs: number, tries: number, maxTimeoutMs?: number) => DnsChannel;
}

interface Bindings {
  tcp_wrap: TcpBinding;
  udp_wrap: UdpBinding;
  pipe_wrap: PipeBinding;
  process_wrap: ProcessBinding;
  stream_wrap: StreamBinding;
  js_stream: { readonly JSStream: new () => JsStream };
  tls_wrap: TlsBinding;
  uv: UvBinding;
  cares_wrap: CaresBinding;
}

/** @throws UsernetError USERNET_NO_BINDING under --permission, or in a runtime that is not Node. */
export function nodeBinding<Name extends keyof Bindings>(name: Name): Bindings[Name] {
  const binding = (process as unknown as { binding?: (name: string) => unknown }).binding;
  try {
    if (binding === undefined) throw new TypeError('process.binding is not a function');
    return binding.call(process, name) as Bindings[Name];
  } catch (cause) {
    const isForbidden = (cause as { code?: unknown }).code === 'ERR_ACCESS_DENIED';
    const error = new UsernetError(
      'USERNET_NO_BINDING',
      `usernet cannot reach Node's ${name} binding${isForbidden ? ': the permission model (--permission) refuses it' : ''}`,
      isForbidden ? 'start node without --permission' : 'usernet needs Node.js 20.19 or later',
    );
    error.cause = cause;
    throw error;
  }
}
