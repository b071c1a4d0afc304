/** A program that is killed loses its sessions and nothing else; real processes on a running network. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SessionRow } from '../../src/ops/show-sessions.js';
import { Place, type Running } from '../cli/usernet.js';

const NETWORK = `
stacks:
  server: { interfaces: { eth0: { type: veth, peer: client.eth0, address: 10.0.0.1/24 } } }
  client: { interfaces: { eth0: { type: veth, address: 10.0.0.2/24 } } }
`;

/** Sends back what it gets, and tells how connections end. */
const SERVER = `
import net from 'node:net';
net.createServer((socket) => {
  socket.on('error', (error) => console.log('error', error.code));
  socket.pipe(socket);
}).listen(80, () => console.log('listening', process.pid));
`;

/** Round trips without end, a few at a time. */
const CLIENT = `
import net from 'node:net';
let rounds = 0;
const socket = net.connect(80, '10.0.0.1', () => console.log('connected', process.pid));
socket.on('error', (error) => console.log('error', error.code));
socket.on('data', () => {
  console.log('round', ++rounds);
  setTimeout(() => socket.write('ping'), 10);
});
socket.write('ping');
`;

class Network {
  readonly #t: TestContext;
  readonly #place: Place;

  constructor(t: TestContext) {
    this.#t = t;
    this.#place = new Place(t);
  }

  async up(): Promise<Running> {
    const up = this.#place.start(this.#t, 'up', this.#place.write('net.yaml', NETWORK));
    await up.said(/^ready /);
    return up;
  }

  /** Starts a program on a stack, and gives its process number when it says that it runs. */
  async start(stack: string, source: string, ready: RegExp): Promise<{ program: Running; pid: number }> {
    const file = this.#place.write(`${stack}.mjs`, source);
    const program = this.#place.start(this.#t, 'run', '--stack', stack, '--', 'node', file);
    const [, pid] = await program.said(ready);
    this.#t.after(() => killIfThere(Number(pid)));
    return { program, pid: Number(pid) };
  }

  async sessions(): Promise<string[]> {
    const shown = await this.#place.run(this.#t, 'show', 'sessions', '--json');
    const rows = JSON.parse(shown.stdout) as SessionRow[];
    return rows.map(({ stack, state }) => `${stack} ${state}`).sort();
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Waits for a few more round trips of a client. */
async function goesOn(client: Running): Promise<void> {
  const rounds = client.stdout.match(/^round/gm)?.length ?? 0;
  await client.said(new RegExp(`^round ${rounds + 3}$`, 'm'));
}

test('a program that is killed loses its sessions and nothing else', async (t) => {
  const network = new Network(t);
  const up = await network.up();
  const server = await network.start('server', SERVER, /^listening (\d+)$/m);
  const first = await network.start('client', CLIENT, /^connected (\d+)$/m);
  const second = await network.start('client', CLIENT, /^connected (\d+)$/m);
  await goesOn(first.program);
  assert.equal((await network.sessions()).length, 5);

  process.kill(first.pid, 'SIGKILL');
  assert.equal((await first.program.ended).code, 128 + 9);
  await server.program.said(/^error ECONNRESET$/m);
  await goesOn(second.program);
  assert.deepEqual(await network.sessions(), ['client ESTABLISHED', 'server ESTABLISHED', 'server LISTEN']);

  process.kill(server.pid, 'SIGKILL');
  await second.program.said(/^error ECONNRESET$/m);
  assert.equal((await second.program.ended).code, 0, 'it ends when it has nothing left to do');
  const late = await network.start('client', CLIENT, /^error (ECONNREFUSED)$/m);
  assert.equal((await late.program.ended).code, 0);
  assert.deepEqual(await network.sessions(), []);

  const again = await network.start('server', SERVER, /^listening (\d+)$/m);
  const third = await network.start('client', CLIENT, /^connected (\d+)$/m);
  await goesOn(third.program);
  killIfThere(again.pid);
  killIfThere(third.pid);
  up.signal('SIGINT');
  const { code, stderr } = await up.ended;
  assert.deepEqual([code, stderr], [0, '']);
});
