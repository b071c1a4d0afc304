/** The ends of connections: address words and port, and the form that Node shows them in. */
import { type AddressWords, formatAddressWords, isAnyWords, isIpv4Words } from '../session/address.js';
import { formatIpv4 } from '../wire/address.js';
import type { EndpointObject } from './node-binding.js';

export class Endpoint {
  readonly words = new Int32Array(4);
  port = 0;

  set(words: AddressWords, port: number): void {
    for (let i = 0; i < 4; i++) this.words[i] = words[i]!;
    this.port = port;
  }

  /** Fills in what `getsockname` and `getpeername` report. */
  describe(out: EndpointObject): void {
    // The stack speaks IPv4: any address is any of these.
    const isIpv4 = isIpv4Words(this.words) || isAnyWords(this.words);
    out.address = isIpv4 ? formatIpv4(this.words[3]! >>> 0) : formatAddressWords(this.words);
    out.family = isIpv4 ? 'IPv4' : 'IPv6';
    out.port = this.port;
  }
}
