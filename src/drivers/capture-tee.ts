import type { CaptureWriter } from './capture-writer.js';
import type { Device } from './device.js';
import { DeviceWrapper } from './device-wrapper.js';

/**
 * Writes each packet that passes a device, in both directions, to a capture file. Packets on their way out are written
 * before the device has decided whether it has room for them.
 */
export class CaptureTee extends DeviceWrapper {
  readonly #writer: CaptureWriter;
  readonly #captureInterface: number;

  /** @param name what the interface is called in the file. */
  constructor(inner: Device, writer: CaptureWriter, name: string) {
    super(inner);
    this.#writer = writer;
    this.#captureInterface = writer.addInterface(name, inner.linkType);
  }

  override receive(into: Int32Array, at: number, max: number): number {
    const count = this.inner.receive(into, at, max);
    for (let i = at; i < at + count; i++) this.#writer.write(this.#captureInterface, into[i]!);
    return count;
  }

  override transmit(slots: Int32Array, at: number, count: number): number {
    for (let i = at; i < at + count; i++) this.#writer.write(this.#captureInterface, slots[i]!);
    return this.inner.transmit(slots, at, count);
  }
}
