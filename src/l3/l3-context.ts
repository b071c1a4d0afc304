import type { Random } from '../base/random.js';
import type { LinkContext } from '../drivers/link-context.js';
import type { L3 } from './l3.js';

/** What nodes of the network layer are given. Transports extend it by their own tables. */
export interface L3Context extends LinkContext {
  readonly l3: L3;
  readonly random: Random;
}
