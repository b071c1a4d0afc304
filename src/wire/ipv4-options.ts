/**
 * IPv4 options. Read RFC 791 section 3.1 "Options" first, then RFC 1812 section 5.2.4 and RFC 7126 on what a router
 * does with them.
 *
 * ```
 * +---------+                  +---------+---------+--------
 * | type    |  (0, 1: alone)   | type    | length  | data …     length counts type and length too
 * +---------+                  +---------+---------+--------
 * type: copied(1) class(2) number(5)
 * ```
 */

import { IPV4_MIN_HEADER_BYTES, ipv4HeaderBytes } from './ipv4.js';

/** The IANA "IP Option Numbers" registry. */
export const Ipv4Option = {
  end: 0,
  noOperation: 1,
  recordRoute: 7,
  timestamp: 68,
  looseSourceRoute: 131,
  strictSourceRoute: 137,
  routerAlert: 148,
} as const;

const COPIED_FLAG = 0x80;

export const Ipv4OptionsCheck = { ok: 0, badLength: 1 } as const;
export const IPV4_OPTIONS_CHECK_NAMES = ['ok', 'bad option length'] as const;

/** Validates that every option ends inside the header whose {@link checkIpv4} was ok. */
export function checkIpv4Options(view: DataView, at: number): number {
  let option = firstIpv4Option(view, at);
  while (option > 0) option = nextIpv4Option(view, at, option);
  return option < 0 ? Ipv4OptionsCheck.badLength : Ipv4OptionsCheck.ok;
}

/** The offset of the first option that is not padding; 0 if there is none, -1 if its length is bad. */
export function firstIpv4Option(view: DataView, at: number): number {
  return optionFrom(view, at + IPV4_MIN_HEADER_BYTES, at + ipv4HeaderBytes(view, at));
}

/** The offset of the option after the one at `optionAt`; 0 if there is none, -1 if its length is bad. */
export function nextIpv4Option(view: DataView, at: number, optionAt: number): number {
  return optionFrom(view, optionAt + view.getUint8(optionAt + 1), at + ipv4HeaderBytes(view, at));
}

/** Skips padding and validates the length of what follows, so that a walk ends after at most 20 steps. */
function optionFrom(view: DataView, from: number, end: number): number {
  let option = from;
  while (option < end && view.getUint8(option) === Ipv4Option.noOperation) option++;
  if (option >= end || view.getUint8(option) === Ipv4Option.end) return 0;
  if (option + 2 > end) return -1;
  const length = view.getUint8(option + 1);
  return length < 2 || option + length > end ? -1 : option;
}

export function ipv4OptionType(view: DataView, optionAt: number): number {
  return view.getUint8(optionAt);
}

/** Type, length and data, in bytes. */
export function ipv4OptionBytes(view: DataView, optionAt: number): number {
  return view.getUint8(optionAt + 1);
}

/** The offset of the first option of `type`; 0 if there is none before the end or a bad length. */
export function findIpv4Option(view: DataView, at: number, type: number): number {
  let option = firstIpv4Option(view, at);
  while (option > 0 && view.getUint8(option) !== type) option = nextIpv4Option(view, at, option);
  return Math.max(option, 0);
}

/** True if the option stands in every fragment, not only in the first. RFC 791 section 3.1. */
export function isIpv4OptionCopied(type: number): boolean {
  return (type & COPIED_FLAG) !== 0;
}

/**
 * Writes to `to` the options that every fragment after the first carries, padded to a multiple of 4. Returns the bytes
 * written: 0..40. The header at `at` has passed {@link checkIpv4Options}; `to` is outside of it. RFC 791 section 3.2
 * "Fragmentation".
 */
export function writeIpv4FragmentOptions(view: DataView, at: number, to: number): number {
  let written = 0;
  for (let option = firstIpv4Option(view, at); option > 0; option = nextIpv4Option(view, at, option)) {
    if (!isIpv4OptionCopied(ipv4OptionType(view, option))) continue;
    const length = ipv4OptionBytes(view, option);
    for (let i = 0; i < length; i++) view.setUint8(to + written + i, view.getUint8(option + i));
    written += length;
  }
  while ((written & 3) !== 0) view.setUint8(to + written++, Ipv4Option.end);
  return written;
}
