import type { TimerSource } from '../base/time.js';
import type { Device, DeviceCapabilities, LinkType } from './device.js';

/** A device around another one: passes everything through. What a wrapper does, its class overrides. */
export abstract class DeviceWrapper implements Device {
  readonly kind: string;
  readonly linkType: LinkType;
  protected readonly inner: Device;

  constructor(inner: Device) {
    this.inner = inner;
    this.kind = inner.kind;
    this.linkType = inner.linkType;
  }

  get capabilities(): DeviceCapabilities {
    return this.inner.capabilities;
  }

  get onPending(): () => void {
    return this.inner.onPending;
  }

  set onPending(callback: () => void) {
    this.inner.onPending = callback;
  }

  receive(into: Int32Array, at: number, max: number): number {
    return this.inner.receive(into, at, max);
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    return this.inner.transmit(slots, at, count);
  }

  get txSpace(): number {
    return this.inner.txSpace;
  }

  get timers(): TimerSource | undefined {
    return this.inner.timers;
  }

  close(): void {
    this.inner.close();
  }
}
