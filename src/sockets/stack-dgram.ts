/** `stack.dgram`: Node's `dgram` on one stack. */
import type dgram from 'node:dgram';
import type { Socket, SocketOptions, SocketType } from 'node:dgram';
import { exchangeUdpHandle } from './node-internals.js';
import type { StackDialer } from './stack-net.js';
import { StackUdp } from './udp-handle.js';

export type StackDgram = typeof dgram;

export function makeStackDgram({ sockets, lookup }: StackDialer): StackDgram {
  const dgram = process.getBuiltinModule('node:dgram');
  const createSocket = (type: SocketType | SocketOptions, listener?: () => void): Socket => {
    const options = typeof type === 'object' ? type : { type };
    const socket = dgram.createSocket({ lookup, ...options } as SocketOptions, listener);
    exchangeUdpHandle(socket, new StackUdp(sockets));
    return socket;
  };
  return { ...dgram, createSocket } as StackDgram;
}
