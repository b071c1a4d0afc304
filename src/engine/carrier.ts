/** Makes the devices that interfaces stand on: veth pairs, packet streams, capture files; with the wrappers asked for. */
import { createWriteStream, readFileSync, type WriteStream } from 'node:fs';
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
  return new CaptureDevice(context.pool, context.clock, {
    linkType: config.link,
    pace: config.pace,
    name,
    ...(config.read === undefined ? {} : { replay: readCapture(config.read) }),
    ...(config.write === undefined ? {} : { writer: files.writer(config.write) }),
  });
}

function readCapture(file: string): Uint8Array {
  try {
    return readFileSync(resolve(file));
  } catch (error) {
    throw new UsernetError('USERNET_CAPTURE', `can't read the capture file ${file}: ${(error as Error).message}`);
  }
}

/** Capture files that are being written: interfaces that name the same file share it. */
export class CaptureFiles {
  readonly #context: CarrierContext;
  readonly #open = new Map<string, { writer: CaptureWriter; stream: WriteStream }>();

  constructor(context: CarrierContext) {
    this.#context = context;
  }

  /** The writer of a file; the first one truncates it. */
  writer(name: string): CaptureWriter {
    const file = resolve(name);
    const open = this.#open.get(file);
    if (open !== undefined) return open.writer;
    const stream = createWriteStream(file);
    const { pool, clock, epochMs } = this.#context;
    const writer = new CaptureWriter({ pool, clock, epochMs, sink: (bytes) => stream.write(bytes) });
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
