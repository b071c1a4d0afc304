/**
 * Attaches this thread to a stack in another process, over the control socket of its network:
 *
 *   connect ─► GET /session?stack=NAME, Upgrade: usernet-session ─► 101 ─► session messages both ways
 *
 * The handshake is done in one go, so that what the program does first (a `listen`, whose port it wants to know) works as
 * on any machine. The connection is a bare Pipe handle: `net` need not be loaded. It does not keep the event loop alive,
 * the sockets on it do; it closes with the process, also when that is killed, and the other side sees that.
 */
import { readSync, writeSync } from 'node:fs';
import { UsernetError } from '../base/errors.js';
import { Errno } from '../session/errno.js';
import { StreamPort } from '../session/stream-port.js';
import type { ByteSink } from '../session/stream-protocol.js';
import { emptyQueues, inRootContext, reportUncaught } from './callback.js';
import { nodeBinding, type PipeHandle } from './node-binding.js';
import { uvCode } from './uv-errno.js';

const { Pipe, PipeConnectWrap, constants } = nodeBinding('pipe_wrap');
const { kArrayBufferOffset, kReadBytesOrError, streamBaseState } = nodeBinding('stream_wrap');
const UV_EOF = uvCode('EOF');

const PROTOCOL = 'usernet-session';
const HANDSHAKE_TIMEOUT_MS = 10_000;
const POLL_MS = 1;
const READ_BYTES = 65_536;
const END_OF_HEAD = '\r\n\r\n';

export interface AttachOptions {
  /** Path of the network's control socket. */
  readonly control: string;
  readonly stack: string;
  /** Name of the application, for people who look at the network. */
  readonly application: string;
}

export interface Attached {
  readonly port: StreamPort;
  /** Name servers of the stack, as the network told them: `10.0.0.1:53`. */
  readonly nameServers: readonly string[];
}

/** @throws UsernetError USERNET_ATTACH when nobody answers there or the network refuses. */
export function attach(options: AttachOptions): Attached {
  const pipe = inRootContext(() => new Pipe(constants.SOCKET));
  const fd = connect(pipe, options);
  const { head, rest } = shakeHandsOrClose(pipe, fd, options);
  const port = inRootContext(() => joinPort(pipe, fd, options.application));
  if (rest.length > 0) setImmediate(() => port.receive(rest));
  const servers = /^usernet-name-servers: *(.*?) *$/im.exec(head)?.[1] ?? '';
  return { port, nameServers: servers.split(/[ ,]+/).filter((server) => server !== '') };
}

/** Connects to a Unix socket, which takes no time, and gives the descriptor. */
function connect(pipe: PipeHandle, { control }: AttachOptions): number {
  const request = new PipeConnectWrap();
  request.oncomplete = () => {};
  pipe.connect(request, control);
  pipe.unref();
  return pipe.fd;
}

interface Answer {
  readonly head: string;
  /** What came behind the head. */
  readonly rest: Uint8Array;
}

function shakeHandsOrClose(pipe: PipeHandle, fd: number, options: AttachOptions): Answer {
  try {
    return shakeHands(fd, options);
  } catch (error) {
    pipe.close();
    throw error;
  }
}

function shakeHands(fd: number, options: AttachOptions): Answer {
  const { control, stack } = options;
  const path = `/session?stack=${encodeURIComponent(stack)}`;
  const answer = exchange(
    fd,
    `GET ${path} HTTP/1.1\r\nHost: usernet\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}${END_OF_HEAD}`,
  );
  if (answer === undefined) {
    throw new UsernetError(
      'USERNET_ATTACH',
      `no network answers at the control socket ${control}`,
      'is "usernet up" running?',
    );
  }
  if (/^HTTP\/1\.1 101 /.test(answer.head)) return answer;
  const { message = answer.head.split('\r\n')[0]!, hint } = refusalOf(answer.rest);
  throw new UsernetError('USERNET_ATTACH', `cannot attach to the stack "${stack}": ${message}`, hint);
}

/** What the network says about a refusal. */
function refusalOf(body: Uint8Array): { readonly message?: string; readonly hint?: string } {
  try {
    return JSON.parse(Buffer.from(body).toString()).error ?? {};
  } catch {
    return {};
  }
}

/** Writes a request and reads the head of its answer; undefined if there is none. */
function exchange(fd: number, request: string): Answer | undefined {
  const deadline = Date.now() + HANDSHAKE_TIMEOUT_MS;
  try {
    writeSync(fd, request);
    let received: Buffer = Buffer.alloc(0);
    while (Date.now() < deadline) {
      const count = readNow(fd, received);
      if (count === undefined) return undefined;
      received = count;
      const end = received.indexOf(END_OF_HEAD);
      if (end < 0) sleep(POLL_MS);
      else return { head: received.toString('latin1', 0, end), rest: Uint8Array.from(received.subarray(end + 4)) };
    }
  } catch {
    // Nobody listens there any more.
  }
  return undefined;
}

