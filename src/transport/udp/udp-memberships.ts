/** Which groups the sockets have joined. Read RFC 1112 section 6.2 first. Reports to routers (IGMP) are not sent. */
import type { UdpErrno } from './udp.js';
import type { UdpRoutes } from './udp-routes.js';

interface Membership {
  readonly interfaceIndex: number;
  readonly group: number;
}

export class UdpMemberships {
  readonly #routes: UdpRoutes;
  readonly #bySocket = new Map<number, Membership[]>();

  constructor(routes: UdpRoutes) {
    this.#routes = routes;
  }

  join(socket: number, interfaceIndex: number, group: number): UdpErrno | undefined {
    const joined = this.#bySocket.get(socket) ?? [];
    if (find(joined, interfaceIndex, group) >= 0) return 'EADDRINUSE';
    joined.push({ interfaceIndex, group });
    this.#bySocket.set(socket, joined);
    this.#routes.joinGroup(interfaceIndex, group);
    return undefined;
  }

  leave(socket: number, interfaceIndex: number, group: number): UdpErrno | undefined {
    const joined = this.#bySocket.get(socket) ?? [];
    const at = find(joined, interfaceIndex, group);
    if (at < 0) return 'EADDRNOTAVAIL';
    joined.splice(at, 1);
    if (joined.length === 0) this.#bySocket.delete(socket);
    this.#routes.leaveGroup(interfaceIndex, group);
    return undefined;
  }

  /** A socket is closed: it leaves all its groups. */
  leaveAll(socket: number): void {
    const joined = this.#bySocket.get(socket);
    if (joined === undefined) return;
    this.#bySocket.delete(socket);
    for (const { interfaceIndex, group } of joined) this.#routes.leaveGroup(interfaceIndex, group);
  }
}

function find(joined: readonly Membership[], interfaceIndex: number, group: number): number {
  return joined.findIndex((each) => each.interfaceIndex === interfaceIndex && each.group === group);
}
