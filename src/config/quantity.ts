/** Quantities as people write them: `64KiB`, `200ms`, `10Mbit`, `1%`; plain numbers are in the base unit. */
const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
const MILLISECOND_UNITS: Readonly<Record<string, number>> = {
  us: 1e-3,
  ms: 1,
  s: 1e3,
  min: 60e3,
  h: 3600e3,
};
const BIT_RATE_UNITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 };
const FRACTION_UNITS: Readonly<Record<string, number>> = { '%': 0.01 };

/** Bytes, or undefined when the text is no size. */
export function parseBytes(value: string | number): number | undefined {
  return parseQuantity(value, BYTE_UNITS);
}

/** Milliseconds, or undefined when the text is no duration. */
export function parseMilliseconds(value: string | number): number | undefined {
  return parseQuantity(value, MILLISECOND_UNITS);
}

/** Bits per second, or undefined when the text is no rate. */
export function parseBitRate(value: string | number): number | undefined {
  return parseQuantity(value, BIT_RATE_UNITS);
}

/** A fraction of one, or undefined when the text is none. */
export function parseFraction(value: string | number): number | undefined {
  return parseQuantity(value, FRACTION_UNITS);
}

function parseQuantity(value: string | number, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z%]*)$/.exec(value.trim());
  if (match === null) return undefined;
  const unit = match[2] === '' ? 1 : units[match[2]!];
  return unit === undefined ? undefined : Number(match[1]) * unit;
}
