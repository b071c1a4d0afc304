import { randomFillSync } from 'node:crypto';
import type { Random } from '../base/random.js';

const BUFFERED_WORDS = 512;

/** The system's generator, fit for secrets; asked for many numbers at a time. */
export function systemRandom(): Random {
  const words = new Uint32Array(BUFFERED_WORDS);
  let used = BUFFERED_WORDS;
  return {
    uint32() {
      if (used === BUFFERED_WORDS) {
        randomFillSync(words);
        used = 0;
      }
      const word = words[used]!;
      words[used++] = 0;
      return word;
    },
  };
}
