/**
 * `npm run bench -- [NAME…] [--rounds N] [--json]`: measures and prints. A NAME is a bench (`tcp`) or a case
 * (`tcp/connect`). Each sample is taken in a fresh process, baseline and case in turn, and the median counts.
 */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { attachBench } from './attach.js';
import { type Bench, type BenchCase, type BenchResult, median, type Sample } from './bench.js';
import { graphBench } from './graph.js';
import { memoryBench } from './memory.js';
import { tcpBench } from './tcp.js';

const benches: readonly Bench[] = [graphBench, tcpBench, memoryBench, attachBench];
const DEFAULT_ROUNDS = 5;
const SAMPLE_TIMEOUT_MS = 120_000;
const run = promisify(execFile);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
      sample: { type: 'string' },
    },
  });
  if (values.sample !== undefined) return takeSample(values.sample);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) return fail(`--rounds ${values.rounds}: a whole number from 1 on`);
  const unknown = positionals.find((name) => select([name]).length === 0);
  if (unknown !== undefined) {
    return fail(`there is no bench ${unknown}; there are: ${benches.map((bench) => bench.name).join(', ')}`);
  }
  const results: BenchResult[] = [];
  if (!values.json)
    console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, median of ${rounds}`);
  for (const { bench, benchCase } of select(positionals)) {
    const result = await measure(bench, benchCase, rounds);
    results.push(result);
    if (!values.json) console.log(formatResult(result));
  }
  if (values.json) console.log(JSON.stringify(results, null, 2));
  return 0;
}

function select(names: readonly string[]): { bench: Bench; benchCase: BenchCase }[] {
  const all = benches.flatMap((bench) => bench.cases.map((benchCase) => ({ bench, benchCase })));
  if (names.length === 0) return all;
  return all.filter(
    ({ bench, benchCase }) => names.includes(bench.name) || names.includes(`${bench.name}/${benchCase.name}`),
  );
}

async function measure(bench: Bench, benchCase: BenchCase, rounds: number): Promise<BenchResult> {
  const id = `${bench.name}/${benchCase.name}`;
  const samples: Sample[] = [];
  const baselines: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    if (benchCase.baseline) baselines.push(await sampleInProcess(`${id}#baseline`));
    samples.push(await sampleInProcess(id));
  }
  const middle = median(samples);
  return {
    bench: bench.name,
    case: benchCase.name,
    value: middle.value,
    unit: benchCase.unit,
    cpuSeconds: middle.cpuSeconds,
    baseline: benchCase.baseline?.name ?? null,
    ratio: benchCase.baseline ? middle.value / median(baselines).value : null,
  };
}

async function sampleInProcess(id: string): Promise<Sample> {
  const script = fileURLToPath(import.meta.url);
  const { stdout } = await run(process.execPath, ['--expose-gc', script, '--sample', id], {
    timeout: SAMPLE_TIMEOUT_MS,
  });
  return JSON.parse(stdout) as Sample;
}

async function takeSample(id: string): Promise<number> {
  const [name = '', variant] = id.split('#');
  const benchCase = select([name])[0]?.benchCase;
  const measured = variant === 'baseline' ? benchCase?.baseline : benchCase;
  if (measured === undefined) return fail(`there is no case ${id}`);
  process.stdout.write(JSON.stringify(await measured.run()));
  return 0;
}

function formatResult(result: BenchResult): string {
  const name = `${result.bench}/${result.case}`.padEnd(40);
  const value = `${result.value.toPrecision(4)} ${result.unit}`.padEnd(40);
  const ratio = result.ratio === null ? '' : `${result.ratio.toFixed(2)} × ${result.baseline}`;
  return `${name}${value}${ratio}`.trimEnd();
}

function fail(message: string): number {
  console.error(message);
  return 2;
}

process.exitCode = await main();
