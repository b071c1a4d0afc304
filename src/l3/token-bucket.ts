/** Token buckets by row, refilled as time goes by. */
import { NS_PER_S } from '../base/time.js';

export class TokenBuckets {
  readonly #tokens: Float64Array;
  readonly #filledNs: Float64Array;
  readonly #perNs: number;
  readonly #burst: number;

  /** @param perSecond tokens a second. @param burst tokens of a full bucket. */
  constructor(rows: number, perSecond: number, burst: number) {
    this.#tokens = new Float64Array(rows);
    this.#filledNs = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
    this.#perNs = perSecond / NS_PER_S;
    this.#burst = burst;
  }

  /** Takes a token if there is one. */
  take(row: number, nowNs: number): boolean {
    const grown = this.#tokens[row]! + (nowNs - this.#filledNs[row]!) * this.#perNs;
    const tokens = grown < this.#burst ? grown : this.#burst;
    this.#filledNs[row] = nowNs;
    if (tokens < 1) {
      this.#tokens[row] = tokens;
      return false;
    }
    this.#tokens[row] = tokens - 1;
    return true;
  }
}
