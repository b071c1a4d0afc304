import type { ResolvedConfig, StackConfig } from './schema.js';
import { defaultsOf, MEMORY_TABLE, TUNABLE_TABLE } from './tunable-table.js';

const EMPTY_STACK: StackConfig = {
  interfaces: {},
  routes: [],
  neighbors: [],
  forwarding: false,
  hosts: {},
  dns: [],
  programs: [],
};

/** A network of one stack that has nothing but its loopback. Made without the schema, which takes a while to load. */
export function loopbackConfig(stack: string): ResolvedConfig {
  return {
    stacks: { [stack]: EMPTY_STACK },
    switches: {},
    forwards: [],
    memory: defaultsOf(MEMORY_TABLE),
    tunables: { tcp: defaultsOf(TUNABLE_TABLE.tcp) },
  };
}
