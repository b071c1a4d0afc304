/** Failures of a network that come from what its configuration says, with the place there. */
import { resolve } from 'node:path';
import { UsernetError } from '../base/errors.js';
import { problemIn } from '../config/load.js';
import type { ConfigPath } from '../config/problem.js';
import type { ResolvedConfig } from '../config/schema.js';
import { CaptureFileError } from '../engine/carrier.js';

/** The failure as a problem of the configuration, when that is the cause; else the failure itself. */
export function asConfigFailure(config: ResolvedConfig, error: unknown): unknown {
  if (!(error instanceof UsernetError)) return error;
  const path = causeOf(config, error);
  if (path === undefined) return error;
  return problemIn(config, { path, message: error.message, hint: error.hint });
}

function causeOf(config: ResolvedConfig, error: UsernetError): ConfigPath | undefined {
  if (error instanceof CaptureFileError) return captureSetting(config, error.file);
  if (error.code === 'USERNET_ARENA_FULL') return ['memory', 'arenaBytes'];
  if (error.code === 'USERNET_CONTROL' && config.control !== undefined) return ['control'];
  return undefined;
}

/** The setting that names a capture file. */
function captureSetting(config: ResolvedConfig, file: string): ConfigPath | undefined {
  for (const [stack, { interfaces }] of Object.entries(config.stacks)) {
    for (const [name, each] of Object.entries(interfaces)) {
      const settings = { pcap: each.pcap, ...(each.type === 'pcap' ? { read: each.read, write: each.write } : {}) };
      for (const [setting, value] of Object.entries(settings)) {
        if (value !== undefined && resolve(value) === resolve(file)) {
          return ['stacks', stack, 'interfaces', name, setting];
        }
      }
    }
  }
  return undefined;
}
