/** `stack.dgram`: Node's `dgram` on one stack. */
import type dgram from 'node:dgram';
import type { Socket, SocketOptions, SocketType } from 'node:dgram';
import { replaceHandle, udpSocketState } from './node-internals.js';
import type { StackDialer } from './stack-net.js';
import { StackUdp } from './udp-handle.js';

export type StackDgram = typeof dgram;

export function makeStackDgram({ sockets, lookup }: StackDialer): StackDgram {
  const dgram = process.getBuiltinModule('node:dgram');
  const createSocket = (type: SocketType | SocketOptions, listener?: () => void): Socket => {
    const options = typeof type === 'object' ? type : { type };
    // An abort signal may close the socket before its handle is the stack's: it is looked at last.
    const { signal, ...rest } = options;
    const socket = dgram.createSocket(
      { lookup: lookup as SocketOptions['lookup'], ...rest } as SocketOptions,
      listener,
    );
    const state = udpSocketState(socket);
    const handle = Object.assign(new StackUdp(sockets), { lookup: state.handle.lookup });
    if (options.type === 'udp6') {
      Object.assign(handle, { bind: handle.bind6, connect: handle.connect6, send: handle.send6 });
    }
    replaceHandle(socket, state.handle, handle);
    state.handle = handle;
    if (signal !== undefined) closeOnAbort(socket, signal);
    return socket;
  };
  return { ...dgram, createSocket } as StackDgram;
}

function closeOnAbort(socket: Socket, signal: AbortSignal): void {
  const close = (): void => void socket.close();
  if (signal.aborted) {
    close();
    return;
  }
  signal.addEventListener('abort', close, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', close));
}
