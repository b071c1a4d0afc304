/** Reads what Node's test runner reports in TAP. */

/**
 * The runner's closing lines, `# tests N` to `# duration_ms N`. Empty when the report is cut off before them.
 *
 * @param {string} tap
 * @returns {string[]}
 */
export function summaryLines(tap) {
  const lines = tap.split('\n');
  const start = lines.findLastIndex((line) => /^# tests \d+$/.test(line));
  return start < 0 ? [] : lines.slice(start).filter((line) => /^# [a-z_]+ [\d.]+$/.test(line));
}

/**
 * All skipped tests with the reason they gave (`# SKIP reason`).
 *
 * @param {string} tap
 * @returns {{ name: string, reason: string }[]}
 */
export function skippedTests(tap) {
  const found = [];
  for (const [, name = '', reason = ''] of tap.matchAll(/^ *ok \d+ - (.*?) # SKIP ?(.*)$/gm)) {
    found.push({ name, reason: reason || 'no reason given' });
  }
  return found;
}
