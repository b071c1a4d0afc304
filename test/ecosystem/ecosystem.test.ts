/**
 * Well-known packages, unmodified, on sockets in user space: under the preload alone, with a network in the program's own
 * process, and attached to a running network with client and server on stacks of their own; on every Node.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NetworkConfig } from '../../src/config/schema.js';
import { type Outcome, Place, Running } from '../cli/usernet.js';
import { nodeBinaries } from '../support/peers.js';
import { type Fixtures, makeFixtures, missingFixture } from './fixtures.js';

const PACKAGES = ['express', 'fastify', 'undici', 'ws', 'ioredis', 'tls', 'http2'];
const MAIN = fileURLToPath(new URL('program/main.mjs', import.meta.url));
const REGISTER_URL = new URL('../../src/register.js', import.meta.url).href;
const WEB = '10.0.0.2';

/** Where main.mjs serves the last one of the packages, and ioredis. */
const LAST_PORT = 8007;
const REDIS_PORT = 8005;

/** A client, a router, and a web server behind a switch; on it these programs. */
function network(...programs: string[][]): NetworkConfig {
  return {
    stacks: {
      router: {
        interfaces: {
          lan: { type: 'veth', switch: 'lan0', address: '10.0.0.1/24' },
          up: { type: 'veth', peer: 'client.eth0', address: '10.1.0.1/24' },
        },
        forwarding: true,
      },
      web: {
        interfaces: { eth0: { type: 'veth', switch: 'lan0', address: `${WEB}/24` } },
        routes: [{ to: 'default', via: '10.0.0.1' }],
        programs: programs.map((run) => ({ run })),
      },
      client: {
        interfaces: { eth0: { type: 'veth', peer: 'router.up', address: '10.1.0.2/24' } },
        routes: [{ to: 'default', via: '10.1.0.1' }],
      },
    },
    switches: { lan0: {} },
    forwards: programs.flatMap(() =>
      [REDIS_PORT, LAST_PORT].map((port) => ({ listen: '127.0.0.1:0', to: `${WEB}:${port}`, from: 'client' })),
    ),
  };
}

/** What main.mjs prints for each package. */
interface Report {
  readonly name: string;
  readonly ok: boolean;
  readonly port?: number;
  readonly error?: string;
}

let fixtures: Fixtures;
before(async () => {
  if (missingFixture !== false) return;
  fixtures = await makeFixtures();
  // Programs find them where their environment says.
  Object.assign(process.env, fixtures.environment);
});
after(() => fixtures?.close());

function parseReports(stdout: string): Report[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"name"'));
  return lines.map((line) => JSON.parse(line) as Report);
}

/** One subtest for each package; then the program must have ended well, and have had nothing to complain about. */
async function checkReports(t: TestContext, { code, stdout, stderr }: Outcome, names = PACKAGES): Promise<void> {
  const reports = parseReports(stdout);
  for (const name of names) {
    await t.test(name, () => {
      const report = reports.find((each) => each.name === name) ?? { ok: false, error: `no report: ${stderr}` };
      assert.ok(report.ok, report.error);
    });
  }
  assert.deepEqual([code, stderr], [0, '']);
}

for (const { major, path, skip } of nodeBinaries()) {
  const options = { skip: skip || missingFixture };

  test(`Node ${major}: the preload alone`, options, async (t) => {
    const args = ['--import', REGISTER_URL, MAIN, 'both', '127.0.0.1', ...PACKAGES];
    await checkReports(t, await startNode(t, path, args).ended);
  });

  test(`Node ${major}: a network in the program's own process`, options, async (t) => {
    const place = new Place(t);
    const where = ['--config', place.write('net.yaml', JSON.stringify(network())), '--stack', 'web'];
    const outcome = await place.run(t, 'run', ...where, '--', path, MAIN, 'both', WEB, ...PACKAGES);
    await checkReports(t, outcome);
  });

  test(`Node ${major}: the preload, when its policy leaves servers to the kernel`, options, async (t) => {
    const servers = startNode(t, path, [MAIN, 'serve', '127.0.0.1', ...PACKAGES.map((name) => `${name}=0`)]);
    await servers.said(/serving/);
    const names = parseReports(servers.stdout).map(({ name, port }) => `${name}=${port}`);
    const args = ['--import', REGISTER_URL, MAIN, 'use', '127.0.0.1', ...names];
    const clients = startNode(t, path, args, { USERNET_POLICY: '10.0.0.0/8' });
    await checkReports(t, await clients.ended);
    servers.signal('SIGTERM');
    assert.equal((await servers.ended).code, 0);
  });

  test(`Node ${major}: programs on stacks of a running network`, options, async (t) => {
    const place = new Place(t);
    const config = network([path, MAIN, 'serve', '0.0.0.0', ...PACKAGES]);
    const up = place.start(t, 'up', place.write('net.yaml', JSON.stringify(config)), '--json');
    const ready = JSON.parse((await up.said(/^.*\n/))[0]);
    const outcome = await place.run(t, 'run', '--stack', 'client', '--', path, MAIN, 'use', WEB, ...PACKAGES);
    await checkReports(t, outcome);

    await t.test('ioredis on the kernel, through a forward', async (t) => {
      const port = ready.forwards[0].listen.split(':')[1];
      const client = startNode(t, path, [MAIN, 'use', '127.0.0.1', `ioredis=${port}`]);
      await checkReports(t, await client.ended, ['ioredis']);
    });
    up.signal('SIGINT');
    assert.equal((await up.ended).code, 0);
  });
}

function startNode(t: TestContext, path: string, args: string[], environment: NodeJS.ProcessEnv = {}): Running {
  const env = { ...process.env, ...environment };
  const running = new Running(spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env }));
  t.after(() => running.kill());
  return running;
}
