/** What the programs of this folder need beside a network: a certificate of their own, a real redis-server. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { requirePeer } from '../support/peers.js';

const openssl = requirePeer('openssl');
const redisServer = requirePeer('redis-server');

/** Why the programs cannot be run; false when they can. */
export const missingFixture = openssl.skip || redisServer.skip;

export interface Fixtures {
  /** Environment of the programs: where they find what they need. */
  readonly environment: { readonly TLS_FOLDER: string; readonly REDIS_SOCKET: string };
  close(): Promise<void>;
}

export async function makeFixtures(): Promise<Fixtures> {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-ecosystem-'));
  makeCertificate(folder);
  const socket = join(folder, 'redis.sock');
  const redis = spawn(redisServer.path, ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(redis, 'exit');
  const lines = createInterface({ input: redis.stdout });
  for await (const line of lines) if (/ready to accept connections/i.test(line)) break;
  redis.stdout.resume();
  return {
    environment: { TLS_FOLDER: folder, REDIS_SOCKET: socket },
    async close() {
      redis.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Signed by itself, for the name `server.test`. */
function makeCertificate(folder: string): void {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    join(folder, 'key.pem'),
  ];
  const subject = ['-subj', '/CN=server.test', '-addext', 'subjectAltName=DNS:server.test'];
  const certificate = ['-x509', '-days', '2', '-out', join(folder, 'cert.pem')];
  execFileSync(openssl.path, ['req', ...certificate, ...key, ...subject], { stdio: 'ignore' });
}
