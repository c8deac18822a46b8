import { type RunReport } from './run-report.js';
import { type FindingKind } from './account/verdict.js';

const FINDING_COLUMNS: readonly (readonly [title: string, kinds: readonly FindingKind[]])[] = [
  [
    'missing',
    [
      'ingress missing',
      'ingress loss miscounted',
      'egress missing',
      'egress without outcome',
      'egress given up',
      'egress unknown without cause',
      'egress outcome wrong',
    ],
  ],
  ['invented', ['ingress invented', 'ingress changed', 'egress invented']],
  ['doubled', ['egress doubled', 'egress outcome repeated']],
  ['disorder', ['ingress out of order', 'egress out of order']],
  ['untimely', ['egress late', 'egress expired early', 'egress sent after expiry', 'gap too long']],
  ['taken', ['egress not refused']],
  ['crashes', ['service ended by itself']],
];

/**
 * The runs as a table in Markdown, with a last line that adds them up; of memory and of the median time from
 * heal to answer it has the highest.
 */
export function toTable(reports: readonly RunReport[]): string {
  const rows = reports.map(toNumbers);
  const total = rows.reduce<number[]>(
    (sums, row) =>
      row.map((value, i) => (HIGHEST.includes(i) ? higher(value, sums[i] ?? NaN) : value + (sums[i] ?? 0))),
    [],
  );
  const titles = [
    'seed',
    ...COLUMNS.map(([title]) => title),
    ...FINDING_COLUMNS.map(([title]) => title),
    'verdict',
  ];
  const lines = [
    titles,
    titles.map((_, i) => (i === 0 || i === titles.length - 1 ? '---' : '---:')),
    ...reports.map((report, i) => [
      String(report.seed),
      ...(rows[i] ?? []).map(toCell),
      report.ok ? 'ok' : 'FAILED',
    ]),
    ['all', ...total.map(toCell), reports.every(({ ok }) => ok) ? 'ok' : 'FAILED'],
  ];
  const widths = titles.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `| ${line.map((cell, i) => cell.padStart(widths[i] ?? 0, cell === '---' ? '-' : ' ')).join(' | ')} |`,
    )
    .join('\n');
}

const COLUMNS: readonly (readonly [title: string, value: (report: RunReport) => number])[] = [
  ['s', ({ seconds }) => seconds],
  ['faults', ({ faults }) => Object.values(faults).reduce((sum, count) => sum + count, 0)],
  ['starts', ({ starts }) => starts],
  ['written', ({ counts }) => counts.written],
  ['published', ({ counts }) => counts.published],
  ['again', ({ counts }) => counts.repeats],
  ['in gaps', ({ counts }) => counts['lost in reported gaps']],
  ['accepted', ({ counts }) => counts.accepted],
  ['standing', ({ counts }) => counts.standing],
  ['unknown', ({ counts }) => counts.unknown],
  ['by redelivery', ({ counts }) => counts['reordered by redelivery']],
  ['expired', ({ counts }) => counts.expired],
  ['equal', ({ counts }) => counts['equal texts']],
  ['heal ms', ({ healMs }) => healMs.median],
  ['MiB', ({ memoryMb }) => memoryMb.most],
];

/** Columns whose last line is the highest value. */
const HIGHEST = COLUMNS.flatMap(([title], i) => (title === 'MiB' || title === 'heal ms' ? [i] : []));

/** The higher one; NaN is no figure. */
function higher(a: number, b: number): number {
  return a > b || Number.isNaN(b) ? a : b;
}

function toCell(value: number): string {
  return Number.isNaN(value) ? '-' : String(value);
}

function toNumbers(report: RunReport): number[] {
  return [
    ...COLUMNS.map(([, value]) => value(report)),
    ...FINDING_COLUMNS.map(([, kinds]) => report.findings.filter(({ kind }) => kinds.includes(kind)).length),
  ];
}
