/**
 * Joins the two ends of a stream carrier in memory, as a Unix socket would: bytes are cut up anywhere, and each side may
 * be blocked for a while. Seeded.
 */
import { type Random, randomBelow } from '../../base/random.js';
import type { SessionLayer } from '../session-layer.js';
import { StreamPort, type StreamPortOptions } from '../stream-port.js';
import type { ByteSink } from '../stream-protocol.js';
import { StreamServer, type StreamServerOptions } from '../stream-server.js';

/** One direction. */
class Pipe implements ByteSink {
  /** Called with bytes that the receiver may keep. */
  onBytes: (bytes: Uint8Array) => void = () => {};
  onDrained: () => void = () => {};
  onEnd: () => void = () => {};
  isEnded = false;
  /** While true nothing passes. */
  isStopped = false;
  readonly #random: Random | undefined;
  #held: Uint8Array | undefined;
  readonly #queue: Uint8Array[] = [];

  constructor(random: Random | undefined) {
    this.#random = random;
  }

  get isIdle(): boolean {
    return this.isStopped || (this.#queue.length === 0 && this.#held === undefined && !this.isEnded);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#held !== undefined) throw new Error('written to a blocked stream');
    if (this.isStopped || (this.#random !== undefined && randomBelow(this.#random, 2) === 0)) {
      this.#held = bytes;
      return false;
    }
    this.#queue.push(bytes.slice());
    return true;
  }

  end(): void {
    this.isEnded = true;
  }

  /** Delivers what there is. */
  pump(): void {
    if (this.isStopped) return;
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      this.#queue.push(held.slice());
      this.onDrained();
    }
    for (let left = this.#queue.length; left > 0; left--) this.#deliver(this.#queue.shift()!);
    if (this.isEnded && this.#queue.length === 0 && this.#held === undefined) {
      this.isEnded = false;
      this.isStopped = true;
      this.onEnd();
    }
  }

  #deliver(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const count = this.#random === undefined ? bytes.length : 1 + randomBelow(this.#random, bytes.length - at);
      this.onBytes(bytes.slice(at, at + count));
      at += count;
    }
  }
}

export class StreamLink {
  readonly port: StreamPort;
  readonly server: StreamServer;
  /** Why the server ended the stream. */
  endReason: string | undefined;
  readonly toServer: Pipe;
  readonly toPort: Pipe;
  readonly #scheduled: (() => void)[] = [];

  constructor(
    layer: SessionLayer,
    random: Random | undefined,
    portOptions: Partial<StreamPortOptions> = {},
    serverOptions: Partial<StreamServerOptions> = {},
  ) {
    this.toServer = new Pipe(random);
    this.toPort = new Pipe(random);
    this.server = new StreamServer(layer, {
      sink: this.toPort,
      namespace: 0,
      stack: 0,
      onEnd: (reason) => {
        this.endReason = reason;
      },
      ...serverOptions,
    });
    this.port = new StreamPort({
      sink: this.toServer,
      schedule: (flush) => this.#scheduled.push(flush),
      name: 'attached',
      ...portOptions,
    });
    this.toServer.onBytes = (bytes) => this.server.receive(bytes);
    this.toServer.onDrained = () => this.port.drained();
    this.toServer.onEnd = () => this.server.closed();
    this.toPort.onBytes = (bytes) => this.port.receive(bytes);
    this.toPort.onDrained = () => this.server.drained();
    this.toPort.onEnd = () => this.port.streamClosed();
  }

  get isIdle(): boolean {
    return this.#scheduled.length === 0 && this.toServer.isIdle && this.toPort.isIdle;
  }

  /** Carries what waits on both sides, once. */
  pump(): void {
    for (let left = this.#scheduled.length; left > 0; left--) this.#scheduled.shift()!();
    this.toServer.pump();
    this.toPort.pump();
  }
}
