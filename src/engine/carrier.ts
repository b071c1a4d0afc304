/** Makes the devices that interfaces stand on: veth pairs, packet streams, capture files; with the wrappers asked for. */
import { createWriteStream, openSync, readFileSync, type WriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { UsernetError } from '../base/errors.js';
import { type Random, seededRandom } from '../base/random.js';
import type { Clock } from '../base/time.js';
import type { ImpairConfig, PacketCallbacks, PacketStream, PcapConfig, StreamConfig } from '../config/schema.js';
import { CaptureDevice } from '../drivers/capture-device.js';
import { CaptureTee } from '../drivers/capture-tee.js';
import { CaptureWriter } from '../drivers/capture-writer.js';
import type { Device } from '../drivers/device.js';
import { FaultInjector, type FaultOptions } from '../drivers/fault-injector.js';
import type { RingStore } from '../drivers/ring-store.js';
import { StreamDevice } from '../drivers/stream-device.js';
import type { Kernels } from '../kernels/kernels.js';
import type { PacketPool } from '../mem/packet-pool.js';

/** What devices are made from. */
export interface CarrierContext {
  readonly pool: PacketPool;
  readonly rings: RingStore;
  readonly kernels: Kernels;
  readonly clock: Clock;
  /** Unix time in milliseconds at which the clock stood at 0. */
  readonly epochMs: number;
}

export interface WrapOptions {
  readonly impair?: ImpairConfig | undefined;
  readonly pcap?: string | undefined;
  /** What the interface is called in capture files. */
  readonly name: string;
}

/** Puts the wrappers around a device: the capture sees what the fault injector lets through, as a tap on the wire would. */
export function wrapDevice(context: CarrierContext, files: CaptureFiles, device: Device, options: WrapOptions): Device {
  let wrapped = device;
  if (options.pcap !== undefined) wrapped = new CaptureTee(wrapped, files.writer(options.pcap), options.name);
  if (options.impair === undefined) return wrapped;
  const random: Random = seededRandom(options.impair.seed);
  return new FaultInjector(wrapped, { ...context, random }, faultOptions(options.impair));
}

export function faultOptions(impair: ImpairConfig): FaultOptions {
  const { delay, jitter, rate, queue, seed: _, ...shares } = impair;
  const defined = {
    ...shares,
    delayMs: delay,
    jitterMs: jitter,
    rateBytesPerSecond: rate === undefined ? undefined : rate / 8,
    queueBytes: queue,
  };
  return Object.fromEntries(Object.entries(defined).filter(([, value]) => value !== undefined));
}

/** Makes the device of a `stream` interface. */
export function makeStreamDevice(context: CarrierContext, config: Omit<StreamConfig, 'address'>): StreamDevice {
  const { stream, link: linkType, mtu } = config;
  return isCallbacks(stream)
    ? joinCallbacks(context, stream, linkType, mtu)
    : joinDuplex(context, stream, linkType, mtu);
}

function isCallbacks(stream: PacketStream): stream is PacketCallbacks {
  return 'onPacket' in stream;
}

function joinCallbacks(
  context: CarrierContext,
  callbacks: PacketCallbacks,
  linkType: 'ethernet' | 'ip',
  mtu: number,
): StreamDevice {
  const onPacket = (packet: Uint8Array): boolean => {
    try {
      callbacks.onPacket(packet);
    } catch (error) {
      // The application's mistake, which must not end the graph's run halfway.
      process.nextTick(() => {
        throw error;
      });
    }
    return true;
  };
  const device = new StreamDevice(context.pool, context.rings, { linkType, mtu, onPacket });
  callbacks.inject = (packet) => injectInto(device, packet);
  return device;
}

/** False for packets that come when the interface is gone, as for all others that are not taken. */
function injectInto(device: StreamDevice, packet: Uint8Array): boolean {
  try {
    return device.inject(packet);
  } catch (error) {
    if (error instanceof UsernetError && error.code === 'USERNET_CLOSED') return false;
    throw error;
  }
}

/** A chunk of the stream is a packet: streams in object mode, message sockets, or ones that frame by themselves. */
function joinDuplex(
  context: CarrierContext,
  stream: NodeJS.ReadWriteStream,
  linkType: 'ethernet' | 'ip',
  mtu: number,
): StreamDevice {
  const device = new StreamDevice(context.pool, context.rings, {
    linkType,
    mtu,
    onPacket: (packet) => stream.write(packet),
    onSpace: () => stream.resume(),
  });
  stream.on('drain', () => device.resume());
  stream.on('data', (chunk: Uint8Array) => {
    injectInto(device, chunk);
    if (device.injectSpace === 0) stream.pause();
  });
  return device;
}

/** Makes the device of a `pcap` interface. */
export function makeCaptureDevice(
  context: CarrierContext,
  files: CaptureFiles,
  name: string,
  config: Omit<PcapConfig, 'address'>,
): CaptureDevice {
  const { link: linkType, pace, read, write } = config;
  const replay = read === undefined ? {} : { replay: readCapture(read) };
  const writer = write === undefined ? {} : { writer: files.writer(write) };
  try {
    return new CaptureDevice(context.pool, context.clock, { linkType, pace, name, ...replay, ...writer });
  } catch (error) {
    // What is read was no capture file.
    if (!(error instanceof UsernetError) || read === undefined) throw error;
    throw new CaptureFileError(read, `${read}: ${error.message}`);
  }
}

function readCapture(file: string): Uint8Array {
  try {
    return readFileSync(resolve(file));
  } catch (error) {
    throw new CaptureFileError(file, `can't read the capture file ${file}: ${reason(error)}`);
  }
}

/** A capture file that can't be used. */
export class CaptureFileError extends UsernetError {
  /** @param file as the configuration names it. */
  constructor(
    readonly file: string,
    message: string,
  ) {
    super('USERNET_CAPTURE', message);
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code !== undefined && REASONS[code]) || message;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'this user may not open it',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
  ENOSPC: 'no space is left',
};

function openToWrite(file: string): number {
  try {
    return openSync(resolve(file), 'w');
  } catch (error) {
    throw new CaptureFileError(file, `can't write the capture file ${file}: ${reason(error)}`);
  }
}

/** Capture files that are being written: interfaces that name the same file share it. */
export class CaptureFiles {
  readonly #context: CarrierContext;
  readonly #onFailure: (file: string, message: string) => void;
  readonly #open = new Map<string, { writer: CaptureWriter; stream: WriteStream }>();

  /** @param onFailure told once of a file that can't be written any more; nothing more goes to it. */
  constructor(context: CarrierContext, onFailure: (file: string, message: string) => void) {
    this.#context = context;
    this.#onFailure = onFailure;
  }

  /** The writer of a file; the first one truncates it. Throws {@link CaptureFileError}. */
  writer(name: string): CaptureWriter {
    const file = resolve(name);
    const open = this.#open.get(file);
    if (open !== undefined) return open.writer;
    const stream = createWriteStream(file, { fd: openToWrite(name) });
    let isBroken = false;
    stream.on('error', (error) => {
      if (!isBroken) this.#onFailure(name, reason(error));
      isBroken = true;
    });
    const sink = (bytes: Uint8Array): void => {
      if (!isBroken) stream.write(bytes);
    };
    const { pool, clock, epochMs } = this.#context;
    const writer = new CaptureWriter({ pool, clock, epochMs, sink });
    this.#open.set(file, { writer, stream });
    return writer;
  }

  /** Ends every file, with all that was written to it. */
  async close(): Promise<void> {
    const streams = [...this.#open.values()].map(({ stream }) => stream);
    this.#open.clear();
    await Promise.all(streams.map((stream) => new Promise<void>((done) => stream.end(() => done()))));
  }
}
