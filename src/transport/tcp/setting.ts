/** Options of a connection that the application sets. */
import { TcpSetting } from './tcp.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TcpState, TcpTimer } from './tcp-state.js';

/** @param setting one of {@link TcpSetting}. */
export function applySetting(tcp: TcpCore, connection: number, setting: number, value: number): void {
  const { table, fifos } = tcp;
  switch (setting) {
    case TcpSetting.noDelay:
      setFlag(tcp, connection, ConnectionFlag.noDelay, value !== 0);
      if (value !== 0 && table.state[connection]! >= TcpState.established) tcp.output.push(connection);
      break;
    case TcpSetting.keepAliveMs:
      table.keepAliveMs[connection] = value;
      startKeepAlive(tcp, connection);
      break;
    case TcpSetting.keepAliveIntervalMs:
      table.keepAliveIntervalMs[connection] = value;
      break;
    case TcpSetting.keepAliveProbes:
      table.keepAliveProbes[connection] = value;
      break;
    case TcpSetting.sendBufferBytes:
      table.flags[connection]! |= ConnectionFlag.fixedSendBuffer;
      fifos.setLimit(connection * 2 + 1, value);
      break;
    case TcpSetting.receiveBufferBytes:
      table.flags[connection]! |= ConnectionFlag.fixedReceiveBuffer;
      fifos.setLimit(connection * 2, value);
      break;
    case TcpSetting.userTimeoutMs:
      table.userTimeoutMs[connection] = value === 0 ? tcp.config.userTimeoutMs : value;
      break;
    case TcpSetting.trafficClass:
      table.ipFields[connection] = (value << 8) | (table.ipFields[connection]! & 0xff);
      break;
    case TcpSetting.timeToLive:
      table.ipFields[connection] = (table.ipFields[connection]! & ~0xff) | value;
      break;
    default:
      break;
  }
}

function startKeepAlive(tcp: TcpCore, connection: number): void {
  const idleMs = tcp.table.keepAliveMs[connection]!;
  if (idleMs === 0) tcp.stopTimer(connection, TcpTimer.keepAlive);
  else tcp.startTimer(connection, TcpTimer.keepAlive, idleMs);
}

function setFlag(tcp: TcpCore, connection: number, flag: number, isOn: boolean): void {
  if (isOn) tcp.table.flags[connection]! |= flag;
  else tcp.table.flags[connection]! &= ~flag;
}
