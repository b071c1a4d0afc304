/** The options of a TCP handle: sent to its session, and kept until there is one. */
import { SocketOption } from '../session/message.js';
import type { SessionPort } from '../session/port.js';

/** When keep-alive is asked for without a delay: Linux's tcp_keepalive_time. RFC 1122 section 4.2.3.6. */
const DEFAULT_KEEP_ALIVE_S = 7200;
const MS_PER_S = 1000;

export class TcpOptions {
  readonly #port: SessionPort;
  readonly #early: [option: number, value: number][] = [];
  #session = 0;
  trafficClass = 0;

  constructor(port: SessionPort) {
    this.#port = port;
  }

  /** There is a session from now on. */
  begin(session: number): void {
    this.#session = session;
    for (const [option, value] of this.#early) this.#port.setOption(session, option, value);
  }

  setNoDelay(enable: boolean): void {
    this.#set(SocketOption.noDelay, enable ? 1 : 0);
  }

  setKeepAlive(enable: boolean, seconds: number): void {
    const delayMs = (seconds > 0 ? seconds : DEFAULT_KEEP_ALIVE_S) * MS_PER_S;
    this.#set(SocketOption.keepAliveMs, enable ? delayMs : 0);
  }

  setTrafficClass(value: number): void {
    this.trafficClass = value;
    this.#set(SocketOption.trafficClass, value);
  }

  #set(option: number, value: number): void {
    if (this.#session !== 0) this.#port.setOption(this.#session, option, value);
    else this.#early.push([option, value]);
  }
}
