/**
 * The control API: HTTP/JSON on the network's control socket.
 *
 *   GET /network /interfaces /neighbors /routes /sessions /graph /errors /memory /objects   what there is
 *   POST /ping   {host, from, count?, intervalMs?, bytes?}                                  one JSON line an event
 *   POST /trace  {packets?, seconds?}                                                       one JSON line a packet
 *   PUT /config  a network as YAML or JSON: the running one becomes that; what was done for it
 *
 * Failures are {error: {code, message, hint?, problems?}} with a status of 400 or more.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { UsernetError } from '../base/errors.js';
import { parseConfig } from '../config/load.js';
import { ConfigError } from '../config/problem.js';
import { suggest } from '../config/suggest.js';
import type { Network } from '../engine/network.js';
import { REQUEST_LIMITS } from './control-client.js';
import { pingFrom } from './ping-report.js';
import { showErrors, showGraph, showInterfaces, showMemory, showNeighbors, showNetwork, showRoutes } from './show.js';
import { showSessions } from './show-sessions.js';
import { tracePackets } from './trace-report.js';

const MAX_BODY_BYTES = 4 * 1024 * 1024;

const VIEWS: Readonly<Record<string, (network: Network) => unknown>> = {
  network: showNetwork,
  interfaces: showInterfaces,
  neighbors: showNeighbors,
  routes: showRoutes,
  sessions: showSessions,
  graph: showGraph,
  errors: showErrors,
  memory: showMemory,
  objects: (network) => network.objects.map(({ id, kind, needs }) => ({ id, kind, needs })),
};

const pingSchema = z.strictObject({
  host: z.string(),
  from: z.string(),
  count: z.int().min(1).max(REQUEST_LIMITS.count).default(4),
  intervalMs: z.number().min(0).max(REQUEST_LIMITS.intervalMs).default(1000),
  bytes: z.int().min(0).max(REQUEST_LIMITS.bytes).default(56),
});

const traceSchema = z.strictObject({
  packets: z.int().min(1).max(REQUEST_LIMITS.packets).default(1),
  seconds: z.number().min(0).max(REQUEST_LIMITS.seconds).default(10),
});

/** Answers the requests of one network. */
export class ControlApi {
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) sendError(response, error);
      else response.destroy();
    });
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = new URL(request.url ?? '/', 'http://usernet').pathname.slice(1);
    switch (`${request.method} ${name}`) {
      case 'POST ping':
        return await this.#ping(request, response);
      case 'POST trace':
        return await this.#trace(request, response);
      case 'PUT config': {
        const config = parseConfig(await readBody(request), 'configuration');
        const done = await this.#network.apply(config);
        return sendJson(
          response,
          200,
          done.map(({ action, object }) => ({ action, id: object.id })),
        );
      }
      default:
        return this.#view(request.method ?? '', name, response);
    }
  }

  #view(method: string, name: string, response: ServerResponse): void {
    const view = Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined;
    if (view === undefined || method !== 'GET') {
      const hint = suggest(name, Object.keys(VIEWS));
      throw new UsernetError('USERNET_NOT_FOUND', `there is no ${method} /${name}`, hint);
    }
    sendJson(response, 200, view(this.#network));
  }

  async #ping(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wanted = check(pingSchema, await readBody(request));
    let isGone = false;
    response.once('close', () => {
      isGone = true;
    });
    await pingFrom(
      this.#network,
      wanted,
      (event) => writeLine(response, event),
      () => isGone,
    );
    response.end();
  }

  async #trace(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { packets, seconds } = check(traceSchema, await readBody(request));
    for (const packet of await tracePackets(this.#network, packets, seconds)) writeLine(response, packet);
    response.end();
  }
}

function check<Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> {
  let data: unknown;
  try {
    data = JSON.parse(body);
  } catch {
    throw new UsernetError('USERNET_BAD_REQUEST', 'the request is no JSON');
  }
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw new UsernetError('USERNET_BAD_REQUEST', z.prettifyError(result.error).replaceAll('\n', ' '));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new UsernetError('USERNET_BAD_REQUEST', 'the request is too long');
  }
  return text;
}

function writeLine(response: ServerResponse, value: unknown): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.write(`${JSON.stringify(value)}\n`);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function sendError(response: ServerResponse, error: unknown): void {
  if (error instanceof ConfigError) {
    const { code, problems } = error;
    sendJson(response, 422, { error: { code, message: 'the configuration is wrong', problems } });
  } else if (error instanceof UsernetError) {
    const { code, message, hint } = error;
    sendJson(response, code === 'USERNET_NOT_FOUND' ? 404 : 400, { error: { code, message, hint } });
  } else {
    sendJson(response, 500, { error: { code: 'USERNET_INTERNAL', message: String(error) } });
  }
}
