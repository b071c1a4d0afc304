/** Turns what the schema found into problems: a message of our own for each kind, with what was probably meant. */
import type { z } from 'zod';
import type { ConfigPath } from './problem.js';
import { suggest } from './suggest.js';

/** A problem before it has a place. */
export interface Finding {
  readonly path: ConfigPath;
  /** True when the key is wrong, not its value. */
  readonly atKey?: boolean;
  readonly message: string;
  readonly hint?: string | undefined;
}

type Issue = z.core.$ZodIssue;

/** One or more findings for each issue of a failed parse of `data`. */
export function findingsOf(issues: readonly Issue[], schema: z.ZodType, data: unknown): Finding[] {
  return issues.flatMap((issue) => describe(issue, [], schema, data));
}

function describe(issue: Issue, parent: ConfigPath, schema: z.ZodType, data: unknown): Finding[] {
  const path = [...parent, ...(issue.path as (string | number)[])];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys(schema, path, data);
      return issue.keys.map((key) => ({
        path: [...path, key],
        atKey: true,
        message: `there is no setting "${key}" here`,
        hint: suggest(key, known),
      }));
    }
    case 'invalid_union':
      return describeUnion(issue, path, schema, data);
    case 'invalid_key':
      return issue.issues.flatMap((inner) =>
        describe(inner, path, schema, data).map((each) => ({ ...each, path, atKey: true })),
      );
    case 'invalid_type':
      return [describeType(issue, path, data)];
    case 'invalid_value':
      return [describeValue(issue.values.map(String), path, data)];
    case 'too_small':
      return [
        {
          path,
          message:
            issue.origin === 'array' ? 'the list is empty' : `${shown(data, path)} is less than ${issue.minimum}`,
        },
      ];
    case 'too_big':
      return [{ path, message: `${shown(data, path)} is more than ${issue.maximum}` }];
    case 'custom':
      return [{ path, message: issue.message, hint: issue.params?.hint as string | undefined }];
    default:
      return [{ path, message: issue.message }];
  }
}

function describeType(issue: Extract<Issue, { code: 'invalid_type' }>, path: ConfigPath, data: unknown): Finding {
  const expected = NAMES_OF_TYPES[issue.expected] ?? issue.expected;
  if (valueAt(data, path) === undefined) {
    return { path, message: `"${String(path.at(-1))}" is missing here`, hint: `it takes ${expected}` };
  }
  return { path, message: `${shown(data, path)} is not ${expected}` };
}

const NAMES_OF_TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of settings',
  record: 'a group of named entries',
};

function describeValue(values: readonly string[], path: ConfigPath, data: unknown): Finding {
  if (valueAt(data, path) === undefined) {
    return { path, message: `"${String(path.at(-1))}" is missing here`, hint: `it is one of: ${values.join(', ')}` };
  }
  const message = `${shown(data, path)} is not one of: ${values.join(', ')}`;
  return { path, message, hint: suggest(String(valueAt(data, path)), values) };
}

/** Only what is wrong with the alternative that has the value's own form (text, list or group) helps the reader. */
function describeUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: ConfigPath,
  schema: z.ZodType,
  data: unknown,
): Finding[] {
  // A choice by one setting (`type`) that has a value nobody knows.
  if (issue.errors.length === 0) {
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    return [describeValue(options, path, data)];
  }
  const fitting = issue.errors.find(
    (errors) => !errors.some((each) => each.code === 'invalid_type' && each.path.length === 0),
  );
  if (fitting !== undefined) return fitting.flatMap((inner) => describe(inner, path, schema, data));
  const expected = issue.errors.flatMap((errors) =>
    errors.flatMap((each) => (each.code === 'invalid_type' ? [NAMES_OF_TYPES[each.expected] ?? each.expected] : [])),
  );
  return [{ path, message: `${shown(data, path)} is not ${[...new Set(expected)].join(' or ')}` }];
}

/** The value at a path of plain data. */
export function valueAt(data: unknown, path: ConfigPath): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function shown(data: unknown, path: ConfigPath): string {
  const value = valueAt(data, path);
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of settings';
  return JSON.stringify(value) ?? String(value);
}

/** The settings that the schema knows at `path`; the data decides between alternatives. */
function knownKeys(schema: z.ZodType, path: ConfigPath, data: unknown): string[] {
  let current: unknown = schema;
  for (let depth = 0; ; depth++) {
    current = unwrap(current, valueAt(data, path.slice(0, depth)));
    const def = definition(current);
    if (depth === path.length) return Object.keys(def?.shape ?? {});
    const step = path[depth]!;
    current = def?.shape?.[step] ?? def?.valueType ?? def?.element;
    if (current === undefined) return [];
  }
}

/** What a schema says about itself, as far as it is needed here. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly valueType?: unknown;
  readonly element?: unknown;
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly options?: readonly unknown[];
}

function definition(schema: unknown): Definition | undefined {
  return (schema as { def?: Definition } | undefined)?.def;
}

/** Takes off what lies around a group or a list: optional, default, transform, alternatives. */
function unwrap(schema: unknown, value: unknown): unknown {
  const def = definition(schema);
  if (def === undefined) return schema;
  if (def.innerType !== undefined) return unwrap(def.innerType, value);
  if (def.type === 'pipe') return unwrap(def.in, value);
  if (def.type !== 'union') return schema;
  const options = (def.options ?? []).map((option) => unwrap(option, value));
  return options.find((option) => hasFormOf(option, value)) ?? schema;
}

function hasFormOf(schema: unknown, value: unknown): boolean {
  const def = definition(schema);
  if (def?.type === 'array') return Array.isArray(value);
  if (def?.type !== 'object' || typeof value !== 'object' || value === null) return false;
  const literal = definition(def.shape?.type) as { values?: readonly unknown[] } | undefined;
  return literal?.values === undefined || literal.values.includes((value as { type?: unknown }).type);
}
