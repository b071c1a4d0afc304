/** `stack.net`: Node's `net` on one stack. Its sockets and servers are genuine net.Socket and net.Server. */
import net, { type LookupFunction, type Socket } from 'node:net';
import { connectArguments } from './connect-arguments.js';
import type { TcpHandle } from './node-binding.js';
import { acceptAsTcp, type InnerSocket, netInternals } from './node-internals.js';
import { listenOnStack } from './stack-listen.js';
import type { StackSockets } from './stack-sockets.js';
import { StackTcp } from './tcp-handle.js';

/** What `stack.net` has: all of `net`, with the parts that make connections made for the stack. */
export type StackNet = typeof net;

/** How connections of a stack are made: by its sockets, to addresses that its names stand for. */
export interface StackDialer {
  readonly sockets: StackSockets;
  readonly lookup: LookupFunction;
}

export function makeStackNet(dialer: StackDialer): StackNet {
  acceptAsTcp();
  const Socket = makeSocketClass(dialer);
  const { sockets, lookup } = dialer;

  class Server extends net.Server {
    constructor(...args: ConstructorParameters<typeof net.Server>) {
      super(...args);
      listenOnStack(this, sockets, lookup);
    }
  }
  nameAs(Server, 'Server');

  const createServer = (...args: unknown[]): net.Server =>
    new Server(...(args as ConstructorParameters<typeof net.Server>));
  const connect = (...args: unknown[]): Socket => {
    const [options, callback] = connectArguments(args);
    const socket = new Socket(options as net.SocketConstructorOpts);
    if (options.timeout) socket.setTimeout(options.timeout);
    return socket.connect(options as net.SocketConnectOpts, callback);
  };
  return { ...net, Socket, Stream: Socket, Server, createServer, connect, createConnection: connect } as StackNet;
}

/** A net.Socket whose handle is the stack's, whenever it connects to a port. */
function makeSocketClass({ sockets, lookup }: StackDialer): typeof net.Socket {
  const { reinitialize, giveHandle } = netInternals();

  class StackSocket extends net.Socket {
    #isOnStack = false;

    override connect(...args: unknown[]): this {
      const [options, callback] = connectArguments(args);
      this.#isOnStack = 'port' in options;
      if (!this.#isOnStack) return super.connect(options as net.SocketConnectOpts, callback as () => void);
      if (this.destroyed || this.#inner()._handle === null) giveHandle.call(this, new StackTcp(sockets));
      return super.connect({ lookup, ...options } as net.SocketConnectOpts, callback as () => void);
    }

    /** net.js makes a handle of its own for each further address that it tries. */
    [reinitialize](handle: TcpHandle): void {
      giveHandle.call(this, this.#isOnStack ? new StackTcp(sockets) : handle);
    }

    #inner(): InnerSocket {
      return this as unknown as InnerSocket;
    }
  }
  nameAs(StackSocket, 'Socket');
  return StackSocket as typeof net.Socket;
}

function nameAs(type: object, name: string): void {
  Object.defineProperty(type, 'name', { value: name });
}