/** `before` and what has come since; undefined at the end of the stream. */
function readNow(fd: number, before: Buffer): Buffer | undefined {
  const chunk = Buffer.alloc(READ_BYTES);
  try {
    const count = readSync(fd, chunk);
    return count === 0 ? undefined : Buffer.concat([before, chunk.subarray(0, count)]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return before;
    throw error;
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Makes the port on a connection from which on session messages go both ways. */
function joinPort(pipe: PipeHandle, fd: number, name: string): StreamPort {
  const sink = new PipeSink(pipe, fd, () => port.drained());
  const flushes = new FlushSchedule();
  const port: StreamPort = new StreamPort({
    sink,
    name,
    schedule: (flush) => flushes.add(flush),
    readMore: () => readMore(pipe, fd, sink, port),
  });
  const flushAtExit = (): void => {
    pipe.setBlocking(true);
    flushes.run();
    sink.finish();
  };
  // What was written before process.exit() is on its way, as the kernel's sockets have it.
  process.on('exit', flushAtExit);
  const end = (errno: number): void => {
    process.off('exit', flushAtExit);
    guard(() => port.streamClosed(errno));
    pipe.close();
  };
  pipe.onread = (data) => {
    const count = streamBaseState[kReadBytesOrError]!;
    if (count < 0) {
      end(count === UV_EOF ? Errno.ECONNRESET : Errno.EIO);
    } else if (count > 0) {
      const bytes = new Uint8Array(data!, streamBaseState[kArrayBufferOffset], count);
      guard(() => port.receive(bytes));
      sink.retry();
    }
    return undefined;
  };
  pipe.readStart();
  return port;
}

/** Waits for bytes while nothing else runs: for the answer to a request that the application can't go on without. */
function readMore(pipe: PipeHandle, fd: number, sink: PipeSink, port: StreamPort): boolean {
  if (port.isClosed) return false;
  const chunk = Buffer.allocUnsafeSlow(READ_BYTES);
  let count = 0;
  pipe.setBlocking(true);
  try {
    sink.finish();
    count = readSync(fd, chunk);
  } catch {
    // The end, as below.
  }
  pipe.setBlocking(false);
  if (count === 0) port.streamClosed();
  else port.receive(chunk.subarray(0, count));
  return count > 0;
}

/** Runs `action`; its exceptions become uncaught ones: nothing of the application's may break the connection. */
function guard(action: () => void): void {
  try {
    action();
  } catch (error) {
    reportUncaught(error);
    emptyQueues();
  }
}

/** What is to be written at the end of the turn. */
class FlushSchedule {
  #flush: (() => void) | undefined;

  add(flush: () => void): void {
    if (this.#flush === undefined) setImmediate(() => this.run());
    this.#flush = flush;
  }

  run(): void {
    const flush = this.#flush;
    this.#flush = undefined;
    if (flush !== undefined) guard(flush);
  }
}

/**
 * Writes to the connection, past libuv: what that kept for later could not be hurried when the application waits for an
 * answer. There is room again when the other side has read, and then it mostly has something to say; a timer is for when
 * it has not.
 */
class PipeSink implements ByteSink {
  readonly #pipe: PipeHandle;
  readonly #fd: number;
  readonly #onDrained: () => void;
  /** Bytes that found no room. */
  #rest: Uint8Array | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(pipe: PipeHandle, fd: number, onDrained: () => void) {
    this.#pipe = pipe;
    this.#fd = fd;
    this.#onDrained = onDrained;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#writeNow(bytes)) return true;
    this.#timer = setTimeout(() => this.retry(), POLL_MS);
    return false;
  }

  /** There may be room again. */
  retry(): void {
    if (this.#rest === undefined) return;
    clearTimeout(this.#timer);
    if (this.#writeNow(this.#rest)) guard(this.#onDrained);
    else this.#timer = setTimeout(() => this.retry(), POLL_MS);
  }

  /** Writes what is left, on a connection that was made blocking. */
  finish(): void {
    if (this.#rest === undefined) return;
    clearTimeout(this.#timer);
    this.#writeNow(this.#rest);
    this.#onDrained();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#pipe.close();
  }

  /** Writes as much as finds room; true if that is all. */
  #writeNow(bytes: Uint8Array): boolean {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#rest = bytes.subarray(written);
        return false;
      }
      // Nobody is there any more: the end comes by the reading side.
    }
    this.#rest = undefined;
    return true;
  }
}
