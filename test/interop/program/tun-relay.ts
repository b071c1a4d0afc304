/**
 * The kernel's end of a cable: makes a TUN interface in the network namespace it runs in, and passes its packets on to a
 * Unix socket and back: `tun-relay.js SOCKET ADDRESS/PREFIX`.
 */
import { execFileSync } from 'node:child_process';
import { openSync, read, writeSync } from 'node:fs';
import { connect } from 'node:net';
import koffi from 'koffi';
import { frame, makeSplitter } from '../framing.js';

/** linux/if_tun.h: makes the device; without link header, and without a header of TUN's own. */
const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
/** struct ifreq: a name of 16 bytes, then the flags. */
const IFREQ_BYTES = 40;
const IFREQ_FLAGS = 16;
const NAME = 'tun0';
const MAX_PACKET_BYTES = 65_536;
const IPV4 = 4;

const [path = '', address = ''] = process.argv.slice(2);

function openTun(): number {
  const fd = openSync('/dev/net/tun', 'r+');
  const request = Buffer.alloc(IFREQ_BYTES);
  request.write(NAME);
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, IFREQ_FLAGS);
  const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, ...)');
  if (ioctl(fd, TUNSETIFF, 'void *', request) !== 0) throw new Error('the kernel makes no TUN interface');
  execFileSync('ip', ['address', 'add', address, 'dev', NAME]);
  execFileSync('ip', ['link', 'set', NAME, 'up']);
  return fd;
}

const fd = openTun();
const cable = connect(path, pump);
const packet = Buffer.alloc(MAX_PACKET_BYTES);
cable.on(
  'data',
  makeSplitter((each) => writeSync(fd, each)),
);

function pump(): void {
  read(fd, packet, 0, packet.length, null, (error, count) => {
    if (error) throw error;
    // The kernel also greets IPv6 routers.
    if (packet[0]! >> 4 !== IPV4 || cable.write(frame(packet.subarray(0, count)))) pump();
    else cable.once('drain', pump);
  });
}
