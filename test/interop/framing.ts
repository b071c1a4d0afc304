/** Packets in a stream of bytes: each behind its length in two bytes, big-endian. */

const LENGTH_BYTES = 2;

export function frame(packet: Uint8Array): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES + packet.length);
  bytes.writeUInt16BE(packet.length);
  bytes.set(packet, LENGTH_BYTES);
  return bytes;
}

/** Calls `onPacket` with each whole packet of the chunks that it is given. */
export function makeSplitter(onPacket: (packet: Buffer) => void): (chunk: Buffer) => void {
  let waiting: Buffer = Buffer.alloc(0);
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    let at = 0;
    while (waiting.length - at >= LENGTH_BYTES) {
      const from = at + LENGTH_BYTES;
      const end = from + waiting.readUInt16BE(at);
      if (end > waiting.length) break;
      onPacket(waiting.subarray(from, end));
      at = end;
    }
    waiting = waiting.subarray(at);
  };
}
