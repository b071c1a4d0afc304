/** What a program is started with, so that its sockets are those of a stack. */
import { GROUPS_VARIABLE } from './program-groups.js';

/** The network that a program is on, and the stack in it. */
export interface ProgramPlace {
  readonly stack: string;
  /** Control socket of the network to attach to. */
  readonly control?: string;
  /** File of the network to make in the program's own process. */
  readonly config?: string;
}

const REGISTER_URL = new URL('../register.js', import.meta.url);

/** The environment of a program: `base` with the preload and the program's place. */
export function programEnvironment(base: NodeJS.ProcessEnv, place: ProgramPlace): NodeJS.ProcessEnv {
  const { USERNET_CONTROL: _control, USERNET_CONFIG: _config, [GROUPS_VARIABLE]: _groups, ...environment } = base;
  const preload = `--import ${REGISTER_URL.href}`;
  const given = environment.NODE_OPTIONS ?? '';
  return {
    ...environment,
    NODE_OPTIONS: given.includes(preload) ? given : `${given} ${preload}`.trim(),
    USERNET_STACK: place.stack,
    ...(place.control === undefined ? {} : { USERNET_CONTROL: place.control }),
    ...(place.config === undefined ? {} : { USERNET_CONFIG: place.config }),
  };
}

/** `node` means the Node that runs now: the program and the preload must fit each other. */
export function programFile(command: string): string {
  return command === 'node' ? process.execPath : command;
}
