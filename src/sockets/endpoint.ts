/** The ends of connections: address words and port, and the form that Node shows them in. */
import { type AddressWords, formatAddressWords, isIpv4Words } from '../session/address.js';
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
    out.address = formatAddressWords(this.words);
    out.family = isIpv4Words(this.words) ? 'IPv4' : 'IPv6';
    out.port = this.port;
  }
}
