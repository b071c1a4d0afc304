import { type UdpErrno, UdpSetting } from './udp.js';
import type { UdpCore } from './udp-core.js';
import { RECORD_HEADER_BYTES } from './udp-receive-queue.js';
import { SocketFlag } from './udp-table.js';

/** Sets an option of a socket. RFC 1122 section 4.1.4: applications can set time to live and type of service. */
export function applyUdpSetting(core: UdpCore, socket: number, setting: number, value: number): UdpErrno | undefined {
  switch (setting) {
    case UdpSetting.broadcast:
      return setFlag(core, socket, SocketFlag.broadcast, value);
    case UdpSetting.multicastLoop:
      return setFlag(core, socket, SocketFlag.multicastLoop, value);
    case UdpSetting.timeToLive:
      return value < 1 ? 'EINVAL' : setByte(core, socket, 0, value);
    case UdpSetting.multicastTimeToLive:
      return setByte(core, socket, 8, value);
    case UdpSetting.trafficClass:
      return setByte(core, socket, 16, value);
    case UdpSetting.receiveBufferBytes:
      if (value <= RECORD_HEADER_BYTES) return 'EINVAL';
      core.queue.fifos.setLimit(socket, value);
      return undefined;
    default:
      return 'EINVAL';
  }
}

function setFlag(core: UdpCore, socket: number, flag: number, value: number): UdpErrno | undefined {
  if (value !== 0 && value !== 1) return 'EINVAL';
  const { flags } = core.table;
  flags[socket] = value === 1 ? flags[socket]! | flag : flags[socket]! & ~flag;
  return undefined;
}

/** Sets the byte of `ipFields` that begins at bit `shift`. */
function setByte(core: UdpCore, socket: number, shift: number, value: number): UdpErrno | undefined {
  if (value < 0 || value > 255) return 'EINVAL';
  const { ipFields } = core.table;
  ipFields[socket] = (ipFields[socket]! & ~(0xff << shift)) | (value << shift);
  return undefined;
}
