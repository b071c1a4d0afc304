/**
 * Told of ICMP errors about packets that this stack sent, and of packets that could not leave it. `quoteAt` is the
 * arena offset of the packet's IPv4 header, of which `quoteBytes` bytes are there (at least header and 8 bytes more);
 * `info` is the MTU to use from now on for "fragmentation needed" (type 3, code 4), else 0; `from` is who sent the
 * error, or 0 if this stack itself could not send the packet.
 * Returns true if the packet belongs to a connection or socket and may be genuine: only then a path MTU is believed.
 */
export type IcmpErrorHandler = (
  stack: number,
  type: number,
  code: number,
  info: number,
  quoteAt: number,
  quoteBytes: number,
  from: number,
) => boolean;

/** Who is told of ICMP errors, by the IP protocol of the packet that they are about. */
export class IcmpErrorHandlers {
  readonly #handlers = new Map<number, IcmpErrorHandler>();

  set(protocol: number, handler: IcmpErrorHandler): void {
    this.#handlers.set(protocol, handler);
  }

  /** Tells the protocol's handler. False without one, or if it does not know the packet. */
  report(
    protocol: number,
    stack: number,
    type: number,
    code: number,
    info: number,
    quoteAt: number,
    quoteBytes: number,
    from: number,
  ): boolean {
    const handler = this.#handlers.get(protocol);
    return handler?.(stack, type, code, info, quoteAt, quoteBytes, from) ?? false;
  }
}
