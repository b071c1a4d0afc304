/** Reads and checks configurations: from a file, from a text, from an object. */
import { readFileSync } from 'node:fs';
import { ConfigError, type ConfigProblem, formatPath } from './problem.js';
import { checkReferences, type Declared } from './reference-check.js';
import { Remainder } from './remainder.js';
import { type NetworkConfig, networkSchema, type ResolvedConfig } from './schema.js';
import { type Finding, findingsOf, valueAt } from './schema-problem.js';
import { YamlSource } from './yaml-source.js';

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a directory, not a YAML file',
  EACCES: 'this user may not read it',
};

/** Reads a YAML file. Throws {@link ConfigError} with everything that is wrong in it. */
export function loadConfigFile(file: string): ResolvedConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError([{ file, path: '', message: (code !== undefined && READ_FAILURES[code]) || message }]);
  }
  return parseConfig(text, file);
}

/** Reads a YAML text; `file` is the name that problems carry. Throws {@link ConfigError}. */
export function parseConfig(text: string, file: string): ResolvedConfig {
  const source = new YamlSource(text, file);
  if (source.problems.length > 0) throw new ConfigError(source.problems);
  return resolve(source.data ?? {}, ({ path, atKey, message, hint }) => ({
    file,
    ...(atKey ? source.placeOfKey(path) : source.placeOfValue(path)),
    path: formatPath(path),
    message,
    ...(hint === undefined ? {} : { hint }),
  }));
}

/** Checks a configuration given as an object. Throws {@link ConfigError}. */
export function resolveConfig(config: NetworkConfig): ResolvedConfig {
  return resolve(config, ({ path, message, hint }) => ({
    path: formatPath(path),
    message,
    ...(hint === undefined ? {} : { hint }),
  }));
}

/** How places are found in the files that configurations came from. */
const locators = new WeakMap<ResolvedConfig, (finding: Finding) => ConfigProblem>();

/** Something that turned out wrong when a configuration was used, with its place. */
export function problemIn(config: ResolvedConfig, finding: Finding): ConfigError {
  const { path, message, hint } = finding;
  const locate = locators.get(config);
  if (locate !== undefined) return new ConfigError([locate(finding)]);
  return new ConfigError([{ path: formatPath(path), message, ...(hint === undefined ? {} : { hint }) }]);
}

function resolve(data: unknown, locate: (finding: Finding) => ConfigProblem): ResolvedConfig {
  const result = networkSchema.safeParse(data);
  const findings = result.success
    ? checkReferences(result.data, declaredNames(data, []))
    : findingsOf(result.error.issues, networkSchema, data);
  if (result.success && findings.length === 0) {
    locators.set(result.data, locate);
    return result.data;
  }
  if (!result.success) findings.push(...checkRest(data, findings));
  const problems = findings.map(locate);
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  throw new ConfigError(problems);
}

/** What the configuration says when everything wrong is left out; undefined when nothing useful is left. */
function checkRest(data: unknown, found: readonly Finding[]): Finding[] {
  const rest = new Remainder(data);
  let findings = found;
  // Leaving out a required value makes its group wrong: it goes in the next round, at most the depth of the tree.
  for (let round = 0; round < 8; round++) {
    rest.remove(findings.map(({ path }) => path));
    const result = networkSchema.safeParse(rest.data);
    if (result.success) {
      const references = checkReferences(result.data, declaredNames(data, found));
      return references.map((finding) => ({ ...finding, path: rest.originalPath(finding.path) }));
    }
    findings = findingsOf(result.error.issues, networkSchema, rest.data);
  }
  return [];
}

function declaredNames(data: unknown, findings: readonly Finding[]): Declared {
  const keysAt = (path: string[]): string[] => {
    const value = valueAt(data, path);
    return typeof value === 'object' && value !== null ? Object.keys(value) : [];
  };
  return {
    switches: keysAt(['switches']),
    stacks: new Map(keysAt(['stacks']).map((name) => [name, keysAt(['stacks', name, 'interfaces'])])),
    isDamaged: (path) => findings.some((finding) => path.every((step, depth) => finding.path[depth] === step)),
  };
}
