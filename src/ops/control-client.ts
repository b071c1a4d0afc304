/** Asks a running network by its control socket. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { UsernetError } from '../base/errors.js';
import { defaultControlPath } from '../config/control-path.js';

/** The most that may be asked of POST /ping and POST /trace. */
export const REQUEST_LIMITS = {
  count: 100_000,
  intervalMs: 3_600_000,
  bytes: 65_507,
  packets: 1000,
  seconds: 3600,
} as const;

/** The path that was given, else that of the environment, else the default one. */
export function controlPath(given: string | undefined): string {
  return given ?? process.env.USERNET_CONTROL ?? defaultControlPath();
}

/** GET: what the network says. Throws what the network refuses, and USERNET_NOT_RUNNING when none answers. */
export async function askNetwork(path: string, resource: string): Promise<unknown> {
  const response = await send(path, 'GET', resource);
  const body = await readAll(response);
  const answer: unknown = JSON.parse(body);
  if (response.statusCode !== 200) throw refusal(answer, response.statusCode);
  return answer;
}

/** POST: calls `onLine` with each JSON line of the answer as it comes. Throws as {@link askNetwork}. */
export async function streamFromNetwork(
  path: string,
  resource: string,
  body: unknown,
  onLine: (line: unknown) => void,
): Promise<void> {
  const response = await send(path, 'POST', resource, JSON.stringify(body));
  if (response.statusCode !== 200) throw refusal(JSON.parse(await readAll(response)), response.statusCode);
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(JSON.parse(line));
  }
}

function send(path: string, method: string, resource: string, body = ''): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const call: ClientRequest = request({ socketPath: path, path: resource, method, headers, agent: false }, done);
    call.once('error', (error: NodeJS.ErrnoException) => fail(describe(path, error)));
    call.end(body);
  });
}

function describe(path: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return new UsernetError(
      'USERNET_NOT_RUNNING',
      `no network answers at ${path}`,
      'start one with: usernet up; or name its control socket with --control',
    );
  }
  if (error.code === 'EACCES') return new UsernetError('USERNET_CONTROL', `${path} belongs to another user`);
  return error;
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}

function refusal(answer: unknown, status: number | undefined): UsernetError {
  const { error } = answer as { error?: { code?: `USERNET_${string}`; message?: string; hint?: string } };
  return new UsernetError(
    error?.code ?? 'USERNET_CONTROL',
    error?.message ?? `the network answered ${status}`,
    error?.hint,
  );
}
