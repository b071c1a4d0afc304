/** The error numbers that Node's own modules understand: those of libuv, negative, on this platform. */
import { Errno, type ErrnoName, errnoName } from '../session/errno.js';
import { nodeBinding } from './node-binding.js';

const uv = nodeBinding('uv');

const codes = new Map<number, number>(
  Object.entries(Errno).map(([name, number]) => [number, number === 0 ? 0 : (uv[`UV_${name}`] ?? uv.UV_EIO ?? -5)]),
);

/** libuv's number of an error. */
export function uvCode(name: ErrnoName | 'EOF' | 'EAI_AGAIN' | 'ENOTSUP' | 'ENOSYS'): number {
  return uv[`UV_${name}`] ?? uv.UV_EIO ?? -5;
}

/** libuv's number of an errno of the session protocol; 0 stays 0. */
export function uvCodeOf(errno: number): number {
  return codes.get(errno) ?? uvCode('EIO');
}

/** `ECONNRESET`, for messages of our own. */
export function errorName(errno: number): string {
  return errnoName(errno);
}
