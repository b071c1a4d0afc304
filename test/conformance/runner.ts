/**
 * Runs the cases in a process of its own and prints their traces as JSON. Under the preload Node's modules are a stack's;
 * without it they are the kernel's.
 *
 *     node [--import …] runner.js [PATTERN]
 */
import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { type Case, type NetworkApi, Trace } from './api.js';

import { allCases } from './case/index.js';

const CASE_TIMEOUT_MS = 5_000;

export type Traces = Record<string, Readonly<Record<string, string[]>>>;

/** Runs the cases whose name contains `part`, one after the other. */
export async function runCases(api: NetworkApi, part = ''): Promise<Traces> {
  const traces: Traces = {};
  let trace = new Trace();
  const onUncaught = (error: unknown): void => {
    if (process.listenerCount('uncaughtException') === 1) trace.note('uncaught', error);
  };
  process.on('uncaughtException', onUncaught);
  for (const [name, run] of Object.entries(allCases)) {
    if (!name.includes(part)) continue;
    trace = new Trace();
    await runCase(run, api, trace);
    traces[name] = trace.lanes;
  }
  process.off('uncaughtException', onUncaught);
  return traces;
}

async function runCase(run: Case, api: NetworkApi, trace: Trace): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      trace.note('suite', 'the case did not end');
      resolve();
    }, CASE_TIMEOUT_MS);
  });
  const work = run(api, trace).catch((error) => trace.note('suite', 'the case failed', error));
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}

/** Node's own modules: whatever sockets are under them. */
export function nodeApi(): NetworkApi {
  return { net, dgram, dns, http, https, http2, tls, fetch, host: '127.0.0.1' };
}
