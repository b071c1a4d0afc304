/**
 * A forward: a socket of the host's kernel, each connection to which becomes a connection made inside a stack.
 *
 *   kernel client ──► kernel socket ══ bytes both ways, FIN by FIN ══ stack socket ──► target
 *
 * Each side is read only as fast as the other takes it. When one side fails, the other is reset: a client that was let in
 * before the target refused learns of it by RST, as behind any relay.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { UsernetError } from '../base/errors.js';
import type { ForwardConfig } from '../config/schema.js';
import { runOnKernel } from '../sockets/current-stack.js';

/** Connects from inside the forward's stack. */
export type ConnectInside = (options: { host: string; port: number; allowHalfOpen: boolean }) => Socket;

export class Forward {
  readonly config: ForwardConfig;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(config: ForwardConfig, connect: ConnectInside) {
    this.config = config;
    const onConnection = (outer: Socket): void => this.#join(outer, connect);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  }

  /** Listens in the kernel. Throws USERNET_FORWARD with the reason when it can't. */
  static open(config: ForwardConfig, connect: ConnectInside): Promise<Forward> {
    const forward = new Forward(config, connect);
    const { host, port } = config.listen;
    return new Promise((done, fail) => {
      forward.#server.once('error', (error: NodeJS.ErrnoException) => fail(describe(config, error)));
      // Also in a process whose own sockets are led to a stack.
      runOnKernel(() => {
        forward.#server.listen({ host, port }, () => {
          forward.#server.removeAllListeners('error');
          done(forward);
        });
      });
    });
  }

  /** Where it listens, as `127.0.0.1:8080`; the port is the one that was taken. */
  get listen(): string {
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : this.config.listen.port;
    return formatEndpoint(this.config.listen.host, port);
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** It no longer keeps this process alive while nobody is connected. */
  unref(): void {
    this.#server.unref();
  }

  /** Ends its connections and stops listening. */
  close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  #join(outer: Socket, connect: ConnectInside): void {
    const { host, port } = this.config.to;
    const inner = connect({ host, port, allowHalfOpen: true });
    inner.setNoDelay(true);
    this.#relay(outer, inner);
    this.#relay(inner, outer);
    outer.pipe(inner);
    inner.pipe(outer);
  }

  /** What becomes of `to` when `from` fails or is gone. */
  #relay(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('error', () => {
      if (!to.destroyed) to.resetAndDestroy();
    });
    from.once('close', () => {
      this.#sockets.delete(from);
      // Both directions were ended in order, or nobody is left to take what is still to come.
      if (!to.writableEnded) to.destroy();
    });
  }
}

export function formatEndpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function describe({ listen }: ForwardConfig, error: NodeJS.ErrnoException): Error {
  const where = formatEndpoint(listen.host, listen.port);
  if (error.code === 'EADDRINUSE') {
    return new UsernetError(
      'USERNET_FORWARD',
      `${where} is in use by another program`,
      'end it, or choose another port',
    );
  }
  if (error.code === 'EACCES') {
    return new UsernetError('USERNET_FORWARD', `this user may not listen at ${where}`, 'choose a port above 1023');
  }
  return new UsernetError('USERNET_FORWARD', `can't listen at ${where}: ${error.message}`);
}
