/** What the cases of the ports' conformance suite share: a harness, and short words for what they do and expect. */
import assert from 'node:assert/strict';
import { wordsFromIpv4 } from '../address.js';
import type { DatagramInfo, EndpointInfo, SessionPort } from '../port.js';
import { PortRecorder, type RecordedEvent } from './port-recorder.js';

export interface PortHarness {
  /** An application of its own on the stack that has `address`. */
  port(): SessionPort;
  /** An application that reaches `address`; the same stack or another. */
  peerPort(): SessionPort;
  readonly address: Int32Array;
  /** An address that nobody has. */
  readonly foreignAddress: Int32Array;
  /** Goes on until nothing happens any more. */
  settle(): Promise<void> | void;
  close(): Promise<void> | void;
}

export interface Pair {
  readonly server: PortRecorder;
  readonly client: PortRecorder;
  readonly listener: number;
  readonly port: number;
  /** Handles of one connection. */
  readonly accepted: number;
  readonly connected: number;
}

export function newInfo(): EndpointInfo {
  return { local: new Int32Array(4), localPort: 0, remote: new Int32Array(4), remotePort: 0 };
}

export function newDatagramInfo(): DatagramInfo {
  return { local: new Int32Array(4), remote: new Int32Array(4), remotePort: 0, ttl: 0 };
}

/** The one event of that type; fails if there is none. */
export function expectEvent(recorder: PortRecorder, type: string, session?: number): RecordedEvent {
  const event = recorder.take(type, session);
  assert.ok(event, `no ${type} event; there are: ${recorder.events.map((each) => each.type).join(', ') || 'none'}`);
  return event;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Everything that can be read now, as text. */
export function readText(port: SessionPort, session: number): string {
  const into = new Uint8Array(65_536);
  let text = '';
  for (let count = port.read(session, into, 0, into.length); count > 0; ) {
    text += String.fromCharCode(...into.subarray(0, count));
    count = port.read(session, into, 0, into.length);
  }
  return text;
}

export function writeText(port: SessionPort, session: number, text: string): number {
  return port.write(session, bytesOf(text), 0, text.length);
}

export async function listenOn(harness: PortHarness, recorder: PortRecorder, options = {}): Promise<RecordedEvent> {
  const request = recorder.port.listen({ local: harness.address, ...options });
  await harness.settle();
  const event = expectEvent(recorder, 'listening');
  assert.equal(event.request, request);
  return event;
}

export async function connectPair(harness: PortHarness, listenOptions = {}): Promise<Pair> {
  const server = new PortRecorder(harness.port());
  const client = new PortRecorder(harness.peerPort());
  const listening = await listenOn(harness, server, listenOptions);
  client.port.connect({ remote: harness.address, remotePort: listening.localPort });
  await harness.settle();
  const accepted = expectEvent(server, 'accepted').session;
  const connected = expectEvent(client, 'connected').session;
  return { server, client, listener: listening.session, port: listening.localPort, accepted, connected };
}

/** Runs one case on a fresh harness and closes it. */
export type Case = (name: string, run: (harness: PortHarness) => Promise<void>) => void;

export async function bindUdp(harness: PortHarness, recorder: PortRecorder, options = {}): Promise<RecordedEvent> {
  const request = recorder.port.udpBind({ local: wordsFromIpv4(0), ...options });
  await harness.settle();
  const bound = expectEvent(recorder, 'bound');
  assert.equal(bound.request, request);
  assert.ok(bound.localPort > 0);
  return bound;
}

export function sendText(port: SessionPort, socket: number, text: string, remote?: Int32Array, remotePort = 0): number {
  return port.sendDatagram(socket, bytesOf(text), 0, text.length, remote, remotePort, true);
}
