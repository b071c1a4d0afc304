/** Keeps what a port reports, for tests. */

import { errnoName } from '../errno.js';
import { messageTypeName, type SessionMessage } from '../message.js';
import type { SessionPort } from '../port.js';

export interface RecordedEvent {
  /** Name of the event's type. */
  readonly type: string;
  readonly request: number;
  readonly session: number;
  /** Name of the error, 'ok' for none. */
  readonly errno: string;
  readonly value: number;
  readonly local: Int32Array;
  readonly localPort: number;
  readonly remote: Int32Array;
  readonly remotePort: number;
  readonly payload: Uint8Array;
}

export function recordEvent(event: SessionMessage): RecordedEvent {
  return {
    type: messageTypeName(event.type),
    request: event.request,
    session: event.session,
    errno: errnoName(event.errno),
    value: event.value,
    local: event.local.slice(),
    localPort: event.localPort,
    remote: event.remote.slice(),
    remotePort: event.remotePort,
    payload: event.payload.slice(),
  };
}

export class PortRecorder {
  /** All events but `attached`, which not every carrier has. */
  readonly events: RecordedEvent[] = [];
  attached: RecordedEvent | undefined;
  /** Called after an event was recorded. */
  react: ((event: RecordedEvent) => void) | undefined;

  readonly port: SessionPort;

  constructor(port: SessionPort) {
    this.port = port;
    port.onEvent = (event) => {
      const recorded = recordEvent(event);
      if (recorded.type === 'attached') {
        this.attached = recorded;
        return;
      }
      this.events.push(recorded);
      this.react?.(recorded);
    };
  }

  /** Takes out the oldest event of a type, of a session if one is given; undefined if there is none. */
  take(type: string, session?: number): RecordedEvent | undefined {
    const at = this.events.findIndex(
      (event) => event.type === type && (session === undefined || event.session === session),
    );
    return at < 0 ? undefined : this.events.splice(at, 1)[0];
  }

  count(type: string): number {
    return this.events.filter((event) => event.type === type).length;
  }
}
