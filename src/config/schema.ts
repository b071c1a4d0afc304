/** The one schema of a network: for the YAML file and for the object that `createNetwork` takes. */
import { z } from 'zod';
import {
  addressField,
  bitRateField,
  bytesField,
  countField,
  endpointField,
  fail,
  fractionField,
  hostNameField,
  interfaceAddressField,
  listenField,
  macField,
  millisecondsField,
  nameField,
  prefixField,
  serverField,
  tunableField,
} from './field.js';
import { MEMORY_TABLE, TUNABLE_TABLE, type Tunable, type Tunables } from './tunable-table.js';

/** The least MTU that IPv4 allows (RFC 791 section 3.2) and the largest packet. */
const MIN_MTU = 68;
const MAX_MTU = 65_535;
const DEFAULT_MTU = 1500;
const MAX_DELAY_MS = 3_600_000;

function listOf<Item extends z.ZodType>(item: Item) {
  return z.array(item).default([]);
}

/** One value or a list of them. */
function oneOrMore<Item extends z.ZodType>(item: Item) {
  return z
    .union([item, z.array(item)])
    .default([])
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<Item>[]);
}

/** A section left out, or without anything in it, has all its defaults. */
function section<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => (value ?? schema.parse({})) as z.output<Schema>);
}

/** A section by names. */
function byName<Schema extends z.ZodType>(schema: Schema) {
  return section(z.record(nameField, schema));
}

/** Faults that an interface adds to what it sends. */
const impairSchema = z.strictObject({
  loss: fractionField.optional(),
  duplicate: fractionField.optional(),
  reorder: fractionField.optional(),
  corrupt: fractionField.optional(),
  delay: millisecondsField(0, MAX_DELAY_MS).optional(),
  jitter: millisecondsField(0, MAX_DELAY_MS).optional(),
  rate: bitRateField.optional(),
  /** Bytes that wait for the rate. */
  queue: bytesField(1, 2 ** 30).optional(),
  /** Nothing passes. */
  down: z.boolean().optional(),
  seed: countField(0, 0xffff_ffff).default(1),
});

const commonInterface = {
  address: oneOrMore(interfaceAddressField),
  mtu: countField(MIN_MTU, MAX_MTU).default(DEFAULT_MTU),
  mac: macField.optional(),
  impair: impairSchema.optional(),
  /** A pcapng file for everything that passes. */
  pcap: z.string().min(1).optional(),
};

const vethSchema = z.strictObject({
  type: z.literal('veth'),
  peer: z.string().optional(),
  switch: nameField.optional(),
  offload: z.boolean().default(true),
  ...commonInterface,
});

/** Anything with the shape of a Node Duplex: packets, one per chunk. */
const streamSchema = z.strictObject({
  type: z.literal('stream'),
  link: z.enum(['ethernet', 'ip']).default('ip'),
  stream: z.custom<PacketStream>(isPacketStream, 'a stream can only be given in code: a Duplex, or { onPacket }'),
  ...commonInterface,
});

const pcapSchema = z.strictObject({
  type: z.literal('pcap'),
  link: z.enum(['ethernet', 'ip']).default('ethernet'),
  /** File whose packets come in. */
  read: z.string().min(1).optional(),
  /** File for the packets that go out. */
  write: z.string().min(1).optional(),
  /** recorded: at their distances in time. */
  pace: z.enum(['fast', 'recorded']).default('fast'),
  ...commonInterface,
});

const interfaceSchema = z.discriminatedUnion('type', [vethSchema, streamSchema, pcapSchema]);

const routeSchema = z
  .strictObject({
    to: prefixField,
    via: addressField.optional(),
    interface: nameField.optional(),
    blackhole: z.literal(true).optional(),
  })
  .superRefine((route, context) => {
    const ways = route.via !== undefined || route.interface !== undefined;
    if (ways === (route.blackhole === true)) {
      fail(context, { message: 'a route needs via, interface or blackhole: true', hint: 'via: 10.0.0.1' });
    }
  });

