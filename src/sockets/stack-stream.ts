/**
 * A session as the stream handle that net, http, tls and http2 expect. It is a JSStream, so that C++ consumers (TLS, HTTP/2,
 * an HTTP parser) can sit on it: they are fed by readBuffer and write through `onwrite`. JavaScript consumers (net.Socket)
 * take the fast path: writes go straight to the port, and `onread` gets bytes that were copied once. Who looks at
 * `isStreamBase` is about to consume natively; from then on reads go the native way.
 */
import { type NodeRequest, nodeBinding, type StreamHandle, type WriteResult } from './node-binding.js';
import type { StackSockets } from './stack-sockets.js';
import { StreamReader } from './stream-reader.js';
import { StreamState } from './stream-state.js';
import { StreamWriter } from './stream-writer.js';
import { uvCode } from './uv-errno.js';
import { refuseWrite } from './write-protocol.js';

const { JSStream } = nodeBinding('js_stream');

const UV_EBADF = uvCode('EBADF');
const UV_EINVAL = uvCode('EINVAL');
const UV_ENOTCONN = uvCode('ENOTCONN');

export abstract class StackStream extends JSStream {
  readonly #state: StreamState;
  #reader: StreamReader | undefined;
  #writer: StreamWriter | undefined;

  constructor(sockets: StackSockets) {
    super();
    this.#state = new StreamState(sockets, this);
  }

  protected get state(): StreamState {
    return this.#state;
  }

  protected get reader(): StreamReader | undefined {
    return this.#reader;
  }

  protected get writer(): StreamWriter | undefined {
    return this.#writer;
  }

  /** The handle has this session from now on. */
  protected beginStream(session: number): void {
    this.#state.session = session;
    this.#reader = new StreamReader(this.#state);
    this.#writer = new StreamWriter(this.#state);
  }

  /** The session is gone; `errno` 0 = in order. */
  protected endStream(errno: number): void {
    const state = this.#state;
    state.markGone(errno);
    this.#reader?.wake();
    if (!state.isClosed && this.writeQueueSize > 0) this.#writer?.fail(state.takeError());
  }

  // ── what Node looks at ──

  override get onread(): StreamHandle['onread'] {
    return this.#state.onread;
  }

  override set onread(callback: StreamHandle['onread']) {
    this.#state.onread = callback;
    // The native accessor aborts the process for anything but a function.
    if (typeof callback === 'function') super.onread = callback;
  }

  override get isStreamBase(): boolean {
    this.#state.isNative = true;
    return true;
  }

  override get fd(): number {
    return -1;
  }

  override get bytesRead(): number {
    return this.#state.bytesRead;
  }

  override get bytesWritten(): number {
    return this.#state.bytesWritten;
  }

  get writeQueueSize(): number {
    return this.#writer?.queuedBytes ?? 0;
  }

  override getAsyncId(): number {
    return this.#state.resource.asyncId();
  }

  asyncReset(): void {
    this.#state.renewResource();
  }

  ref(): void {
    this.#state.loop.setReferenced(true);
  }

  unref(): void {
    this.#state.loop.setReferenced(false);
  }

  hasRef(): boolean {
    return this.#state.loop.isReferenced && !this.#state.isClosed;
  }

  /** Learns which native handle sits on this one, so that errors of the connection go there. */
  setUpper(upper: StreamHandle): void {
    this.#state.isNative = true;
    this.#state.upper = upper;
  }

  // ── the stream ──

  override readStart(): number {
    if (this.#state.isClosed) return UV_EINVAL;
    if (this.#reader === undefined) return UV_ENOTCONN;
    this.#reader.start();
    return 0;
  }

  override readStop(): number {
    this.#reader?.stop();
    return 0;
  }

  override useUserBuffer(buffer: Uint8Array): void {
    this.#state.userBuffer = buffer;
    super.useUserBuffer(buffer);
  }

  override writeBuffer(request: NodeRequest | null, bytes: Uint8Array): WriteResult {
    return this.#writer?.writeBytes(request, bytes) ?? refuseWrite(UV_EBADF);
  }

  override writev(request: NodeRequest | null, chunks: unknown[], areBuffers: boolean): WriteResult {
    return this.#writer?.writeChunks(request, chunks, areBuffers) ?? refuseWrite(UV_EBADF);
  }

  override writeUtf8String(request: NodeRequest | null, text: string): WriteResult {
    return this.#writer?.writeText(request, text, 'utf8') ?? refuseWrite(UV_EBADF);
  }

  /** Node's native handles take "ascii" for latin1 when they write. */
  override writeAsciiString(request: NodeRequest | null, text: string): WriteResult {
    return this.writeLatin1String(request, text);
  }

  override writeLatin1String(request: NodeRequest | null, text: string): WriteResult {
    return this.#writer?.writeText(request, text, 'latin1') ?? refuseWrite(UV_EBADF);
  }

  override writeUcs2String(request: NodeRequest | null, text: string): WriteResult {
    return this.#writer?.writeText(request, text, 'utf16le') ?? refuseWrite(UV_EBADF);
  }

  override shutdown(request: NodeRequest): number {
    return this.#writer?.shutdown(request) ?? UV_ENOTCONN;
  }

  // ── the stream, as its consumers in C++ call it ──

  isClosing(): boolean {
    return this.#state.isClosed;
  }

  onreadstart(): number {
    this.#state.isNative = true;
    return this.readStart();
  }

  onreadstop(): number {
    return this.readStop();
  }

  onwrite(request: NodeRequest, chunks: Uint8Array[]): number {
    return this.#writer?.writeNative(request, chunks) ?? UV_EBADF;
  }

  onshutdown(request: NodeRequest): number {
    return this.#writer?.shutdownNative(request) ?? UV_ENOTCONN;
  }
}
