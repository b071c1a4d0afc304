import { examine, type Finding } from '../ops/examine.js';
import { ExitCode, print, printJson } from './output.js';
import { formatTable } from './table.js';

/** Exit code 0 when nothing that usernet can't do without is missing. */
export async function doctor(options: { readonly json?: boolean }): Promise<number> {
  const findings = await examine();
  const isFit = findings.every((finding) => finding.status !== 'missing');
  if (options.json) printJson({ ok: isFit, findings });
  else print(`${formatFindings(findings)}\n\n${isFit ? 'usernet can run here.' : 'usernet cannot run here.'}`);
  return isFit ? ExitCode.ok : ExitCode.failed;
}

function formatFindings(findings: readonly Finding[]): string {
  const columns = [{ title: 'CHECK' }, { title: 'STATUS' }, { title: 'FOUND' }];
  const rows = findings.map((finding) => [
    finding.name,
    finding.status,
    finding.hint === undefined ? finding.found : `${finding.found} – ${finding.hint}`,
  ]);
  return formatTable(columns, rows);
}
