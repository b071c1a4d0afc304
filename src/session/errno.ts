/**
 * The errors that cross the session protocol, as numbers. The numbers are those of Linux on x86-64 and arm64, and never
 * change; 0 is success. A socket's `error.code` is the name, its `error.errno` the negative number.
 */
export const Errno = {
  ok: 0,
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  EPROTO: 71,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ESHUTDOWN: 108,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  ECANCELED: 125,
} as const;

export type ErrnoName = Exclude<keyof typeof Errno, 'ok'>;

const NAMES = new Map<number, string>(Object.entries(Errno).map(([name, number]) => [number, name]));

/** `ECONNREFUSED` for 111; `EIO` for a number that is not in the table; `ok` for 0. */
export function errnoName(errno: number): ErrnoName | 'ok' {
  return (NAMES.get(errno) as ErrnoName | undefined) ?? 'EIO';
}
