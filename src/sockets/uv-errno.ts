/** The error numbers that Node's own modules understand: those of libuv, negative, on this platform. */
import { Errno, type ErrnoName } from '../session/errno.js';
import { nodeBinding } from './node-binding.js';

const uv = nodeBinding('uv');
const UV_EIO = uv.UV_EIO ?? -5;

const codes = new Map<number, number>(
  Object.entries(Errno).map(([name, number]) => [number, number === 0 ? 0 : (uv[`UV_${name}`] ?? UV_EIO)]),
);

/** libuv's number of an error. */
export function uvCode(name: ErrnoName | 'EOF' | 'ENOTSUP' | 'EAI_AGAIN' | 'EAI_NONAME'): number {
  return uv[`UV_${name}`] ?? UV_EIO;
}

/** libuv's number of an errno of the session protocol; 0 stays 0. */
export function uvCodeOf(errno: number): number {
  return codes.get(errno) ?? UV_EIO;
}

/** `bad file descriptor` for UV_EBADF. */
export function errorText(code: number): string {
  return uv.getErrorMap?.().get(code)?.[1] ?? uv.errname(code);
}
