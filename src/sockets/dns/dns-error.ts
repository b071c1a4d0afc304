/** A failure of a look-up: the codes of node:dns, which are those of c-ares. RFC 1035 section 4.1.1 has the answers. */
export type DnsCode =
  | 'ENODATA'
  | 'EFORMERR'
  | 'ESERVFAIL'
  | 'ENOTFOUND'
  | 'ENOTIMP'
  | 'EREFUSED'
  | 'EBADRESP'
  | 'EBADNAME'
  | 'ECONNREFUSED'
  | 'ETIMEOUT'
  | 'ECANCELLED';

export class DnsError extends Error {
  readonly code: DnsCode;

  constructor(code: DnsCode) {
    super(code);
    this.code = code;
  }
}

/** By the text that dns-packet gives for a response code. */
const CODES: Readonly<Record<string, DnsCode>> = {
  FORMERR: 'EFORMERR',
  SERVFAIL: 'ESERVFAIL',
  NXDOMAIN: 'ENOTFOUND',
  NOTIMP: 'ENOTIMP',
  REFUSED: 'EREFUSED',
};

/** The code for a response code; undefined for success. */
export function codeOfResponse(rcode: string): DnsCode | undefined {
  return rcode === 'NOERROR' ? undefined : (CODES[rcode] ?? 'EBADRESP');
}
