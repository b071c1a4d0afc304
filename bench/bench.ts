/** What a benchmark is: named cases, each measured in processes of its own, so that no case warms or spoils another. */

/** What one process measured. */
export interface Sample {
  /** The figure, in the case's unit. */
  readonly value: number;
  /** User and system CPU time of the measured part, in seconds; of all processes that took part. */
  readonly cpuSeconds: number;
}

export interface BenchCase {
  readonly name: string;
  /** Unit of the figure, such as `Mpps` or `Gbit/s per CPU-second`. */
  readonly unit: string;
  /** How it is measured; called once in a fresh process. */
  readonly run: () => Promise<Sample> | Sample;
  /** What it is compared to, measured in turn with it. `name` says what that is. */
  readonly baseline?: { readonly name: string; readonly run: () => Promise<Sample> | Sample };
}

export interface Bench {
  readonly name: string;
  readonly cases: readonly BenchCase[];
}

/** One line of the result. */
export interface BenchResult {
  readonly bench: string;
  readonly case: string;
  readonly value: number;
  readonly unit: string;
  readonly cpuSeconds: number;
  /** What the ratio is to; null where there is nothing to compare with. */
  readonly baseline: string | null;
  readonly ratio: number | null;
}

/** CPU time of this process so far, user and system, in seconds. */
export function cpuSeconds(): number {
  const usage = process.cpuUsage();
  return (usage.user + usage.system) / 1e6;
}

/** The middle one of the samples, by value. */
export function median(samples: readonly Sample[]): Sample {
  const sorted = [...samples].sort((a, b) => a.value - b.value);
  return sorted[Math.floor(sorted.length / 2)]!;
}
