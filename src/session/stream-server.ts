/**
 * The session layer's end of a byte stream: one application in another process. See stream-protocol.ts.
 *
 *   socket ─► receive() ─► requests, data into the send FIFOs
 *   events ─► messages; receive FIFOs ─► data, as far as credit and the stream allow ─► flush() ─► sink
 *
 * Whatever the other process sends or fails to send, it can hurt only itself: a stream that breaks the rules is ended
 * and its application detached.
 */
import type { AppWorker, AttachOptions, EventSink } from './application.js';
import { Errno, errnoName } from './errno.js';
import { HandleKind, handleKind } from './handle.js';
import { messageTypeName, Request, SessionEvent, SessionMessage } from './message.js';
import { NO_ROW, RowFlag } from './row-table.js';
import type { Flushable, SessionLayer } from './session-layer.js';
import { StreamParser } from './stream-parser.js';
import { type ByteSink, WINDOW_BYTES } from './stream-protocol.js';
import { StreamSender } from './stream-sender.js';
import { StreamServerTcp } from './stream-server-tcp.js';
import { StreamServerUdp } from './stream-server-udp.js';
import { decodeText } from './text.js';

export interface StreamServerOptions {
  readonly sink: ByteSink;
  /** Where the application gets to; its name is the one it gives itself unless `name` is set. */
  readonly namespace: number;
  readonly stack: number;
  readonly name?: string;
  readonly limits?: AttachOptions['limits'];
  /** Called once when the stream was ended by this side, with the reason. */
  readonly onEnd?: (reason: string) => void;
}

export class StreamServer implements EventSink, Flushable {
  readonly #layer: SessionLayer;
  readonly #options: StreamServerOptions;
  readonly #parser: StreamParser;
  readonly #sender: StreamSender;
  readonly #event = new SessionMessage();
  #worker: AppWorker | undefined;
  #tcp: StreamServerTcp | undefined;
  #udp: StreamServerUdp | undefined;
  #isEnded = false;
  #isFlushRequested = false;

