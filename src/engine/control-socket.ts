/**
 * The Unix socket of a network: HTTP/JSON for those who look and steer, and by upgrade the sessions of attached programs.
 *
 *   GET /session?stack=NAME, Upgrade: usernet-session ──► 101, the stack's name servers, session messages both ways
 *   anything else                                     ──► `onRequest`, set by the control API
 */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { UsernetError } from '../base/errors.js';
import {
  defaultControlPath,
  MAX_SOCKET_PATH_BYTES,
  ownControlPath,
  prepareControlDirectory,
  removeControlDirectory,
} from '../config/control-path.js';
import { suggest } from '../config/suggest.js';
import { doAtExit, forgetAtExit } from './at-exit.js';

/** The protocol that the upgrade asks for. */
export const SESSION_PROTOCOL = 'usernet-session';

/** What programs attach to. */
export interface AttachTarget {
  readonly stackNames: readonly string[];
  /** Name servers of a stack, as `10.0.0.1:53`: what an attached program asks. */
  nameServersOf(stack: string): readonly string[];
  /** Takes the connection of a program: session messages from here on, `firstBytes` first. */
  attach(stack: string, socket: Duplex, firstBytes: Buffer): void;
}

export class ControlSocket {
  /** Answers requests that are no upgrades. */
  onRequest: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => {
    response.writeHead(404).end();
  };
  readonly path: string;
  readonly #server: Server;
  readonly #attached = new Set<Duplex>();
  readonly #connections = new Set<Socket>();
  #isReferenced = true;

  private constructor(path: string, target: AttachTarget) {
    this.path = path;
    this.#server = createServer((request, response) => this.onRequest(request, response));
    this.#server.on('connection', (socket: Socket) => this.#hold(socket));
    this.#server.on('upgrade', (request, socket, firstBytes) => this.#upgrade(target, request, socket, firstBytes));
    // What keeps a process alive are its sockets and programs.
    this.#server.unref();
  }

  /**
   * Listens at `path`, or at the default one; when another network of this user has that, at one with the process's
   * number. Throws USERNET_CONTROL_IN_USE when a network answers at `path` already.
   */
  static async open(path: string | undefined, target: AttachTarget): Promise<ControlSocket> {
    const wanted = resolve(path ?? defaultControlPath());
    if (!(await isTaken(wanted))) return new ControlSocket(wanted, target).#listen();
    if (path === undefined) return new ControlSocket(ownControlPath(), target).#listen();
    throw new UsernetError(
      'USERNET_CONTROL_IN_USE',
      `another network answers at the control socket ${wanted}`,
      'end it, or choose another path with control:',
    );
  }

  /** Attached programs, and those who look, no longer keep this process alive. */
  unref(): void {
    this.#isReferenced = false;
    for (const socket of this.#connections) socket.unref();
  }

  /** Ends every connection and removes the socket's file. */
  async close(): Promise<void> {
    forgetAtExit(this.#removeFile);
    for (const socket of this.#attached) socket.destroy();
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    this.#server.closeAllConnections();
    await closed;
    this.#removeFile();
  }

  /** Also when the process ends without having closed its network. */
  readonly #removeFile = (): void => {
    removeSocket(this.path);
    removeControlDirectory(this.path);
  };

  #listen(): Promise<ControlSocket> {
    if (Buffer.byteLength(this.path) > MAX_SOCKET_PATH_BYTES) {
      throw new UsernetError(
        'USERNET_CONTROL',
        `the path of the control socket is longer than ${MAX_SOCKET_PATH_BYTES} bytes: ${this.path}`,
        'choose a shorter one with control:',
      );
    }
    prepareControlDirectory(this.path);
    removeSocket(this.path);
    return new Promise((done, fail) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => fail(describeFailure(this.path, error)));
      this.#server.listen(this.path, () => {
        this.#server.removeAllListeners('error');
        chmodSync(this.path, 0o600);
        doAtExit(this.#removeFile);
        done(this);
      });
    });
  }

  #hold(socket: Socket): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
    if (!this.#isReferenced) socket.unref();
  }

  #upgrade(target: AttachTarget, request: IncomingMessage, socket: Duplex, firstBytes: Buffer): void {
    // Whatever breaks the connection is followed by close.
    socket.on('error', () => {});
    const url = parseUrl(request.url);
    if (url?.pathname !== '/session' || request.headers.upgrade?.toLowerCase() !== SESSION_PROTOCOL) {
      refuse(socket, 400, 'this upgrade is not known');
      return;
    }
    const stack = url.searchParams.get('stack') ?? '';
    if (!target.stackNames.includes(stack)) {
      refuse(socket, 404, `there is no stack "${stack}"`, suggest(stack, target.stackNames));
      return;
    }
    const headers = [
      `HTTP/1.1 101 ${STATUS_CODES[101]}`,
      'Connection: Upgrade',
      `Upgrade: ${SESSION_PROTOCOL}`,
      `Usernet-Name-Servers: ${target.nameServersOf(stack).join(', ')}`,
    ];
    socket.write(`${headers.join('\r\n')}\r\n\r\n`);
    this.#attached.add(socket);
    socket.once('close', () => this.#attached.delete(socket));
    target.attach(stack, socket, firstBytes);
  }
}

/** A client may ask for anything: undefined for what is no path. */
function parseUrl(path = '/'): URL | undefined {
  const base = 'http://usernet';
  return URL.canParse(path, base) ? new URL(path, base) : undefined;
}

function refuse(socket: Duplex, status: number, message: string, hint?: string): void {
  const body = JSON.stringify({ error: { code: 'USERNET_CONTROL', message, hint } });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function describeFailure(path: string, { code, message }: NodeJS.ErrnoException): UsernetError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something that is no socket has this name',
    EACCES: 'this user may not make it',
    ENOTDIR: 'a part of its path is no directory',
  };
  // The system says EACCES for that as well.
  const isNowhere = !existsSync(dirname(path));
  const reason = isNowhere ? 'its directory does not exist' : (code !== undefined && reasons[code]) || message;
  return new UsernetError('USERNET_CONTROL', `can't make the control socket ${path}: ${reason}`, 'choose another path');
}

/** True when somebody answers at the path; a file that a dead process left does not count. */
function isTaken(path: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      done(true);
    });
    probe.once('error', () => done(false));
  });
}

/** Removes a socket that nobody listens at; anything else that has its name is left alone. */
function removeSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
}