const programSchema = z.strictObject({
  run: z.array(z.string().min(1)).min(1),
  name: nameField.optional(),
  env: section(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))),
  cwd: z.string().optional(),
  restart: z.enum(['no', 'on-failure', 'always']).default('no'),
});

const stackSchema = z.strictObject({
  interfaces: byName(interfaceSchema),
  routes: listOf(routeSchema),
  neighbors: listOf(z.strictObject({ address: addressField, mac: macField, interface: nameField })),
  forwarding: z.boolean().default(false),
  /** Names this stack resolves by itself, as a hosts file does. */
  hosts: section(z.record(hostNameField, oneOrMore(addressField))),
  /** Name servers, asked from within the stack. */
  dns: listOf(serverField),
  programs: listOf(programSchema),
});

const switchSchema = z.strictObject({
  /** Seconds after which a station that was not heard of is forgotten. */
  ageingSeconds: countField(1, 1_000_000).optional(),
  /** Most addresses that are learned. */
  macLimit: countField(1, 1_000_000).optional(),
});

const forwardSchema = z.strictObject({ listen: listenField, to: endpointField, from: nameField });

type Names<Table> = { [Name in keyof Table]: number };
type Given<Table> = { [Name in keyof Table]?: number | string } | null | undefined;

function tableSchema<Table extends Record<string, Tunable>>(table: Table) {
  const shape = Object.fromEntries(
    Object.entries(table).map(([name, tunable]) => [name, tunableField(tunable).default(tunable.default)]),
  );
  return section(z.strictObject(shape)) as unknown as z.ZodType<Names<Table>, Given<Table>>;
}

const tunablesSchema = section(
  z.strictObject(
    Object.fromEntries(Object.entries(TUNABLE_TABLE).map(([group, table]) => [group, tableSchema(table)])),
  ),
) as unknown as z.ZodType<
  Tunables,
  { [Group in keyof typeof TUNABLE_TABLE]?: Given<(typeof TUNABLE_TABLE)[Group]> } | null | undefined
>;

export const networkSchema = z.strictObject({
  stacks: byName(section(stackSchema)),
  switches: byName(section(switchSchema)),
  forwards: listOf(forwardSchema),
  control: z.string().min(1).optional(),
  memory: tableSchema(MEMORY_TABLE),
  tunables: tunablesSchema,
});

/** Packets given and taken by callbacks instead of a Duplex. */
export interface PacketCallbacks {
  /** Called with each packet that leaves by the interface; the bytes are the receiver's. */
  onPacket: (packet: Uint8Array) => void;
  /** Set when the interface is made: hands in a packet; false when it was dropped. */
  inject?: (packet: Uint8Array) => boolean;
}

/** What a `stream` interface takes. */
export type PacketStream = PacketCallbacks | NodeJS.ReadWriteStream;

function isPacketStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ('onPacket' in value) return typeof value.onPacket === 'function';
  return 'write' in value && typeof value.write === 'function' && 'on' in value;
}

/** A network as it is written. */
export type NetworkConfig = Partial<z.input<typeof networkSchema>>;
/** A network with every default filled in and every address read. */
export type ResolvedConfig = z.output<typeof networkSchema>;
export type StackConfig = ResolvedConfig['stacks'][string];
export type InterfaceConfig = StackConfig['interfaces'][string];
export type VethConfig = Extract<InterfaceConfig, { type: 'veth' }>;
export type RouteConfig = StackConfig['routes'][number];
export type NeighborConfig = StackConfig['neighbors'][number];
export type ProgramConfig = StackConfig['programs'][number];
export type SwitchConfig = ResolvedConfig['switches'][string];
export type ForwardConfig = ResolvedConfig['forwards'][number];
export type ImpairConfig = NonNullable<VethConfig['impair']>;
export type StreamConfig = Extract<InterfaceConfig, { type: 'stream' }>;
export type PcapConfig = Extract<InterfaceConfig, { type: 'pcap' }>;
