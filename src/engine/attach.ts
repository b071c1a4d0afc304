import type { Duplex } from 'node:stream';
import type { SessionLayer } from '../session/session-layer.js';
import { StreamServer } from '../session/stream-server.js';

/**
 * Joins a program's connection to a stack: session messages both ways until it closes. `firstBytes` came with the
 * upgrade.
 */
export function attachProgram(sessions: SessionLayer, stack: number, socket: Duplex, firstBytes: Uint8Array): void {
  const server = new StreamServer(sessions, {
    namespace: stack,
    stack,
    sink: {
      write(bytes) {
        let isKept = false;
        socket.write(bytes, () => {
          if (isKept) server.drained();
        });
        // What the kernel took at once is gone by now; the callback comes later in any case.
        isKept = socket.writableLength > 0;
        return !isKept;
      },
      end: () => socket.end(),
    },
  });
  socket.on('data', (bytes: Uint8Array) => server.receive(bytes));
  socket.once('end', () => socket.end());
  socket.once('close', () => server.closed());
  // Whatever breaks the connection is followed by close.
  socket.on('error', () => {});
  if (firstBytes.length > 0) server.receive(firstBytes);
}