  constructor(layer: SessionLayer, options: StreamServerOptions) {
    this.#layer = layer;
    this.#options = options;
    this.#sender = new StreamSender(options.sink);
    this.#parser = new StreamParser(
      {
        onMessage: (message) => this.#handle(message),
        onData: (session, bytes, from, count) => this.#handleData(session, bytes, from, count),
      },
      Request.data,
    );
  }

  /** The application's worker, once it has attached. */
  get worker(): AppWorker | undefined {
    return this.#worker;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  // ── the stream's side ──

  /** Bytes came from the application; the memory is the caller's again after the call. */
  receive(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    if (!this.#parser.receive(bytes)) this.#end('malformed message');
  }

  /** What the sink kept is written. */
  drained(): void {
    if (this.#isEnded) return;
    this.#sender.drained();
    this.flush();
  }

  /** The stream is closed: the application is dead, or has let go of everything. */
  closed(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#parser.stop();
    this.#detach();
  }

  /** Ends the stream from this side, and detaches the application. */
  end(reason: string): void {
    this.#end(reason);
  }

  // ── the session layer's side ──

  event(event: SessionMessage): void {
    if (this.#isEnded) return;
    if (event.type === SessionEvent.detached) {
      this.#sender.message(event);
      this.#sender.flush();
      this.#worker = undefined;
      this.#end('the stack is gone');
      return;
    }
    const kind = handleKind(event.session);
    const isHandled =
      event.session !== 0 &&
      ((kind === HandleKind.session && this.#tcp!.event(event)) ||
        (kind === HandleKind.udpSocket && this.#udp!.event(event)));
    if (!isHandled) this.#sender.message(event);
    this.#requestFlush();
  }

  /** Sends what there is, as far as credits and the stream allow. */
  flush(): void {
    this.#isFlushRequested = false;
    if (this.#isEnded) return;
    this.#tcp?.pump();
    this.#udp?.pump();
    this.#sender.flush();
    if (this.#sender.isOverrun) this.#end('the application does not read');
  }

  #requestFlush(): void {
    if (this.#isFlushRequested) return;
    this.#isFlushRequested = true;
    this.#layer.requestFlush(this);
  }

  #handle(message: SessionMessage): void {
    const worker = this.#worker;
    if (worker === undefined) {
      this.#attach(message);
      return;
    }
    switch (message.type) {
      case Request.credit:
        this.#handleCredit(worker, message);
        break;
      case Request.udpSend:
        if (!this.#udp!.send(message)) this.#end('more datagrams than granted');
        break;
      case Request.attach:
      case Request.registerWorker:
        this.#end('attached twice');
        return;
      case Request.close:
        this.#resetIfUnread(worker, message);
        if (!this.#tcp!.defer(message)) this.#layer.handle(worker, message);
        break;
      case Request.shutdown:
        if (!this.#tcp!.defer(message)) this.#layer.handle(worker, message);
        break;
      case Request.udpClose:
        this.#udp!.forget(message.session);
        this.#layer.handle(worker, message);
        break;
      default:
        this.#layer.handle(worker, message);
    }
    this.#requestFlush();
  }

  #handleData(session: number, bytes: Uint8Array, from: number, count: number): void {
    if (this.#tcp === undefined) this.#end('data before attach');
    else if (!this.#tcp.receive(session, bytes, from, count)) this.#end('more data than granted');
    else if (this.#sender.hasOutput) this.#requestFlush();
  }

  /** A session is closed: bytes that the application never read make it a reset, as they do in the FIFO. RFC 2525 section 2.17. */
  #resetIfUnread(worker: AppWorker, message: SessionMessage): void {
    const row = this.#layer.findRow(worker, message.session);
    const { rows } = this.#layer.state;
    if (row === NO_ROW || rows.has(row, RowFlag.gone | RowFlag.deferred)) return;
    if (this.#tcp!.unread(row, message.value) > 0) message.type = Request.reset;
  }

  #handleCredit(worker: AppWorker, message: SessionMessage): void {
    const row = this.#layer.findRow(worker, message.session);
    if (row === NO_ROW) return;
    const part = handleKind(message.session) === HandleKind.session ? this.#tcp! : this.#udp!;
    const credit = part.rows.sendCredit[row]! + message.value;
    if (message.value < 0 || credit > part.windowBytes) {
      this.#end('more credit than was used');
      return;
    }
    part.rows.sendCredit[row] = credit;
    part.list(row);
  }

  #attach(message: SessionMessage): void {
    const { namespace, stack, limits } = this.#options;
    const layer = this.#layer;
    if (message.type === Request.attach) {
      const name = this.#options.name ?? decodeText(message.payload);
      this.#worker = layer.attach({ name, namespace, stack, ...(limits ? { limits } : {}) }, this);
    } else if (message.type === Request.registerWorker) {
      this.#worker = layer.registerWorker(message.session, namespace, stack, this);
      if (this.#worker === undefined) {
        this.#refuse(message.request);
        return;
      }
    } else {
      this.#end(`${messageTypeName(message.type)} before attach`);
      return;
    }
    this.#tcp = new StreamServerTcp(layer, this.#worker, this.#sender);
    this.#udp = new StreamServerUdp(layer, this.#worker, this.#sender);
    const event = this.#event.reset(SessionEvent.attached);
    event.request = message.request;
    event.session = this.#worker.application.handle;
    event.value = WINDOW_BYTES;
    this.#sender.message(event);
    this.#requestFlush();
  }

  #refuse(request: number): void {
    const event = this.#event.reset(SessionEvent.failed);
    event.request = request;
    event.errno = Errno.ENOENT;
    this.#sender.message(event);
    this.#sender.flush();
    this.#end(`no such application: ${errnoName(Errno.ENOENT)}`);
  }

  #end(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#parser.stop();
    this.#detach();
    this.#options.sink.end();
    this.#options.onEnd?.(reason);
  }

  #detach(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) this.#layer.detach(worker);
  }
}
